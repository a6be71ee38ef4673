"""Stops: the layers that an image passes on its way through a network, with what they give."""

import itertools
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlens.anatomy.graph import graph_of, record
from convlens.anatomy.stages import HIDDEN, divide, last_row
from convlens.anatomy.summary import LayerRow, brief, layer_table
from convlens.errors import ConfigError
from convlens.language import _

MOST = 16  # if there are more layers, only the last one on maps of each size is a stop

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Stop:
    """A layer on the way.

    Attributes:
        row: Its row in the table of layers.
        values: What it gives for the image, (height, width, channels) or (units,), or None.
    """

    row: LayerRow
    values: Array | None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its output."""
        return self.row.output_shape

    @property
    def is_map(self) -> bool:
        """Whether its output is a feature map."""
        return len(self.shape) == 3


def find_stops(model: keras.Model, image: ArrayLike | None) -> list[Stop]:
    """Return the layers between the input of a model and its output, both included.

    Layers that only normalise, activate or drop values count as one with the layer before them.

    Args:
        model: The model.
        image: What it is given, or None for layers without values.

    Raises:
        ConfigError: If the image does not have the shape of the input.
        ModelError: If the model cannot be summarised, see `convlens.anatomy.summary.steps`.
    """
    table = layer_table(model)
    rows = [
        row
        for stage in divide(table)
        for row in map(last_row, stage.parts)
        if row.kind not in HIDDEN or row.kind == "Flatten"
    ]
    if len(rows) > MOST:
        pairs = itertools.pairwise(rows[1:])
        last = [row for row, after in pairs if row.output_shape[:2] != after.output_shape[:2]]
        rows = [rows[0], *last, rows[-1]]
    if image is None:
        return [Stop(row, None) for row in rows]
    outputs = _outputs(model, np.asarray(image, np.float32))
    kept = _numbers(table, brief(table))
    numbers = _numbers(table, rows)
    return [
        Stop(row, outputs[_followed(table, number, set(kept))])
        for row, number in zip(rows, numbers, strict=True)
    ]


def _outputs(model: keras.Model, image: Array) -> list[Array]:
    """Return what each call of a model gives for an image."""
    wanted = tuple(graph_of(model).inputs[0].shape[1:])
    if image.shape == wanted[:2] and wanted[2:] == (1,):
        image = image[..., None]
    if image.shape != wanted:
        raise ConfigError(
            _("the image must have the shape {wanted} of the input; found {found}.").format(
                wanted=wanted, found=image.shape
            )
        )
    calls = record(
        model,
        [keras.ops.convert_to_tensor(image[None])],
        lambda call: call.operation(*call.args, **call.kwargs),
    )
    return [keras.ops.convert_to_numpy(call.outputs[0])[0] for call in calls]


def _numbers(table: list[LayerRow], rows: list[LayerRow]) -> list[int]:
    """Return the numbers of rows in the table that they come from, in its order."""
    numbers: list[int] = []
    for row in rows:
        begin = numbers[-1] + 1 if numbers else 0
        numbers.append(next(n for n in range(begin, len(table)) if table[n].name == row.name))
    return numbers


def _followed(table: list[LayerRow], number: int, kept: set[int]) -> int:
    """Return the last of the rows, such as an activation, that are drawn as one with a row."""
    while True:
        takers = [taker for taker, row in enumerate(table) if number in row.inputs]
        if len(takers) != 1 or takers[0] in kept:
            return number
        number = takers[0]
