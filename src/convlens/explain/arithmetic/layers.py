"""Layers: activations, dense, softmax, dropout, concatenation, addition and flatten, with every intermediate number.

Whole numbers and Fractions stay exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import Numbers, as_numbers, write_shape

ACTIVATIONS = {
    "relu": "max(0, z)",
    "sigmoid": "1 / (1 + e^-z)",
    "tanh": "(e^z - e^-z) / (e^z + e^-z)",
}


@dataclass(frozen=True)
class Activation:
    """An activation of any shape.

    Attributes:
        name: one of ACTIVATIONS.
        inputs: z.
        steps: the intermediate numbers by their formula, in the order of computing; none for ReLU.
        output: likewise shaped.
        slope: the derivative at z, with which backpropagation multiplies; ReLU's is 0 at 0.
    """

    name: str
    inputs: Numbers
    steps: dict[str, Numbers]
    output: Numbers
    slope: Numbers


def activate(values: ArrayLike, name: str) -> Activation:
    """Compute ReLU (exact), sigmoid or tanh of numbers of any shape. Raises ConfigError for another name."""
    if name not in ACTIVATIONS:
        raise ConfigError(
            f"the activation must be one of {', '.join(ACTIVATIONS)}; found {name!r}."
        )
    (z,) = as_numbers(values)
    if name == "relu":
        return Activation(name, z, {}, np.maximum(z, 0 * z), np.where(z > 0, z * 0 + 1, z * 0))
    z = z.astype(np.float64)
    with np.errstate(over="ignore"):  # e^1000 is shown as infinite; the answer stays right
        steps = {"e^-z": np.exp(-z)}
        if name == "sigmoid":
            output = np.asarray(expit(z))
            return Activation(
                name, z, steps | {"1 + e^-z": 1 + steps["e^-z"]}, output, output * (1 - output)
            )
        steps = {"e^z": np.exp(z), **steps}
    steps |= {
        "e^z - e^-z": steps["e^z"] - steps["e^-z"],
        "e^z + e^-z": steps["e^z"] + steps["e^-z"],
    }
    output = np.tanh(z)
    return Activation(name, z, steps, output, 1 - output**2)


@dataclass(frozen=True)
class Softmax:
    """A softmax over n numbers.

    Attributes:
        logits: (n,).
        shifted: logits minus the largest, which changes no answer and keeps e^z finite.
        exponentials: (n,) e^shifted.
        total: their sum.
        output: (n,) exponentials / total, which sum to 1.
    """

    logits: NDArray[np.float64]
    shifted: NDArray[np.float64]
    exponentials: NDArray[np.float64]
    total: float
    output: NDArray[np.float64]


def softmax(logits: ArrayLike) -> Softmax:
    """Compute the softmax of (n,) numbers."""
    z = _vector(logits, "logits").astype(np.float64)
    shifted = z - z.max()
    exponentials = np.exp(shifted)
    total = exponentials.sum()
    return Softmax(z, shifted, exponentials, float(total), exponentials / total)


@dataclass(frozen=True)
class Dense:
    """A dense layer.

    Attributes:
        inputs: (n,).
        weights: (n, units).
        bias: (units,).
        products: (n, units), input x weight.
        sums: (units,), products and bias added up.
        output: (units,), activated.
    """

    inputs: Numbers
    weights: Numbers
    bias: Numbers
    products: Numbers
    sums: Numbers
    output: Numbers


def dense(
    inputs: ArrayLike, weights: ArrayLike, bias: ArrayLike = 0, *, activation: str | None = None
) -> Dense:
    """Compute a dense layer.

    Args:
        inputs: (n,).
        weights: (n, units), as Keras' kernel.
        bias: (units,) or one number.
        activation: one of ACTIVATIONS, "softmax", or None.

    Raises:
        ConfigError: the shapes do not fit.
    """
    inputs, weights, bias = as_numbers(inputs, weights, bias)
    if inputs.ndim != 1 or weights.ndim != 2 or len(weights) != len(inputs):
        raise ConfigError(
            f"weights must be ({inputs.size}, units), a row an input; found {write_shape(weights.shape)}."
        )
    units = weights.shape[1]
    if bias.shape not in ((), (units,)):
        raise ConfigError(f"the bias must be {units} numbers, one a unit; found {bias.size}.")
    bias = np.broadcast_to(bias, (units,))
    products = inputs[:, None] * weights
    sums = products.sum(axis=0) + bias
    if activation == "softmax":
        return Dense(inputs, weights, bias, products, sums, softmax(sums).output)
    output = sums if activation is None else activate(sums, activation).output
    return Dense(inputs, weights, bias, products, sums, output)


@dataclass(frozen=True)
class Dropout:
    """Inverted dropout in training; when predicting, a network leaves everything as it is.

    Attributes:
        inputs: of any shape.
        mask: likewise shaped, 1 is kept and 0 dropped.
        rate: the share to drop.
        scale: 1 / (1 - rate), which keeps the expected sum.
        output: inputs x mask x scale.
    """

    inputs: Numbers
    mask: NDArray[np.int64]
    rate: object
    scale: object
    output: Numbers


def dropout(
    values: ArrayLike,
    rate: float | Fraction,
    *,
    mask: ArrayLike | None = None,
    seed: int | None = None,
) -> Dropout:
    """Drop a share of the numbers and enlarge the others.

    Args:
        values: of any shape.
        rate: the chance of a number to be dropped, 0 <= rate < 1; as a Fraction the answer stays exact.
        mask: likewise shaped, 1 to keep and 0 to drop; drawn where not given.
        seed: of that draw.

    Raises:
        ConfigError: the rate is out of range, or the mask of another shape or with other numbers than 0 and 1.
    """
    if not 0 <= rate < 1:
        raise ConfigError(f"the dropout rate must be at least 0 and below 1; found {rate}.")
    (inputs,) = as_numbers(values)
    if mask is None:
        kept = (np.random.default_rng(seed).random(inputs.shape) >= float(rate)).astype(np.int64)
    else:
        given = np.asarray(mask)
        if given.shape != inputs.shape or not np.isin(given, (0, 1)).all():
            raise ConfigError(
                f"the mask must be 0s and 1s of the shape {write_shape(inputs.shape)}; "
                f"found {write_shape(given.shape)}."
            )
        kept = given.astype(np.int64)
    scale = 1 / (1 - rate)
    return Dropout(inputs, kept, rate, scale, inputs * kept * scale)


def concatenate(images: Sequence[ArrayLike]) -> Numbers:
    """Return maps of one size behind each other, (height, width, sum of channels). Raises ConfigError otherwise."""
    arrays = as_numbers(*images)
    if len({array.shape[:-1] for array in arrays}) != 1:
        raise ConfigError(
            f"maps to concatenate must have one height and width; found {_shapes(arrays)}."
        )
    return np.concatenate(arrays, axis=-1)


def add(images: Sequence[ArrayLike]) -> Numbers:
    """Return maps of one shape added up, number by number. Raises ConfigError for other shapes."""
    arrays = as_numbers(*images)
    if len({array.shape for array in arrays}) != 1:
        raise ConfigError(f"maps to add must have one shape; found {_shapes(arrays)}.")
    return np.asarray(sum(arrays[1:], start=arrays[0]))


def flatten(image: ArrayLike) -> Numbers:
    """Return all numbers in one row, as Keras does: row by row, and of each cell channel by channel."""
    return as_numbers(image)[0].reshape(-1)


def _shapes(arrays: Sequence[Numbers]) -> str:
    return " and ".join(" x ".join(map(str, array.shape)) for array in arrays) or "none"


def _vector(values: ArrayLike, what: str) -> Numbers:
    (array,) = as_numbers(values)
    if array.ndim != 1 or not array.size:
        raise ConfigError(f"{what} must be one row of numbers; found {write_shape(array.shape)}.")
    return array
