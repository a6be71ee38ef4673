"""NiN: 1x1 convolutions mix channels, and global average pooling replaces the dense head.

Paper         Lin, Chen, Yan, "Network In Network", 2013, arXiv:1312.4400
Introduced    The mlpconv block, a small dense network that slides over the image. Global average
              pooling as the head.
Input         (224, 224, 3) for nin and nin_imagenet, (32, 32, 3) for nin_cifar.
Parameters    nin has 2,015,398 with 10 classes (1,992,166 on one channel), nin_imagenet 7,595,176
              with 1000, and nin_cifar 966,986 with 10; all are trainable.
Departures    nin follows lecture 004. The other two are the models that the authors published for
              Caffe, as the paper has no table of them. Their mean image is one mean per channel
              here, and nin_cifar takes pixels with a mean of about 0 and a standard deviation of
              about 1 instead of whitened ones. All three change with fewer than ten classes, see
              `head`.

Contribution  The 1x1 convolution, which most later networks have, and a head without parameters
              whose maps show where each class is seen. The published ImageNet model has an accuracy
              of 59.36 % on the validation images, which its authors call slightly better than
              AlexNet, with an eighth of the parameters. On CIFAR-10 the paper reports an error of
              10.41 %, and of 8.81 % with augmentation.
Strengths     It has few parameters, takes images of any size above the least, and gives class maps
              to look at.
Weaknesses    Nine to twelve layers in a row without normalisation or shortcuts stay at chance for
              long: nin with the small stem still does so after 200 steps of 64 CIFAR-10 images,
              when nin_cifar reaches 21 %. A class whose last ReLU starts at zero on every image
              learns late or never; in twelve trials, zero to four of the ten classes of nin started
              so.
Use it        to see what 1x1 convolutions and global pooling do, or where a small file matters and
              training time does not.
Avoid it      otherwise: later networks have its ideas and normalisation too.
Elsewhere     Other libraries count the same, as there are only convolutions with biases. The sizes
              of their maps differ, since Caffe rounds poolings up: 54 -> 27 -> 13 -> 6 in
              nin_imagenet, 32 -> 16 -> 8 in nin_cifar. Here the padding "same" does so where a side
              is even. nin rounds down as Keras does: 54 -> 26 -> 12 -> 5.
Checked       against PyTorch 2.14 with the same weights on random images, with ceil_mode in the
              poolings of the two published models. The logits differ by at most 5e-7 (nin), 6e-6
              (nin_imagenet) and 5e-7 (nin_cifar), on logits up to 3.5, 28 and 2.0.
"""

from typing import NamedTuple

import keras
from keras import layers

from convlens.language import N_
from convlens.zoo.alexnet import subtract_mean
from convlens.zoo.registry import POOLINGS, register_model


class Block(NamedTuple):
    """An mlpconv block, and the pooling of 3x3 with stride 2 that follows it.

    Attributes:
        filters: The number of filters of its three convolutions.
        kernel_size: The side of the first kernel; the others are 1x1.
        strides: The strides of the first convolution.
        padding: The padding of the first convolution.
        deviations: The standard deviations of the normal distributions that the three start from;
            None for Keras' default.
        pool: "max" or "average".
        pool_padding: The padding of the pooling.
        dropout: Whether a dropout of 0.5 follows the pooling.
    """

    filters: tuple[int, int, int]
    kernel_size: int
    strides: int = 1
    padding: str = "same"
    deviations: tuple[float | None, float | None, float | None] = (None, None, None)
    pool: str = "max"
    pool_padding: str = "valid"
    dropout: bool = False


LECTURE = (
    Block((96, 96, 96), 11, strides=4, padding="valid"),
    Block((256, 256, 256), 5),
    Block((384, 384, 384), 3, dropout=True),
)
IMAGENET = (
    Block(
        (96, 96, 96),
        11,
        strides=4,
        padding="valid",
        deviations=(0.01, 0.05, 0.05),
        pool_padding="same",
    ),
    Block((256, 256, 256), 5, deviations=(0.05, 0.05, 0.05)),
    Block((384, 384, 384), 3, deviations=(0.01, 0.05, 0.05), dropout=True),
)
CIFAR = (
    Block((192, 160, 96), 5, deviations=(0.05, 0.05, 0.05), pool_padding="same", dropout=True),
    Block(
        (192, 192, 192),
        5,
        deviations=(0.05, 0.05, 0.05),
        pool="average",
        pool_padding="same",
        dropout=True,
    ),
)
# With fewer classes, the last block is changed.
FEW = 10


