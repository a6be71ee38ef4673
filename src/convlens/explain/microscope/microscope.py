"""Microscope: what a trained network computed for one image, layer by layer, ready to be opened.

The network runs in float32, one operation after the other, models nested in it opened; every array is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.anatomy.graph import Call, graph_of, record
from convlens.classifier.assembly import all_layers, with_precision
from convlens.classifier.classifier import Classifier, Prediction
from convlens.errors import ConfigError, ModelError
from convlens.preprocess import ImageLike, open_image, prepare

Numbers = NDArray[Any]
PASSING = (
    "Softmax",
    "Activation",
    "Rescaling",
    "Cast",
    "Identity",
    "Dropout",
    "Divide",
    "TrueDivide",
    "Multiply",
)


def run_calls(
    model: keras.Model,
    images: Any,
    replaced: Mapping[int, Callable[[Call], list[Any]]] | None = None,
) -> list[Call]:
    """Run a functional or sequential model call by call, models nested in it opened, and return the calls.

    Args:
        model: the network.
        images: (batch, height, width, channels).
        replaced: by the number of a call, what makes its outputs of it (they are empty then) in its place.

    Raises:
        ModelError: the model is neither functional nor sequential, or takes several inputs.
    """
    graph = graph_of(model)
    if graph is None or len(graph.inputs) != 1:
        raise ModelError(
            "only a functional or sequential network with one input, the image, can be opened layer by layer; "
            f"{model.name} is a {type(model).__name__}."
        )
    replaced = replaced or {}

    def compute(call: Call) -> Any:
        change = replaced.get(call.number)
        if change is not None:
            return change(call)
        return call.operation(*call.args, **call.kwargs)

    return record(model, [keras.ops.convert_to_tensor(images)], compute)


@dataclass(frozen=True, eq=False)
class Operand:
    """A number or an array that a call worked on.

    Attributes:
        values: with its batch of one where it comes from a layer.
        source: name of that layer; None for a constant.
    """

    values: Numbers
    source: str | None


@dataclass(frozen=True, eq=False)
class Layer:
    """One output of one call, with all that went in.

    Attributes:
        name: of the layer; unique here, with -2, -3 where a layer is used again or has several outputs.
        call: what was called.
        number: of the call.
        which: of its outputs.
        operands: what it worked on, in the order of the call.
        output: without the batch: (height, width, channels) or (units,).
        class_names: of the last layers, whose numbers stand for classes; empty for all others.
    """

    name: str
    call: Call
    number: int
    which: int
    operands: tuple[Operand, ...]
    output: Numbers
    class_names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Its class."""
        return type(self.call.operation).__name__

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the output."""
        return tuple(self.output.shape)

    @property
    def noun(self) -> str:
        """What one of its maps or numbers is called."""
        if self.class_names:
            return "class"
        if self.output.ndim == 3:
            kernel = hasattr(self.call.operation, "kernel_size")
            return "filter" if kernel else "channel"
        return "unit" if isinstance(self.call.operation, keras.layers.Dense) else "number"

    def which_one(self, unit: int) -> str:
        """Return what a map or number is called: "filter 3", "unit 3", or "class cat (0)"."""
        return (
            f"class {self.class_names[unit]} ({unit})"
            if self.class_names
            else f"{self.noun} {unit}"
        )

    def check_unit(self, unit: int | None) -> int:
        """Return the number of a map or unit. Raises ConfigError where it is needed and not said, or not there."""
        count = self.shape[-1] if self.shape else 1
        many = {"class": "classes"}.get(self.noun, f"{self.noun}s")
        if unit is None and count > 1:
            names = f", or its name: {known_names(self.class_names)}" if self.class_names else ""
            raise ConfigError(
                f"{self.name} has {count} {many}: say which with --filter 0 to {count - 1}{names}."
            )
        if not 0 <= (unit or 0) < count:
            raise ConfigError(f"{self.name} has no {self.noun} {unit}: take 0 to {count - 1}.")
        return unit or 0

    @property
    def inputs(self) -> tuple[Operand, ...]:
        """The operands that come from layers."""
        return tuple(one for one in self.operands if one.source is not None)

    @property
    def changes(self) -> bool:
        """Whether it makes new values: not a layer that passes them on, as dropout does here, or puts them in a row."""
        if not self.inputs:
            return False
        before = self.inputs[0].values
        return self.output.size != before.size or not np.array_equal(
            self.output.reshape(-1), before.reshape(-1)
        )

    def compute(self, arrays: Sequence[Numbers]) -> Numbers:
        """Return what the operation makes of other arrays in place of `inputs`, batch included; without the batch."""
        new = {id(tensor): array for tensor, array in zip(self._tensors(), arrays, strict=True)}
        args, kwargs = keras.tree.map_structure(
            lambda one: new.get(id(one), one), (self.call.args, self.call.kwargs)
        )
        outputs = keras.tree.flatten(self.call.operation(*args, **kwargs))
        found: Numbers = np.asarray(keras.ops.convert_to_numpy(outputs[self.which]))[0]
        return found

    def _tensors(self) -> list[Any]:
        pairs = zip(_parts(self.call), self.operands, strict=True)
        return [part for part, operand in pairs if operand.source is not None]


@dataclass(frozen=True, eq=False)
class Microscope:
    """A classifier, an image, and all that the one computed for the other.

    Attributes:
        classifier: it.
        model: its network in float32.
        pixels: (height, width, channels) uint8, the image as the network sees it.
        size: (height, width) of the image as it came.
        layers: in the order of computing, the image's own first.
        prediction: of the classifier.
    """

    classifier: Classifier
    model: keras.Model
    pixels: NDArray[np.uint8]
    size: tuple[int, int]
    layers: tuple[Layer, ...]
    prediction: Prediction

    @classmethod
    def look(cls, classifier: Classifier, image: ImageLike) -> "Microscope":
        """Compute an image and keep everything.

        Raises:
            ImageError: the image cannot be read.
            ModelError: see `run_calls`.
        """
        pixels = prepare(image, classifier.preprocessing)
        width, height = open_image(image).size
        model = classifier.model
        if any(layer.compute_dtype in ("bfloat16", "float16") for layer in all_layers(model)):
            model = with_precision(model, "float32")
        layers = _name_classes(_name_layers(run_calls(model, pixels[None])), classifier.class_names)
        prediction = classifier.prediction(str(image), layers[-1].output.astype(np.float32))
        return cls(classifier, model, pixels, (height, width), layers, prediction)

    def layer(self, name: str) -> Layer:
        """Return a layer by its name. Raises ConfigError, with near names, for an unknown one."""
        names = {layer.name: layer for layer in self.layers}
        if name not in names:
            near = get_close_matches(name, names, n=3, cutoff=0.5)
            hint = (
                f"did you mean {' or '.join(near)}?"
                if near
                else "leave --layer out, and all are listed."
            )
            raise ConfigError(f"the network has no layer {name!r}; {hint}")
        return names[name]


def known_names(names: Sequence[str], most: int = 12) -> str:
    """Return names with commas between, of many the first."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _name_classes(layers: tuple[Layer, ...], class_names: tuple[str, ...]) -> tuple[Layer, ...]:
    """Give the class names to the last layers, back to the one that makes a number a class: the logits."""
    by_name, named, name = {layer.name: layer for layer in layers}, set(), layers[-1].name
    while by_name[name].shape == (len(class_names),):
        named.add(name)
        if by_name[name].kind not in PASSING:
            break
        name = str(by_name[name].inputs[0].source)
    return tuple(
        replace(layer, class_names=class_names) if layer.name in named else layer
        for layer in layers
    )


def _parts(call: Call) -> list[Any]:
    """Return the tensors and numbers that a call was given."""
    return [part for part in keras.tree.flatten((call.args, call.kwargs)) if part is not None]


def _name_layers(calls: Sequence[Call]) -> tuple[Layer, ...]:
    made_by: dict[int, str] = {}
    layers: dict[str, Layer] = {}
    for number, call in enumerate(calls):
        operands = tuple(
            Operand(np.asarray(keras.ops.convert_to_numpy(part)), made_by.get(id(part)))
            for part in _parts(call)
        )
        for which, tensor in enumerate(call.outputs):
            name, again = call.operation.name, 2
            while name in layers:
                name, again = f"{call.operation.name}-{again}", again + 1
            output = np.asarray(keras.ops.convert_to_numpy(tensor))
            made_by[id(tensor)] = name
            layers[name] = Layer(
                name, call, number, which, operands, output[0] if output.ndim else output
            )
    return tuple(layers.values())
