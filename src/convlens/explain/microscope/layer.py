"""Layer: one output of one call in a network, and its inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.anatomy.graph import Call
from convlens.errors import ConfigError
from convlens.explain.arithmetic.windows import Side, lay_both
from convlens.files import and_more
from convlens.language import N_, _

Numbers = NDArray[Any]
Floats = NDArray[np.float64]
# The most names of classes in a message.
NAMES = 12
ONE_LOGIT = N_(
    "the network gives one logit z; a zero beside it makes two, as softmax of [0, z] is "
    "[1 - sigmoid(z), sigmoid(z)]"
)
# What the maps and numbers of a layer are called, by `Layer.noun`: one, several, and a certain one.
NOUNS = {
    "class": (N_("class"), N_("classes"), N_("class {k}")),
    "filter": (N_("filter"), N_("filters"), N_("filter {k}")),
    "channel": (N_("channel"), N_("channels"), N_("channel {k}")),
    "unit": (N_("neuron"), N_("units"), N_("unit {k}")),
    "number": (N_("number"), N_("numbers"), N_("number {k}")),
}


@dataclass(frozen=True, eq=False)
class Operand:
    """A number or an array that a call worked on.

    Attributes:
        values: The numbers; with a batch of one image where they come from a layer.
        source: The name of that layer; None for a constant.
    """

    values: Numbers
    source: str | None


@dataclass(frozen=True, eq=False)
class Layer:
    """One output of one call of a layer.

    Attributes:
        name: The name of the layer. It is unique: -2, -3 and so on are added where a layer is used
            again or has several outputs.
        call: The call.
        which: Which of the outputs of the call it is.
        operands: What the call worked on, in the order of its arguments.
        output: The output without the batch, shaped (height, width, channels) or (units,).
        class_names: The names of the classes that the numbers of the last layers stand for; empty
            for all other layers.
    """

    name: str
    call: Call
    which: int
    operands: tuple[Operand, ...]
    output: Numbers
    class_names: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """The number of the call, in the order of computing."""
        return self.call.number

    @property
    def operation(self) -> Any:
        """The layer of Keras, or the operation of `keras.ops`."""
        return self.call.operation

    @property
    def kind(self) -> str:
        """The class of the layer."""
        return type(self.operation).__name__

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the output."""
        return tuple(self.output.shape)

    @property
    def noun(self) -> str:
        """What one of its maps or numbers is: a key of NOUNS."""
        if self.class_names:
            return "class"
        if self.output.ndim == 3:
            return "filter" if hasattr(self.operation, "kernel_size") else "channel"
        return "unit" if isinstance(self.operation, keras.layers.Dense) else "number"

    def which_one(self, unit: int) -> str:
        """Return what one of its maps or numbers is called: "filter 3" or "class cat (0)"."""
        if self.class_names:
            return _("class {name} ({k})").format(name=self.class_names[unit], k=unit)
        return _(NOUNS[self.noun][2]).format(k=unit)

    def check_unit(self, unit: int | None) -> int:
        """Return the number of a map or unit; None stands for the only one.

        Raises:
            ConfigError: If there is no such map or unit, or if there are several and none is named.
        """
        count = self.shape[-1] if self.shape else 1
        last = count - 1
        if unit is None and count > 1:
            rule = _("{layer} has {count} {nouns}: say which with --filter 0 to {last}.")
            if self.class_names:
                rule = _(
                    "{layer} has {count} {nouns}: say which with --filter 0 to {last}, or its "
                    "name: {names}."
                )
            nouns = _(NOUNS[self.noun][1])
            names = and_more(self.class_names, NAMES)
            raise ConfigError(
                rule.format(layer=self.name, count=count, nouns=nouns, last=last, names=names)
            )
        if not 0 <= (unit or 0) < count:
            raise ConfigError(
                _("{layer} has no {which}: take 0 to {last}.").format(
                    layer=self.name, which=_(NOUNS[self.noun][2]).format(k=unit), last=last
                )
            )
        return unit or 0

    @property
    def inputs(self) -> tuple[Operand, ...]:
        """The operands that come from layers."""
        return tuple(one for one in self.operands if one.source is not None)

    @property
    def changes(self) -> bool:
        """Whether it makes new values, rather than passing them on or only reshaping them."""
        return bool(self.inputs) and not np.array_equal(
            self.output.reshape(-1), self.inputs[0].values.reshape(-1)
        )

    def compute(self, arrays: Sequence[Numbers]) -> Numbers:
        """Return what the operation makes of other arrays, without the batch.

        Args:
            arrays: The arrays in the place of `inputs`, with the batch.
        """
        given = iter(arrays)
        new = {
            id(part): next(given)
            for part, operand in zip(parts_of(self.call), self.operands, strict=True)
            if operand.source is not None
        }
        args, kwargs = keras.tree.map_structure(
            lambda one: new.get(id(one), one), (self.call.args, self.call.kwargs)
        )
        output = keras.tree.flatten(self.operation(*args, **kwargs))[self.which]
        return np.asarray(keras.ops.convert_to_numpy(output)[0])


def parts_of(call: Call) -> list[Any]:
    """Return the tensors and numbers that a call was given."""
    return [part for part in keras.tree.flatten((call.args, call.kwargs)) if part is not None]


def to_floats(values: Any) -> Floats:
    """Return the numbers of an array, a tensor or a variable in float64."""
    return np.asarray(keras.ops.convert_to_numpy(values)).astype(np.float64)


def input_of(layer: Layer, number: int = 0) -> Floats:
    """Return an input of a layer in float64, without the batch."""
    return np.asarray(layer.inputs[number].values[0].astype(np.float64))


def sides_of(layer: Layer) -> tuple[Side, Side]:
    """Return how the windows of a convolution or pooling lie: top to bottom, and left to right.

    Raises:
        ConfigError: If the maps are not (height, width, channels).
    """
    operation = layer.operation
    if getattr(operation, "data_format", "channels_last") != "channels_last":
        raise ConfigError(
            _("{layer}: only maps of the layout (height, width, channels) can be opened.").format(
                layer=layer.name
            )
        )
    return lay_both(
        layer.inputs[0].values.shape[1:3],
        getattr(operation, "pool_size", None) or operation.kernel_size,
        operation.strides,
        operation.padding,
        getattr(operation, "dilation_rate", 1),
    )
