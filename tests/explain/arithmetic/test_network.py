"""Networks of sigmoid layers: how their numbers are laid out, and what is refused."""

import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.network import (
    LECTURE_EXAMPLE,
    LECTURE_NETWORK,
    make_network,
    run_backward,
    run_forward,
)


def test_weights_are_counted_neuron_by_neuron():
    hidden, output = make_network((2, 3, 1), np.arange(1, 10), np.array([0.5, 0.25]))
    assert hidden.weights.tolist() == [[1, 3, 5], [2, 4, 6]]
    assert output.weights.tolist() == [[7], [8], [9]]
    assert (hidden.bias.shape, float(output.bias)) == ((), 0.25)


def test_a_bias_for_each_neuron():
    hidden, output = make_network((1, 2, 2), np.ones(6), np.arange(4))
    assert (hidden.bias.tolist(), output.bias.tolist()) == ([0, 1], [2, 3])


def test_a_shared_bias_gets_the_sum_of_the_derivatives():
    forward = run_forward(LECTURE_NETWORK, LECTURE_EXAMPLE.inputs)
    for layer in run_backward(LECTURE_NETWORK, forward, LECTURE_EXAMPLE.targets):
        assert float(layer.bias) == pytest.approx(layer.delta.sum())
        assert layer.error_by_output == pytest.approx(layer.terms.sum(axis=1))


@pytest.mark.parametrize(
    ("weights", "biases", "words"),
    [
        (7, 2, "2-2-2 network must have 8 weights; found 7"),
        (8, 3, "2, one for each layer, or 4, one for each neuron; found 3"),
    ],
)
def test_too_few_or_too_many_numbers_are_refused(weights, biases, words):
    with pytest.raises(ConfigError, match=words):
        make_network((2, 2, 2), np.ones(weights), np.ones(biases))
