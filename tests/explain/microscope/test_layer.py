"""Layers of an opened network, and how windows lie on an input."""

from types import SimpleNamespace

import numpy as np
import pytest
from keras import layers

from convlens.anatomy.graph import Call
from convlens.errors import ConfigError
from convlens.explain.microscope.layer import Layer, Operand, sides_of
from tests.explain.networks import look_at, nested

IMAGE = np.arange(420.0, dtype=np.float32).reshape(1, 10, 14, 3)


@pytest.fixture(scope="module")
def microscope():
    return look_at(nested, (12, 12, 3), 2)


@pytest.mark.parametrize(
    ("name", "unit", "words"),
    [("conv", 1, "filter 1"), ("both", 2, "channel 2"), ("flat", 9, "number 9"),
     ("logits", 0, "class class 0 (0)"), ("probabilities", 1, "class class 1 (1)")],
)  # fmt: skip
def test_what_a_map_or_a_number_is_called(microscope, name, unit, words):
    assert microscope.layer(name).which_one(unit) == words


def test_a_unit_must_be_there(microscope):
    layer = microscope.layer("gelu")
    assert layer.check_unit(3) == 3
    halves = [one for one in microscope.layers if one.kind == "Split"]
    assert halves[0].check_unit(None) == 0
    for unit, words in (
        (None, "gelu has 4 filters: say which with --filter 0 to 3."),
        (4, "gelu has no filter 4: take 0 to 3."),
        (-1, "gelu has no filter -1: take 0 to 3."),
    ):
        with pytest.raises(ConfigError) as error:
            layer.check_unit(unit)
        assert str(error.value) == words
    with pytest.raises(ConfigError, match=r"2 classes: .* or its name: class 0, class 1"):
        microscope.layer("logits").check_unit(None)


def test_a_layer_that_only_reshapes_changes_nothing(microscope):
    assert not microscope.layer("flat").changes
    assert not microscope.layers[0].changes
    assert microscope.layer("join").changes


def test_computing_with_other_arrays(microscope):
    join = microscope.layer("join")
    ones = np.ones((1, 3, 3, 4), np.float32)
    assert (join.compute([ones, 2 * ones]) == 3).all()
    second = [one for one in microscope.layers if one.kind == "Split"][1]
    image = np.arange(432, dtype=np.float32).reshape(1, 12, 12, 3)
    np.testing.assert_array_equal(second.compute([image]), image[0, ..., 1:])


def layer_of(operation):
    call = Call(1, operation, (), {}, [])
    return Layer("conv", call, 0, (Operand(IMAGE, "image"),), np.zeros((2, 2, 1)))


def test_windows_of_a_dilated_convolution_and_of_a_pooling():
    down, across = sides_of(layer_of(layers.Conv2D(1, 3, dilation_rate=(2, 1), padding="same")))
    assert (down.window, down.before, down.rate, down.count) == (5, 2, 2, 10)
    assert (across.window, across.before, across.rate, across.count) == (3, 1, 1, 14)
    down, across = sides_of(layer_of(layers.MaxPooling2D((2, 3))))
    assert (down.count, down.stride, across.count, across.stride) == (5, 2, 4, 3)


def test_maps_of_another_layout_are_refused():
    with pytest.raises(ConfigError, match="conv: only maps of the layout"):
        sides_of(layer_of(SimpleNamespace(data_format="channels_first")))
