"""VGG: nothing but 3x3 convolutions and 2x2 poolings, deeper and deeper.

Paper       Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014,
            arXiv:1409.1556, table 1
Introduced  blocks of 3x3 convolutions that stand for larger ones; depth as the one thing to vary
Input       (224, 224, 3)
Parameters  vgg11 (A) and vgg11_lrn (A-LRN) 132,863,336; vgg13 (B) 133,047,848; vgg16_1x1 (C) 133,638,952: all
            trainable. D and E are Keras' own, `vgg16` and `vgg19`; they stand in the table to check it.
Departures  Pixels are 0..1 without the mean taken off. Local response normalisation has the constants of Krizhevsky et
            al. 2012, as the paper says (n 5, k 2, alpha 1e-4, beta 0.75, the sum not divided by n). They are meant for
            pixels 0..255: with alpha times 255 squared, a network of pixels 0..1 answers the same, divided by 255.
Start       He's normal weights in the convolutions, which are made for ReLUs (2015). Section 3.1 found that with
            Glorot's A need not be trained first; but those start late: the digits of scikit-learn at 32x32 (6 epochs,
            one cycle to 2e-3) were learnt by vgg11 to 61 % so, and to 94 % with He's; by vgg16_1x1 not at all, and to
            20 % (one run each). The dense layers keep Glorot's.

Brought     Depth pays. Top-5 error on ImageNet's validation images (table 3, 256 pixels): A 10.4 %, A-LRN 10.5, B
            9.9, C 9.4, D 8.8, E 9.0. Two 3x3 convolutions see what a 5x5 does with 18 weights for 25 and a ReLU more.
            C, whose third convolutions are 1x1, is better than B and worse than D: a ReLU more helps, seeing further
            helps more. Normalisation (A-LRN) does not help.
Strength    Plain: easy to read, to change and to explain; its maps serve other images and tasks well.
Weakness    The first dense layer alone has 102,764,544 parameters. 7.6 (A) to 11.8 (C) thousand million multiply-adds.
            Without batch normalisation and shortcuts it starts slowly and hardly gets deeper than E.
Take it     to learn, and as features with trained weights (`vgg16`). Not from scratch on few images, nor where time
            or memory is short: resnet18 is as good with an eleventh of the parameters.
Elsewhere   counts are the same, in Keras and in torchvision: every layer has its bias and nothing else.
Checked     with random weights on three random images against torchvision 0.29.1 (PyTorch 2.14.1). The largest
            difference of a logit was 9.5e-6 for vgg11 and 9.7e-6 for vgg13, where logits spread by 1.3 and 1.0
            (standard deviation), and 2.3e-6 of 0.31 for vgg11_lrn, by torchvision's vgg11 with LocalResponseNorm (which
            divides alpha by n). Rows D and E answer as VGG16 and VGG19 of keras.applications: a test.
Size        532 MB of weights, built in 0.6 s with a peak of 1.4 GB; training with Adam holds four times the weights.
"""

from typing import NamedTuple

import keras
from keras import layers

from convlens.zoo.alexnet import local_response_normalization
from convlens.zoo.registry import register_model


class Block(NamedTuple):
    """Convolutions before a pooling: number of filters, kernel size of each, normalisation after the last."""

    filters: int
    kernel_sizes: tuple[int, ...]
    lrn: bool = False


