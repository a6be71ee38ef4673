"""Registry: what is known about each model of the zoo, by name.

A model file registers a function that turns a tensor of images into logits. The files are imported
when the first name is asked for; `convlens.zoo.create` builds the models.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any, TypeAlias, TypeVar

import keras
from numpy.typing import NDArray

from convlens.language import _, listed
from convlens.preprocess import ImageArray
from convlens.zoo.names import unknown_model

# A list holds the logits of the head first, then those of the auxiliary heads.
Logits: TypeAlias = keras.KerasTensor | list[keras.KerasTensor]
HEADS = ("softmax", "sigmoid")
# Poolings by the names that the tables of the models and the settings use.
POOLINGS = {
    "max": keras.layers.MaxPooling2D,
    "average": keras.layers.AveragePooling2D,
    "avg": keras.layers.AveragePooling2D,
}

Builder = TypeVar("Builder", bound=Callable[..., Logits])
_registry: dict[str, "ModelInfo"] = {}


@dataclass(frozen=True)
class WeightsFile:
    """A file of trained weights that keras.applications publishes.

    Attributes:
        path: The folder and the name of the file, below `convlens.zoo.weights.URL`.
        digest: The MD5 or the SHA-256 of the file, in hexadecimal.
    """

    path: str
    digest: str

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Weights:
    """The trained weights of a model, and where they come from.

    Attributes:
        source: The files of the whole network and of the network without its head. Or a function
            that returns the arrays of the whole network, in the order of `model.get_weights()`.
        head: The number of layers with weights in the model's head.
        other_head: The same for the network of the files, where its head is another one, so that
            the files serve for the body alone.
        original: Builds the network of keras.applications. It is needed where that network has
            layers of its own, so that its files name the arrays differently from ours.
        name: What users call these weights.
    """

    source: tuple[WeightsFile, WeightsFile] | Callable[[], list[NDArray[Any]]]
    head: int = 1
    other_head: int | None = None
    original: Callable[[], keras.Model] | None = None
    name: str = "imagenet"


@dataclass(frozen=True)
class ModelInfo:
    """What is known about a model before it is built.

    Attributes:
        name: The name that users type.
        year: The year of the paper or lecture.
        input_shape: (height, width, channels) of the images in the source, in pixels.
        num_params: The number of parameters with `input_shape`, `num_classes` and `head`.
        multiply_adds: The multiply-adds on one such image; see `convlens.anatomy.summary`.
        least_side: The side of the smallest square image that the model can take, in pixels; None
            where the configuration decides it.
        num_classes: The number of classes in the source.
        head: "softmax" for a logit per class, "sigmoid" for one logit for two classes.
        scale: The factor by which pixels 0..255 are multiplied before the model sees them; 1.0
            where the model scales them itself.
        weights: The trained weights that others have published, or None.
        description: One line about the model, in English; `summary` has it in the chosen language.
        builder: Returns the logits for (inputs, num_classes[, config]), or a list of the logits of
            the head and of the auxiliary heads.
        adapt: Initialises weights of a model (from uint8 images to logits) by computing them from
            training images; None if all weights are initialised at random.
    """

    name: str
    year: int
    input_shape: tuple[int, int, int]
    num_params: int
    multiply_adds: int
    least_side: int | None
    num_classes: int
    head: str
    scale: float
    weights: Weights | None
    description: str
    builder: Callable[..., Logits]
    adapt: Callable[[keras.Model, ImageArray], None] | None = None

    @property
    def summary(self) -> str:
        """One line about the model."""
        return _(self.description)


def register_model(  # noqa: PLR0913 - the facts of a model
    *,
    summary: str,
    year: int,
    input_shape: tuple[int, int, int],
    num_params: int,
    multiply_adds: int,
    least_side: int | None,
    num_classes: int = 1000,
    head: str = "softmax",
    scale: float = 1 / 255,
    weights: Weights | None = None,
    adapt: Callable[[keras.Model, ImageArray], None] | None = None,
) -> Callable[[Builder], Builder]:
    """Register the decorated function as the model of its name.

    The function takes (inputs, num_classes), and `config` too if its signature has it. It returns
    logits of shape (batch, num_classes). With the head "sigmoid" it is called with num_classes=1.
    The arguments are attributes of `ModelInfo`; `summary` is its description.

    Raises:
        ValueError: If the name is taken or the head is unknown.
    """

    def register(builder: Builder) -> Builder:
        name = builder.__name__
        if name in _registry:
            raise ValueError(
                _("a model's name must be new; {name!r} is registered already.").format(name=name)
            )
        if head not in HEADS:
            raise ValueError(
                _("the head of {name!r} must be one of {heads}; found {head!r}.").format(
                    name=name, heads=listed(HEADS), head=head
                )
            )
        _registry[name] = ModelInfo(
            name,
            year,
            input_shape,
            num_params,
            multiply_adds,
            least_side,
            num_classes,
            head,
            scale,
            weights,
            summary,
            builder,
            adapt,
        )
        return builder

    return register


def variant(
    function: Callable[..., Logits],
    name: str,
    *row: Any,
    doc: str | None = None,
    **options: Any,
) -> Callable[..., Logits]:
    """Return the builder of a model that is a row of its paper's table, to be registered.

    Args:
        function: Builds the logits from (inputs, num_classes, *row, **options).
        name: The name of the model.
        *row: What distinguishes the model from the others of the table.
        doc: The docstring of the builder; by default that of the function.
        **options: The same, by name.
    """

    def builder(inputs: keras.KerasTensor, num_classes: int) -> Logits:
        return function(inputs, num_classes, *row, **options)

    builder.__name__ = name
    builder.__doc__ = doc or function.__doc__
    builder.__module__ = function.__module__
    return builder


def chain(x: keras.KerasTensor, *steps: keras.Layer) -> keras.KerasTensor:
    """Return what layers make of a tensor, one after the other.

    >>> chain(keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(10)).shape
    (None, 10)
    """
    return reduce(lambda tensor, layer: layer(tensor), steps, x)


def list_models() -> list[str]:
    """Return the names of all models, sorted."""
    _import_models()
    return sorted(_registry)


def model_info(name: str) -> ModelInfo:
    """Return what is known about a model.

    Raises:
        ModelError: If there is no such model. The message proposes similar names.
    """
    _import_models()
    if name in _registry:
        return _registry[name]
    raise unknown_model(name, list_models())


@cache
def _import_models() -> None:
    package = __package__ or "convlens.zoo"
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
