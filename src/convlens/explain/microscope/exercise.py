"""Exercise: an opened cell as something to be reckoned by hand, in numbers of three decimals or a few more.

Of a layer that looks at many channels only the strongest is left to the student, the sum of the others is given. Every
answer follows from the numbers as they are printed, rounded at each step.
"""

from dataclasses import dataclass, replace

import numpy as np

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import decimals_of
from convlens.explain.microscope.activation import activation_of
from convlens.explain.microscope.microscope import Layer
from convlens.explain.microscope.normalization import batch_numbers
from convlens.explain.microscope.value import Floats, OpenedCell, strongest

DECIMALS, MOST_DECIMALS = 3, 6
MOST = 30  # numbers of a pooling's window
LARGEST = 25  # numbers of a kernel that are all shown: 5 x 5
TERMS = 12  # of a dense layer, or of a larger kernel
CLASSES = 10  # of a softmax


@dataclass(frozen=True)
class Exercise:
    """What is to be reckoned, already rounded.

    Attributes:
        kind: "weighted" (numbers times weights), "max" or "mean" of a window, "softmax" or "normalised".
        numbers: (rows, columns); of a softmax (1, classes) logits, of a normalisation its one input.
        weights: likewise; None where nothing is weighted.
        title: of the numbers: where they come from, and the channel.
        others: how many channels or numbers are left out, and their sum, of a softmax that of their e^(z - largest).
        bias: None where there is none.
        activation: name, "" for none.
        value: the answer, from the rounded numbers.
        network: the network's own value, not rounded.
        decimals: of all but that.
        heads: what the columns are where not all are shown: inputs of a dense layer, row,column of a large window.
        shown: which classes of a softmax the columns are.
        own: column of the class that is asked for.
        given: mean, variance, epsilon, gamma and beta of a normalisation.
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
    decimals: int = DECIMALS
    heads: tuple[str, ...] = ()
    shown: tuple[int, ...] = ()
    own: int = 0
    given: tuple[float, ...] = ()

    @property
    def products(self) -> Floats:
        """Rounded products."""
        assert self.weights is not None
        return self.rounded(self.numbers * self.weights)

    @property
    def total(self) -> float:
        """Of the products, or of the window, or of all powers."""
        if self.kind == "softmax":
            return float(self.powers.sum()) + self.others[1]
        return float((self.numbers if self.weights is None else self.products).sum())

    @property
    def before(self) -> float:
        """The value before the activation."""
        return self.total + self.others[1] + (self.bias or 0.0)

    @property
    def shifted(self) -> Floats:
        """Of a softmax: logits minus the largest."""
        return self.rounded(self.numbers - self.numbers.max())

    @property
    def powers(self) -> Floats:
        """Of a softmax: e to the power of these."""
        return self.rounded(np.exp(self.shifted))

    @property
    def parts(self) -> tuple[float, float, float]:
        """Of a normalisation: centred, deviation, normalised."""
        mean, variance, epsilon, _, _ = self.given
        centred = float(self.rounded(float(self.numbers[0, 0]) - mean))
        deviation = float(self.rounded(np.sqrt(variance + epsilon)))
        return centred, deviation, float(self.rounded(centred / deviation))

    def rounded(self, values: Floats | float) -> Floats:
        """Return numbers as they are printed."""
        return _rounded(values, self.decimals)


def _rounded(values: Floats | float, decimals: int) -> Floats:
    return np.asarray(np.round(values, decimals) + 0.0)


def make_exercise(layer: Layer, cell: OpenedCell) -> Exercise:
    """Return the exercise of a cell of a convolution, dense layer, pooling, softmax or batch normalisation.

    Raises:
        ConfigError: the layer is of another class, or its window is too large to be reckoned by hand.
    """
    operation = layer.call.operation
    if layer.kind in ("MaxPooling2D", "AveragePooling2D"):
        kind = cell.steps[-1].name
        numbers = _rounded(cell.windows[0].values[..., 0], DECIMALS)
        if numbers.size <= MOST:
            value = float(
                numbers.max() if kind == "max" else _rounded(float(numbers.mean()), DECIMALS)
            )
            title = (cell.windows[0].source, cell.index[-1])
            return Exercise(kind, numbers, None, title, (0, 0.0), None, "", value, cell.network)
    elif layer.kind == "Softmax" and len(layer.shape) == 1:
        return _softmax(cell)
    elif layer.kind == "BatchNormalization":
        return _normalised(layer, cell)
    elif len(cell.products) == 1 and hasattr(operation, "use_bias"):
        return _weighted(layer, cell)
    raise ConfigError(
        f"{layer.name} ({layer.kind}): a worksheet is of a convolution, a dense layer, a softmax, a batch "
        f"normalisation or a pooling with a window of at most {MOST} numbers."
    )


def _weighted(layer: Layer, cell: OpenedCell) -> Exercise:
    products, operation = cell.products[0], layer.call.operation
    channel: int | None = None
    heads: tuple[str, ...] = ()
    if products.numbers.ndim == 3:
        place = strongest(products, 1)[0]
        numbers, weights = products.numbers[..., place], products.weights[..., place]
        left, channel = len(products.channels) - 1, products.channels[place]
        if numbers.size > LARGEST:
            left = products.numbers.size - TERMS
            chosen = np.sort(
                np.argsort(-np.abs(numbers * weights), axis=None, kind="stable")[:TERMS]
            )
            heads = tuple(f"{one // numbers.shape[1]},{one % numbers.shape[1]}" for one in chosen)
            numbers, weights = (values.reshape(1, -1)[:, chosen] for values in (numbers, weights))
    else:
        inputs = strongest(products, TERMS)
        numbers, weights = products.numbers[None, inputs], products.weights[None, inputs]
        left, heads = len(products.numbers) - len(inputs), tuple(map(str, inputs))
    decimals = max(_decimals(one) for one in (numbers, weights))
    others = (
        float(_rounded(products.total - float((numbers * weights).sum()), decimals))
        if left
        else 0.0
    )
    biased = [step for step in cell.steps if step.name == "bias"]
    bias = float(_rounded(biased[0].value - products.total, decimals)) if biased else None
    function = activation_of(operation)
    if function is None and len(cell.steps) > 1 + len(biased):
        raise ConfigError(
            f"{layer.name}: a softmax within a layer is not for a worksheet; take the layer before."
        )
    one = Exercise(
        "weighted", _rounded(numbers, decimals), _rounded(weights, decimals), (cell.windows[0].source, channel),
        (left, others), bias, function[0] if function else "", 0.0, cell.network, decimals, heads,
    )  # fmt: skip
    return replace(
        one, value=float(one.rounded(function[2](one.before) if function else one.before))
    )


def _decimals(values: Floats) -> int:
    """Return decimals that leave at least two digits of the largest number, three in general."""
    return min(MOST_DECIMALS, max(DECIMALS, decimals_of(values, 1)))


def _softmax(cell: OpenedCell) -> Exercise:
    """All classes where they are few; else the largest ones and the one that is asked for."""
    logits, own = cell.windows[0].values.reshape(-1), cell.index[-1]
    order = [int(one) for one in np.argsort(-logits, kind="stable")]
    first = order[:CLASSES]
    chosen = sorted(first if own in first else [*first[:-1], own])
    decimals = DECIMALS + 1
    rest = np.delete(logits, chosen)
    others = float(_rounded(np.exp(rest - logits.max()).sum(), decimals))
    one = Exercise(
        "softmax", _rounded(logits[None, chosen], decimals), None, (cell.windows[0].source, None), (len(rest), others),
        None, "", 0.0, cell.network, decimals, shown=tuple(chosen), own=chosen.index(own),
    )  # fmt: skip
    return replace(one, value=float(one.rounded(one.powers[0, one.own] / one.total)))


def _normalised(layer: Layer, cell: OpenedCell) -> Exercise:
    mean, variance, gamma, beta = batch_numbers(layer, cell.index)
    epsilon = float(layer.call.operation.epsilon)
    decimals = max(DECIMALS + 1, _decimals(np.array([variance + epsilon])))
    given = tuple(float(_rounded(one, decimals)) for one in (mean, variance, epsilon, gamma, beta))
    numbers = _rounded(cell.windows[0].values.reshape(1, 1), decimals)
    title = (cell.windows[0].source, cell.index[-1] if len(layer.shape) == 3 else None)
    one = Exercise(
        "normalised",
        numbers,
        None,
        title,
        (0, 0.0),
        None,
        "",
        0.0,
        cell.network,
        decimals,
        given=given,
    )
    return replace(one, value=float(one.rounded(given[3] * one.parts[2] + given[4])))
