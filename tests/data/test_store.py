import dataclasses
import errno
import json
import os
import shutil
import tempfile

import numpy as np
import pytest
from PIL import Image

from convlens.audit.checks.files import reason_of
from convlens.data import decoding
from convlens.data import store as store_module
from convlens.data.array_looks import looks_of_arrays
from convlens.data.cache import cache_folder
from convlens.data.dataset import Dataset
from convlens.data.decoding import decode_all
from convlens.data.sources import load_data
from convlens.data.store import fingerprint, is_stored, open_store
from convlens.errors import DataError, ImageError, StorageError
from convlens.image_file import name_of
from convlens.preprocess import Preprocessing, fit_image, prepare, read_image
from tests.data.damage import DAMAGES


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


WANTED = Preprocessing(8, 8, 3)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["store/*.npy", "store/*.json", "looks/*.npy"])
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


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_looks_of_an_array_are_taken_anew(damage, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path))
    dataset = load_data("digits")
    wanted = Preprocessing(8, 8, 1)
    looks = np.array(open_store(dataset, wanted).looks)
    (file,) = tmp_path.glob("looks/*.npy")
    damage(file)
    np.testing.assert_array_equal(open_store(dataset, wanted).looks, looks)


def plain_images(folder):
    """Write a class of dark and one of bright images as BMP files of one size and one time."""
    for name, value in (("dark", 10), ("bright", 200)):
        (folder / name).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (8, 8), (value, number, 0)).save(folder / name / f"{number}.bmp")
    freeze(folder)


def freeze(folder):
    """Give all files the time that a reproducible archive gives them."""
    for path in folder.rglob("*.bmp"):
        os.utime(path, (315532800, 315532800))


def reds(folder):
    """Return the red of the images of each class, as a store serves it."""
    dataset = load_data(folder)
    images = open_store(dataset, WANTED).images
    return {
        name: images[dataset.labels == label, 0, 0, 0].tolist()
        for label, name in enumerate(dataset.class_names)
    }


def exchange_folders(folder):
    (folder / "dark").rename(folder / "other")
    (folder / "bright").rename(folder / "dark")
    (folder / "other").rename(folder / "bright")


def exchange_files(folder):
    one = folder / "dark" / "0.bmp"
    one.rename(folder / "kept")
    (folder / "bright" / "0.bmp").rename(one)
    (folder / "kept").rename(folder / "bright" / "0.bmp")


def rewrite_in_place(folder):
    content = (folder / "bright" / "0.bmp").read_bytes()
    with (folder / "dark" / "0.bmp").open("rb+") as file:
        file.write(content)
    freeze(folder)


def replace_by_a_copy(folder):
    shutil.copy2(folder / "bright" / "0.bmp", folder / "copy")
    (folder / "copy").replace(folder / "dark" / "0.bmp")


@pytest.mark.parametrize(
    ("change", "dark", "bright"),
    [
        (exchange_folders, [200, 200, 200], [10, 10, 10]),
        (exchange_files, [200, 10, 10], [10, 200, 200]),
        (rewrite_in_place, [200, 10, 10], [200, 200, 200]),
        (replace_by_a_copy, [200, 10, 10], [200, 200, 200]),
    ],
)
def test_a_change_that_keeps_path_size_and_time_is_seen(tmp_path, change, dark, bright):
    plain_images(tmp_path)
    assert reds(tmp_path) == {"dark": [10, 10, 10], "bright": [200, 200, 200]}
    change(tmp_path)
    assert reds(tmp_path) == {"dark": dark, "bright": bright}


def test_a_link_to_other_images_is_followed(tmp_path):
    for number, name in enumerate(("one", "two")):
        plain_images(tmp_path / name)
        (tmp_path / name / "dark").rename(tmp_path / name / "kept")
        (tmp_path / name / ("bright" if number else "kept")).rename(tmp_path / name / "a")
        (tmp_path / name / ("kept" if number else "bright")).rename(tmp_path / name / "b")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "one")
    assert reds(link) == {"a": [10, 10, 10], "b": [200, 200, 200]}
    link.unlink()
    link.symlink_to(tmp_path / "two")
    assert reds(link) == {"a": [200, 200, 200], "b": [10, 10, 10]}


def test_copies_elsewhere_share_an_array_and_their_problems_name_them(tmp_path, monkeypatch):
    plain_images(tmp_path / "one")
    (tmp_path / "one" / "dark" / "1.bmp").write_bytes(b"BM, but no image")
    open_store(load_data(tmp_path / "one"), WANTED)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    monkeypatch.setattr(store_module, "decode_all", None)
    dataset = load_data(tmp_path / "two")
    (problem,) = open_store(dataset, WANTED).problems.values()
    assert problem.startswith(str(tmp_path / "two" / "dark" / "1.bmp"))


def test_an_image_that_could_not_be_read_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    plain_images(tmp_path / "data")
    dataset = load_data(tmp_path / "data")

    def lacks_a_codec(image, *_, **__):
        if name_of(image).endswith("1.bmp"):
            raise ImageError("{}: no codec".format(name_of(image)))
        return read_image(image)

    with monkeypatch.context() as patch:
        patch.setattr(decoding, "read_image", lacks_a_codec)
        assert open_store(dataset, WANTED).usable.tolist() == [True, False, True] * 2
    assert open_store(dataset, WANTED).usable.all()
    assert open_store(dataset, WANTED).images[1].any()


