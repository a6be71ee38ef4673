"""Layer: one output of one call in a network that computed an image, with all that went into it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.anatomy.graph import Call
from convlens.errors import ConfigError
from convlens.files import and_more

Numbers = NDArray[Any]

# The most names of classes in a message.
NAMES = 12


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
    def kind(self) -> str:
        """The class of the layer."""
        return type(self.call.operation).__name__

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the output."""
        return tuple(self.output.shape)

    @property
    def noun(self) -> str:
        """What one of its maps or numbers is called."""
        if self.class_names:
            return "class"
        if self.output.ndim == 3:
            return "filter" if hasattr(self.call.operation, "kernel_size") else "channel"
        return "unit" if isinstance(self.call.operation, keras.layers.Dense) else "number"

    def which_one(self, unit: int) -> str:
        """Return what one of its maps or numbers is called: "filter 3" or "class cat (0)"."""
        if self.class_names:
            return f"class {self.class_names[unit]} ({unit})"
        return f"{self.noun} {unit}"

    def check_unit(self, unit: int | None) -> int:
        """Return the number of a map or unit; None stands for the only one.

        Raises:
            ConfigError: If there is no such map or unit, or if there are several and none is named.
        """
        count = self.shape[-1] if self.shape else 1
        last = count - 1
        if unit is None and count > 1:
            wanted = "--filter 0 to {last}".format(last=last)
            if self.class_names:
                wanted = "--filter 0 to {last}, or its name: {names}".format(
                    last=last, names=and_more(self.class_names, NAMES)
                )
            raise ConfigError(
                "{layer} has {count} {nouns}: say which with {wanted}.".format(
                    layer=self.name,
                    count=count,
                    nouns="classes" if self.class_names else f"{self.noun}s",
                    wanted=wanted,
                )
            )
        if not 0 <= (unit or 0) < count:
            raise ConfigError(
                "{layer} has no {noun} {unit}: take 0 to {last}.".format(
                    layer=self.name, noun=self.noun, unit=unit, last=last
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
        if not self.inputs:
            return False
        before = self.inputs[0].values.reshape(-1)
        return not np.array_equal(self.output.reshape(-1), before)

    def compute(self, arrays: Sequence[Numbers]) -> Numbers:
        """Return what the operation makes of other arrays, without the batch.

        Args:
            arrays: The arrays in the place of `inputs`, with the batch.
        """
        tensors = (
            part
            for part, operand in zip(parts_of(self.call), self.operands, strict=True)
            if operand.source is not None
        )
        new = {id(tensor): array for tensor, array in zip(tensors, arrays, strict=True)}
        args, kwargs = keras.tree.map_structure(
            lambda one: new.get(id(one), one), (self.call.args, self.call.kwargs)
        )
        outputs = keras.tree.flatten(self.call.operation(*args, **kwargs))
        found: Numbers = np.asarray(keras.ops.convert_to_numpy(outputs[self.which]))[0]
        return found


def parts_of(call: Call) -> list[Any]:
    """Return the tensors and numbers that a call was given."""
    return [part for part in keras.tree.flatten((call.args, call.kwargs)) if part is not None]
