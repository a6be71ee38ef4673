"""The classics that keras.applications keeps, behind the registry: as Keras builds them, from pixels 0..255 to logits.

Source      keras.applications of Keras 3.15; the papers are in FAMILIES
Input       pixels 0..255: the scaling that the trained weights want is the network's first layer. Images of other
            than three channels get the mean of what red, green and blue get
Parameters  in APPLICATIONS: those of Keras, with the moving statistics of the normalisations. torchvision 0.29 has as
            many where the family's text does not say otherwise
Departures  Layers that Keras numbers by a counter of the process are numbered in each model, so that two of a kind have
            equal names. Keras has layers of its own in two networks, here made of stock ones with as many weights: in
            inception_resnet_v2 x + scale * y is Rescaling and Add; in convnext_tiny LayerScale is a 1x1 depthwise
            convolution, which is counted in the multiply-adds, and the grouped 7x7 convolutions are depthwise ones (on
            56x56x96, batch of 8, two cores: 5 ms against 694 ms). Random weights start as Keras' do, not as the papers'
"""

import inspect
from collections import defaultdict
from functools import reduce
from typing import Any, NamedTuple

import keras
from keras import layers, ops

from convlens.anatomy.graph import last_call, producer
from convlens.zoo.registry import register_model


class Family(NamedTuple):
    """The networks of a paper.

    Attributes:
        year: of the paper.
        mode: key of SCALINGS.
        side: of its images, pixels.
        text: of their docstrings.
    """

    year: int
    mode: str
    side: int
    text: str


class Application(NamedTuple):
    """A network of keras.applications.

    Attributes:
        builder: its name there.
        family: key of FAMILIES.
        num_params: with 1000 classes.
        multiply_adds: on one image of the family's side.
        least_side: of square images that it can take, pixels.
        summary: one line on it.
    """

    builder: str
    family: str
    num_params: int
    multiply_adds: int
    least_side: int
    summary: str


