"""AlexNet: five convolutions and three dense layers with ReLU and dropout, trained on ImageNet by two graphics cards.

Paper       Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012
Introduced  deep networks of ReLUs on a million photographs; dropout; overlapping pooling; response normalisation
Input       (227, 227, 3); the paper says 224, from which 11x11 kernels with stride 4 do not give its 55x55 maps
Parameters  alexnet: 62,378,344 and alexnet_2towers: 60,965,224, both with 1000 classes, all of them trainable
Departures  alexnet follows lecture 004: no towers, no response normalisation, Keras' uniform initialisers. In
            alexnet_2towers the mean image that the paper subtracts is one mean a channel, and response normalisation
            looks across both towers, as the paper's equation says.

What it brought: the proof that a network learns its features from photographs better than experts design them, and the
means: ReLU, dropout, augmentation, two graphics cards. On ILSVRC-2010 it erred on 37.5 % of the images, 17.0 % with
five answers an image; a group of such networks won ILSVRC-2012 with 15.3 %, where the runner-up had 26.2 %.
Strength: short, so that its forward pass is quick and each layer can be looked at.
Weakness: the three dense layers hold 94 to 96 % of the parameters, grow with the image and overfit small sets; the
first layer jumps four pixels at a time and loses detail; without normalisation of batches it depends on its start.
Take it to retrace the history, or to see what ReLU, dropout and overlapping pooling change. Otherwise a ResNet answers
better with fewer parameters and less memory.

Other libraries: torchvision's alexnet is the one-column network of Krizhevsky's "One weird trick" (arXiv:1404.5997)
with 64 and 192 filters in its first layers: 61,100,840 parameters. Caffe's bvlc_alexnet has the 60,965,224.

The check: the same weights in PyTorch 2.14 (Conv2d with groups=2; LocalResponseNorm, which takes the mean where the
paper takes the sum, with five times alpha) give the same logits on random images: they differ by at most 1.6e-5
(alexnet) and 2.5e-5 (alexnet_2towers), on logits up to 8.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

from convlens.zoo.registry import register_model


class Row(NamedTuple):
    """A convolution, and whether a pooling of 3x3 with stride 2 follows it."""

    filters: int
    kernel_size: int
    strides: int = 1
    padding: str = "same"
    pool: bool = False


CONVOLUTIONS = (
    Row(96, 11, strides=4, padding="valid", pool=True),
    Row(256, 5, pool=True),
    Row(384, 3),
    Row(384, 3),
    Row(256, 3, pool=True),
)
IN_TOWERS = (
    2,
    4,
    5,
)  # convolutions that see the maps of their own tower only; their biases start at 1
NORMALIZED = (1, 2)  # convolutions that response normalisation follows
HIDDEN = 4096
GAUSSIAN = {
    "class_name": "RandomNormal",
    "config": {"mean": 0.0, "stddev": 0.01, "seed": None},
}  # anew in each layer
MEAN = [
    123.68,
    116.779,
    103.939,
]  # ImageNet's red, green and blue, as keras.applications subtracts them


def local_response_normalization(
    x: keras.KerasTensor, *, size: int = 5, bias: float = 2.0, alpha: float = 1e-4
) -> keras.KerasTensor:
    """Return maps divided by (bias + alpha * sum of squares over `size` neighbouring channels) ** 0.75.

    Section 3.3 of the paper, whose k is `bias`. The sum is a product with a matrix of ones about its diagonal: a step
    of training takes an eighth of the time that shifted slices or a pooling along the channels need.

    Args:
        x: (batch, height, width, channels).
        size: channels in the sum, odd; fewer at the ends.
        bias: added to the sum.
        alpha: weight of the sum; libraries that take the mean instead want `size` times as much.
    """
    channel = np.arange(x.shape[-1])
    near = (np.abs(channel[:, None] - channel) <= size // 2).astype("int8")
    root = ops.rsqrt(bias + alpha * ops.matmul(ops.square(x), near))
    return (
        x * root * ops.sqrt(root)
    )  # s ** -0.75 is s ** -0.5 times s ** -0.25, quicker than a power


def convolution(
    x: keras.KerasTensor, row: Row, name: str, initializer: Any, bias: float = 0.0
) -> keras.KerasTensor:
    """Return the row's convolution with ReLU; its kernel starts from `initializer`, its biases at `bias`."""
    return layers.Conv2D(
        row.filters,
        row.kernel_size,
        row.strides,
        row.padding,
        activation="relu",
        kernel_initializer=initializer,
        bias_initializer=keras.initializers.Constant(bias),
        name=name,
    )(x)


