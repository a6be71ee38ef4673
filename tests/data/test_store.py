"""Images are decoded once and kept; what is damaged, unreadable or cannot be written is told."""

import errno
import json
import tempfile

import numpy as np
import pytest
from PIL import Image

from convlens.data import decoding
from convlens.data import store as store_module
from convlens.data.cache import cache_folder
from convlens.data.dataset import Dataset
from convlens.data.decoding import bytes_of
from convlens.data.digests import fingerprint
from convlens.data.sealed import MARK, read_sealed
from convlens.data.sources import load_data
from convlens.data.store import is_stored, open_store
from convlens.errors import DataError, StorageError
from convlens.preprocess import Preprocessing, fit_image, prepare
from tests.data.damage import DAMAGES, SEALED_DAMAGES
from tests.data.plain_images import WANTED, plain_images


def test_a_cache_that_cannot_be_written_to_is_refused_before_images_are_read(
    shapes, tmp_path, monkeypatch
):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path))
    dataset = load_data(shapes)

    def refuse(**_options):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "TemporaryFile", refuse)
        patch.setattr(store_module, "digests_of", None)  # calling it would fail
        with pytest.raises(StorageError, match=r"Read-only .*\. Set CONVLENS_CACHE to a folder"):
            open_store(dataset, WANTED)
    open_store(dataset, WANTED)
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert len(open_store(dataset, WANTED).images) == len(dataset)  # which is in the cache


