"""Value: what an opened value of a layer consists of, and how the inputs of a layer are read.

All is computed anew in float64. The value that the network itself computed in float32 stands beside
it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, SupportsInt

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.errors import ConfigError
from convlens.explain.arithmetic.sizes import Side, lay_windows, pair
from convlens.explain.arithmetic.weighted_sum import WeightedSum
from convlens.explain.arithmetic.writing import Step
from convlens.explain.microscope.layer import Layer

# What float32 may differ by, as a share of the sum of absolute terms.
TOLERANCE = 1e-5
ONE_LOGIT = (
    "the network gives one logit z; a zero beside it makes two, as softmax of [0, z] is "
    "[1 - sigmoid(z), sigmoid(z)]"
)
Floats = NDArray[np.float64]
Index = tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """The part of an input that a value is computed from.

    Attributes:
        source: The name of the layer that the input comes from.
        spans: The first place and the one after the last, along each axis of that input. The border
            of a convolution lies outside of the input.
        values: The numbers there, border included.
    """

    source: str
    spans: tuple[tuple[int, int], ...]
    values: Floats


@dataclass(frozen=True, kw_only=True)
class Products(WeightedSum):
    """Numbers times weights: (height, width, channels) of a patch, or (n,) of a row of numbers.

    Attributes:
        name: What the sum is called in the steps, such as "sum".
        channels: Which channels of the input these are, or which places in its row.
    """

    name: str
    channels: tuple[int, ...]

    def strongest(self, count: int) -> list[int]:
        """Return the positions of the channels whose products add up to most, in their order.

        In a row of numbers, each product is a channel of its own.
        """
        sums = self.products.reshape(-1, self.products.shape[-1]).sum(axis=0)
        return sorted(int(one) for one in np.argsort(-np.abs(sums), kind="stable")[:count])


@dataclass(frozen=True)
class OpenedCell:
    """One value of a layer, opened.

    Attributes:
        rule: What a layer of this class computes, in words.
        steps: The calculation; the last step gives the value.
        scale: The sum of the absolute terms, of which float32 keeps about seven digits.
        windows: What the value is computed from.
        products: The numbers and their weights; empty where nothing has weights.
        index: The place of the value, (row, column, channel) or (unit,). `open_cell` fills this and
            the following in.
        network: The value that the network computed in float32.
    """

    rule: str
    steps: Sequence[Step]
    scale: float
    windows: Sequence[Window] = ()
    products: Sequence[Products] = ()
    index: Index = ()
    network: float = 0.0

    @property
    def value(self) -> float:
        """The result of the calculation."""
        return float(self.steps[-1].value)

    @property
    def agrees(self) -> bool:
        """Whether the value of the network is this one, within TOLERANCE of the scale."""
        return bool(abs(self.value - self.network) <= TOLERANCE * self.scale + 1e-30)


Opener = Callable[[Layer, Index], OpenedCell]


def to_floats(values: Any) -> Floats:
    """Return the numbers of an array, a tensor or a variable in float64."""
    return np.asarray(keras.ops.convert_to_numpy(values)).astype(np.float64)


def input_of(layer: Layer, number: int = 0) -> Floats:
    """Return an input of a layer in float64, without the batch."""
    values: Floats = layer.inputs[number].values[0].astype(np.float64)
    return values


def window_of(
    layer: Layer, spans: Sequence[tuple[int, int]], values: Any = None, number: int = 0
) -> Window:
    """Return a window of an input.

    Args:
        layer: The layer.
        spans: The first place and the one after the last, along each axis of the input.
        values: The numbers there; they are taken from the input if not given.
        number: Which of the inputs it is.
    """
    if values is None:
        values = input_of(layer, number)[tuple(slice(*span) for span in spans)]
    return Window(str(layer.inputs[number].source), tuple(spans), values)


def single(place: Iterable[SupportsInt]) -> tuple[tuple[int, int], ...]:
    """Return the spans of one place."""
    return tuple((int(one), int(one) + 1) for one in place)


def sides_of(layer: Layer) -> tuple[Side, Side]:
    """Return how the windows of a convolution or pooling lie: top to bottom, and left to right.

    Raises:
        ConfigError: If the maps are not (height, width, channels).
    """
    operation = layer.call.operation
    if getattr(operation, "data_format", "channels_last") != "channels_last":
        raise ConfigError(
            "{layer}: only maps of the layout (height, width, channels) can be opened.".format(
                layer=layer.name
            )
        )
    down, across = (
        lay_windows(length, size, stride, operation.padding, rate)
        for length, size, stride, rate in zip(
            layer.inputs[0].values.shape[1:3],
            pair(getattr(operation, "pool_size", None) or operation.kernel_size),
            pair(operation.strides),
            pair(getattr(operation, "dilation_rate", 1)),
            strict=True,
        )
    )
    return down, across
