"""Sets follow from pairs, whatever the order of the pairs."""

import numpy as np

from convlens.data.joining import join, pairs_within


def test_pairs_join_whole_sets():
    before = np.array([0, 1, 1, 2, 3])
    assert join(before, np.array([3]), np.array([1])).tolist() == [0, 1, 1, 1, 2]
    assert join(before, np.array([1, 0]), np.array([0, 4])).tolist() == [0, 0, 0, 1, 0]


def test_nothing_is_joined_without_pairs():
    none = np.empty(0, np.int64)
    first, second, third = join(np.array([4, 4, 0]), none, none).tolist()
    assert first == second
    assert second != third
    assert join(none, none, none).tolist() == []


def test_equal_numbers_are_pairs_and_minus_one_is_none():
    first, second = pairs_within(np.array([-1, 7, 3, 7, -1, 7]))
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(1, 3), (3, 5)]
