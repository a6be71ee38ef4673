"""Labels, class names, splits and counts of a data set."""

from pathlib import Path

import numpy as np
import pytest

from convlens.data.dataset import Dataset, encode_labels, natural_key, split_of
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


def test_names_sort_as_people_count():
    names = ["img12", "img2", "IMG10", "7", "11", "b"]
    assert sorted(names, key=natural_key) == ["7", "11", "b", "img2", "IMG10", "img12"]


def test_text_without_class_names_is_sorted_and_shared_by_the_splits():
    labels = [np.array(["x10", "x2"]), np.array(["x2", "y"])]
    indices, names = encode_labels(labels, None, "src")
    assert names == ("x2", "x10", "y")
    assert indices.tolist() == [1, 0, 0, 2]


def test_text_is_numbered_by_the_class_names_and_an_empty_class_stays():
    indices, names = encode_labels([np.array(["b", "a", "b"])], ["b", "c", "a"], "src")
    assert names == ("b", "c", "a")
    assert indices.tolist() == [0, 2, 0]


def test_numbers_are_indices_into_the_class_names():
    indices, names = encode_labels([np.array([2, 0]), np.array([1])], ["x", "y", "z"], "src")
    assert (indices.tolist(), names) == ([2, 0, 1], ("x", "y", "z"))


def test_numbers_without_class_names_are_named_by_their_value():
    indices, names = encode_labels([np.array([5, 30, 5])], None, "src")
    assert (indices.tolist(), names) == ([0, 1, 0], ("5", "30"))


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        ([[0], ["a"]], None, "src: labels must be all numbers or all text; found both"),
        ([[0, -1]], None, "must be 0 or more; found -1 at row 1"),
        ([[0, 2, 2]], ["a", "b"], r"must be 0 to 1.*found 2 at row 1 \(2 such\)"),
        ([["a", "q", "r", "s", "t"]], ["a", "b"], "found q, r, s and 1 more"),
        ([["a"]], ["a", "b", "a"], "found 'a' more than once"),
    ],
)
def test_labels_that_are_refused(labels, names, message):
    with pytest.raises(DataError, match=message):
        encode_labels([np.array(values) for values in labels], names, "src")
