"""Applications: the networks of keras.applications, from pixels 0..255 to logits.

Source      keras.applications of Keras 3.15; the networks and their papers are in `classics`.
Input       Pixels 0..255: the scaling that the trained weights need is the first layer of the
            network. Images that do not have three channels get the mean of what red, green and blue
            get.
Departures  Keras numbers some layers by a counter of the process. They are numbered in each model
            instead, so that two models of a kind have equal names. Two networks contain layers that
            Keras wrote for them; stock layers with as many weights replace those. In
            inception_resnet_v2, x + scale * y is Rescaling and Add. In convnext_tiny, LayerScale is
            a 1x1 depthwise convolution, which counts among the multiply-adds, and the grouped 7x7
            convolutions are depthwise ones (5 ms instead of 694 ms on 8 maps of 56x56x96 on two
            cores). Random weights start as Keras' do, not as those of the papers.
"""

import inspect
from collections import defaultdict
from functools import partial, reduce
from typing import Any

import keras
from keras import layers, ops

from convlens.anatomy.graph import last_call, producer
from convlens.zoo.classics import APPLICATIONS, FAMILIES
from convlens.zoo.registry import Weights, register_model, variant

# Mean and standard deviation of ImageNet's red, green and blue, for pixels 0..1.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
# Factors and offsets of the channels, by the modes of keras.applications' preprocess_input.
SCALINGS = {
    "caffe": ([1.0, 1.0, 1.0], [-103.939, -116.779, -123.68]),  # blue, green, red
    "tf": ([1 / 127.5] * 3, [-1.0] * 3),
    "torch": (
        [1 / (255 * std) for std in STD],
        [-mean / std for mean, std in zip(MEAN, STD, strict=True)],
    ),
}
# Families that Keras builds with layers of its own.
OWN_LAYERS = ("convnext", "inception_resnet_v2")
# Names that Keras numbers by its counter, and the words that replace them here.
NUMBERED = {
    "activation": "activation",
    "add": "add",
    "average_pooling2d": "average_pool",
    "batch_normalization": "norm",
    "concatenate": "concat",
    "conv2d": "conv",
    "custom_scale_layer": "residual",
    "dropout": "dropout",
    "flatten": "flatten",
    "global_average_pooling2d": "average",
    "max_pooling2d": "max_pool",
    "multiply": "multiply",
    "re_lu": "relu",
    "zero_padding2d": "pad",
}


def keras_model(name: str, inputs: keras.KerasTensor, num_classes: int) -> keras.Model:
    """Return the network, up to its logits, as keras.applications builds it on a tensor.

    Nothing is downloaded.

    Args:
        name: A key of APPLICATIONS.
        inputs: The images, (batch, height, width, channels), scaled by `preprocess`.
        num_classes: The number of logits.
    """
    builder = getattr(keras.applications, APPLICATIONS[name].builder)
    has_option = "include_preprocessing" in inspect.signature(builder).parameters
    return builder(
        weights=None,
        input_tensor=inputs,
        classes=num_classes,
        classifier_activation=None,
        **({"include_preprocessing": False} if has_option else {}),
    )


def original(name: str) -> keras.Model:
    """Return the network as keras.applications has it, with one logit, on the smallest images."""
    side = APPLICATIONS[name].least_side
    return keras_model(name, keras.Input((side, side, 3)), 1)


def preprocess(x: keras.KerasTensor, mode: str) -> keras.KerasTensor:
    """Return the images scaled as the trained weights need them.

    Args:
        x: Pixels 0..255, (batch, height, width, channels).
        mode: A key of SCALINGS.
    """
    scale, offset = SCALINGS[mode]
    if x.shape[-1] != 3:
        return layers.Rescaling(sum(scale) / 3, sum(offset) / 3, name="preprocess")(x)
    if mode == "caffe":
        x = ops.flip(x, axis=-1)
        # `ops.flip` takes no name.
        producer(x).name = "preprocess_bgr"
    return layers.Rescaling(scale, offset, name="preprocess")(x)


def network(inputs: keras.KerasTensor, num_classes: int, name: str) -> keras.KerasTensor:
    """Return the logits (batch, num_classes) for pixels 0..255, in a flat graph of stock layers."""
    family = APPLICATIONS[name].family
    x = preprocess(inputs, FAMILIES[family].mode)
    start = keras.Input(x.shape[1:]) if family in OWN_LAYERS else x
    model = keras_model(name, start, num_classes)
    before = keras.Model(keras.utils.get_source_inputs(start), start).operations
    number_names([operation for operation in model.operations if operation not in before])
    if start is x:
        return model.output
    tensors = {id(start): x}
    # The order decides which random weights a layer gets. That of `run_graph` is another one.
    for operation in model.operations[1:]:
        call = last_call(operation)
        args = keras.tree.map_structure(lambda one: tensors.get(id(one), one), call.args)
        tensors[id(call.outputs[0])] = stock_call(operation, *args)
    return tensors[id(model.output)]


def number_names(operations: list[Any]) -> None:
    """Rename what Keras named by its counter: conv2d_94 and conv2d_95 become conv1 and conv2."""
    found: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    for operation in operations:
        kind, _, number = operation.name.rpartition("_")
        if not number.isdecimal():
            kind = operation.name
            number = "0"
        if kind in NUMBERED:
            found[NUMBERED[kind]].append((int(number), operation))
    for word, counted in found.items():
        counted.sort(key=lambda pair: pair[0])
        for number, (_, operation) in enumerate(counted, start=1):
            operation.name = f"{word}{number}"


def stock_call(operation: Any, *args: Any) -> keras.KerasTensor:
    """Return what an operation of Keras' network makes of its arguments, by new stock layers."""
    name = operation.name
    match type(operation).__name__:
        case "Sequential":
            return reduce(lambda x, layer: stock_call(layer, x), operation.layers, *args)
        case "LayerScale":
            layer = layers.DepthwiseConv2D(
                1,
                use_bias=False,
                depthwise_initializer=keras.initializers.Constant(operation.init_values),
                name=name,
            )
        case "CustomScaleLayer":
            shortcut, x = args[0]
            x = layers.Rescaling(operation.scale, name=f"{name}_scale")(x)
            return layers.Add(name=f"{name}_add")([shortcut, x])
        case "Conv2D" if operation.groups > 1:
            layer = layers.DepthwiseConv2D(
                operation.kernel_size, padding=operation.padding, name=name
            )
        case _:
            layer = operation.__class__.from_config(operation.get_config())
    return layer(*args)


for _name, _row in APPLICATIONS.items():
    _family = FAMILIES[_row.family]
    register_model(
        summary=_row.summary,
        year=_family.year,
        input_shape=(_family.side, _family.side, 3),
        num_params=_row.num_params,
        multiply_adds=_row.multiply_adds,
        least_side=_row.least_side,
        scale=1.0,
        weights=Weights(
            _row.files.named(_name), _row.files.head, original=partial(original, _name)
        ),
    )(variant(network, _name, _name, doc=f"Return the logits.\n{_family.doc}"))
