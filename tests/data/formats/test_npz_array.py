"""Arrays inside .npz files: shapes, values, chunks in both memory orders, and what is no image."""

import zipfile

import numpy as np
import pytest

from convlens.data.formats import npz_array
from convlens.data.formats.npz_array import StoredImages, read_whole
from convlens.errors import DataError

IMAGES = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3)


def stored(tmp_path, array: np.ndarray) -> StoredImages:
    path = tmp_path / "a.npz"
    np.savez(path, x=array)
    return StoredImages(path, zipfile.ZipFile(path), "x")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("chunk", [1, 13, 10**6])
def test_chunks_give_all_images_in_order(tmp_path, monkeypatch, order, chunk):
    monkeypatch.setattr(npz_array, "CHUNK", chunk)
    images = stored(tmp_path, np.asarray(IMAGES, order=order))
    np.testing.assert_array_equal(np.concatenate([*images.chunks(None)]), IMAGES)


def test_deep_values_become_bytes_by_their_unit(tmp_path):
    images = stored(tmp_path, IMAGES.astype(np.uint16) * 256)
    values = images.values()
    assert values is not None
    assert (values.low, values.high) == (0, 29 * 256)
    np.testing.assert_array_equal(np.concatenate([*images.chunks((0, 65535))]), IMAGES)


def test_a_single_channel_is_dropped_and_bytes_have_no_values(tmp_path):
    images = stored(tmp_path, IMAGES[..., None])
    assert images.shape == (5, 2, 3, 1)
    assert images.image_shape == (5, 2, 3)
    assert images.values() is None


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3, 8, 8)), "The channels come last: np.moveaxis"),
        (np.zeros((2, 64)), "Reshape the rows to height x width"),
        (np.zeros((0, 8, 8)), r"must have the shape .*; found \(0, 8, 8\)"),
        (np.full((2, 3, 3), "a"), "x must hold numbers; found <U1"),
    ],
)
def test_what_holds_no_images_is_refused(tmp_path, array, message):
    with pytest.raises(DataError, match=message):
        stored(tmp_path, array)


def test_nan_is_named(tmp_path):
    images = stored(tmp_path, np.where(IMAGES == 7, np.nan, IMAGES.astype(float)))
    with pytest.raises(DataError, match=r"found NaN or infinity in x \(float64\)"):
        images.values()


def test_an_array_of_labels_is_read_whole(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, y=[3, 1, 2])
    with np.load(path) as archive:
        assert read_whole(path, archive, "y").tolist() == [3, 1, 2]
