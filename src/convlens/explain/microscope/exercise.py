"""Exercise: an opened value as a task to compute by hand, in numbers of three decimals or more.

Where a layer covers many channels, only the strongest is left to the student, and the sum of the
others is given. Every answer follows from the numbers as they are printed, rounded at each step.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from convlens.errors import ConfigError
from convlens.explain.arithmetic.calculations import Normalization, Softmax, WeightedSum
from convlens.explain.arithmetic.exact import Rounding
from convlens.explain.arithmetic.writing import decimals_of
from convlens.explain.microscope.layer import Floats, Layer
from convlens.explain.microscope.opened_cell import OpenedCell
from convlens.explain.microscope.pointwise import activation_of
from convlens.explain.microscope.reductions import kept_normalization
from convlens.language import _

DECIMALS = 3
MOST_DECIMALS = 6
# The most numbers in the window of a pooling.
MOST = 30
# The most numbers of a kernel that are all shown, as in one of 5 x 5.
LARGEST = 25
# The products that are shown of a dense layer, or of a larger kernel.
TERMS = 12
# The classes that are shown of a softmax.
CLASSES = 10


@dataclass(frozen=True)
class Exercise:
    """What is to be computed by hand, already rounded.

    Attributes:
        kind: "weighted" (numbers times weights), "max" or "mean" of a window, "softmax" or
            "normalised".
        calculation: The calculation with rounded numbers: a WeightedSum whose numbers and weights
            are (rows, columns), a Softmax, a Normalization, or the window of a pooling, shaped
            (rows, columns).
        source: The name of the layer that the numbers come from.
        channel: The channel that they come from; None where there is none.
        value: The answer, computed from the rounded numbers.
        network: The value of the network, not rounded.
        decimals: The decimals of all numbers but that.
        activation: The name of the activation function, "" for none.
        left: How many channels or numbers are left out, of which only the sum is given.
        heads: What the columns are where not all are shown: inputs of a dense layer, or row,column
            of a large window.
        shown: The classes that the columns of a softmax stand for.
        own: The column of the class whose share is the answer.
    """

    kind: str
    calculation: Any
    source: str
    channel: int | None
    value: float
    network: float
    decimals: int = DECIMALS
    activation: str = ""
    left: int = 0
    heads: tuple[str, ...] = ()
    shown: tuple[int, ...] = ()
    own: int = 0


def rounding(decimals: int) -> Rounding:
    """Return the rounding to numbers as they are printed."""
    return lambda values: np.asarray(np.round(values, decimals) + 0.0)


def make_exercise(layer: Layer, cell: OpenedCell) -> Exercise:
    """Return the exercise of a value of a convolution, dense layer, pooling, softmax or batch norm.

    Args:
        layer: The layer.
        cell: Its opened value.

    Raises:
        ConfigError: If the layer is of another class, or if its window is too large to compute by
            hand.
    """
    if layer.kind in ("MaxPooling2D", "AveragePooling2D"):
        if cell.windows[0].values.size <= MOST:
            return _pooled(layer, cell)
    elif layer.kind == "Softmax" and len(layer.shape) == 1:
        return _softmax(cell)
    elif layer.kind == "BatchNormalization":
        return _normalised(layer, cell)
    elif len(cell.products) == 1 and hasattr(layer.operation, "use_bias"):
        return _weighted(layer, cell)
    raise ConfigError(
        _(
            "{layer} ({kind}): a worksheet needs a convolution, a dense layer, a softmax, a batch "
            "normalisation, or a pooling with a window of at most {most} numbers."
        ).format(layer=layer.name, kind=layer.kind, most=MOST)
    )


def _pooled(layer: Layer, cell: OpenedCell) -> Exercise:
    kind = "max" if layer.kind == "MaxPooling2D" else "mean"
    rounded = rounding(DECIMALS)
    numbers = rounded(cell.windows[0].values[..., 0])
    value = float(numbers.max() if kind == "max" else rounded(numbers.mean()))
    return Exercise(kind, numbers, cell.windows[0].source, cell.index[-1], value, cell.network)


def _weighted(layer: Layer, cell: OpenedCell) -> Exercise:
    if layer.operation.activation is keras.activations.softmax:
        raise ConfigError(
            _(
                "{layer}: a softmax within a layer is not for a worksheet; take the layer before."
            ).format(layer=layer.name)
        )
    products = cell.products[0]
    numbers = products.numbers
    weights = products.weights
    channel: int | None = None
    heads: tuple[str, ...] = ()
    left = 0
    if numbers.ndim == 3:
        place = products.strongest(1)[0]
        channel = products.channels[place]
        numbers = numbers[..., place]
        weights = weights[..., place]
        left = len(products.channels) - 1
    if numbers.ndim == 1 or numbers.size > LARGEST:
        order = np.argsort(-np.abs(numbers * weights), axis=None, kind="stable")
        chosen = np.unravel_index(np.sort(order[:TERMS]), numbers.shape)
        heads = tuple(",".join(map(str, place)) for place in zip(*chosen, strict=True))
        numbers = numbers[chosen][None]
        weights = weights[chosen][None]
        left = products.numbers.size - numbers.size
    decimals = max(_decimals(numbers), _decimals(weights))
    rounded = rounding(decimals)
    done = WeightedSum(
        rounded(numbers),
        rounded(weights),
        None if products.bias is None else float(rounded(products.bias)),
        rest=float(rounded(products.total - (numbers * weights).sum())) if left else 0.0,
        rounded=rounded,
    )
    function = activation_of(layer.operation)
    value = function.compute(done.value) if function else done.value
    return Exercise(
        "weighted",
        done,
        cell.windows[0].source,
        channel,
        float(rounded(value)),
        cell.network,
        decimals,
        activation=function.name if function else "",
        left=left,
        heads=heads,
    )


def _decimals(values: Floats) -> int:
    """Return decimals that leave at least two digits of the largest number, and usually three."""
    return min(MOST_DECIMALS, max(DECIMALS, decimals_of(values, 1)))


def _softmax(cell: OpenedCell) -> Exercise:
    """Return the exercise of all classes, or of the largest and the one that is asked for."""
    seen = cell.windows[0]
    logits = seen.values.reshape(-1)
    own = cell.index[-1]
    first = np.argsort(-logits, kind="stable")[:CLASSES].tolist()
    shown = sorted(first if own in first else [*first[:-1], own])
    decimals = DECIMALS + 1
    rounded = rounding(decimals)
    others = np.delete(logits, shown)
    rest = float(rounded(np.exp(others - logits.max()).sum()))
    done = Softmax(rounded(logits[shown]), rest, rounded)
    column = shown.index(own)
    return Exercise(
        "softmax",
        done,
        seen.source,
        None,
        float(done.output[column]),
        cell.network,
        decimals,
        left=len(others),
        shown=tuple(shown),
        own=column,
    )


def _normalised(layer: Layer, cell: OpenedCell) -> Exercise:
    exact = kept_normalization(layer, cell.index)
    decimals = max(DECIMALS + 1, _decimals(np.array([exact.variance + exact.epsilon])))
    rounded = rounding(decimals)
    z, mean, variance, epsilon, gamma, beta = (
        float(rounded(one))
        for one in (
            exact.inputs,
            exact.mean,
            exact.variance,
            exact.epsilon,
            exact.gamma,
            exact.beta,
        )
    )
    done = Normalization(z, mean, variance, epsilon, gamma, beta, rounded)
    return Exercise(
        "normalised",
        done,
        cell.windows[0].source,
        cell.index[-1] if len(layer.shape) == 3 else None,
        float(done.output),
        cell.network,
        decimals,
    )
