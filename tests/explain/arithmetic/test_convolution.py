"""Convolution: the numbers of the lectures as fractions, and Keras' layers on random numbers."""

from fractions import Fraction

import keras
import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.convolution import convolve, depthwise_convolve, separable_convolve
from convlens.explain.arithmetic.pooling import pool
from convlens.explain.arithmetic.reading import get_filter, get_image

LEFT = [
    [7, -1, 1, 3, 5, -1, 3], [-1, 9, -1, 3, -1, 1, -1], [1, -1, 9, -3, 1, -1, 5],
    [3, 3, -3, 5, -3, 3, 3], [5, -1, 1, -3, 9, -1, 1], [-1, 1, -1, 3, -1, 9, -1],
    [3, -1, 5, 3, 1, -1, 7],
]  # fmt: skip
# Lecture 004 truncates to two digits; these are the ninths behind them.
POOLED = {
    "left-diagonal": [[9, 3, 5, 3], [3, 9, 3, 5], [5, 3, 9, 1], [3, 5, 1, 7]],
    "cross": [[5, 3, 5, 3], [3, 9, 5, 1], [5, 5, 5, 1], [3, 1, 1, 3]],
    "right-diagonal": [[3, 5, 9, 7], [5, 5, 9, 3], [9, 9, 1, 5], [7, 3, 5, 3]],
}
TWICE = {"left-diagonal": [9, 5, 5, 9], "cross": [9, 5, 5, 5], "right-diagonal": [5, 9, 9, 5]}


def ninths(map_) -> list:
    assert all(isinstance(one, Fraction) for one in map_.flat)
    return (map_[..., 0] * 9).tolist()


def test_deck_001_same_convolution_gives_its_first_row():
    done = convolve(get_image("seven"), get_filter("plus")[..., 0], padding="same")
    assert done.output[0, :, 0].tolist() == [7, 11, 12, 6, 4, 4, 3]
    assert done.border == (1, 1, 1, 1)
    assert done.output.shape == (7, 7, 1)


def test_deck_004_mean_of_the_products_in_ninths():
    maps = {
        name: convolve(get_image("x9"), get_filter(name)[..., 0], mean=True).output
        for name in POOLED
    }
    assert ninths(maps["left-diagonal"]) == LEFT
    assert ninths(maps["right-diagonal"]) == [row[::-1] for row in LEFT]
    for name, expected in POOLED.items():
        once = pool(np.maximum(maps[name], 0), 2, padding="partial")
        assert ninths(once.output) == expected
        twice = pool(once.output, 2)
        assert [value * 9 for value in twice.output.reshape(-1)] == TWICE[name]


def test_a_cell_opens_into_patch_products_sum_and_bias():
    cell = convolve(get_image("x9"), get_filter("left-diagonal")[..., 0], 2, mean=True).at(0, 0)
    assert cell.rows == (0, 3)
    assert cell.products[..., 0].tolist() == [[-1, 1, 1], [1, 1, 1], [1, 1, 1]]
    assert (cell.total, cell.divisor, cell.bias, cell.value) == (7, 9, 2, Fraction(25, 9))


def test_a_cell_at_the_border_names_where_its_patch_lies():
    cell = convolve(get_image("seven"), get_filter("plus")[..., 0], padding="same").at(0, 6)
    assert (cell.rows, cell.columns) == ((-1, 2), (5, 8))
    assert cell.patch[..., 0].tolist() == [[0, 0, 0], [1, 1, 0], [1, 1, 0]]


