"""Exercises: their answers follow from the rounded numbers, and lie near the network's value."""

import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.microscope.exercise import CLASSES, TERMS, make_exercise, rounding
from convlens.explain.microscope.microscope import open_cell
from tests.explain.networks import exercises, look_at


@pytest.fixture(scope="module")
def microscope():
    return look_at(exercises, (16, 16, 3), 3)


def exercise_of(microscope, name, index):
    layer = microscope.layer(name)
    return make_exercise(layer, open_cell(layer, index))


def test_the_answers_follow_from_the_numbers_on_the_sheet(microscope):
    layer = microscope.layer("conv")
    one = make_exercise(layer, open_cell(layer, (4, 5, 1)))
    done = one.calculation
    assert one.left == 2
    np.testing.assert_allclose(
        done.products, (done.numbers * done.weights).round(one.decimals), atol=1e-12
    )
    assert done.value == pytest.approx(done.products.sum() + done.rest + done.bias)
    assert one.value == pytest.approx(max(0, done.value), abs=1e-9)


@pytest.mark.parametrize(("name", "kind"), [("pool", "max"), ("mean", "mean")])
def test_a_window_of_a_pooling(microscope, name, kind):
    one = exercise_of(microscope, name, (1, 2, 0))
    layer = microscope.layer(name)
    window = layer.inputs[0].values[0, 2:4, 4:6, 0].astype(float).round(3)
    np.testing.assert_array_equal(one.calculation, window)
    assert (one.kind, one.channel, one.source) == (kind, 0, layer.inputs[0].source)
    assert one.value == pytest.approx(window.max() if kind == "max" else window.mean().round(3))


def test_the_shown_products_of_a_large_kernel_are_the_largest(microscope):
    layer = microscope.layer("large")
    cell = open_cell(layer, (8, 8, 1))
    one = make_exercise(layer, cell)
    place = cell.products[0].channels.index(one.channel)
    products = np.abs(cell.products[0].products[..., place])
    shown = [tuple(map(int, head.split(","))) for head in one.heads]
    assert len(shown) == TERMS
    largest = np.argsort(-products, axis=None)[:TERMS]
    assert set(shown) == set(zip(*np.unravel_index(largest, (7, 7)), strict=True))
    assert one.left == 7 * 7 * 4 - TERMS
    exact = cell.products[0]
    assert one.calculation.total + one.calculation.rest == pytest.approx(exact.total, abs=0.02)


def test_a_softmax_shows_every_class_or_the_largest(microscope):
    one = exercise_of(microscope, "probabilities", (1,))
    assert (one.left, one.shown, one.own) == (0, (0, 1, 2), 1)
    assert one.decimals == 4
    assert one.value == pytest.approx(
        one.calculation.exponentials[1] / one.calculation.total, abs=1e-4
    )


def test_a_softmax_of_many_classes_gives_the_sum_of_the_others():
    from keras import layers

    found = look_at(lambda x: layers.Dense(15)(layers.Flatten()(x)), (4, 4, 1), 15)
    logits = found.layers[-1].inputs[0].values[0]
    least = int(logits.argmin())
    one = exercise_of(found, found.layers[-1].name, (least,))
    assert len(one.shown) == CLASSES
    assert one.shown[one.own] == least
    others = np.delete(logits.astype(float), one.shown)
    assert one.left == 5
    assert one.calculation.rest == pytest.approx(np.exp(others - logits.max()).sum(), abs=1e-4)


def test_a_normalisation_is_computed_with_rounded_statistics(microscope):
    one = exercise_of(microscope, "norm", (4, 5, 2))
    done = one.calculation
    rounded = rounding(one.decimals)
    assert float(done.deviation) == float(rounded(np.sqrt(done.variance + done.epsilon)))
    expected = rounded(done.gamma * float(done.normalized) + done.beta)
    assert one.value == float(expected)


def test_small_weights_get_more_decimals(microscope):
    assert rounding(2)(np.array([-0.001])).tolist() == [0.0]
    one = exercise_of(microscope, "logits", (2,))
    assert 3 <= one.decimals <= 6
    assert one.heads == tuple(str(number) for number in range(6))


@pytest.mark.parametrize(
    ("name", "index"), [("scaling", (0, 0, 0)), ("shares", (1,)), ("flat", (0,))]
)
def test_what_is_no_exercise(microscope, name, index):
    layer = microscope.layer(name)
    with pytest.raises(ConfigError, match="worksheet"):
        make_exercise(layer, open_cell(layer, index))
