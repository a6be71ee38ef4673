"""npz files: shapes, pixel types, labels, refusals, and large arrays that never sit in memory."""

import os
import zipfile

import numpy as np
import pytest

from convlens.data import cache
from convlens.data.formats import npz_array
from convlens.data.formats.npz import load_npz
from convlens.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3)).astype(np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


@pytest.fixture
def npz(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))

    def write(**values):
        np.savez(tmp_path / "a.npz", **values)
        return tmp_path / "a.npz"

    return write


@pytest.mark.parametrize(
    "stored",
    [
        PIXELS,
        PIXELS / 255,
        (PIXELS / 255).astype(np.float32),
        np.clip(PIXELS + np.linspace(-0.4, 0.4, 3), 0, 255),
        PIXELS.astype(np.int64),
        PIXELS.astype(np.uint16) * 256 + 7,
        PIXELS.astype(np.uint16),
        np.asfortranarray(PIXELS),
        np.asfortranarray(PIXELS / 255),
        PIXELS.astype(">i4"),
    ],
    ids=lambda a: f"{a.dtype}-{'F' if a.flags.f_contiguous else 'C'}",
)
@pytest.mark.parametrize("in_memory", [True, False])
def test_pixels_come_as_the_same_bytes(npz, monkeypatch, stored, in_memory):
    monkeypatch.setattr(cache, "IN_MEMORY", 2**20 if in_memory else 0)
    monkeypatch.setattr(npz_array, "CHUNK", 100)  # bytes: an image or two at a time
    dataset = load_npz(npz(x_train=stored, y_train=LABELS))
    np.testing.assert_array_equal(dataset.images, PIXELS)
    assert dataset.images.dtype == np.uint8
    assert isinstance(dataset.images, np.memmap) is not in_memory
    assert len(dataset.notes) == (stored.dtype != np.uint8)


def test_black_and_white_pixels(npz):
    assert (
        load_npz(npz(x=PIXELS > 127, y=LABELS)).images.tolist() == ((PIXELS > 127) * 255).tolist()
    )


def test_splits_names_and_a_single_channel(npz):
    grey = PIXELS[..., :1]
    dataset = load_npz(
        npz(
            x_train=grey, y_train=LABELS[:, None], x_test=grey[:2, ..., 0], y_test=[2, 1],
            x_val=grey[:1], y_val=np.eye(3)[[1]], class_names=["貓", "b c", "d"],
        )
    )  # fmt: skip
    assert dataset.images.shape == (9, 4, 5)
    np.testing.assert_array_equal(dataset.images[7:], grey[:2, ..., 0])
    assert dataset.splits.tolist() == ["train"] * 6 + ["val"] + ["test"] * 2
    assert dataset.labels.tolist() == [0, 1, 2, 0, 1, 2, 1, 2, 1]
    assert dataset.class_names == ("貓", "b c", "d")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (LABELS, ("0", "1", "2")),
        (LABELS * 5.0 + 5, ("5", "10", "15")),
        (np.eye(3)[LABELS], ("0", "1", "2")),
        (np.array(["x2", "x10", "貓"])[LABELS], ("x2", "x10", "貓")),
        (np.array([b"a", b"b", "貓".encode()])[LABELS], ("a", "b", "貓")),
    ],
)
def test_labels(npz, labels, names):
    dataset = load_npz(npz(images=PIXELS, labels=labels))
    assert dataset.class_names == names
    assert dataset.labels.tolist() == LABELS.tolist()
    assert dataset.splits is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"foo": LABELS}, "must have the arrays x_train and y_train.*found foo"),
        ({"x_train": PIXELS}, "x_train must come with its labels, y_train"),
        ({"x": PIXELS, "y": LABELS[:5]}, "found 6 images and 5 labels"),
        ({"x": PIXELS.reshape(6, -1), "y": LABELS}, r"found \(6, 60\)\. Reshape"),
        ({"x": np.moveaxis(PIXELS, -1, 1), "y": LABELS}, "channels come last"),
        ({"x": PIXELS[:0], "y": LABELS[:0]}, r"found \(0, 4, 5, 3\)"),
        ({"x": PIXELS.astype("U3"), "y": LABELS}, "x must hold numbers"),
        ({"x": np.where(PIXELS > 250, np.nan, PIXELS), "y": LABELS}, "found NaN or infinity in x"),
        ({"x": PIXELS, "y": LABELS - 1}, "found -1 at row 0"),
        (
            {"x": PIXELS, "y": LABELS, "class_names": ["a", "b"]},
            r"must be 0 to 1.*found 2 at row 2 \(2 such\)",
        ),
        ({"x": PIXELS, "y": LABELS - 1, "class_names": ["a", "b"]}, "found -1 at row 0"),
        (
            {"x": PIXELS, "y": np.array(list("abcabc")), "class_names": ["a", "b"]},
            "among class_names; found c",
        ),
        ({"x": PIXELS, "y": LABELS + 0.5}, "whole numbers or text; found float64, such as 0.5"),
        ({"x": PIXELS, "y": np.full(6, np.nan)}, "whole numbers"),
        ({"x": PIXELS, "y": np.ones((6, 3))}, "one-hot"),
        ({"x": PIXELS, "y": LABELS.reshape(6, 1, 1).repeat(2, 1)}, r"found \(6, 2, 1\)"),
        (
            {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS[:, :3], "y_test": LABELS},
            "must have the same shape",
        ),
        (
            {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS, "y_test": list("abcabc")},
            "found both",
        ),
        (
            {"x": np.array([None] * 6), "y": LABELS},
            "x holds Python objects, which are never opened",
        ),
        ({"x": PIXELS, "y": np.array([0, "a"] * 3, object)}, "y holds Python objects"),
        (
            {"x": PIXELS, "y": LABELS, "class_names": np.array(["a", None, 3])},
            "class_names holds Python objects",
        ),
    ],
)
def test_errors_say_what_was_found(npz, values, message):
    path = npz(**values)
    with pytest.raises(DataError, match=message) as caught:
        load_npz(path)
    assert str(path) in str(caught.value)


