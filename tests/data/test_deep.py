"""The unit of a data set is decided from all of its deep images, once, and classifiers keep it."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from convlens.config import Config, DataConfig
from convlens.data import deep
from convlens.data.deep import describe_unit, find_values, unit_of, with_unit
from convlens.data.input_shape import choose_preprocessing
from convlens.data.prepared import prepare_data
from convlens.data.sealed import read_sealed
from convlens.data.sources import load_data
from convlens.data.store import is_stored, open_store
from convlens.preprocess import FEW_LEVELS, GUESSED, Preprocessing
from convlens.training.setup import describe_images
from convlens.unit import Values
from tests.data.damage import SEALED_DAMAGES

GREY = np.random.default_rng(0).integers(0, 256, (20, 12, 12)).astype(np.uint8)
GREY[0] = 0
GREY[0, 0, 0] = 1  # nearly black
GREY[1, 0, :2] = (0, 255)
SEEN = Preprocessing(12, 12, 1)


def folder(tmp_path, arrays, suffix="tif"):
    for i, array in enumerate(arrays):
        path = tmp_path / "ab"[i % 2] / f"{i}.{suffix}"
        path.parent.mkdir(exist_ok=True, parents=True)
        Image.fromarray(array).save(path)
    return load_data(tmp_path)


DEEP = {
    "10 bits": (GREY.astype(np.uint16) * 4 + 3, (0, 1023)),
    "12 bits": (GREY.astype(np.uint16) * 16 + 15, (0, 4095)),
    "32 bits": (GREY.astype(np.int32), (0, 255)),
    "16 bits in 32": (GREY.astype(np.int32) * 257, (0, 65535)),
    "floats up to 1": (GREY.astype(np.float32) / 255, (0, 1)),
    "overshoot": (GREY.astype(np.float32) / 255 * 1.004 - 0.002, (0, 1)),
    "floats up to 255": (GREY.astype(np.float32), (0, 255)),
    "floats up to 65535": (GREY.astype(np.float32) * 257, (0, 65535)),
    "signed": (GREY.astype(np.float32) / 127.5 - 1, (-1, 1)),
    "Hounsfield": (GREY.astype(np.int32) * 16 - 1024, (-1024, 3056)),
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_files_and_arrays_become_the_images_that_they_were_made_from(tmp_path, name):
    values, unit = DEEP[name]
    dataset = folder(tmp_path / "files", values)
    prepared = prepare_data(dataset, Config())
    assert prepared.preprocessing.unit == pytest.approx(unit)
    order = [int(path.stem) for path in dataset.images]
    found = prepared.store.images[..., 0].astype(int)
    np.testing.assert_allclose(found, GREY[order].astype(int), atol=1)
    said = "values {:g} (black) to {:g} (white)".format(*unit)
    assert describe_images(prepared)["input"] == f"12 x 12 grey, {said}"
    assert prepared.store.notes == []
    np.savez(tmp_path / "x.npz", x=values, y=np.arange(20) % 2)
    arrays = load_data(tmp_path / "x.npz")
    assert arrays.unit == choose_preprocessing(arrays, DataConfig()).unit == unit
    np.testing.assert_allclose(arrays.images.astype(int), GREY.astype(int), atol=1)


def test_images_of_8_bits_have_no_unit_and_are_not_decoded(tmp_path, monkeypatch):
    dataset = folder(tmp_path, GREY, "png")
    monkeypatch.setattr(deep, "read_values", None)  # calling it would fail
    assert unit_of(dataset) is None
    assert "unit" not in str(describe_images(prepare_data(dataset, Config())))


def test_what_was_found_is_kept_for_the_same_images_only(tmp_path, monkeypatch):
    dataset = folder(tmp_path, DEEP["10 bits"][0])
    assert unit_of(dataset) == (0, 1023)
    with monkeypatch.context() as context:
        context.setattr(deep, "find_values", None)  # calling it would fail
        assert unit_of(dataset) == (0, 1023)
    Image.fromarray(np.full((9, 12), 5000, np.uint16)).save(tmp_path / "a" / "0.tif")
    assert unit_of(load_data(tmp_path)) == (0, 16383)


@pytest.mark.parametrize("damage", SEALED_DAMAGES)
def test_what_was_kept_and_is_damaged_is_found_anew(damage, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    dataset = folder(tmp_path / "images", DEEP["10 bits"][0])
    assert unit_of(dataset) == (0, 1023)
    (file,) = (tmp_path / "cache" / "units").iterdir()
    damage(file)
    assert unit_of(dataset) == (0, 1023)
    assert Values(*json.loads(read_sealed(file))).high == 1023


def test_images_of_8_bits_among_deep_ones_stay_as_they_are(tmp_path):
    dataset = folder(tmp_path, [*DEEP["12 bits"][0][:10], *GREY[10:]])
    prepared = prepare_data(dataset, Config())
    assert prepared.preprocessing.unit == (0, 4095)
    order = [int(path.stem) for path in dataset.images]
    np.testing.assert_array_equal(prepared.store.images[..., 0], GREY[order])


def test_a_classifier_keeps_its_unit_and_learns_one_where_it_has_none(tmp_path):
    dataset = folder(tmp_path, DEEP["10 bits"][0])
    own = dataclasses.replace(SEEN, unit=(0, 4095))
    assert with_unit(own, dataset) == own
    learned = with_unit(SEEN, dataset)
    assert learned.unit == (0, 1023)
    (note,) = describe_unit(SEEN, learned)
    assert "1023 and above white" in note
    assert describe_unit(own, own) == []
    restored = Preprocessing.from_dict(json.loads(json.dumps(learned.to_dict())))
    assert restored == learned
    former = {name: value for name, value in SEEN.to_dict().items() if name != "unit"}
    assert Preprocessing.from_dict(former).unit == GUESSED


def test_images_whose_unit_does_not_suit_them_are_counted(tmp_path):
    values = DEEP["floats up to 1"][0].copy()
    values[5, 0, 0] = np.nan
    dataset = folder(tmp_path, values)
    store = open_store(dataset, dataclasses.replace(SEEN, unit=(0, 255)))
    assert store.images.max() <= 1
    assert sorted(note.split(":")[0] for note in store.notes) == [
        "images of 16 or 32 bits of which fewer than 16 grey levels remain",
        "images with NaN, which counts as black, or infinity",
    ]
    assert "remain: 19;" in "".join(store.notes)  # one has only two values
    assert open_store(dataset, dataclasses.replace(SEEN, unit=(0, 1))).images.max() == 255


def test_arrays_are_brought_to_the_unit_of_a_classifier(tmp_path):
    np.savez(tmp_path / "x.npz", x=GREY.astype(np.uint16), y=np.arange(20) % 2)
    dataset = load_data(tmp_path / "x.npz")
    assert dataset.unit == (0, 255)
    same = dataclasses.replace(SEEN, unit=(0, 255))
    other = dataclasses.replace(SEEN, unit=(0, 1023))
    former = dataclasses.replace(SEEN, unit=GUESSED)
    assert is_stored(dataset, same)
    assert not is_stored(dataset, other)
    np.testing.assert_array_equal(open_store(dataset, former).images[..., 0], GREY)
    np.testing.assert_allclose(open_store(dataset, other).images[..., 0], GREY / 4, atol=1)
    assert not open_store(dataset, other).remarks
    black = open_store(dataset, dataclasses.replace(SEEN, unit=(0, 65535)))
    assert black.remarks == {FEW_LEVELS: 20}


def test_what_cannot_be_read_has_no_values(tmp_path):
    (tmp_path / "cut.tif").write_bytes(b"II*\0")
    assert find_values([tmp_path / "cut.tif", tmp_path / "none.tif", GREY[0]]) is None
    assert find_values([GREY[2] / 255, tmp_path / "cut.tif"]).images == 1