FAMILIES = {
    "vgg": Family(2014, "caffe", 224, """
Paper       Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014,
            arXiv:1409.1556, table 1
Brought     depth from one plain brick: 3x3 convolutions, stacked until they see as much as a large kernel does
Strength    easy to read and to explain layer by layer; its features serve well for style, texture and transfer
Weakness    nearly nine tenths of the weights are in three dense layers; slow, and hard to train from scratch
Take it     to teach, to explain images, or to repeat older work
Leave it    where size or speed counts: resnet50 has a fifth of the weights and classifies better
Departures  Keras leaves out the dropout of 0.5 after the first two dense layers
"""),
    "inception_v3": Family(2015, "tf", 299, """
Paper       Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception Architecture for Computer Vision",
            2015, arXiv:1512.00567
Brought     large kernels split into small and into 1xn and nx1 ones; label smoothing
Strength    much accuracy for its multiply-adds; every block looks at several scales
Weakness    many widths set by hand: hard to change
Take it     for photographs of about 299 pixels
Leave it    for small images, or when the architecture itself is to be varied
Parameters  the normalisations have an offset but no factor: 23,817,352 are trainable, in torchvision 23,834,568
Departures  Keras leaves out the auxiliary head
"""),
    "inception_resnet_v2": Family(2016, "tf", 299, """
Paper       Szegedy, Ioffe, Vanhoucke, Alemi, "Inception-v4, Inception-ResNet and the Impact of Residual Connections
            on Learning", 2016, arXiv:1602.07261
Brought     Inception blocks as residuals, made small before they are added, so that wide ones train stably
Strength    needs fewer epochs than an Inception without shortcuts; the most accurate classic of this file
Weakness    the deepest graph of this file: slow to build, to save and to run on a CPU
Take it     when accuracy on photographs matters more than time
Leave it    on a CPU, on small images, or for a first try
Departures  Keras has the network of the authors' published code: a stem like Inception v3's, and 10, 20 and 10 blocks
            where the paper's figure 15 has 5, 10 and 5
"""),
    "xception": Family(2016, "tf", 299, """
Paper       Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2016, arXiv:1610.02357
Brought     Inception driven to its end: nearly every convolution is a depthwise and a 1x1 one, with shortcuts around
Strength    more accurate than Inception v3 with no more weights, and much simpler to write down
Weakness    depthwise convolutions do little work for the memory they move: it is slower than its count says
Take it     to learn what separable convolutions do, or for photographs of about 299 pixels
Leave it    where seconds count: mobilenet_v3_large builds on the same idea
Departures  none known
"""),
    "resnet": Family(2015, "caffe", 224, """
Paper       He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, arXiv:1512.03385, table 1
Brought     shortcuts: a block learns what to add to its input, so that a hundred layers and more can be trained
Strength    the measure that others are held against; forgiving of its settings, good to fine-tune, easy to explain
Weakness    heavy for what it reaches today; the 1x1 convolutions that halve the map see one value in four
Take it     as the first large network to try, and whenever results should be comparable
Leave it    on small devices, or for a few thousand images without trained weights
Parameters  Keras gives every convolution a bias though a normalisation follows; torchvision gives none, and has
            25,557,032, 44,549,160 and 60,192,808 without the moving statistics
Departures  none known; a block halves the map in its first 1x1 convolution, torchvision's in its 3x3 one
"""),
    "densenet": Family(2016, "torch", 224, """
Paper       Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks", 2016,
            arXiv:1608.06993, table 1
Brought     a layer sees the maps of all before it in its block, so that a few new filters each are enough
Strength    few weights for its accuracy; gradients reach every layer
Weakness    joining maps again and again costs memory and time, more than the weights let one think
Take it     when the file must be small, or images are few
Leave it    when memory or seconds of training are what is short
Parameters  torchvision counts the trainable ones: 7,978,856, 14,149,480 and 20,013,928
Departures  none known
"""),
    "mobilenet_v3": Family(2019, "tf", 224, """
Paper       Howard et al., "Searching for MobileNetV3", 2019, arXiv:1905.02244, tables 1 and 2
Brought     widths found by a search for telephones; hard swish, and squeeze-and-excitation where it costs little
Strength    fewer multiply-adds than any other of this file
Weakness    less accurate than its larger neighbours, and harder to train from scratch than a ResNet
Take it     for video, a telephone, or any CPU
Leave it    when accuracy is all that counts
Parameters  torchvision counts the trainable ones: 2,542,856 and 5,483,032
Departures  none known
"""),
    "efficientnet_v2": Family(2021, "torch", 224, """
Paper       Tan, Le, "EfficientNetV2: Smaller Models and Faster Training", 2021, arXiv:2104.00298
Brought     a search that counts training time; early blocks of full convolutions in place of depthwise ones
Strength    much accuracy for its weights and for its time
Weakness    several kinds of blocks in one network: harder to explain than a ResNet
Take it     to fine-tune on one's own photographs
Leave it    to teach the basics, or to compare with older results
Parameters  torchvision has only the larger ones
Departures  none known
"""),
    "convnext": Family(2022, "torch", 224, """
Paper       Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, "A ConvNet for the 2020s", 2022, arXiv:2201.03545
Brought     a ResNet brought up to date with what vision transformers had taught: 7x7 depthwise convolutions, layer
            normalisation, fewer activations
Strength    as accurate as transformers of its size, and nothing but convolutions
Weakness    needs a modern recipe: its blocks begin with factors of 1e-6, so that it starts slowly from scratch
Take it     to fine-tune where accuracy counts and a GPU is at hand
Leave it    to train from scratch on few images
Departures  Keras has no stochastic depth, where the paper has 0.1
"""),
}  # fmt: skip

