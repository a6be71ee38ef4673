"""Exercise: an opened cell as something to be reckoned by hand, in numbers of two or three decimals.

Of a layer that looks at many channels only the strongest is left to the student, the sum of the others is given.
"""

from dataclasses import dataclass, replace

import numpy as np

from convlens.errors import ConfigError
from convlens.explain.microscope import Layer
from convlens.explain.microscope_views import strongest
from convlens.explain.opened import Floats, OpenedCell
from convlens.explain.pointwise import activation_of

__all__ = ["Exercise", "make_exercise"]

SMALL = 0.5  # numbers or weights all below it are given with three decimals
MOST = 30  # numbers of a pooling's window
LARGEST = 121  # numbers of a kernel: 11 x 11
TERMS = 12  # of a dense layer


@dataclass(frozen=True)
class Exercise:
    """What is to be reckoned, already rounded.

    Attributes:
        kind: "weighted" (numbers times weights) or "max" or "mean" of a window.
        numbers: (rows, columns).
        weights: likewise; None for a pooling.
        title: of the numbers, as "pool1, channel 3".
        others: how many channels or numbers are left out, and their sum.
        bias: None where there is none.
        activation: name, "" for none.
        value: the answer, from the rounded numbers.
        network: the network's own value, not rounded.
        decimals: of all but that.
    """

    kind: str
    numbers: Floats
    weights: Floats | None
    title: tuple[str, int | None]
    others: tuple[int, float]
    bias: float | None
    activation: str
    value: float
    network: float
    decimals: int = 2

    @property
    def products(self) -> Floats:
        """Rounded products."""
        assert self.weights is not None
        return _rounded(self.numbers * self.weights, self.decimals)

    @property
    def total(self) -> float:
        """Of the products, or of the window."""
        return float((self.numbers if self.weights is None else self.products).sum())

    @property
    def before(self) -> float:
        """The value before the activation."""
        return self.total + self.others[1] + (self.bias or 0.0)


def _rounded(values: Floats | float, decimals: int) -> Floats:
    return np.asarray(np.round(values, decimals) + 0.0)


def make_exercise(layer: Layer, cell: OpenedCell) -> Exercise:
    """Return the exercise of a cell of a convolution, a dense layer or a pooling.

    Raises:
        ConfigError: the layer is of another class, or its window is too large to be reckoned by hand.
    """
    operation = layer.call.operation
    if layer.kind in ("MaxPooling2D", "AveragePooling2D"):
        kind = cell.steps[-1].name
        numbers = _rounded(cell.windows[0].values[..., 0], 2)
        if numbers.size <= MOST:
            value = float(numbers.max() if kind == "max" else _rounded(float(numbers.mean()), 2))
            title = (cell.windows[0].source, cell.index[-1])
            return Exercise(kind, numbers, None, title, (0, 0.0), None, "", value, cell.network)
    elif len(cell.products) == 1 and hasattr(operation, "use_bias"):
        return _weighted(layer, cell)
    raise ConfigError(
        f"{layer.name} ({layer.kind}): a worksheet is of a convolution, a dense layer or a pooling with a window of at "
        f"most {MOST} numbers."
    )


def _weighted(layer: Layer, cell: OpenedCell) -> Exercise:
    products, operation = cell.products[0], layer.call.operation
    channel: int | None
    if products.numbers.ndim == 3:
        place = strongest(products, 1)[0]
        numbers, weights = products.numbers[..., place], products.weights[..., place]
        if numbers.size > LARGEST:
            raise ConfigError(f"{layer.name}: {numbers.size} numbers of a window are too many for a worksheet.")
        left, channel = len(products.channels) - 1, products.channels[place]
    else:
        chosen = strongest(products, TERMS)
        numbers, weights = products.numbers[None, chosen], products.weights[None, chosen]
        left, channel = len(products.numbers) - len(chosen), None
    decimals = 2 if min(np.abs(numbers).max(), np.abs(weights).max()) >= SMALL else 3
    others = float(_rounded(products.total - float((numbers * weights).sum()), decimals)) if left else 0.0
    biased = [step for step in cell.steps if step.name == "bias"]
    bias = float(_rounded(biased[0].value - products.total, decimals)) if biased else None
    function = activation_of(operation)
    if function is None and len(cell.steps) > 1 + len(biased):
        raise ConfigError(f"{layer.name}: a softmax within a layer is not for a worksheet; take the layer before.")
    one = Exercise(
        "weighted", _rounded(numbers, decimals), _rounded(weights, decimals), (cell.windows[0].source, channel),
        (left, others), bias, function[0] if function else "", 0.0, cell.network, decimals,
    )  # fmt: skip
    value = float(_rounded(function[2](one.before) if function else one.before, decimals))
    return replace(one, value=value)
