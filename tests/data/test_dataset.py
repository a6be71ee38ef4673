"""Counts, names and splits of a data set."""

from pathlib import Path

import numpy as np
import pytest

from convlens.data.dataset import Dataset, split_of
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
