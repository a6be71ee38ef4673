"""Weights: one weight of a layer, where it lies in its arrays, and what it was multiplied with at each position.

A place is written as a user does: (row, column, channel) of a convolution's kernel, (row, column) of a depthwise one,
(input,) of a dense layer, "bias", "gamma" or "beta". Of a separable convolution (row, column, channel) is a weight of
the depthwise part, and (channel,) one of the pointwise part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from convlens.errors import ConfigError
from convlens.explain.arithmetic.sizes import pair
from convlens.explain.microscope.microscope import Layer
from convlens.explain.microscope.value import Floats, floats, sides_of, whole

Place = tuple[int, ...] | str

LEARNING = (
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.Conv2D,
    keras.layers.Dense,
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
)
AXES = {3: ("ROW", "COL", "CHANNEL"), 2: ("ROW", "COL"), 1: ("INPUT",)}


@dataclass(frozen=True, eq=False)
class Weight:
    """One weight.

    Attributes:
        variable: the layer's array.
        index: where it lies there.
        unit: the filter, unit or channel whose output it shapes.
        place: as a user writes it.
        mixed: (filters,) the pointwise weights through which it reaches every filter, of a weight in the depthwise
            part of a separable convolution; else None.
    """

    variable: keras.Variable
    index: tuple[int, ...]
    unit: int
    place: Place
    mixed: Floats | None = None

    @property
    def value(self) -> float:
        """The number."""
        return float(keras.ops.convert_to_numpy(self.variable)[self.index])

    def outputs(self, whole_map: Floats) -> Floats:
        """Return (positions...) what of (positions..., filters) derivatives it shapes."""
        return (
            whole_map[..., self.unit]
            if self.mixed is None
            else (whole_map * self.mixed).sum(axis=-1)
        )


def own_part(layer: Layer, unit: int, array: Any) -> Any:
    """Return the part of a kernel that belongs to a unit, with the axes of a place; of gamma it is one number."""
    sizes = {"Dense": 1, "SeparableConv2D": 1, "DepthwiseConv2D": 2, "Conv2D": 3}
    count = next(
        (
            sizes[kind.__name__]
            for kind in type(layer.call.operation).__mro__
            if kind.__name__ in sizes
        ),
        0,
    )
    return array[_index(layer.call.operation, unit, (slice(None),) * count) if count else (unit,)]


def find_weight(layer: Layer, unit: int | None, place: Place | None) -> Weight:
    """Return a weight of a layer; without a place the first of its kernel.

    Raises:
        ConfigError: the layer has no weights to learn, or not this filter or weight.
    """
    operation = layer.call.operation
    if not isinstance(operation, LEARNING):
        raise ConfigError(
            f"{layer.name} ({layer.kind}) has no weight to differentiate by; take a convolution, a dense layer or a "
            "normalisation."
        )
    unit = layer.check_unit(unit)
    if isinstance(operation, LEARNING[-2:]) and not isinstance(place, str):
        if place is not None:
            raise ConfigError(f"{layer.name} is a normalisation: --weight must be gamma or beta.")
        place = "gamma" if operation.gamma is not None else "beta"
    if isinstance(place, str):
        variable = getattr(operation, place, None)
        if place not in ("bias", "gamma", "beta") or variable is None:
            raise ConfigError(f"{layer.name} ({layer.kind}) has no {place} to learn.")
        return Weight(variable, (unit,), unit, place)
    return _kernel_weight(layer, unit, place)


def _kernel_weight(layer: Layer, unit: int, place: tuple[int, ...] | None) -> Weight:
    operation = layer.call.operation
    separable = isinstance(operation, keras.layers.SeparableConv2D)
    variable = operation.pointwise_kernel if separable else operation.kernel
    size = own_part(layer, unit, keras.ops.convert_to_numpy(variable)).shape
    deep = separable and place is not None and len(place) == 3
    if deep:
        variable = operation.depthwise_kernel
        size = (*variable.shape[:2], variable.shape[2] * variable.shape[3])
    if place is None:
        place = (0,) * len(size)
    if len(place) != len(size) or not all(
        0 <= one < count for one, count in zip(place, size, strict=True)
    ):
        form = f"--weight must be {','.join(AXES[len(size)])}"
        ends = ", ".join(f"0 to {count - 1}" for count in size)
        raise ConfigError(
            f"{layer.name}: {form}, within {ends}; found {','.join(map(str, place))}."
        )
    if deep:
        multiplier = variable.shape[3]
        mixed = floats(keras.ops.convert_to_numpy(operation.pointwise_kernel))[0, 0, place[2]]
        return Weight(variable, (*place[:2], *divmod(place[2], multiplier)), unit, place, mixed)
    return Weight(variable, _index(operation, unit, place), unit, place)


def _index(operation: Any, unit: int, place: Sequence[Any]) -> tuple[Any, ...]:
    """Return where a place of a unit lies in the kernel."""
    if isinstance(operation, keras.layers.DepthwiseConv2D):
        return (*place, *divmod(unit, operation.depth_multiplier))
    return (
        (0, 0, *place, unit)
        if isinstance(operation, keras.layers.SeparableConv2D)
        else (*place, unit)
    )


def inputs_of(layer: Layer, weight: Weight) -> Floats:
    """Return (positions...) what a weight was multiplied with at each position of the map."""
    operation, values = layer.call.operation, whole(layer)
    if weight.place in ("bias", "beta"):
        return np.ones(layer.shape[:-1])
    if isinstance(operation, keras.layers.BatchNormalization):
        mean, variance = (
            floats(keras.ops.convert_to_numpy(one))[weight.unit]
            for one in (operation.moving_mean, operation.moving_variance)
        )
        return np.asarray((values[..., weight.unit] - mean) / np.sqrt(variance + operation.epsilon))
    if isinstance(operation, keras.layers.LayerNormalization):
        centred = values - values.mean(axis=-1, keepdims=True)
        deviation = np.sqrt(values.var(axis=-1, keepdims=True) + operation.epsilon)
        return np.asarray((centred / deviation)[..., weight.unit])
    if isinstance(operation, keras.layers.Dense):
        return np.asarray(values[..., weight.index[0]])
    if isinstance(operation, keras.layers.SeparableConv2D) and weight.mixed is None:
        kernel = floats(keras.ops.convert_to_numpy(operation.depthwise_kernel))
        channel, multiple = divmod(weight.index[2], kernel.shape[3])
        windows = [
            [_shifted(layer, row, column, channel) * kernel[row, column, channel, multiple]
             for column in range(kernel.shape[1])] for row in range(kernel.shape[0])
        ]  # fmt: skip
        return np.asarray(np.sum(windows, axis=(0, 1)))
    row, column, channel = weight.index[:3]
    if type(operation) is keras.layers.Conv2D or not isinstance(operation, LEARNING[:2]):
        depth = operation.kernel.shape[2]
        channel += weight.unit // (operation.filters // operation.groups) * depth
    return _shifted(layer, row, column, channel)


def _shifted(layer: Layer, row: int, column: int, channel: int) -> Floats:
    """Return (rows, columns) what lies below one place of the kernel as the window moves over the input."""
    operation, (down, across) = layer.call.operation, sides_of(layer)
    rates = pair(operation.dilation_rate)
    image = whole(layer)[..., channel]
    padded = np.pad(image, ((down.before, down.after), (across.before, across.after)))
    rows = row * rates[0] + down.stride * np.arange(down.count)
    columns = column * rates[1] + across.stride * np.arange(across.count)
    return np.asarray(padded[np.ix_(rows, columns)])
