"""Counts, names and headers of a data set, and which data sets are refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.data.dataset import Dataset, check, inspect, split_of
from convlens.errors import DataError


def make(labels=(0, 1, 1, 2), names=("a", "b", "c"), **values) -> Dataset:
    images = values.pop("images", np.zeros((len(labels), 2, 2), np.uint8))
    return Dataset("src", "made", images, np.array(labels), names, **values)


def test_counts_by_split_include_empty_classes():
    splits = np.array(["train", "train", "test", "test"])
    dataset = make((0, 1, 1, 1), splits=splits)
    assert len(dataset) == 4
    assert dataset.counts().tolist() == [1, 3, 0]
    assert dataset.counts("train").tolist() == [1, 1, 0]
    assert dataset.counts("test").tolist() == [0, 2, 0]
    assert dataset.counts("val").tolist() == [0, 0, 0]
    assert dataset.absent("train") == ["c"]
    assert dataset.absent("test") == ["a", "c"]


def test_a_notebook_shows_one_line():
    paths = [Path(f"p{i}.png") for i in range(4)]
    assert repr(make(images=paths)) == "<Dataset src: 4 images in 3 classes (made)>"


def test_without_splits_no_split_has_an_image():
    assert make().counts("train").tolist() == [0, 0, 0]


def test_an_image_is_named_by_its_path_or_its_number():
    assert make().image_name(3) == "image 3"
    paths = [Path(f"p{i}.png") for i in range(4)]
    assert make(images=paths).image_name(2) == "p2.png"


def test_the_name_of_a_path_is_its_stem(tmp_path):
    (tmp_path / "pets.npz").touch()
    assert make().name == "src"
    assert Dataset(str(tmp_path / "pets.npz"), "", [], np.zeros(0), ()).name == "pets"


def test_labels_are_renumbered_by_the_names_of_a_classifier():
    dataset = make().with_classes(("c", "z", "b", "a"))
    assert dataset.class_names == ("c", "z", "b", "a")
    assert dataset.labels.tolist() == [3, 2, 2, 0]
    with pytest.raises(DataError, match=r"knows \(a, c\); found b, too"):
        make().with_classes(("a", "c"))


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("TRAIN", "train"),
        ("Training set", "train"),
        ("valid", "val"),
        ("dev", "val"),
        (" test-set ", "test"),
        ("tests", None),
        ("", None),
    ],
)
def test_names_of_splits(name, split):
    assert split_of(name) == split


def dataset(labels, images=None, **values) -> Dataset:
    labels = np.array(labels, np.int64)
    names = tuple("abcdefg"[: values.pop("num_classes", labels.max() + 1)])
    images = np.zeros((len(labels), 4, 6), np.uint8) if images is None else images
    return Dataset("src", "made", images, labels, names, **values)


@pytest.fixture
def files(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    made = {
        "a.jpg": lambda p: Image.new("RGB", (40, 20)).save(p, exif=turned),
        "b.png": lambda p: Image.new("RGBA", (30, 30)).save(p),
        "c.gif": lambda p: Image.new("P", (30, 30)).save(p),
        "d.jpg": lambda p: Image.new("CMYK", (10, 50)).save(p),
        "e.png": lambda p: Image.new("I;16", (30, 30)).save(p),
        "f.webp": lambda p: Image.new("RGB", (12, 12)).save(p),
        "empty.png": lambda p: p.touch(),
        "text.jpg": lambda p: p.write_text("hello"),
        "huge.png": lambda p: Image.new("1", (20_000, 10_000)).save(p),
    }
    for name, make in made.items():
        make(tmp_path / name)
    return [tmp_path / name for name in made]


def test_headers_of_files(files):
    seen = inspect(dataset([0, 0, 0, 0, 0, 0, 1, 1, 1], files))
    assert seen.widths == (10, 25, 30)
    assert seen.heights == (12, 30, 50)  # a.jpg is 20 x 40 upright
    assert (seen.common_size, seen.common_size_share) == ((30, 30), 3 / 9)
    assert seen.modes == {"RGB": 2, "RGBA": 1, "P": 1, "CMYK": 1, "I;16": 1}
    assert seen.formats == {"JPEG": 2, "PNG": 2, "GIF": 1, "WEBP": 1}
    assert seen.unreadable == 3
    for name, reason in (
        ("empty", "0 bytes"),
        ("text", "not an image"),
        ("huge", "100 million pixels"),
    ):
        assert any(name in line and reason in line for line in seen.unreadable_examples)
    assert seen.imbalance == 2


def test_sample_says_so(files):
    seen = inspect(dataset([0] * 3 + [1] * 3, files[:6]), sample=2)
    assert seen.inspected == 2
    assert seen.modes == {"RGB": 2}  # the first and the last


def test_arrays():
    seen = inspect(dataset([0, 1, 1, 1, 0], np.zeros((5, 4, 6, 3), np.uint8)))
    assert (seen.widths, seen.heights, seen.modes) == ((6, 6, 6), (4, 4, 4), {"RGB": 5})
    assert (seen.inspected, seen.imbalance) == (5, 1.5)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (dataset([0, 0, 0]), "two classes or more; found one class only, 'a'"),
        (dataset([0, 0, 1, 2]), r"too few in 'b' \(1\), 'c' \(1\)"),
        (dataset([0, 0, 1, 1], num_classes=3), r"too few in 'c' \(0\)"),
        (dataset([0, 0, 1, 1], splits=np.array(["test"] * 4)), "found only test"),
        (
            dataset([0, 0, 1, 1], splits=np.array(["train", "train", "val", "test"])),
            "none in train for 'b'",
        ),
    ],
)
def test_check_refuses(made, message):
    with pytest.raises(DataError, match=message):
        check(made)


def test_check_accepts_one_training_image_where_the_source_divides():
    check(dataset([0, 0, 1, 1], splits=np.array(["train", "test"] * 2)))
    check(dataset([0, 0, 1, 1]))
