"""Boxes of a block: the layers between two layers of a Keras model, and what is written on each."""

import math
from dataclasses import dataclass, replace
from typing import Any

import keras

from convlens.anatomy.summary import LayerRow, layer_table, steps
from convlens.charts.architecture import FACES
from convlens.charts.layer_texts import (
    activation_of,
    layer_detail,
    layer_title,
    params_text,
    shape_text,
)
from convlens.errors import ConfigError
from convlens.files import and_more
from convlens.language import _

MOST = 120  # boxes
FULL = 4  # lines of a box with a window, which makes neighbours equally high
SEPARABLE = keras.layers.SeparableConv2D
MEETINGS = ("Add", "Concatenate", "Multiply")


@dataclass(frozen=True)
class Box:
    """A layer as it is drawn.

    Attributes:
        row: Its row; the inputs are numbers of boxes.
        lines: What is written on it.
        height: For how many lines there is room.
        color: The colour of the box.
    """

    row: LayerRow
    lines: tuple[str, ...]
    height: int
    color: str


def boxes_between(model: keras.Model, first: str | None, last: str | None) -> list[Box]:
    """Return the boxes of all layers on the ways from one layer to another, both included.

    A separable convolution becomes two boxes, of its depthwise and of its pointwise convolution.

    Args:
        model: The model.
        first: The name of the layer where the ways begin; None for the first one.
        last: The name of the layer where they end; None for the last one.

    Raises:
        ConfigError: If there are no such layers, no way between them, or too many layers.
        ModelError: If the model cannot be summarised, see `convlens.anatomy.summary.steps`.
    """
    table = layer_table(model)
    layers = [operation for operation, _inputs, _outputs in steps(model)]
    begin = 0 if first is None else _find(table, first)
    end = len(table) - 1 if last is None else _find(table, last)
    numbers = _between(table, begin, end)
    if not 1 < len(numbers) <= MOST:
        raise ConfigError(
            _(
                "between {first} and {last} there must be a way of at most {most} layers; found "
                "{count}."
            ).format(first=table[begin].name, last=table[end].name, most=MOST, count=len(numbers))
        )
    boxes: list[Box] = []
    # The number of the box that gives the output of a row.
    places: dict[int, int] = {}
    for number in numbers:
        inputs = tuple(places[one] for one in table[number].inputs if one in places)
        for row in _split(replace(table[number], inputs=inputs), layers[number], len(boxes)):
            before = boxes[row.inputs[0]].row.output_shape if row.inputs else ()
            boxes.append(_box(row, layers[number], before))
        places[number] = len(boxes) - 1
    return boxes


def _find(table: list[LayerRow], name: str) -> int:
    """Return the number of the layer of a name; the last one if it is called again."""
    found = [number for number, row in enumerate(table) if row.name == name]
    if not found:
        names = and_more([row.name for row in table], 20)
        raise ConfigError(
            _("{name} must be the name of a layer of the model; they are {names}.").format(
                name=name, names=names
            )
        )
    return found[-1]


def _between(table: list[LayerRow], begin: int, end: int) -> list[int]:
    """Return the numbers of the rows on the ways from one row to another; [] if there is none."""
    reached = {begin}
    for number in range(begin + 1, end + 1):
        if reached & set(table[number].inputs):
            reached.add(number)
    needed = {end}
    for number in range(end, begin, -1):
        if number in needed:
            needed.update(table[number].inputs)
    return sorted(reached & needed) if end in reached else []


def _split(row: LayerRow, layer: Any, number: int) -> list[LayerRow]:
    """Return the rows that are drawn for a row, the first of which gets a number."""
    if not isinstance(layer, SEPARABLE):
        return [row]
    height, width, _filters = row.output_shape
    channels, multiplier = layer.depthwise_kernel.shape[-2:]
    count = math.prod(layer.depthwise_kernel.shape) if row.params else 0
    depthwise = replace(
        row,
        kind="DepthwiseConv2D",
        output_shape=(height, width, channels * multiplier),
        params=count,
    )
    pointwise = replace(
        row,
        kind="Conv2D",
        inputs=(number,),
        params=row.params - count,
        window=(1, 1),
        step=(1, 1),
    )
    return [depthwise, pointwise]


def _box(row: LayerRow, layer: Any, before: tuple[int, ...]) -> Box:
    """Return the box of a row that takes an output of the shape `before`."""
    title = layer_title(row)
    activation = activation_of(layer)
    is_first_half = row.kind == "DepthwiseConv2D" and isinstance(layer, SEPARABLE)
    if row.kind == "Activation":
        title = activation
    elif activation and not is_first_half:
        title = _("{layer} + {activation}").format(layer=title, activation=activation)
    works = row.window is not None or row.kind in MEETINGS or row.output_shape != before
    # The shape of a dense layer is the number of its units.
    shape = shape_text(row.output_shape) if works and row.kind != "Dense" else ""
    lines = [title, layer_detail(row), shape, params_text(row)]
    written = tuple(line for line in lines if line)
    return Box(row, written, FULL if row.window else len(written), _color(row, works))


def _color(row: LayerRow, works: bool) -> str:
    if "Pool" in row.kind:
        return FACES["pooling"]
    if row.window is not None:
        return FACES["layers"]
    named = {"InputLayer": FACES["image"], "Dense": FACES["dense"]}
    return named.get(row.kind, FACES["other"] if works else "white")