def mlpconv(
    x: keras.KerasTensor, block: Block, name: str, last: str | None = "relu"
) -> keras.KerasTensor:
    """Return the three convolutions of a block with ReLU; `last` is the activation of the third."""
    rows = zip(
        block.filters,
        (block.kernel_size, 1, 1),
        (block.strides, 1, 1),
        ("relu", "relu", last),
        block.deviations,
        strict=True,
    )
    for number, (filters, kernel_size, strides, activation, deviation) in enumerate(rows, start=1):
        initializer = keras.initializers.RandomNormal(stddev=deviation) if deviation else None
        x = layers.Conv2D(
            filters,
            kernel_size,
            strides,
            block.padding,
            activation=activation,
            kernel_initializer=initializer or "glorot_uniform",
            name=f"{name}_conv{number}",
        )(x)
    return x


def body(x: keras.KerasTensor, blocks: tuple[Block, ...]) -> keras.KerasTensor:
    """Return the map after the blocks with their poolings."""
    for number, block in enumerate(blocks, start=1):
        x = mlpconv(x, block, f"block{number}")
        x = POOLINGS[block.pool](3, strides=2, padding=block.pool_padding, name=f"pool{number}")(x)
        if block.dropout:
            x = layers.Dropout(0.5, name=f"dropout{number}")(x)
    return x


def head(x: keras.KerasTensor, block: Block) -> keras.KerasTensor:
    """Return the logits: the means of the maps of a last block, with one map per class.

    Its last convolution has a ReLU too, as published, but not below ten classes: a logit that
    starts at zero on every image has no gradient, and with two classes both may start so.
    """
    x = mlpconv(x, block, "head", last="relu" if block.filters[-1] >= FEW else None)
    return layers.GlobalAveragePooling2D(name="logits")(x)


@register_model(
    summary=N_(
        "NiN as lecture 004 prints it: the blocks of the ImageNet model, and one map per class."
    ),
    year=2013,
    input_shape=(224, 224, 3),
    num_params=2_015_398,
    multiply_adds=830_041_864,
    least_side=67,
    num_classes=10,
)
def nin(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `nin`.

    With fewer than ten classes, the head has ten filters up to its last convolution: two filters
    with ReLU are soon both zero everywhere. As printed, one in three networks of two classes starts
    so, and can never learn. Recipe and result: none are given.
    """
    width = max(num_classes, FEW)
    return head(body(inputs, LECTURE), Block((width, width, num_classes), 3))


@register_model(
    summary=N_("NiN as its authors published it for ImageNet."),
    year=2013,
    input_shape=(224, 224, 3),
    num_params=7_595_176,
    multiply_adds=1_100_188_800,
    least_side=59,
    scale=1.0,
)
def nin_imagenet(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `nin_imagenet`.

    It takes pixels 0..255 and subtracts ImageNet's mean itself (the mean of the three if there are
    not three channels), since the normal distributions that it starts from need pixels of that
    size.

    Recipe: SGD with momentum 0.9, weight decay 0.0005, batch size 64, 450,000 steps, learning rate
    0.01 divided by ten every 200,000 steps; random crops and flips.
    """
    x = body(subtract_mean(inputs), IMAGENET)
    return head(x, Block((1024, 1024, num_classes), 3, deviations=(0.05, 0.05, 0.01)))


@register_model(
    summary=N_("NiN as its authors published it for CIFAR-10."),
    year=2013,
    input_shape=(32, 32, 3),
    num_params=966_986,
    multiply_adds=222_486_528,
    least_side=1,
    num_classes=10,
)
def nin_cifar(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `nin_cifar`.

    The pixels of CIFAR-10 have a mean of 0.47 and a standard deviation of 0.25. Four times their
    distance from 0.5 replaces the whitened pixels of the paper.

    Recipe: batch size 128; the learning rate is divided by ten twice, each time when the training
    accuracy stops rising.
    """
    x = layers.Rescaling(4.0, -2.0, name="standardize")(inputs)
    return head(body(x, CIFAR), Block((192, 192, num_classes), 3, deviations=(0.05, 0.05, 0.05)))
