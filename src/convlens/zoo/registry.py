"""The models by name: what each is, and how to build it for images of any size.

A model file registers functions that turn a tensor of images into logits; this module is the only way in. The files
are imported when the first name is asked for.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TypeVar

import keras

from convlens.config import ModelConfig
from convlens.errors import ModelError
from convlens.zoo.stem import Logits, apply_small_stem

HEADS = ("softmax", "sigmoid")
LEAST_WITH_STEM = (
    128  # pixels that a network is made for, from which its first strides can be left out
)
LARGEST_SIDE = 1024  # pixels; where the search for a model's least size ends

Builder = TypeVar("Builder", bound=Callable[..., Logits])
_registry: dict[str, "ModelInfo"] = {}


@dataclass(frozen=True)
class ModelInfo:
    """What is known about a model before it is built.

    Attributes:
        name: what users type.
        year: of the paper or lecture.
        input_shape: (height, width, channels) that the source uses, pixels.
        num_params: parameters at `input_shape` with `num_classes` and `head`.
        multiply_adds: of convolutions and dense layers there, on one image; see `convlens.anatomy.summary`.
        least_side: of square images that it can take, pixels; None where its configuration decides.
        num_classes: classes in the source.
        head: "softmax" (a logit for each class) or "sigmoid" (one logit for two classes).
        scale: the network sees pixels 0..255 times this; 1.0 where it scales them itself.
        weights: "imagenet" where trained weights can be had (`convlens.zoo.weights`), else None.
        summary: first line of the builder's docstring.
        builder: (inputs, num_classes[, config]) -> logits, or a list of the answer's and those of auxiliary heads.
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
    weights: str | None
    summary: str
    builder: Callable[..., Logits]


def register_model(  # noqa: PLR0913 - the facts of a model
    *,
    year: int,
    input_shape: tuple[int, int, int],
    num_params: int,
    multiply_adds: int,
    least_side: int | None,
    num_classes: int = 1000,
    head: str = "softmax",
    scale: float = 1 / 255,
    weights: str | None = None,
) -> Callable[[Builder], Builder]:
    """Register the decorated function as the model of its name; see `ModelInfo` for the arguments.

    The function takes (inputs, num_classes), and `config` too where its signature has it, and returns logits
    (batch, num_classes). With the head "sigmoid" it is called with num_classes=1.

    Raises:
        ValueError: the name is taken, or the head is unknown.
    """

    def register(builder: Builder) -> Builder:
        name = builder.__name__
        if name in _registry:
            raise ValueError(f"a model's name must be new; {name!r} is registered already.")
        if head not in HEADS:
            raise ValueError(
                f"the head of {name!r} must be one of {', '.join(HEADS)}; found {head!r}."
            )
        summary = (inspect.getdoc(builder) or "").partition("\n")[0]
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
        )
        return builder

    return register


def list_models() -> list[str]:
    """Return the names of all models, sorted."""
    _import_models()
    return sorted(_registry)


def model_info(name: str) -> ModelInfo:
    """Return what is known about a model. Raises ModelError, with near names, for an unknown one."""
    _import_models()
    if name not in _registry:
        near = get_close_matches(name.lower(), _registry, n=3)
        hint = (
            f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(list_models())}."
        )
        raise ModelError(f"there is no model {name!r}; {hint}")
    return _registry[name]


def build(
    name: str,
    inputs: keras.KerasTensor,
    num_classes: int,
    *,
    head: str | None = None,
    config: ModelConfig | None = None,
) -> Logits:
    """Return the logits of the model on a tensor of images; a list where it has auxiliary heads, the answer first.

    Args:
        name: one of `list_models()`.
        inputs: (batch, height, width, channels), float pixels already multiplied with the model's `scale`.
        num_classes: at least 2.
        head: "softmax" for (batch, num_classes) logits, "sigmoid" for (batch, 1) of two classes; where not given, the
            model's own if it fits num_classes, else "softmax".
        config: its `stem` goes for every model, the other fields shape `custom_cnn`.

    Raises:
        ModelError: unknown model, too small images, or a head or number of classes that cannot be.
    """
    info = model_info(name)
    return _logits(info, inputs, _num_logits(info, num_classes, head), config)


