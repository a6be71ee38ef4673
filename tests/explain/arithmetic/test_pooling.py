"""Pooling: the decks' numbers, Keras' layers on random numbers, and what is refused."""

from fractions import Fraction

import keras
import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.pooling import global_average, pool
from convlens.explain.arithmetic.reading import get_image


@pytest.mark.parametrize(
    ("name", "expected"), [("pool-001", [[5, 6], [8, 9]]), ("pool-004", [[7, 9], [8, 4]])]
)
def test_the_decks_max_pooling(name, expected):
    assert pool(get_image(name)).output[..., 0].tolist() == expected


def test_average_and_min_stay_exact():
    assert pool(get_image("pool-004"), kind="average").output[0, 0, 0] == Fraction(15, 4)
    assert pool(get_image("pool-004"), kind="min").output[..., 0].tolist() == [[1, 1], [2, 1]]


def test_a_cell_opens_into_its_window_and_the_cells_it_kept():
    cell = pool(get_image("pool-004")).at(1, 0)
    assert (cell.rows, cell.columns, cell.value) == ((2, 4), (0, 2), 8)
    assert cell.kept == ((2, 0),)
    assert cell.window.tolist() == [[8, 5], [4, 2]]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides"), [((2, 2), None), ((3, 3), 2), ((3, 2), 1), ((2, 2), 3)]
)
def test_equal_to_keras(padding, size, strides):
    image = np.random.default_rng(0).normal(size=(7, 10, 3)).astype(np.float32)
    for kind, layer in (
        ("max", keras.layers.MaxPooling2D),
        ("average", keras.layers.AveragePooling2D),
    ):
        expected = np.asarray(layer(size, strides, padding)(image[None]))[0]
        done = pool(image, size, kind=kind, strides=strides, padding=padding)
        np.testing.assert_allclose(done.output, expected, rtol=1e-5, atol=1e-7)
    lowest = -np.asarray(keras.layers.MaxPooling2D(size, strides, padding)(-image[None]))[0]
    np.testing.assert_allclose(
        pool(image, size, kind="min", strides=strides, padding=padding).output, lowest
    )


def test_global_average_equals_keras():
    image = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    expected = np.asarray(keras.layers.GlobalAveragePooling2D()(image[None]))[0]
    np.testing.assert_allclose(global_average(image), expected, rtol=1e-5)
    assert global_average([[1, 2], [3, 5]]).tolist() == [Fraction(11, 4)]


@pytest.mark.parametrize(
    ("side", "size", "strides", "expected"),
    [(7, 2, 2, 4), (6, 2, 2, 3), (7, 3, 2, 3), (5, 2, 4, 2), (2, 3, 1, 1)],
)
def test_partial_windows_cover_every_cell_they_can(side, size, strides, expected):
    done = pool(
        np.arange(side * side).reshape(side, side), size, strides=strides, padding="partial"
    )
    assert done.output.shape == (expected, expected, 1)
    assert done.at(expected - 1, expected - 1).window.size > 0
    if strides <= size:
        assert done.output.max() == side * side - 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 5}, "must fit"),
        ({"size": 0}, "at least 1"),
        ({"strides": 0}, "strides must be at least 1"),
        ({"kind": "median"}, "found 'median'"),
        ({"padding": "full"}, "found 'full'"),
    ],
)
def test_what_cannot_be_is_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        pool(np.ones((4, 4)), **options)