def test_deck_004_two_threes_see_what_a_five_sees():
    rng = np.random.default_rng(0)
    image = rng.integers(-3, 4, (5, 5))
    threes = rng.integers(-2, 3, (2, 3, 3))
    assert convolve(convolve(image, threes[0]).output, threes[1]).output.shape == (1, 1, 1)
    assert convolve(image, np.ones((5, 5), int)).output.shape == (1, 1, 1)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [(1, 1), (2, 3), (3, 2)])
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 4), (5, 2)])
def test_every_cell_equals_keras(padding, strides, size):
    rng = np.random.default_rng(1)
    for groups, filters in ((1, 5), (2, 4), (4, 8)):
        layer = keras.layers.Conv2D(
            filters, size, strides, padding, groups=groups, bias_initializer="normal"
        )
        image = rng.normal(size=(8, 11, 4)).astype(np.float32)
        # TensorFlow on CPUs has no grouped convolution with unequal strides.
        if groups > 1 and strides[0] != strides[1]:
            continue
        expected = np.asarray(layer(image[None]))[0]
        done = convolve(image, *layer.get_weights(), strides=strides, padding=padding)
        assert done.groups == groups
        np.testing.assert_allclose(done.output, expected, rtol=1e-5, atol=1e-5)
        row, column, filter_ = (int(rng.integers(side)) for side in expected.shape)
        cell = done.at(row, column, filter_)
        assert cell.value == pytest.approx(expected[row, column, filter_], rel=1e-5, abs=1e-5)
        assert cell.products.sum() == pytest.approx(cell.total)


@pytest.mark.parametrize(("padding", "strides"), [("valid", 1), ("same", 1), ("same", 2)])
def test_depthwise_and_separable_equal_keras(padding, strides):
    rng = np.random.default_rng(2)
    image = rng.normal(size=(9, 8, 3)).astype(np.float32)
    depthwise = keras.layers.DepthwiseConv2D(
        (3, 3), strides, padding, depth_multiplier=2, bias_initializer="normal"
    )
    expected = np.asarray(depthwise(image[None]))[0]
    done = depthwise_convolve(image, *depthwise.get_weights(), strides=strides, padding=padding)
    np.testing.assert_allclose(done.output, expected, rtol=1e-5, atol=1e-5)
    assert done.groups == 3
    layer = keras.layers.SeparableConv2D(
        4, 3, strides, padding, depth_multiplier=2, bias_initializer="normal"
    )
    expected = np.asarray(layer(image[None]))[0]
    done = separable_convolve(image, *layer.get_weights(), strides=strides, padding=padding)
    np.testing.assert_allclose(done.output, expected, rtol=1e-5, atol=1e-5)


def test_even_sizes_with_same_put_the_larger_half_after_as_keras():
    done = convolve(np.ones((4, 4), int), np.ones((2, 2), int), padding="same")
    assert done.border == (0, 1, 0, 1)
    assert str(done.border) == "0 above, 1 below, 0 left, 1 right"
    assert done.output[3, 3, 0] == 1


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((np.ones((2, 2)), np.ones((3, 3))), {}, "filter of 3 x 3 and an image of 2 x 2"),
        ((np.ones((4, 4)), np.ones((3, 3))), {"strides": 0}, "strides must be at least 1; found 0"),
        (
            (np.ones((4, 4)), np.ones((3, 3))),
            {"padding": "full"},
            "must be valid or same; found 'full'",
        ),
        ((np.ones((4, 4, 3)), np.ones((3, 3, 2, 1))), {}, "found 2 channels and 1 filters"),
        ((np.ones((4, 4, 2)), np.ones((3, 3, 1, 3))), {}, "found 1 channels and 3 filters"),
        (
            (np.ones((4, 4)), np.ones((3, 3)), [1, 2]),
            {},
            "bias must have one number for each filter, 1; found 2",
        ),
        (([[1, 2], [3]], np.ones((1, 1))), {}, "every row must have as many numbers"),
        (([[1, np.nan]], np.ones((1, 1))), {}, "must be finite"),
        (([["a", "b"]], np.ones((1, 1))), {}, "must be a number"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(arguments, options, words):
    with pytest.raises(ConfigError) as error:
        convolve(*arguments, **options)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_cell_outside_the_map_is_refused():
    done = convolve(np.ones((4, 4)), np.ones((3, 3)))
    with pytest.raises(ConfigError, match="column 2 is outside: take 0 to 1"):
        done.at(0, 2)
