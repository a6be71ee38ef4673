"""Chinese: what is said of data and images, in both languages, from every reader of files."""

import gzip
import re

import numpy as np
import pytest
from PIL import Image

from convlens.audit.gate import check_before_training
from convlens.config import Config
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from convlens.errors import ConvlensError
from convlens.language import again
from convlens.language_choice import using
from convlens.preprocess import read_image
from convlens.zoo.keras_file import open_keras_file
from convlens.zoo.torch_file import read_torch_file

CHINESE = re.compile("[\u4e00-\u9fff]")
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 5)).astype(np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])
TABLES = {
    "no columns": b"a,b\n1,2\n",
    "no rows": b"path,label\n",
    "no image": b"path,label\n,cat\n",
    "no label": b"path,label\na.png,\n",
    "a missing image": b"path,label\na.png,cat\n",
    "too many values": b"path,label\na.png,cat,dog\n",
    "an open quote": b'path,label\n"a.png,cat\n',
    "no encoding": b"path,label\n\xff\x00\xff\xfe,\xff\xff\n" + "é猫".encode() * 9,
}
ARRAYS = {
    "no arrays": {"a": PIXELS},
    "no labels": {"x": PIXELS},
    "fewer labels": {"x": PIXELS, "y": LABELS[:4]},
    "rows": {"x": PIXELS.reshape(6, -1), "y": LABELS},
    "channels first": {"x": np.zeros((6, 3, 4, 5)), "y": LABELS},
    "text": {"x": PIXELS.astype(str), "y": LABELS},
    "objects": {"x": np.array([None] * 6), "y": LABELS},
    "infinity": {"x": np.full((6, 4, 5), np.inf), "y": LABELS},
    "two shapes": {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS[:, 1:], "y_test": LABELS},
    "fractions": {"x": PIXELS, "y": LABELS / 4},
    "negative labels": {"x": PIXELS, "y": LABELS - 1},
    "not one-hot": {"x": PIXELS, "y": np.zeros((6, 3), int)},
    "labels in a cube": {"x": PIXELS, "y": np.zeros((6, 3, 1), int)},
    "labels without a name": {"x": PIXELS, "y": LABELS, "class_names": ["a", "b"]},
    "a name twice": {"x": PIXELS, "y": LABELS, "class_names": ["a", "b", "a"]},
    "an unknown name": {"x": PIXELS, "y": list("abcabc"), "class_names": ["a", "b"]},
    "one class": {"x": PIXELS, "y": 0 * LABELS},
    "one image of a class": {"x": PIXELS, "y": [0, 0, 0, 0, 0, 1]},
}
FOLDERS = {  # the names of the images in them
    "nothing": [],
    "no labels": ["a.png", "b.png"],
    "one class": ["cat/1.png", "cat/2.png"],
    "other files": ["a.xyz"],
    "a table": ["labels.csv"],
    "unread images": ["a.heic"],
    "nothing to train on": ["test/cat/1.png", "test/cat/2.png", "test/dog/1.png", "test/dog/2.png"],
    "an untrained class": ["train/cat/1.png", "train/dog/1.png", "val/cow/1.png", "val/cow/2.png"],
    "a split twice": ["val/cat/1.png", "valid/cat/1.png"],
    "one IDX file": ["train-images-idx3-ubyte"],
    "two IDX data sets": ["a-train-images-idx3-ubyte", "b-train-images-idx3-ubyte"],
}
IMAGES = {"empty": b"", "text": b"a text", "damaged": b"\x89PNG\r\n\x1a\n" + bytes(40)}
FILES = ("a.zip", "a.png", "a.xyz", "a.npz", "train-images-idx3-ubyte", "missing")


def table(folder, name):
    path = folder / "a.csv"
    path.write_bytes(TABLES[name])
    return path, lambda: load_data(path)


def arrays(folder, name):
    path = folder / "a.npz"
    np.savez(path, **ARRAYS[name])
    return path, lambda: load_data(path)


def images(folder, name):
    path = folder / "some"
    path.mkdir()
    for number, image in enumerate(FOLDERS[name]):
        draw(path / image, number)
    return path, lambda: load_data(path)


def image(folder, name):
    path = folder / "a.png"
    path.write_bytes(IMAGES[name])
    return path, lambda: read_image(path)


def file(folder, name):
    path = folder / name
    if name != "missing":
        path.touch()
    return path, lambda: load_data(path)


def idx(folder, name):
    """Write images that are too short, or labels with another magic number."""
    path = folder / "train-images-idx3-ubyte.gz"
    labels = folder / "train-labels-idx1-ubyte"
    numbers = [0x803, 2, 4, 5]
    path.write_bytes(gzip.compress(np.array(numbers, ">i4").tobytes() + bytes(7)))
    labels.write_bytes(np.array([0x801 if name == "short" else 7, 2], ">i4").tobytes() + bytes(2))
    return path if name == "short" else labels, lambda: load_data(folder)


def weights(folder, name):
    path = folder / "a.h5"
    path.write_bytes(b"a")
    if name == "keras":
        return path, lambda: open_keras_file(path, []).__enter__()
    return path, lambda: read_torch_file(path, "0" * 64)


def draw(path, number):
    """Write an image, or a file of another kind that is empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        Image.effect_noise((8, 8), 20 + number).save(path)
    else:
        path.touch()


CASES = [
    *((table, name) for name in TABLES),
    *((arrays, name) for name in ARRAYS),
    *((images, name) for name in FOLDERS),
    *((image, name) for name in IMAGES),
    *((file, name) for name in FILES),
    *((idx, name) for name in ("short", "magic")),
    *((weights, name) for name in ("keras", "torch")),
]


@pytest.mark.parametrize(("make", "name"), CASES, ids=lambda one: getattr(one, "__name__", one))
def test_errors_are_said_in_both_languages(make, name, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    path, read = make(tmp_path, name)
    with pytest.raises(ConvlensError) as english:
        read()
    with using("zh"), pytest.raises(ConvlensError) as chinese:
        read()
    said = str(chinese.value)
    assert str(path) in said
    assert str(path) in str(english.value)
    assert CHINESE.search(said)
    assert "：" in said
    assert again(chinese.value.args[0]) == str(english.value)


def test_notes_are_said_in_both_languages(tmp_path):
    """A report that has both languages repeats the notes that were made in one of them."""
    source = tmp_path / "animals"
    for number in range(8):
        draw(source / f"train/cat/{number}.png", number)
        draw(source / f"train/dog/{number}.png", number + 20)
    (source / "train/dog/broken.png").write_bytes(b"a text")
    (source / "train/dog/copy.png").write_bytes((source / "train/dog/0.png").read_bytes())
    for name in ("a.txt", "train/b.txt", ".hidden", "train/cow/1.heic", "test/8.png"):
        draw(source / name, 50)

    def notes():
        return check_before_training(prepare_data(load_data(source), Config())).notes

    english = notes()
    with using("zh"):
        chinese = notes()
    assert len(english) >= 6
    assert [note for note in chinese if not CHINESE.search(note)] == []
    assert again(chinese) == english
    with using("zh"):
        assert again(english) == chinese
