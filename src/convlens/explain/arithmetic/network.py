"""Network: networks of sigmoid layers small enough to compute by hand, forwards and backwards."""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from convlens.errors import ConfigError
from convlens.language import _

Array = NDArray[np.float64]


class Example(NamedTuple):
    """What a network is given, shaped (inputs,), and what it should give, shaped (outputs,)."""

    inputs: Array
    targets: Array


@dataclass(frozen=True)
class Layer:
    """A sigmoid layer.

    Attributes:
        weights: The weights, shaped (inputs, units).
        bias: The biases, shaped (units,), or () where one is shared by the whole layer.
    """

    weights: Array
    bias: Array


Network = tuple[Layer, ...]


def make_network(sizes: tuple[int, ...], weights: Array, biases: Array) -> Network:
    """Return a network with the given numbers.

    Args:
        sizes: The neurons of each layer, inputs first, such as (2, 2, 2).
        weights: All weights in one row, neuron by neuron from w1.
        biases: One bias for each layer, or one for each neuron.

    Raises:
        ConfigError: If there are not as many numbers as the sizes ask for.
    """
    weights = np.asarray(weights, dtype=np.float64)
    biases = np.asarray(biases, dtype=np.float64)
    pairs = list(itertools.pairwise(sizes))
    counts = [inputs * units for inputs, units in pairs]
    neurons = sum(sizes[1:])
    if weights.shape != (sum(counts),):
        raise ConfigError(
            _("a {sizes} network must have {wanted} weights; found {found}.").format(
                sizes="-".join(map(str, sizes)), wanted=sum(counts), found=weights.size
            )
        )
    if biases.shape not in ((len(pairs),), (neurons,)):
        raise ConfigError(
            _(
                "biases must be {layers}, one for each layer, or {neurons}, one for each neuron; "
                "found {found}."
            ).format(layers=len(pairs), neurons=neurons, found=biases.size)
        )
    parts = np.split(weights, np.cumsum(counts)[:-1])
    shared: list[Array] = list(biases)
    if len(biases) != len(pairs):
        shared = np.split(biases, np.cumsum(sizes[1:])[:-1])
    return tuple(
        Layer(part.reshape(units, inputs).T, np.asarray(bias))
        for (inputs, units), part, bias in zip(pairs, parts, shared, strict=True)
    )


@dataclass(frozen=True)
class Forward:
    """One layer in the forward pass.

    Attributes:
        inputs: The inputs, shaped (inputs,).
        products: Each input times each of its weights, shaped (inputs, units).
        sums: The sum of the products and the bias of each unit, shaped (units,).
        outputs: The sigmoid of the sums, shaped (units,).
    """

    inputs: Array
    products: Array
    sums: Array
    outputs: Array


@dataclass(frozen=True)
class Backward:
    """One layer in the backward pass: E is the error, out the output of a neuron, net its sum.

    Attributes:
        terms: What each neuron of the next layer sends back, delta x weight, shaped (units, next
            units); for the last layer output - target, shaped (units, 1).
        error_by_output: dE/dout, the sum of the terms, shaped (units,).
        output_by_sum: dout/dnet = out (1 - out), shaped (units,).
        delta: dE/dnet, the product of the two, shaped (units,).
        weights: dE/dw = delta x input, shaped (inputs, units).
        bias: dE/db = delta, in the shape of the layer's bias; the sum where the layer shares one.
    """

    terms: Array
    error_by_output: Array
    output_by_sum: Array
    delta: Array
    weights: Array
    bias: Array


def run_forward(network: Network, inputs: Array) -> tuple[Forward, ...]:
    """Return every number of the forward pass, for each layer.

    Args:
        network: The network, see `make_network`.
        inputs: The inputs of the first layer, shaped (inputs,).
    """
    passed: list[Forward] = []
    for layer in network:
        products = inputs[:, None] * layer.weights
        sums = products.sum(axis=0) + layer.bias
        passed.append(Forward(inputs, products, sums, expit(sums)))
        inputs = passed[-1].outputs
    return tuple(passed)


def run_backward(
    network: Network, forward: tuple[Forward, ...], targets: Array
) -> tuple[Backward, ...]:
    """Return every number of the backward pass, for each layer, the first layer first.

    Args:
        network: The network, see `make_network`.
        forward: Its forward pass, see `run_forward`.
        targets: What the last layer should give, shaped (outputs,).
    """
    terms = (forward[-1].outputs - targets)[:, None]
    found: list[Backward] = []
    for layer, here in zip(reversed(network), reversed(forward), strict=True):
        by_output = terms.sum(axis=1)
        by_sum = here.outputs * (1 - here.outputs)
        delta = by_output * by_sum
        found.append(
            Backward(
                terms,
                error_by_output=by_output,
                output_by_sum=by_sum,
                delta=delta,
                weights=here.inputs[:, None] * delta,
                bias=np.asarray(delta.sum()) if layer.bias.ndim == 0 else delta,
            )
        )
        terms = delta * layer.weights
    return tuple(reversed(found))


# The network and the example of lecture 003.
LECTURE_NETWORK = make_network(
    (2, 2, 2),
    weights=np.array([0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55]),
    biases=np.array([0.35, 0.60]),
)
LECTURE_EXAMPLE = Example(np.array([0.05, 0.10]), np.array([0.01, 0.99]))
