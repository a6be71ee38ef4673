"""Looks are kept beside the pixels, for every size of a network, and taken anew if missing."""

import numpy as np
import pytest

from convlens.data import store as store_module
from convlens.data.array_looks import looks_of_arrays
from convlens.data.sources import load_data
from convlens.data.store import open_store
from convlens.preprocess import Preprocessing
from tests.data.damage import SEALED_DAMAGES
from tests.data.plain_images import WANTED, plain_images


@pytest.mark.parametrize("damage", SEALED_DAMAGES)
def test_damaged_looks_of_an_array_are_taken_anew(damage, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path))
    dataset = load_data("digits")
    wanted = Preprocessing(8, 8, 1)
    looks = np.array(open_store(dataset, wanted).looks)
    (file,) = tmp_path.glob("looks/*.npy")
    damage(file)
    np.testing.assert_array_equal(open_store(dataset, wanted).looks, looks)


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