def test_damaged_files(npz):
    path = npz(x=PIXELS, y=LABELS)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"\x80\x04K\x01."):  # the last: a pickle
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"must be an \.npz file"):
            load_npz(path)
    path.write_bytes(whole[:300] + bytes([whole[300] ^ 255]) + whole[301:])
    with pytest.raises(DataError, match="damaged"):
        load_npz(path)
    with zipfile.ZipFile(path, "w") as archive, archive.open("x.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "|u1", "fortran_order": False, "shape": (9, 9, 9)}
        )
    with zipfile.ZipFile(path, "a") as archive, archive.open("y.npy", "w") as member:
        np.save(member, np.zeros(9))
    with pytest.raises(DataError, match="x ends after 0 of 9 images"):
        load_npz(path)


def test_cache_is_reused_renewed_and_never_half_written(npz, monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "IN_MEMORY", 0)
    path = npz(x=PIXELS, y=LABELS)
    folder = tmp_path / "cache"
    load_npz(path)
    (first,) = folder.iterdir()
    monkeypatch.setattr(cache, "write_array", None)  # a second reading writes nothing
    np.testing.assert_array_equal(load_npz(path).images, PIXELS)
    monkeypatch.undo()
    monkeypatch.setenv("CONVLENS_CACHE", str(folder))
    monkeypatch.setattr(cache, "IN_MEMORY", 0)

    npz(x=PIXELS[::-1], y=LABELS)
    os.utime(path, ns=(1, 1))
    np.testing.assert_array_equal(load_npz(path).images, PIXELS[::-1])
    (second,) = folder.iterdir()  # the older state is gone
    assert second != first

    npz(x=np.where(PIXELS > 250, np.nan, PIXELS), y=LABELS)
    with pytest.raises(DataError, match="pixels must be"):
        load_npz(path)
    assert list(folder.iterdir()) == [second]


def test_class_names_that_repeat_are_refused(npz):
    with pytest.raises(
        DataError, match="class_names must differ from each other; found 'a' more than once"
    ):
        load_npz(npz(x=PIXELS, y=LABELS, class_names=np.array(["a", "b", "a"])))


def test_a_header_that_is_no_python_is_damage(tmp_path):
    """NumPy tokenizes a header of Python 2, and an open bracket is an error of the tokenizer."""
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (4, 3L, (, }".ljust(117) + b"\n"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", member)
        archive.writestr("y.npy", member)
    said = r"a\.npz: the file is damaged \(its content is cut off.*\)\. Use an undamaged copy"
    with pytest.raises(DataError, match=said):
        load_npz(tmp_path / "a.npz")


def test_a_test_without_labels_is_left_out(tmp_path):
    images = np.zeros((4, 2, 2), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=images, y_train=[0, 0, 1, 1], x_test=images)
    dataset = load_npz(tmp_path / "a.npz")
    assert set(dataset.splits) == {"train"}
    assert "x_test was left out, because there are no labels, y_test" in dataset.notes


def test_values_that_become_white_are_told(npz):
    """Floats may exceed a usual white a little, but whoever loses values is told so."""
    x = np.linspace(0, 300, 6 * 4 * 5, dtype=np.float32).reshape(6, 4, 5)
    notes = load_npz(npz(x_train=x, y_train=LABELS)).notes
    assert any(
        "reach from 0 to 300; those below 0 became black and those above 255" in n for n in notes
    )
    exact = load_npz(npz(x_train=x * (255 / 300), y_train=LABELS)).notes
    assert not any("reach from" in note for note in exact)
