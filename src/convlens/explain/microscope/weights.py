"""Weights: one weight of a layer, where it lies in its array, and what it is multiplied with.

A place is written as a user does: (row, column, channel) of the kernel of a convolution, (row,
column) of a depthwise one, (input,) of a dense layer, "bias", "gamma" or "beta". In a separable
convolution, (row, column, channel) is a weight of the depthwise part and (channel,) one of the
pointwise part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from convlens.errors import ConfigError
from convlens.explain.arithmetic.calculations import Normalization
from convlens.explain.microscope.layer import Floats, Layer, input_of, to_floats
from convlens.explain.microscope.reductions import batch_normalization
from convlens.explain.microscope.weighted_sum import convolution_of
from convlens.language import _, listed

Place = tuple[int, ...] | str

NORMALIZATIONS = (keras.layers.BatchNormalization, keras.layers.LayerNormalization)
# How many numbers the place of a weight has, by the class of the layer.
PLACES: dict[type[keras.Layer], int] = {
    keras.layers.DepthwiseConv2D: 2,
    keras.layers.SeparableConv2D: 1,
    keras.layers.Conv2D: 3,
    keras.layers.Dense: 1,
    **dict.fromkeys(NORMALIZATIONS, 0),
}
LEARNING = tuple(PLACES)
AXES = {3: "ROW,COL,CHANNEL", 2: "ROW,COL", 1: "INPUT"}


@dataclass(frozen=True, eq=False)
class Weight:
    """One weight.

    Attributes:
        variable: The array of the layer that holds the weight.
        index: The index of the weight in that array.
        unit: The filter, unit or channel whose output it shapes.
        place: The place as a user writes it.
        mixed: The pointwise weights, shaped (filters,), by which a weight in the depthwise part of
            a separable convolution reaches every filter; None for all other weights.
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

    def outputs(self, derivatives: Floats) -> Floats:
        """Return the derivatives by what the weight shapes, shaped (positions...).

        Args:
            derivatives: The derivatives by the outputs of all filters, shaped (positions...,
                filters).
        """
        if self.mixed is None:
            return np.asarray(derivatives[..., self.unit])
        return np.asarray((derivatives * self.mixed).sum(axis=-1))


def own_part(layer: Layer, unit: int, array: Any) -> Any:
    """Return the part of a kernel that belongs to a unit, with the axes of a place.

    For gamma, beta or a bias, this is one number.
    """
    count = next(count for kind, count in PLACES.items() if isinstance(layer.operation, kind))
    return array[_index(layer.operation, unit, (slice(None),) * count)]


def _index(operation: keras.Layer, unit: int, place: Sequence[Any]) -> tuple[Any, ...]:
    """Return the index of a place of a unit in the kernel."""
    if isinstance(operation, keras.layers.DepthwiseConv2D):
        return (*place, *divmod(unit, operation.depth_multiplier))
    if isinstance(operation, keras.layers.SeparableConv2D):
        return (0, 0, *place, unit)
    return (*place, unit)


def find_weight(layer: Layer, unit: int | None, place: Place | None) -> Weight:
    """Return a weight of a layer.

    Args:
        layer: The layer.
        unit: The filter, unit or channel; not needed where there is only one.
        place: The place, see above; the first of the kernel, or gamma, if not given.

    Raises:
        ConfigError: If the layer has no weights, or not this unit or weight.
    """
    operation = layer.operation
    if not isinstance(operation, LEARNING):
        raise ConfigError(
            _(
                "{layer} ({kind}) has no weight to differentiate by; take a convolution, a dense "
                "layer or a normalisation."
            ).format(layer=layer.name, kind=layer.kind)
        )
    unit = layer.check_unit(unit)
    if isinstance(operation, NORMALIZATIONS) and not isinstance(place, str):
        if place is not None:
            raise ConfigError(
                _("{layer} is a normalisation: --weight must be gamma or beta.").format(
                    layer=layer.name
                )
            )
        place = "beta" if operation.gamma is None else "gamma"
    if not isinstance(place, str):
        return _kernel_weight(layer, unit, place)
    variable = getattr(operation, place, None)
    if place not in ("bias", "gamma", "beta") or variable is None:
        raise ConfigError(
            _("{layer} ({kind}) has no {place} to learn.").format(
                layer=layer.name, kind=layer.kind, place=place
            )
        )
    return Weight(variable, (unit,), unit, place)


def _kernel_weight(layer: Layer, unit: int, place: tuple[int, ...] | None) -> Weight:
    operation = layer.operation
    separable = isinstance(operation, keras.layers.SeparableConv2D)
    if separable and place is not None and len(place) == len(AXES):
        variable = operation.depthwise_kernel
        height, width, channels, multiplier = variable.shape
        row, column, channel = _check_place(layer, place, (height, width, channels * multiplier))
        return Weight(
            variable,
            (row, column, *divmod(channel, multiplier)),
            unit,
            place,
            mixed=to_floats(operation.pointwise_kernel)[0, 0, channel],
        )
    variable = operation.pointwise_kernel if separable else operation.kernel
    size = own_part(layer, unit, np.empty(variable.shape)).shape
    place = _check_place(layer, place, size)
    return Weight(variable, _index(operation, unit, place), unit, place)


def _check_place(
    layer: Layer, place: tuple[int, ...] | None, size: Sequence[int]
) -> tuple[int, ...]:
    """Return the place, or the first one if it is None.

    Raises:
        ConfigError: If it does not lie within the size.
    """
    if place is None:
        return (0,) * len(size)
    if len(place) != len(size) or any(np.less(place, 0) | np.greater_equal(place, size)):
        raise ConfigError(
            _("{layer}: --weight must be {axes}, within {ends}; found {place}.").format(
                layer=layer.name,
                axes=AXES[len(size)],
                ends=listed(_("0 to {last}").format(last=count - 1) for count in size),
                place=",".join(map(str, place)),
            )
        )
    return place


def inputs_of(layer: Layer, weight: Weight) -> Floats:
    """Return what a weight is multiplied with at each position, shaped (positions...)."""
    operation = layer.operation
    values = input_of(layer)
    if weight.place in ("bias", "beta"):
        return np.ones(layer.shape[:-1])
    if isinstance(operation, keras.layers.BatchNormalization):
        values = values[..., weight.unit]
        return np.asarray(batch_normalization(operation, values, weight.unit).normalized)
    if isinstance(operation, keras.layers.LayerNormalization):
        mean = values.mean(axis=-1, keepdims=True)
        done = Normalization(values, mean, values.var(axis=-1, keepdims=True), operation.epsilon)
        return np.asarray(done.normalized[..., weight.unit])
    if isinstance(operation, keras.layers.Dense):
        return np.asarray(values[..., weight.index[0]])
    return _inputs_of_convolution(layer, weight)


def _inputs_of_convolution(layer: Layer, weight: Weight) -> Floats:
    done = convolution_of(layer)
    place: Any = weight.place
    if len(place) == 1:
        # A pointwise weight is multiplied with the map of a depthwise filter.
        channel = done.channels(place[0]).start
        kernel = done.kernel[..., 0, place[0]]
        terms = [
            done.below(row, column, channel) * kernel[row, column]
            for row, column in np.ndindex(kernel.shape)
        ]
        return np.asarray(np.sum(terms, axis=0))
    channel = done.channels(weight.unit if weight.mixed is None else place[2]).start
    if isinstance(layer.operation, keras.layers.Conv2D):
        channel += place[2]
    return done.below(place[0], place[1], channel)