def test_images_are_decoded_once_and_reused(shapes, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path))
    dataset = load_data(shapes)
    wanted = Preprocessing(32, 32, 3)
    calls = []
    monkeypatch.setattr(decoding, "fit_image", lambda *a: calls.append(a) or fit_image(*a))
    first = open_store(dataset, wanted)
    assert isinstance(first.images, np.memmap)
    assert first.images.shape == (120, 32, 32, 3)
    assert len(calls) == 120
    second = open_store(dataset, wanted)
    assert len(calls) == 120
    assert np.array_equal(first.images, second.images)
    assert np.array_equal(first.images[7], prepare(dataset.images[7], wanted))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *(("store/*.npy", damage) for damage in DAMAGES),
        *(("store/*.json", damage) for damage in SEALED_DAMAGES),
        *(("looks/*.npy", damage) for damage in SEALED_DAMAGES),
    ],
)
def test_what_is_damaged_is_decoded_anew(name, damage, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    plain_images(tmp_path / "images")
    dataset = load_data(tmp_path / "images")
    before = open_store(dataset, WANTED)
    pixels = np.array(before.images)
    looks = np.array(before.looks)
    (file,) = (tmp_path / "cache").glob(name)
    damage(file)
    assert not is_stored(dataset, WANTED)
    after = open_store(dataset, WANTED)
    np.testing.assert_array_equal(after.images, pixels)
    np.testing.assert_array_equal(after.looks, looks)
    assert is_stored(dataset, WANTED)


@pytest.mark.parametrize("name", ["store/*.json", "looks/*.npy"])
def test_files_of_earlier_releases_without_a_checksum_are_used(name, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    plain_images(tmp_path / "images")
    dataset = load_data(tmp_path / "images")
    looks = np.array(open_store(dataset, WANTED).looks)
    (file,) = (tmp_path / "cache").glob(name)
    file.write_bytes(file.read_bytes().rpartition(MARK)[0])
    assert is_stored(dataset, WANTED)
    np.testing.assert_array_equal(open_store(dataset, WANTED).looks, looks)


def test_arrays_of_equal_bytes_and_other_shapes_are_told_apart(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 4, 6), np.uint8)

    def stored(images):
        return open_store(Dataset("", "", images, np.zeros(6, int), ("a",)), WANTED).images

    flat, tall = pixels.reshape(6, 1, 24), pixels.reshape(6, 24, 1)
    assert np.array_equal(stored(flat)[0], prepare(flat[0], WANTED))
    assert np.array_equal(stored(tall)[0], prepare(tall[0], WANTED))


def test_unreadable_images_are_named_and_skipped(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.effect_noise((64, 64), 50).save(tmp_path / name / f"{number}.jpg")
    (tmp_path / "a" / "1.jpg").write_bytes((tmp_path / "a" / "1.jpg").read_bytes()[:600])
    (tmp_path / "b" / "2.jpg").write_bytes(b"")
    store = open_store(load_data(tmp_path), Preprocessing(16, 16, 1))
    assert store.usable.tolist() == [True, False, True, True, True, False]
    assert "1.jpg" in store.problems[1]
    assert "0 bytes" in store.problems[5]


def test_nothing_readable_is_an_error(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(2):
            (tmp_path / name / f"{number}.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="none of the 4 images can be read"):
        open_store(load_data(tmp_path), Preprocessing(16, 16, 1))


def test_a_single_image_that_cannot_be_read_is_not_counted(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    dataset = Dataset("a.png", "an image", [tmp_path / "a.png"], np.zeros(1, np.int64), ("a",))
    with pytest.raises(DataError, match=r"^the image cannot be read: .*a\.png: this is not"):
        open_store(dataset, Preprocessing(16, 16, 1))


def test_a_disk_that_is_full_from_the_start_leaves_nothing_behind(shapes, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", full)
    with pytest.raises(StorageError, match=r"No space left.*CONVLENS_CACHE"):
        open_store(load_data(shapes), Preprocessing(32, 32, 3))
    assert not [path for path in cache_folder().glob("*/*") if path.is_file()]


def test_an_error_without_a_system_message_is_told(shapes, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError("5 requested and 0 written")  # numpy's words, which have no strerror

    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "store"))
    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", fail)
    with pytest.raises(StorageError, match="0 written"):
        open_store(load_data(shapes), Preprocessing(32, 32, 3))


def test_colour_that_a_grey_store_loses_is_counted(shapes):
    dataset = load_data(shapes)
    assert open_store(dataset, Preprocessing(32, 32, 1)).coloured == 120
    assert open_store(dataset, Preprocessing(32, 32, 3)).coloured == 0


def test_arrays_of_the_right_shape_are_taken_as_they_are():
    dataset = load_data("digits")
    store = open_store(dataset, Preprocessing(8, 8, 1))
    assert np.shares_memory(store.images, dataset.images)
    assert store.usable.all()


def test_fingerprint_is_of_content_not_of_order(shapes):
    dataset = load_data(shapes)
    store = open_store(dataset, Preprocessing(32, 32, 3))
    known = fingerprint(store.digests, dataset.labels, dataset.class_names)
    order = np.random.default_rng(0).permutation(len(dataset))
    turned = store.digests[order]
    assert fingerprint(turned, dataset.labels[order], dataset.class_names) == known
    labels = dataset.labels.copy()
    labels[0] = 1
    assert fingerprint(store.digests, labels, dataset.class_names) != known


def test_facts_are_plain_json(shapes):
    open_store(load_data(shapes), Preprocessing(32, 32, 3))
    found = list((cache_folder() / "store").glob("*.json"))
    assert found
    for path in found:
        assert set(json.loads(read_sealed(path))) == {"problems", "coloured", "remarks"}


def test_the_same_bytes_of_another_unit_are_stored_apart():
    """Such are an array of 12 bits and one of 16 bits whose values are 16 times as large."""
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8), dtype=np.uint8)
    labels = np.array([0, 1, 0, 1])
    sets = [
        Dataset("x", "x", images, labels, ("a", "b"), unit=unit)
        for unit in ((0.0, 4095.0), (0.0, 65535.0))
    ]
    preprocessing = Preprocessing(6, 6, 1, unit=(0.0, 4095.0))
    for dataset in (*sets, *reversed(sets)):
        stored = open_store(dataset, preprocessing).images
        levels = bytes_of(dataset, preprocessing)
        expected = images if levels is None else levels[images]
        np.testing.assert_array_equal(stored, [prepare(one, preprocessing) for one in expected])