CONFIGURATIONS = {  # table 1
    "A": (
        Block(64, (3,)),
        Block(128, (3,)),
        Block(256, (3, 3)),
        Block(512, (3, 3)),
        Block(512, (3, 3)),
    ),
    "A-LRN": (
        Block(64, (3,), True),
        Block(128, (3,)),
        Block(256, (3, 3)),
        Block(512, (3, 3)),
        Block(512, (3, 3)),
    ),
    "B": (
        Block(64, (3, 3)),
        Block(128, (3, 3)),
        Block(256, (3, 3)),
        Block(512, (3, 3)),
        Block(512, (3, 3)),
    ),
    "C": (
        Block(64, (3, 3)),
        Block(128, (3, 3)),
        *(Block(filters, (3, 3, 1)) for filters in (256, 512, 512)),
    ),
    "D": (
        Block(64, (3, 3)),
        Block(128, (3, 3)),
        *(Block(filters, (3, 3, 3)) for filters in (256, 512, 512)),
    ),
    "E": (
        Block(64, (3, 3)),
        Block(128, (3, 3)),
        *(Block(filters, (3, 3, 3, 3)) for filters in (256, 512, 512)),
    ),
}
DENSE_UNITS = (4096, 4096)
DROPOUT = 0.5  # section 3.1
ALPHA = 1e-4 * 255**2  # 1e-4 is for pixels 0..255, ours are 0..1


def vgg_block(
    x: keras.KerasTensor,
    filters: int,
    kernel_sizes: tuple[int, ...] = (3, 3),
    lrn: bool = False,
    name: str = "block",
) -> keras.KerasTensor:
    """Return ReLU convolutions and a 2x2 max pooling, the brick of VGG, also for a network of one's own.

    Args:
        x: (batch, height, width, channels), height and width of at least 2.
        filters: of every convolution.
        kernel_sizes: one for each convolution.
        lrn: local response normalisation before the pooling.
        name: the layers are called {name}_conv1, ..., {name}_pool.

    Returns:
        (batch, height // 2, width // 2, filters).

    Raises:
        ValueError: the images are smaller than 2x2.

    >>> vgg_block(keras.Input((9, 8, 3)), 16).shape
    (None, 4, 4, 16)
    """
    for number, kernel_size in enumerate(kernel_sizes, start=1):
        x = layers.Conv2D(
            filters,
            kernel_size,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"{name}_conv{number}",
        )(x)
    if lrn:
        x = local_response_normalization(x, alpha=ALPHA)
    return layers.MaxPooling2D(2, name=f"{name}_pool")(x)


def vgg(inputs: keras.KerasTensor, num_classes: int, configuration: str) -> keras.KerasTensor:
    """Return the logits of a column of table 1: "A", "A-LRN", "B", "C", "D" or "E"."""
    x = inputs
    for number, block in enumerate(CONFIGURATIONS[configuration], start=1):
        x = vgg_block(x, *block, name=f"block{number}")
    x = layers.Flatten(name="flatten")(x)
    for number, units in enumerate(DENSE_UNITS, start=1):
        x = layers.Dense(units, "relu", name=f"dense{number}")(x)
        x = layers.Dropout(DROPOUT, name=f"dropout{number}")(x)
    return layers.Dense(num_classes, name="logits")(x)


@register_model(
    year=2014,
    input_shape=(224, 224, 3),
    num_params=132_863_336,
    multiply_adds=7_609_090_048,
    least_side=32,
)
def vgg11(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """VGG A: eight 3x3 convolutions and three dense layers."""
    return vgg(inputs, num_classes, "A")


@register_model(
    year=2014,
    input_shape=(224, 224, 3),
    num_params=132_863_336,
    multiply_adds=7_609_090_048,
    least_side=32,
)
def vgg11_lrn(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """VGG A-LRN: A with local response normalisation after its first convolution."""
    return vgg(inputs, num_classes, "A-LRN")


@register_model(
    year=2014,
    input_shape=(224, 224, 3),
    num_params=133_047_848,
    multiply_adds=11_308_466_176,
    least_side=32,
)
def vgg13(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """VGG B: ten 3x3 convolutions and three dense layers."""
    return vgg(inputs, num_classes, "B")


@register_model(
    year=2014,
    input_shape=(224, 224, 3),
    num_params=133_638_952,
    multiply_adds=11_770_888_192,
    least_side=32,
)
def vgg16_1x1(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """VGG C: B with three 1x1 convolutions more, to mix channels without seeing further."""
    return vgg(inputs, num_classes, "C")
