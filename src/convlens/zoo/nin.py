"""NiN: 1x1 convolutions mix channels, and global average pooling replaces the dense head.

Paper       Lin, Chen, Yan, "Network In Network", 2013, arXiv:1312.4400
Introduced  the mlpconv block, a small dense network that slides over the image; global average pooling as head
Input       nin and nin_imagenet (224, 224, 3), nin_cifar (32, 32, 3)
Parameters  nin: 2,015,398 with 10 classes (1,992,166 on one channel); nin_imagenet: 7,595,176 with 1000; nin_cifar:
            966,986 with 10; all of them trainable
Departures  nin follows lecture 004; the other two are the models that the authors published for Caffe, as the paper has
            no table of them. Their mean image is one mean a channel here, and nin_cifar takes pixels of about mean 0
            and deviation 1 in the place of whitened ones. All three change with fewer than ten classes: see `head`.

What it brought: the 1x1 convolution, which most later networks have, and a head without parameters whose maps show
where each class is seen. The published ImageNet model is right on 59.36 % of the validation images, which its authors
call slightly better than AlexNet, with an eighth of the parameters. On CIFAR-10 the paper reports 10.41 % of errors,
and 8.81 % with augmentation.
Strength: few parameters, images of any size above the least, class maps to look at.
Weakness: nine to twelve layers in a row without normalisation or shortcuts stay at chance for long: nin with the small
stem still does after 200 steps of 64 CIFAR-10 images, when nin_cifar is right on 21 %. A class whose last ReLU starts
at zero on every image learns late or never; of the ten of nin, zero to four started so in twelve trials.
Take it to see what 1x1 convolutions and global pooling do, or where a small file counts and time to train does not.
Otherwise take a later network, which has its ideas and normalisation too.

Other libraries count the same: there are only convolutions with biases. They differ in the sizes of maps, since Caffe
rounds poolings up: 54 -> 27 -> 13 -> 6 in nin_imagenet, 32 -> 16 -> 8 in nin_cifar. The padding "same" does so here
where a side is even. nin rounds down as Keras does: 54 -> 26 -> 12 -> 5.

The check: the same weights in PyTorch 2.14, with ceil_mode in the poolings of the published two, give the same logits
on random images: they differ by at most 5e-7 (nin), 6e-6 (nin_imagenet) and 5e-7 (nin_cifar), on logits up to 3.5, 28
and 2.0.
"""

from typing import NamedTuple

import keras
from keras import layers

from convlens.zoo.registry import register_model


class Block(NamedTuple):
    """An mlpconv block, the pooling of 3x3 with stride 2 after it, and a dropout of a half after that.

    Attributes:
        filters: of its three convolutions.
        kernel_size: of the first; the others have 1.
        strides: of the first.
        padding: of the first.
        deviations: of the Gaussians that the three start from; None for Keras' default.
        pool: "max" or "average".
        pool_padding: of the pooling.
        dropout: whether it is there.
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
FEW = 10  # classes, below which the last block is changed
MEAN = [
    123.68,
    116.779,
    103.939,
]  # ImageNet's red, green and blue, as keras.applications subtracts them


def mlpconv(
    x: keras.KerasTensor, block: Block, name: str, last: str | None = "relu"
) -> keras.KerasTensor:
    """Return the block's three convolutions, each with ReLU; `last` is the activation of the third."""
    for number, (filters, deviation) in enumerate(
        zip(block.filters, block.deviations, strict=True), start=1
    ):
        x = layers.Conv2D(
            filters,
            block.kernel_size if number == 1 else 1,
            block.strides if number == 1 else 1,
            block.padding,
            activation=last if number == 3 else "relu",
            kernel_initializer=keras.initializers.RandomNormal(stddev=deviation)
            if deviation
            else "glorot_uniform",
            name=f"{name}_conv{number}",
        )(x)
    return x


def body(x: keras.KerasTensor, blocks: tuple[Block, ...]) -> keras.KerasTensor:
    """Return the map after the blocks with their poolings."""
    for number, block in enumerate(blocks, start=1):
        x = mlpconv(x, block, f"block{number}")
        pooling = layers.MaxPooling2D if block.pool == "max" else layers.AveragePooling2D
        x = pooling(3, strides=2, padding=block.pool_padding, name=f"pool{number}")(x)
        if block.dropout:
            x = layers.Dropout(0.5, name=f"dropout{number}")(x)
    return x


def head(x: keras.KerasTensor, block: Block) -> keras.KerasTensor:
    """Return logits, the means of the maps of a last block, one map a class.

    Its last convolution has a ReLU too, as published, but not below ten classes: a logit that starts at zero on every
    image has no gradient, and of two classes both may.
    """
    x = mlpconv(x, block, "head", last="relu" if block.filters[-1] >= FEW else None)
    return layers.GlobalAveragePooling2D(name="logits")(x)


@register_model(
    year=2013,
    input_shape=(224, 224, 3),
    num_params=2_015_398,
    multiply_adds=830_041_864,
    least_side=67,
    num_classes=10,
)
def nin(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """NiN as lecture 004 prints it: the blocks of the ImageNet model, and a head as wide as the classes.

    With fewer than ten classes the head stays ten wide until its last convolution: two filters with ReLU are soon both
    zero everywhere. As printed, one in three networks of two classes starts so, and can never learn.
    Recipe and result: none given.
    """
    width = max(num_classes, FEW)
    return head(body(inputs, LECTURE), Block((width, width, num_classes), 3))


@register_model(
    year=2013,
    input_shape=(224, 224, 3),
    num_params=7_595_176,
    multiply_adds=1_100_188_800,
    least_side=59,
    scale=1.0,
)
def nin_imagenet(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """NiN as its authors published it for ImageNet.

    It takes pixels 0..255 and subtracts ImageNet's mean itself (for other than three channels, the mean of the three),
    since the Gaussians that it starts from count on pixels of that size.
    Recipe: SGD with momentum 0.9, weight decay 0.0005, batch 64, 450,000 steps, rate 0.01 divided by ten every 200,000;
    random crops and flips.
    """
    channels = inputs.shape[-1]
    mean = MEAN if channels == 3 else [sum(MEAN) / 3] * channels
    x = layers.Rescaling(1.0, [-value for value in mean], name="subtract_mean")(inputs)
    return head(
        body(x, IMAGENET), Block((1024, 1024, num_classes), 3, deviations=(0.05, 0.05, 0.01))
    )


@register_model(
    year=2013,
    input_shape=(32, 32, 3),
    num_params=966_986,
    multiply_adds=222_486_528,
    least_side=1,
    num_classes=10,
)
def nin_cifar(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """NiN as its authors published it for CIFAR-10.

    The pixels of CIFAR-10 have mean 0.47 and deviation 0.25; four times their distance from 0.5 stands for the whitened
    ones of the paper.
    Recipe: batch 128; the rate is divided by ten twice, each time when the training accuracy stops to rise.
    """
    x = layers.Rescaling(4.0, -2.0, name="standardize")(inputs)
    return head(body(x, CIFAR), Block((192, 192, num_classes), 3, deviations=(0.05, 0.05, 0.05)))