APPLICATIONS = {
    "vgg16": Application("VGG16", "vgg", 138_357_544, 15_470_264_320, 32,
        "VGG D: 13 convolutions of 3x3 and three dense layers."),
    "vgg19": Application("VGG19", "vgg", 143_667_240, 19_632_062_464, 32,
        "VGG E: 16 convolutions of 3x3 and three dense layers."),
    "inception_v3": Application("InceptionV3", "inception_v3", 23_851_784, 5_713_216_096, 75,
        "Inception v3: eleven blocks that look at several scales."),
    "inception_resnet_v2": Application("InceptionResNetV2", "inception_resnet_v2", 55_873_736, 13_155_794_016, 75,
        "Inception-ResNet v2: forty Inception blocks with shortcuts."),
    "xception": Application("Xception", "xception", 22_910_480, 8_357_403_496, 7,
        "Xception: 36 convolutions, 34 of them depthwise separable, with shortcuts."),
    "resnet50": Application("ResNet50", "resnet", 25_636_712, 3_857_973_248, 1, "ResNet of 50 layers, 16 blocks."),
    "resnet101": Application("ResNet101", "resnet", 44_707_176, 7_570_194_432, 1, "ResNet of 101 layers, 33 blocks."),
    "resnet152": Application("ResNet152", "resnet", 60_419_944, 11_282_415_616, 1, "ResNet of 152 layers, 50 blocks."),
    "densenet121": Application("DenseNet121", "densenet", 8_062_504, 2_834_161_664, 29, "DenseNet of 121 layers."),
    "densenet169": Application("DenseNet169", "densenet", 14_307_880, 3_359_843_328, 29, "DenseNet of 169 layers."),
    "densenet201": Application("DenseNet201", "densenet", 20_242_984, 4_291_365_888, 29, "DenseNet of 201 layers."),
    "mobilenet_v3_small": Application("MobileNetV3Small", "mobilenet_v3", 2_554_968, 56_510_400, 32,
        "MobileNetV3 small: eleven blocks, widths found by a search."),
    "mobilenet_v3_large": Application("MobileNetV3Large", "mobilenet_v3", 5_507_432, 216_589_760, 32,
        "MobileNetV3 large: fifteen blocks, widths found by a search."),
    "efficientnet_v2_b0": Application("EfficientNetV2B0", "efficientnet_v2", 7_200_312, 718_086_176, 1,
        "EfficientNetV2 B0: the smallest, quick to train."),
    "convnext_tiny": Application("ConvNeXtTiny", "convnext", 28_589_128, 4_457_676_288, 32,
        "ConvNeXt tiny: a ResNet rebuilt with what transformers taught."),
}  # fmt: skip

MEAN, STD = (
    (0.485, 0.456, 0.406),
    (0.229, 0.224, 0.225),
)  # red, green, blue of ImageNet, as shares of 255
SCALINGS = {  # factors and offsets of the channels, by the mode that keras.applications' preprocess_input has
    "caffe": ([1.0, 1.0, 1.0], [-103.939, -116.779, -123.68]),  # of blue, green, red
    "tf": ([1 / 127.5] * 3, [-1.0] * 3),
    "torch": (
        [1 / (255 * std) for std in STD],
        [-mean / std for mean, std in zip(MEAN, STD, strict=True)],
    ),
}
OWN_LAYERS = (
    "convnext",
    "inception_resnet_v2",
)  # families that Keras builds with layers of its own
NUMBERED = {  # kinds that Keras names by its counter, and the words that stand for them here
    "activation": "activation", "add": "add", "average_pooling2d": "average_pool", "batch_normalization": "norm",
    "concatenate": "concat", "conv2d": "conv", "custom_scale_layer": "residual", "dropout": "dropout",
    "flatten": "flatten", "global_average_pooling2d": "average", "max_pooling2d": "max_pool", "multiply": "multiply",
    "re_lu": "relu", "zero_padding2d": "pad",
}  # fmt: skip


def keras_model(name: str, inputs: keras.KerasTensor, num_classes: int) -> keras.Model:
    """Return the network as keras.applications builds it on a tensor, to logits; nothing is downloaded.

    Args:
        name: key of APPLICATIONS.
        inputs: (batch, height, width, channels), scaled by `preprocess`.
        num_classes: number of logits.
    """
    builder = getattr(keras.applications, APPLICATIONS[name].builder)
    inside = "include_preprocessing" in inspect.signature(builder).parameters
    options = {"include_preprocessing": False} if inside else {}
    return builder(
        weights=None,
        input_tensor=inputs,
        classes=num_classes,
        classifier_activation=None,
        **options,
    )