def dense_layers(
    x: keras.KerasTensor, num_classes: int, initializer: Any = "glorot_uniform", bias: float = 0.0
) -> keras.KerasTensor:
    """Return logits after two hidden dense layers with dropout, whose biases start at `bias`."""
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        x = layers.Dense(
            HIDDEN,
            "relu",
            kernel_initializer=initializer,
            bias_initializer=keras.initializers.Constant(bias),
            name=f"dense{number}",
        )(x)
        x = layers.Dropout(0.5, name=f"dropout{number}")(x)
    return layers.Dense(num_classes, kernel_initializer=initializer, name="logits")(x)


@register_model(
    year=2012,
    input_shape=(227, 227, 3),
    num_params=62_378_344,
    multiply_adds=1_135_256_096,
    least_side=67,
)
def alexnet(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """AlexNet as lecture 004 prints it, in one column and without response normalisation.

    Recipe: SGD of Keras' default rate 0.01. Result: none given. The convolutions start from Keras' random_uniform
    (-0.05..0.05), which is what the lecture's "uniform" means, the dense layers from its Glorot default.
    """
    x = inputs
    for number, row in enumerate(CONVOLUTIONS, start=1):
        x = convolution(x, row, f"conv{number}", "random_uniform")
        if row.pool:
            x = layers.MaxPooling2D(3, strides=2, name=f"pool{number}")(x)
    return dense_layers(x, num_classes)


@register_model(
    year=2012,
    input_shape=(227, 227, 3),
    num_params=60_965_224,
    multiply_adds=724_406_816,
    least_side=67,
    scale=1.0,
)
def alexnet_2towers(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """AlexNet of the paper: two towers that meet at the third convolution, with response normalisation.

    It takes pixels 0..255 and subtracts ImageNet's mean itself (for other than three channels, the mean of the three),
    since the paper's initialiser, a Gaussian of deviation 0.01, counts on pixels of that size. A tower is a convolution
    of its own: one with groups=2 computes the same, but Keras compiles it by XLA on TensorFlow's CPU, where a training
    step takes five times as long.

    Recipe: SGD with momentum 0.9, weight decay 0.0005, batch 128, rate 0.01 divided by ten three times, about 90
    epochs; random crops, flips and shifts of the colours.
    """
    channels = inputs.shape[-1]
    mean = MEAN if channels == 3 else [sum(MEAN) / 3] * channels
    x = layers.Rescaling(1.0, [-value for value in mean], name="subtract_mean")(inputs)
    for number, row in enumerate(CONVOLUTIONS, start=1):
        if number in IN_TOWERS:
            tower_row = row._replace(filters=row.filters // 2)
            halves = [
                convolution(half, tower_row, f"conv{number}_tower{tower}", GAUSSIAN, bias=1.0)
                for tower, half in enumerate(ops.split(x, 2, axis=-1), start=1)
            ]
            x = layers.Concatenate(name=f"conv{number}")(halves)
        else:
            x = convolution(x, row, f"conv{number}", GAUSSIAN)
        if number in NORMALIZED:
            x = local_response_normalization(x)
        if row.pool:
            x = layers.MaxPooling2D(3, strides=2, name=f"pool{number}")(x)
    return dense_layers(x, num_classes, GAUSSIAN, bias=1.0)
