"""Create: build a model of the registry for images of any size and any number of classes."""

import inspect
from pathlib import Path

import keras

from convlens.config import ModelConfig
from convlens.errors import ModelError
from convlens.zoo.registry import HEADS, ModelInfo, model_info
from convlens.zoo.stem import LEAST_WITH_STEM, Logits, apply_small_stem
from convlens.zoo.weights import load_weights

# The search for the least size that a model can take ends at this side, in pixels.
LARGEST_SIDE = 1024


def build(
    name: str,
    inputs: keras.KerasTensor,
    num_classes: int,
    *,
    head: str | None = None,
    config: ModelConfig | None = None,
) -> Logits:
    """Return the logits of a model on a tensor of images.

    Args:
        name: One of `list_models()`.
        inputs: The images, (batch, height, width, channels), as float pixels that are already
            multiplied by the model's `scale`.
        num_classes: The number of classes, at least 2.
        head: "softmax" for logits of shape (batch, num_classes), "sigmoid" for (batch, 1) of two
            classes. By default the model's own head if it fits num_classes, else "softmax".
        config: `stem` applies to every model, the other fields shape `custom_cnn`.

    Returns:
        The logits, or a list of the logits of the head and of the auxiliary heads.

    Raises:
        ModelError: If the model is unknown, the images are too small, or the head or the number of
            classes is not possible.
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
    """Return a new model that takes float32 images and returns logits.

    The images must already be multiplied by the model's `scale`.

    Args:
        name: One of `list_models()`.
        input_shape: (height, width, channels) in pixels; by default that of the source.
        num_classes: The number of classes, at least 2; by default that of the source.
        head: See `build`.
        config: See `build`.
        weights: "imagenet" or a file of weights, see `convlens.zoo.weights`. If their classes are
            not `num_classes`, the head starts at random, as the whole model does by default.

    Raises:
        ModelError: If the model cannot be built, see `build`, or there are no such weights.

    >>> create_model("cats_dogs_3conv").output_shape
    (None, 1)
    """
    info = model_info(name)
    shape = info.input_shape if input_shape is None else input_shape
    if len(shape) != 3 or not all(type(side) is int and side > 0 for side in shape):
        raise ModelError(
            "input_shape must be (height, width, channels), whole and positive; "
            "found {shape}.".format(shape=shape)
        )
    outputs = _num_logits(info, info.num_classes if num_classes is None else num_classes, head)
    inputs = keras.Input(shape, dtype="float32", name="pixels")
    model = keras.Model(inputs, _logits(info, inputs, outputs, config), name=name)
    if weights is not None:
        load_weights(model, name, weights)
    return model


def _num_logits(info: ModelInfo, num_classes: int, head: str | None) -> int:
    if type(num_classes) is not int or num_classes < 2:
        raise ModelError(
            "num_classes must be a whole number of at least 2; found {found!r}.".format(
                found=num_classes
            )
        )
    if head is None:
        head = info.head if num_classes == 2 else "softmax"
    if head not in HEADS:
        raise ModelError(
            "the head must be one of {heads}; found {head!r}.".format(
                heads=", ".join(HEADS), head=head
            )
        )
    if head == "sigmoid" and num_classes != 2:
        raise ModelError(
            "a sigmoid head tells two classes apart; found {number}. Use the head softmax.".format(
                number=num_classes
            )
        )
    return 1 if head == "sigmoid" else num_classes


def _logits(
    info: ModelInfo, inputs: keras.KerasTensor, outputs: int, config: ModelConfig | None
) -> Logits:
    """Return the logits, or raise ModelError with the least size where Keras refuses the images."""
    config = config or ModelConfig()
    try:
        return _call(info, inputs, outputs, config)
    except ValueError as error:
        height, width, channels = inputs.shape[1:]
        paper = config.stem == "paper"
        least = info.least_side if paper else None
        least = least or _least_side(info, channels, outputs, config)
        if least is None or min(height, width) >= least:
            raise ModelError(
                "{name} cannot take images of {height} x {width} pixels: {error}".format(
                    name=info.name, height=height, width=width, error=error
                )
            ) from error
        message = (
            "{name} needs images of at least {least} x {least} pixels; found {height} x {width}."
        )
        if paper and min(info.input_shape[:2]) >= LEAST_WITH_STEM:
            message += " Smaller ones can be used with --stem small."
        raise ModelError(
            message.format(name=info.name, least=least, height=height, width=width)
        ) from error


def _call(info: ModelInfo, inputs: keras.KerasTensor, outputs: int, config: ModelConfig) -> Logits:
    options = {"config": config} if "config" in inspect.signature(info.builder).parameters else {}
    if config.stem == "paper":
        return info.builder(inputs, outputs, **options)
    height, width, _ = info.input_shape
    if min(height, width) < LEAST_WITH_STEM:
        raise ModelError(
            "the small stem is for networks that are made for images of {least} pixels or more; "
            "{name} is made for {height} x {width}. Leave --stem out.".format(
                least=LEAST_WITH_STEM, name=info.name, height=height, width=width
            )
        )
    return apply_small_stem(lambda x: info.builder(x, outputs, **options), inputs)


def _least_side(info: ModelInfo, channels: int, outputs: int, config: ModelConfig) -> int | None:
    """Return the side of the smallest square image that the model can take, found by bisection.

    None if there is none up to LARGEST_SIDE.
    """

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
    low = high // 2 + 1
    while low < high:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle + 1
    return high
