"""Opened: what an opened cell consists of, and the steps that several kinds of layers share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import write, write_sum
from convlens.explain.arithmetic.sizes import Side, lay_windows, pair
from convlens.explain.microscope.microscope import Layer

TOLERANCE = 1e-5  # of the sum of absolute terms: what float32 may differ by
WRITTEN = 12  # terms of a sum that are still written out
ONE_LOGIT = "the network gives one logit z; a zero beside it makes two, as softmax of [0, z] is [1 - sigmoid(z), sigmoid(z)]"
Floats = NDArray[np.float64]
Index = tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """What was looked at of an input.

    Attributes:
        source: name of the layer it comes from.
        spans: (first, one past the last) along each axis of that input; a convolution's border lies outside of it.
        values: what was seen there, border included.
    """

    source: str
    spans: tuple[tuple[int, int], ...]
    values: Floats


@dataclass(frozen=True)
class Products:
    """Numbers times weights.

    Attributes:
        name: what is summed, as "sum".
        numbers: (height, width, channels) of a patch or (n,) of a row of numbers.
        weights: likewise shaped.
        channels: the input's channels, or the places in the row, that these are.
    """

    name: str
    numbers: Floats
    weights: Floats
    channels: tuple[int, ...]

    @property
    def products(self) -> Floats:
        """Numbers x weights."""
        return self.numbers * self.weights

    @property
    def total(self) -> float:
        """Their sum."""
        return float(self.products.sum())


@dataclass(frozen=True)
class Step:
    """A step of the calculation: its name, the formula with its numbers, and what comes out."""

    name: str
    text: str
    value: float


@dataclass(frozen=True)
class OpenedCell:
    """One value of a layer, opened.

    Attributes:
        layer: name.
        kind: its class.
        index: of the value: (row, column, channel) or (unit,).
        rule: what such a layer does, in words.
        windows: what it looked at.
        products: what was multiplied with weights; none where nothing was.
        steps: the calculation; the last gives the value.
        scale: sum of the absolute terms, of which float32 keeps about seven digits.
        network: the network's own value, computed in float32.
    """

    layer: str
    kind: str
    index: Index
    rule: str
    windows: tuple[Window, ...]
    products: tuple[Products, ...]
    steps: tuple[Step, ...]
    scale: float
    network: float = 0.0

    @property
    def value(self) -> float:
        """What the calculation ends with."""
        return self.steps[-1].value

    @property
    def agrees(self) -> bool:
        """Whether the network's own value is this one, to TOLERANCE of the scale."""
        return abs(self.value - self.network) <= TOLERANCE * self.scale + 1e-30


def sides_of(layer: Layer) -> tuple[Side, Side]:
    """Return how the windows of a convolution or pooling lie, dilation included. Raises ConfigError for odd layouts."""
    operation = layer.call.operation
    if getattr(operation, "data_format", "channels_last") != "channels_last":
        raise ConfigError(
            f"{layer.name}: only maps of the layout (height, width, channels) can be opened."
        )
    size = pair(getattr(operation, "pool_size", None) or operation.kernel_size)
    rates, strides = pair(getattr(operation, "dilation_rate", 1)), pair(operation.strides)
    lengths = layer.inputs[0].values.shape[1:3]
    down, across = (
        lay_windows(lengths[i], (size[i] - 1) * rates[i] + 1, strides[i], operation.padding)
        for i in (0, 1)
    )
    return down, across


def floats(values: Any) -> Floats:
    """Return float64 numbers."""
    return np.asarray(values).astype(np.float64)


def whole(layer: Layer, number: int = 0) -> Floats:
    """Return an input without its batch."""
    return floats(layer.inputs[number].values[0])


def window(
    layer: Layer, spans: Sequence[tuple[int, int]], values: Floats, number: int = 0
) -> Window:
    """Return what was looked at of an input."""
    return Window(str(layer.inputs[number].source), tuple(spans), values)


def sum_steps(products: Products, bias: float | None) -> list[Step]:
    """Return the steps from products to their sum with the bias."""
    terms = products.products
    flat = np.moveaxis(terms, -1, 0).reshape(-1) if terms.ndim > 1 else terms
    text = (
        write_sum([write(one) for one in flat])
        if flat.size <= WRITTEN
        else f"of {flat.size:,} products"
    )
    total = products.total
    steps = [Step(products.name, text, total)]
    if bias is not None:
        steps.append(Step("bias", write_sum([write(total), write(bias)]), total + bias))
    return steps


def strongest(products: Products, count: int) -> list[int]:
    """Return the channels whose products add up to most, in their order; of a row of numbers, the products."""
    sums = products.products.reshape(-1, products.products.shape[-1]).sum(axis=0)
    return sorted(int(one) for one in np.argsort(-np.abs(sums), kind="stable")[:count])


def write_terms(values: Floats) -> str:
    """Return the terms of a sum, or their number where they are many."""
    if values.size > WRITTEN:
        return f"of {values.size:,} values"
    return " + ".join(map(write, values)).replace("+ -", "- ")


Opener = Callable[[Layer, Index], OpenedCell]