def create_model(
    name: str,
    *,
    input_shape: tuple[int, int, int] | None = None,
    num_classes: int | None = None,
    head: str | None = None,
    config: ModelConfig | None = None,
    weights: str | Path | None = None,
) -> keras.Model:
    """Return a new model that answers logits for float32 images already multiplied with the model's `scale`.

    Args:
        name: one of `list_models()`.
        input_shape: (height, width, channels) in pixels; where not given, the source's.
        num_classes: at least 2; where not given, the source's.
        head: see `build`.
        config: see `build`.
        weights: "imagenet" or a file of them, see `convlens.zoo.weights`; where its classes are not num_classes, the
            head starts at random as all does where it is not given.

    Raises:
        ModelError: see `build`; or there are no such weights.

    >>> create_model("cats_dogs_3conv").output_shape
    (None, 1)
    """
    info = model_info(name)
    shape = info.input_shape if input_shape is None else input_shape
    if len(shape) != 3 or not all(type(side) is int and side > 0 for side in shape):
        raise ModelError(
            f"input_shape must be (height, width, channels), whole and positive; found {shape}."
        )
    outputs = _num_logits(info, info.num_classes if num_classes is None else num_classes, head)
    inputs = keras.Input(shape, dtype="float32", name="pixels")
    model = keras.Model(inputs, _logits(info, inputs, outputs, config), name=name)
    if weights is not None:
        from convlens.zoo.weights import load_weights  # its module imports this one

        load_weights(model, name, weights)
    return model


@cache
def _import_models() -> None:
    package = __package__ or "convlens.zoo"
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")


def _num_logits(info: ModelInfo, num_classes: int, head: str | None) -> int:
    if type(num_classes) is not int or num_classes < 2:
        raise ModelError(
            f"num_classes must be a whole number of at least 2; found {num_classes!r}."
        )
    if head is None:
        head = info.head if num_classes == 2 else "softmax"
    if head not in HEADS:
        raise ModelError(f"the head must be one of {', '.join(HEADS)}; found {head!r}.")
    if head == "sigmoid" and num_classes != 2:
        raise ModelError(
            f"a sigmoid head tells two classes apart; found {num_classes}. Use the head softmax."
        )
    return 1 if head == "sigmoid" else num_classes


def _logits(
    info: ModelInfo, inputs: keras.KerasTensor, outputs: int, config: ModelConfig | None
) -> Logits:
    """Return the logits, or raise ModelError with the least size: Keras refuses a layer with nothing left to see."""
    try:
        return _call(info, inputs, outputs, config)
    except ValueError as error:
        height, width, channels = inputs.shape[1:]
        if config is None or config.stem == "paper":
            least = info.least_side or _least_side(info, channels, outputs, config)
        else:
            least = _least_side(info, channels, outputs, config)
        if least is None or min(height, width) >= least:
            raise ModelError(
                f"{info.name} cannot take images of {height} x {width} pixels: {error}"
            ) from error
        paper = config is None or config.stem == "paper"
        hint = (
            " --stem small takes smaller ones."
            if paper and min(info.input_shape[:2]) >= LEAST_WITH_STEM
            else ""
        )
        raise ModelError(
            f"{info.name} needs images of at least {least} x {least} pixels; found {height} x {width}.{hint}"
        ) from error


def _call(
    info: ModelInfo, inputs: keras.KerasTensor, outputs: int, config: ModelConfig | None
) -> Logits:
    config = config or ModelConfig()
    if config.stem == "small" and min(info.input_shape[:2]) < LEAST_WITH_STEM:
        raise ModelError(
            f"the small stem is for networks made for images of {LEAST_WITH_STEM} pixels or more; {info.name} is "
            f"made for {info.input_shape[0]} x {info.input_shape[1]}. Leave --stem out."
        )
    options = {"config": config} if "config" in inspect.signature(info.builder).parameters else {}
    if config.stem == "small":
        return apply_small_stem(lambda x: info.builder(x, outputs, **options), inputs)
    return info.builder(inputs, outputs, **options)


def _least_side(
    info: ModelInfo, channels: int, outputs: int, config: ModelConfig | None
) -> int | None:
    """Return the least side of square images that the model can take, by halving; None above LARGEST_SIDE."""

    def fits(side: int) -> bool:
        try:
            _call(info, keras.Input((side, side, channels)), outputs, config)
        except ValueError:
            return False
        return True

    high = 1
    while not fits(high):
        high *= 2
        if high > LARGEST_SIDE:
            return None
    low = high // 2 + 1  # high // 2 was seen not to fit
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle + 1, high)
    return high
