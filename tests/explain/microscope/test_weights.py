"""Weights and what they are multiplied with: together they give the outputs of the layer."""

import keras
import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.microscope.weights import Weight, find_weight, inputs_of, own_part
from tests.explain.networks import look_at, odd_network


@pytest.fixture(scope="module")
def microscope():
    return look_at(odd_network, (15, 13, 3), 3)


def sums_of(layer):
    """Return what a layer computes before its activation."""
    operation = layer.call.operation
    activation = getattr(operation, "activation", None)
    if activation is not None:
        operation.activation = keras.activations.linear
    output = operation(*layer.call.args)
    if activation is not None:
        operation.activation = activation
    return keras.ops.convert_to_numpy(output)[0]


@pytest.mark.parametrize(
    ("name", "size"),
    [("same", (3, 2, 3)), ("dilated", (3, 3, 6)), ("depthwise", (3, 3)), ("separable", (32,)),
     ("logits", (5,))],
)  # fmt: skip
def test_inputs_times_weights_give_the_sums(microscope, name, size):
    layer = microscope.layer(name)
    unit = 2
    total = 0.0
    for place in [*np.ndindex(size), "bias"]:
        weight = find_weight(layer, unit, place)
        total = total + inputs_of(layer, weight) * weight.value
    np.testing.assert_allclose(total, sums_of(layer)[..., unit], rtol=1e-4, atol=1e-5)


def test_depthwise_weights_of_a_separable_convolution_reach_every_filter(microscope):
    layer = microscope.layer("separable")
    total = 0.0
    for place in np.ndindex(3, 3, 32):
        weight = find_weight(layer, 0, place)
        total = total + inputs_of(layer, weight) * weight.value * weight.mixed[3]
    bias = find_weight(layer, 3, "bias").value
    np.testing.assert_allclose(total + bias, sums_of(layer)[..., 3], rtol=1e-4, atol=1e-5)
    derivatives = np.arange(16.0).reshape(2, 8)
    weight = Weight(None, (), 3, (0, 0, 0), mixed=np.ones(8))
    assert weight.outputs(derivatives).tolist() == [28, 92]
    assert find_weight(layer, 3, (0,)).outputs(derivatives).tolist() == [3, 11]


@pytest.mark.parametrize("name", ["norm", "layer_norm"])
def test_gamma_is_multiplied_with_the_normalised_input(microscope, name):
    layer = microscope.layer(name)
    gamma, beta = (find_weight(layer, 1, place) for place in ("gamma", "beta"))
    output = gamma.value * inputs_of(layer, gamma) + beta.value * inputs_of(layer, beta)
    np.testing.assert_allclose(output, layer.output[..., 1], rtol=1e-4, atol=1e-5)


def test_the_part_of_a_unit(microscope):
    for name, shape in (("same", (3, 2, 3)), ("depthwise", (3, 3)), ("logits", (5,)), ("norm", ())):
        layer = microscope.layer(name)
        operation = layer.call.operation
        array = np.asarray(operation.gamma if name == "norm" else operation.kernel)
        assert own_part(layer, 1, array).shape == shape
    assert own_part(microscope.layer("same"), 1, np.arange(108).reshape(3, 2, 3, 6))[0, 0, 1] == 7


def test_the_first_weight_is_taken_without_a_place(microscope):
    assert find_weight(microscope.layer("same"), 2, None).index == (0, 0, 0, 2)
    assert find_weight(microscope.layer("depthwise"), 3, (1, 2)).index == (1, 2, 1, 1)


@pytest.mark.parametrize(
    ("name", "unit", "place", "words"),
    [
        ("flat", 0, None, "no weight to differentiate by"),
        ("same", None, None, "has 6 filters: say which with --filter 0 to 5"),
        ("same", 0, (3, 0, 0), "ROW,COL,CHANNEL, within 0 to 2, 0 to 1, 0 to 2; found 3,0,0"),
        ("separable", 0, (0, 0, 32), "within 0 to 2, 0 to 2, 0 to 31; found 0,0,32"),
        ("separable", 0, (0, 0), "must be INPUT, within 0 to 31; found 0,0"),
        ("same", 0, "gamma", "has no gamma"),
        ("norm", 0, (0, 0, 0), "must be gamma or beta"),
    ],
)
def test_weights_that_are_not_there(microscope, name, unit, place, words):
    with pytest.raises(ConfigError, match=words):
        find_weight(microscope.layer(name), unit, place)
