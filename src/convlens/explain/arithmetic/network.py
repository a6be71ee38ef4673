"""Networks of sigmoid layers small enough to compute by hand, and deck 003's: two inputs, two hidden, two outputs."""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.errors import ConfigError

Array = NDArray[np.float64]


class Example(NamedTuple):
    """What the network is given and what it should answer."""

    inputs: Array
    targets: Array


@dataclass(frozen=True)
class Layer:
    """A sigmoid layer.

    Attributes:
        weights: (inputs, units).
        bias: (units,), or () where the whole layer shares one.
    """

    weights: Array
    bias: Array


Network = tuple[Layer, ...]


def make_network(sizes: tuple[int, ...], weights: Array, biases: Array) -> Network:
    """Return a network of its numbers.

    Args:
        sizes: neurons of each layer, inputs first, as (2, 2, 2).
        weights: all weights, counted neuron by neuron from w1.
        biases: one a layer, or one a neuron.

    Raises:
        ConfigError: not as many numbers as the sizes ask for.
    """
    weights, biases = np.asarray(weights, dtype=np.float64), np.asarray(biases, dtype=np.float64)
    pairs = list(itertools.pairwise(sizes))
    wanted, units = sum(n * m for n, m in pairs), sum(sizes[1:])
    if weights.shape != (wanted,):
        shape = "-".join(map(str, sizes))
        raise ConfigError(f"a {shape} network must have {wanted} weights; found {weights.size}.")
    if biases.shape not in ((len(pairs),), (units,)):
        raise ConfigError(
            f"biases must be {len(pairs)}, one a layer, or {units}, one a neuron; found {biases.size}."
        )
    shared = biases.shape == (len(pairs),)
    layers: list[Layer] = []
    for index, (n, m) in enumerate(pairs):
        first, rest = weights[: n * m], weights[n * m :]
        here = biases[index] if shared else biases[:m]
        layers.append(Layer(first.reshape(m, n).T, np.asarray(here)))
        weights, biases = rest, biases if shared else biases[m:]
    return tuple(layers)


LECTURE_WEIGHTS = np.array([0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55])
LECTURE_BIASES = np.array([0.35, 0.60])
LECTURE_NETWORK = make_network((2, 2, 2), LECTURE_WEIGHTS, LECTURE_BIASES)
LECTURE_EXAMPLE = Example(np.array([0.05, 0.10]), np.array([0.01, 0.99]))
