"""IDX files: both spellings, gzipped or not, EMNIST's lying images, and damaged ones."""

import gzip
import struct

import numpy as np
import pytest

from convlens.data import cache
from convlens.data.formats.idx import load_idx
from convlens.data.sources import load_data
from convlens.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 5)).astype(np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2], np.uint8)


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">{array.ndim + 1}i", 0x0800 + array.ndim, *array.shape) + array.tobytes()


IMAGES = idx_bytes(PIXELS)
NUMBERS = idx_bytes(LABELS)


@pytest.mark.parametrize("style", ["{}-{}-idx{}-ubyte", "{}-{}.idx{}-ubyte"])
@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("in_memory", [True, False])
def test_mnist_names(tmp_path, monkeypatch, style, ending, in_memory):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "IN_MEMORY", 2**20 if in_memory else 0)
    pack = gzip.compress if ending else bytes
    folder = tmp_path / "raw"
    folder.mkdir()
    for split, flipped in (("train", 1), ("t10k", -1)):
        (folder / (style.format(split, "images", 3) + ending)).write_bytes(
            pack(idx_bytes(PIXELS[::flipped]))
        )
        (folder / (style.format(split, "labels", 1) + ending)).write_bytes(
            pack(idx_bytes(LABELS[::flipped]))
        )
    dataset = load_data(folder)
    np.testing.assert_array_equal(dataset.images, np.concatenate([PIXELS, PIXELS[::-1]]))
    assert dataset.labels.tolist() == [*LABELS, *LABELS[::-1]]
    assert dataset.splits.tolist() == ["train"] * 6 + ["test"] * 6
    assert dataset.kind == "a folder of IDX files"


def test_emnist_is_stood_up_and_named(tmp_path):
    (tmp_path / "emnist-letters-train-images-idx3-ubyte").write_bytes(idx_bytes(PIXELS))
    (tmp_path / "emnist-letters-train-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS + 1))
    (tmp_path / "emnist-letters-mapping.txt").write_text("1 65 97\n2 66 98\n3 67 99\n")
    dataset = load_idx(tmp_path)
    assert dataset.class_names == ("A", "B", "C")
    np.testing.assert_array_equal(dataset.images, PIXELS.swapaxes(1, 2))


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES[:-1], NUMBERS, "images.*must have 136 bytes; found 135"),
        (IMAGES[:-40], NUMBERS, "must have 136 bytes; found 96"),
        (IMAGES + b"x", NUMBERS, "must have 136 bytes; found more"),
        (IMAGES, NUMBERS[:-1], "labels.*must have 14 bytes; found 13"),
        (NUMBERS, NUMBERS, "images.*magic number 2051; found 2049"),
        (IMAGES, IMAGES, "labels.*magic number 2049; found 2051"),
        (b"", NUMBERS, "magic number 2051; found 0"),
        (IMAGES[:9], NUMBERS, "its header says"),
        (struct.pack(">4I", 2051, 6, 2**32 - 1, 2**32 - 1), NUMBERS, "its header says"),
        (IMAGES, idx_bytes(LABELS[:5]), "6 images in .* and 5 labels in"),
        (IMAGES, None, "come in pairs"),
        (None, NUMBERS, "come in pairs"),
    ],
)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_errors_name_the_file_and_the_bytes(tmp_path, images, labels, message, ending):
    for name, content in (("images-idx3", images), ("labels-idx1", labels)):
        if content is not None:
            path = tmp_path / f"train-{name}-ubyte{ending}"
            path.write_bytes(gzip.compress(content) if ending else content)
    with pytest.raises(DataError, match=message) as caught:
        load_idx(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-12], lambda data: IMAGES, lambda data: data[:-8] + bytes(8)]
)
def test_damaged_gzip(tmp_path, damage):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(damage(gzip.compress(IMAGES)))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(NUMBERS)
    with pytest.raises(DataError, match="damaged"):
        load_idx(tmp_path)


def test_two_sets_in_a_folder_are_refused(tmp_path):
    for prefix in ("a-", "b-"):
        (tmp_path / f"{prefix}train-images-idx3-ubyte").write_bytes(IMAGES)
    with pytest.raises(DataError, match="one data set of IDX files"):
        load_idx(tmp_path)


@pytest.mark.parametrize("beside", [True, False])
def test_files_inside_folders_of_their_names(tmp_path, beside):
    for split in ("train", "t10k"):
        for what, data in (("images-idx3-ubyte", IMAGES), ("labels-idx1-ubyte", NUMBERS)):
            name = f"{split}-{what}"
            (tmp_path / name).mkdir()
            (tmp_path / name / name).write_bytes(data)
            (tmp_path / f"._{name}").write_bytes(b"of macOS")
            if beside:
                (tmp_path / name.replace("-idx", ".idx")).write_bytes(data)
    dataset = load_data(tmp_path)
    np.testing.assert_array_equal(dataset.images, np.concatenate([PIXELS, PIXELS]))
    assert dataset.splits.tolist() == ["train"] * 6 + ["test"] * 6


def test_test_images_without_labels_are_left_out(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(IMAGES)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(NUMBERS)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(IMAGES)
    dataset = load_data(tmp_path)
    assert len(dataset) == 6
    assert "t10k-images-idx3-ubyte was left out; IDX files come in pairs" in dataset.notes


@pytest.mark.parametrize("mapping", ["1 A", "1 99999999", "1 \u00e9"])
def test_a_damaged_mapping_of_emnist_says_so(tmp_path, mapping):
    (tmp_path / "emnist-letters-train-images-idx3-ubyte").write_bytes(idx_bytes(PIXELS))
    (tmp_path / "emnist-letters-train-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS + 1))
    (tmp_path / "emnist-letters-mapping.txt").write_text(mapping, encoding="utf-8")
    with pytest.raises(DataError, match=r"mapping\.txt: the file is damaged"):
        load_idx(tmp_path)
