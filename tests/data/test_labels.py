"""Labels become class indices and class names, or are refused."""

import numpy as np
import pytest

from convlens.data.labels import decode_text, encode_labels, flatten_labels, natural_key
from convlens.errors import DataError


def test_names_sort_as_people_count():
    names = ["img12", "img2", "IMG10", "7", "11", "b"]
    assert sorted(names, key=natural_key) == ["7", "11", "b", "img2", "IMG10", "img12"]


def test_text_without_class_names_is_sorted_and_shared_by_the_splits():
    labels = [np.array(["x10", "x2"]), np.array(["x2", "y"])]
    indices, names = encode_labels(labels, None, "src")
    assert names == ("x2", "x10", "y")
    assert indices.tolist() == [1, 0, 0, 2]


def test_a_name_that_is_not_utf_8_becomes_text_that_can_be_written():
    given = ["gr\udcf6", "a"]
    labels = [np.array(given)]
    assert encode_labels(labels, None, "src")[1] == ("a", r"gr\udcf6")
    indices, names = encode_labels(labels, given, "src")
    assert (indices.tolist(), names) == ([0, 1], (r"gr\udcf6", "a"))


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


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([2, 0, 1], [2, 0, 1]),
        ([[2], [0], [1]], [2, 0, 1]),
        ([[0, 0, 1], [1, 0, 0], [0, 1, 0]], [2, 0, 1]),
        ([2.0, 0.0, 1.0], [2, 0, 1]),
        ([True, False, True], [1, 0, 1]),
        (["x", "y", "x"], ["x", "y", "x"]),
        ([b"x", "貓".encode()], ["x", "貓"]),
    ],
)
def test_labels_of_any_layout_become_one_row(labels, expected):
    found = flatten_labels(np.array(labels), "src: y")
    assert found.tolist() == expected
    assert found.dtype.kind in "iU"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[1, 1, 0]], "src: y: labels of shape .* must be one-hot"),
        ([[0.5, 0.5]], "must be one-hot"),
        ([[["a"]]], "must have the shape"),
        (np.zeros((2, 2, 2)), r"must have the shape.*found \(2, 2, 2\)"),
        ([0.5, 1.0], "whole numbers or text; found float64, such as 0.5"),
        ([1.0, np.nan], "whole numbers or text; found float64, such as nan"),
        ([1.0, np.inf, 0.5], "whole numbers or text; found float64, such as inf"),
    ],
)
def test_labels_of_other_layouts_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        flatten_labels(np.array(labels), "src: y")


def test_only_bytes_are_decoded():
    assert decode_text(np.array(["貓".encode()])).tolist() == ["貓"]
    assert decode_text(np.array([3])).tolist() == [3]
