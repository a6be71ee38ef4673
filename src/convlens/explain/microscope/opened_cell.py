"""Opened cell: what one opened value of a layer consists of.

An opened value is computed anew in float64. The value that the network itself computed in float32
stands beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, SupportsInt

import numpy as np

from convlens.explain.arithmetic.calculations import WeightedSum
from convlens.explain.arithmetic.writing import Step
from convlens.explain.microscope.layer import Floats, Layer, input_of

# What float32 may differ by, as a share of the sum of absolute terms.
TOLERANCE = 1e-5
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
        return sorted(np.argsort(-np.abs(sums), kind="stable")[:count].tolist())


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