def test_an_image_that_changes_while_it_is_decoded_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    plain_images(tmp_path / "data")
    dataset = load_data(tmp_path / "data")

    def meanwhile(*arguments, **options):
        rewrite_in_place(tmp_path / "data")
        return decode_all(*arguments, **options)

    monkeypatch.setattr(store_module, "decode_all", meanwhile)
    with pytest.raises(DataError, match=r"0\.bmp: an image must not change while it is decoded"):
        open_store(dataset, WANTED)
    assert not [path for path in cache_folder().glob("*/*") if path.is_file()]


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


def test_looks_lie_beside_the_pixels_and_are_empty_for_unreadable_files(tmp_path):
    plain_images(tmp_path)
    (tmp_path / "dark" / "1.bmp").write_bytes(b"BM, but no image")
    dataset = load_data(tmp_path)
    looks = open_store(dataset, WANTED).looks
    assert isinstance(looks, np.memmap)
    unreadable = [path.name == "1.bmp" and path.parent.name == "dark" for path in dataset.images]
    assert (looks["width"] == np.where(unreadable, 0, 8)).all()
    assert (looks["bytes"] == [0 if gone else 246 for gone in unreadable]).all()
    bright = dataset.labels == dataset.class_names.index("bright")
    assert looks["brightness"][bright].min() > 50 > looks["brightness"][~bright].max()


def test_looks_do_not_depend_on_the_size_of_the_network(shapes, monkeypatch):
    dataset = load_data(shapes)
    small = open_store(dataset, Preprocessing(9, 9, 1)).looks
    large = open_store(dataset, Preprocessing(40, 40, 3)).looks
    assert small.filename == large.filename
    np.testing.assert_array_equal(small, large)
    monkeypatch.setattr(store_module, "decode_all", None)
    np.testing.assert_array_equal(open_store(dataset, Preprocessing(9, 9, 1)).looks, small)


def test_looks_that_were_removed_from_the_cache_are_taken_again(shapes):
    dataset = load_data(shapes)
    store = open_store(dataset, Preprocessing(32, 32, 3))
    brightness = store.looks["brightness"].copy()
    store.looks_file.unlink()
    again = open_store(dataset, Preprocessing(32, 32, 3))
    np.testing.assert_array_equal(again.looks["brightness"], brightness)


def test_looks_of_an_array_are_taken_when_they_are_asked_for(digits):
    store = open_store(digits, Preprocessing(8, 8, 1))
    assert (store.looks["width"] == 8).all()
    assert store.looks_file.exists()
    np.testing.assert_array_equal(store.looks["grey"], looks_of_arrays(digits.images)["grey"])
    resized = open_store(digits, Preprocessing(16, 16, 1))
    np.testing.assert_array_equal(resized.looks, store.looks)


def test_arrays_of_the_right_shape_are_taken_as_they_are():
    dataset = load_data("digits")
    store = open_store(dataset, Preprocessing(8, 8, 1))
    assert np.shares_memory(store.images, dataset.images)
    assert store.usable.all()


def test_fingerprint_is_of_content_not_of_order(shapes):
    dataset = load_data(shapes)
    store = open_store(dataset, Preprocessing(32, 32, 3))
    known = fingerprint(store, dataset.labels, dataset.class_names)
    order = np.random.default_rng(0).permutation(len(dataset))
    turned = dataclasses.replace(store, digests=store.digests[order])
    assert fingerprint(turned, dataset.labels[order], dataset.class_names) == known
    labels = dataset.labels.copy()
    labels[0] = 1
    assert fingerprint(store, labels, dataset.class_names) != known


def test_facts_are_plain_json(shapes):
    open_store(load_data(shapes), Preprocessing(32, 32, 3))
    found = list((cache_folder() / "store").glob("*.json"))
    assert found
    for path in found:
        assert set(json.loads(path.read_text())) == {"problems", "coloured", "remarks"}


def test_images_that_change_or_vanish_are_named_where_they_are_survived(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    plain_images(tmp_path / "data")
    dataset = load_data(tmp_path / "data")

    def meanwhile(*arguments, **options):
        dataset.images[1].unlink()
        Image.new("RGB", (9, 9)).save(dataset.images[4])
        return decode_all(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "decode_all", meanwhile)
        store = open_store(dataset, WANTED, survive=True)
    assert store.usable.tolist() == [True, False, True, True, False, True]
    assert store.problems == {
        1: "{}: the image was removed while it was decoded.".format(dataset.images[1]),
        4: "{}: the image changed while it was decoded.".format(dataset.images[4]),
    }
    codes = [reason_of(dataset.images[index], store.problems[index]) for index in (1, 4)]
    assert codes == ["missing_file", "changed_file"]
    assert not store.images[1].any()
    assert open_store(dataset, WANTED).usable.tolist() == [True, False] + [True] * 4