def preprocess(x: keras.KerasTensor, mode: str) -> keras.KerasTensor:
    """Return pixels 0..255, (batch, height, width, channels), scaled as the trained weights of that mode want them."""
    scale, offset = SCALINGS[mode]
    if x.shape[-1] != 3:
        return layers.Rescaling(sum(scale) / 3, sum(offset) / 3, name="preprocess")(x)
    if mode == "caffe":
        x = ops.flip(x, axis=-1)
        producer(x).name = "preprocess_bgr"  # an operation's name cannot be given
    return layers.Rescaling(scale, offset, name="preprocess")(x)


def network(name: str, inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits (batch, num_classes) for pixels 0..255, by one flat graph of stock layers."""
    family = APPLICATIONS[name].family
    x = preprocess(inputs, FAMILIES[family].mode)
    start = keras.Input(x.shape[1:]) if family in OWN_LAYERS else x
    model = keras_model(name, start, num_classes)
    before = keras.Model(keras.utils.get_source_inputs(start), start).operations
    number_names([operation for operation in model.operations if operation not in before])
    if start is x:
        return model.output
    tensors = {id(start): x}
    # In this order, and not in that of `run_graph`, weights are drawn as they always were.
    for operation in model.operations[1:]:
        call = last_call(operation)
        given = keras.tree.map_structure(lambda one: tensors.get(id(one), one), call.args)
        tensors[id(call.outputs[0])] = stock_call(operation, *given)
    return tensors[id(model.output)]


def number_names(operations: list[Any]) -> None:
    """Rename what Keras named by its counter: conv2d_94 and conv2d_95 become conv1 and conv2."""
    found: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    for operation in operations:
        kind, _, number = operation.name.rpartition("_")
        kind, number = (kind, int(number)) if number.isdecimal() else (operation.name, 0)
        if kind in NUMBERED:
            found[NUMBERED[kind]].append((number, operation))
    for word, counted in found.items():
        for number, (_, operation) in enumerate(sorted(counted, key=lambda pair: pair[0]), start=1):
            operation.name = f"{word}{number}"


def stock_call(operation: Any, *given: Any) -> keras.KerasTensor:
    """Return what an operation of Keras' network makes of some tensors, computed by new stock layers."""
    name = operation.name
    match type(operation).__name__:
        case "Sequential":
            return reduce(lambda x, layer: stock_call(layer, x), operation.layers, *given)
        case "LayerScale":
            start = keras.initializers.Constant(operation.init_values)
            return layers.DepthwiseConv2D(
                1, use_bias=False, depthwise_initializer=start, name=name
            )(*given)
        case "CustomScaleLayer":
            shortcut, x = given[0]
            x = layers.Rescaling(operation.scale, name=f"{name}_scale")(x)
            return layers.Add(name=f"{name}_add")([shortcut, x])
        case "Conv2D" if operation.groups > 1:
            return layers.DepthwiseConv2D(
                operation.kernel_size, padding=operation.padding, name=name
            )(*given)
        case _:
            return operation.__class__.from_config(operation.get_config())(*given)


def register(name: str, row: Application) -> None:
    """Register a row of the table as a model."""
    family = FAMILIES[row.family]

    def builder(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
        return network(name, inputs, num_classes)

    builder.__name__ = name
    builder.__doc__ = f"{row.summary}\n{family.text}"
    register_model(
        year=family.year,
        input_shape=(family.side, family.side, 3),
        num_params=row.num_params,
        multiply_adds=row.multiply_adds,
        least_side=row.least_side,
        scale=1.0,
        weights="imagenet",
    )(builder)


for name, row in APPLICATIONS.items():
    register(name, row)
