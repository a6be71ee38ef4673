"""Counts and names of a data set, and which data sets are refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.data.dataset import Dataset, check, split_of
from convlens.data.sources import load_data
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
    assert (dataset.training_size, make((0, 1, 1, 1)).training_size) == (2, 4)
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
    with pytest.raises(DataError, match=r"knows \(0, 1, .* 9 and 990 more\); found a, b, c, too"):
        make().with_classes(tuple(map(str, range(1000))))


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


def dataset(labels, **values) -> Dataset:
    labels = np.array(labels, np.int64)
    names = tuple("abcdefg"[: values.pop("num_classes", labels.max() + 1)])
    images = np.zeros((len(labels), 4, 6), np.uint8)
    return Dataset("src", "made", images, labels, names, **values)


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


def test_a_single_class_in_split_folders_names_the_flag(tmp_path):
    """Classes may be called Train and Test, of which the names of the files say nothing."""
    for name in ("Train", "Test"):
        (tmp_path / name).mkdir()
        for number in range(3):
            image = Image.fromarray(np.full((8, 8, 3), number, np.uint8))
            image.save(tmp_path / name / f"{'cat' if name == 'Train' else 'dog'}_{number}.png")
    with pytest.raises(DataError, match=r"found one class only.*add --layout classes"):
        load_data(tmp_path)
    assert load_data(tmp_path, layout="classes").class_names == ("Test", "Train")


def test_in_lists_an_image_is_named_inside_the_folder_of_its_data_set(tmp_path):
    (tmp_path / "pets.csv").touch()
    paths = [tmp_path / "a" / "p.png", tmp_path.parent / "q.png"]
    for source in (tmp_path, tmp_path / "pets.csv"):
        dataset = Dataset(str(source), "", paths, np.zeros(2, np.int64), ("a",))
        assert dataset.file_name(0) == "a/p.png"
        assert dataset.file_name(1) == (tmp_path.parent / "q.png").as_posix()
    assert make().file_name(3) == "3"
