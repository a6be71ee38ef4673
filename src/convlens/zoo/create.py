"""Create: build a model of the registry for images of any size and any number of classes.

The small stem adapts a network that is made for photographs of 224 pixels to images of about 32.
Most classics begin by shrinking the image to a quarter of its side, and to a thirty-second in all:
an image of 32x32 pixels becomes a single value before the layers that matter most. With the small
stem, the first layers have strides of 1 instead. The other layers then work on maps as large as
those of an image of four times the side. Kernels keep their shapes, so that the number of
parameters and trained weights stay valid. (In VGG and AlexNet, whose dense layers follow the map,
this holds for the convolutions only.) The multiply-adds grow up to sixteenfold. He et al. 2015
(section 4.2) and Huang et al. 2016 (section 4.1) leave out these strides on CIFAR-10 in the same
way.
"""

import inspect
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path

import keras

from convlens.anatomy.graph import run_graph
from convlens.anatomy.summary import WINDOWED, pair, steps, window_of
from convlens.config import ModelConfig
from convlens.errors import ModelError
from convlens.language import _, listed, sentences
from convlens.zoo.registry import HEADS, Logits, ModelInfo, model_info
from convlens.zoo.weights import load_weights

# The search for the least size that a model can take starts with these sides, in pixels.
POWERS = tuple(2**exponent for exponent in range(11))
# The small stem is for networks that are made for images of at least this side, in pixels.
LEAST_WITH_STEM = 128
# The small stem consists of the layers up to this overall stride.
STEM_STRIDE = 4


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
            _(
                "input_shape must be (height, width, channels), whole and positive; found {shape}."
            ).format(shape=shape)
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
            _("num_classes must be a whole number of at least 2; found {found!r}.").format(
                found=num_classes
            )
        )
    if head is None:
        head = info.head if num_classes == 2 else "softmax"
    if head not in HEADS:
        raise ModelError(
            _("the head must be one of {heads}; found {head!r}.").format(
                heads=listed(HEADS), head=head
            )
        )
    if head == "sigmoid" and num_classes != 2:
        raise ModelError(
            _(
                "a sigmoid head tells two classes apart; found {number}. Use the head softmax."
            ).format(number=num_classes)
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
                _("{name} cannot take images of {height} x {width} pixels: {error}").format(
                    name=info.name, height=height, width=width, error=error
                )
            ) from error
        message: str = _(
            "{name} needs images of at least {least} x {least} pixels; found {height} x {width}."
        ).format(name=info.name, least=least, height=height, width=width)
        if paper and min(info.input_shape[:2]) >= LEAST_WITH_STEM:
            message = sentences(message, _("Smaller ones can be used with --stem small."))
        raise ModelError(message) from error


def _call(info: ModelInfo, inputs: keras.KerasTensor, outputs: int, config: ModelConfig) -> Logits:
    options = {"config": config} if "config" in inspect.signature(info.builder).parameters else {}
    if config.stem == "paper":
        return info.builder(inputs, outputs, **options)
    refuse_stem(info)
    return _with_small_stem(lambda x: info.builder(x, outputs, **options), inputs)


def refuse_stem(info: ModelInfo) -> None:
    """Raise ModelError if a model has no small stem."""
    height, width = info.input_shape[:2]
    if min(height, width) < LEAST_WITH_STEM:
        raise ModelError(
            _(
                "the small stem is for networks that are made for images of {least} pixels or "
                "more; {name} is made for {height} x {width}. Leave --stem out."
            ).format(least=LEAST_WITH_STEM, name=info.name, height=height, width=width)
        )


def _with_small_stem(
    network: Callable[[keras.KerasTensor], Logits], inputs: keras.KerasTensor
) -> Logits:
    """Return the logits of a network with strides of 1 in the layers up to an overall stride of 4.

    Args:
        network: A builder. It is called with images large enough for the paper's own stem.
        inputs: The images, (batch, height, width, channels).

    Raises:
        ValueError: If the images are too small even so.
    """
    height, width, channels = inputs.shape[1:]
    larger = keras.Input((STEM_STRIDE * height, STEM_STRIDE * width, channels))
    model = keras.Model(larger, network(larger))
    stem = _stem_layers(model)
    rebuilt: dict[int, keras.Layer] = {}

    def rebuild(node: keras.Operation) -> keras.Operation:
        if not isinstance(node, keras.Layer):
            return node
        if id(node) not in rebuilt:
            settings = node.get_config()
            if node.name in stem:
                settings["strides"] = 1 if isinstance(settings["strides"], int) else (1, 1)
            rebuilt[id(node)] = node.__class__.from_config(settings)
        return rebuilt[id(node)]

    logits: Logits = run_graph(model, inputs, rebuild)
    return logits


def _stem_layers(model: keras.Model) -> set[str]:
    """Return the names of the layers that bring the overall stride to at most STEM_STRIDE."""
    strides: dict[int, int] = {}
    names = set()
    for operation, inputs, outputs in steps(model):
        stride = max((strides[id(tensor)] for tensor in inputs), default=1)
        if isinstance(operation, WINDOWED) and max(pair(operation.strides)) > 1:
            stride *= max(window_of(operation)[1])
            if stride <= STEM_STRIDE:
                names.add(operation.name)
        strides |= {id(tensor): stride for tensor in outputs}
    return names


def _least_side(info: ModelInfo, channels: int, outputs: int, config: ModelConfig) -> int | None:
    """Return the side of the smallest square image that the model can take, found by bisection.

    None if there is none up to the last of POWERS.
    """

    def fits(side: int) -> bool:
        try:
            _call(info, keras.Input((side, side, channels)), outputs, config)
        except ValueError:
            return False
        return True

    # Doubling comes first: the dense layers of some models would fill the memory at a large side.
    high = next(filter(fits, POWERS), None)
    if high is None:
        return None
    return bisect_left(range(high), True, lo=high // 2 + 1, key=fits)
