"""AlexNet: five convolutions and three dense layers, trained on ImageNet on two graphics cards.

Paper         Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural
              Networks", NIPS 2012
Introduced    Deep networks of ReLUs on a million photographs, dropout, overlapping pooling, and
              local response normalisation.
Input         (227, 227, 3). The paper says 224, from which 11x11 kernels with stride 4 do not give
              its 55x55 maps.
Parameters    alexnet has 62,378,344 and alexnet_2towers 60,965,224 with 1000 classes; all are
              trainable.
Departures    alexnet follows lecture 004: it has no towers, no response normalisation, and Keras'
              uniform initialisers. In alexnet_2towers, the mean image that the paper subtracts is
              one mean per channel, and response normalisation looks across both towers, as the
              equation of the paper says.

Contribution  It proved that a network learns better features from photographs than experts design,
              and showed how: with ReLU, dropout, augmentation and two graphics cards. Its error on
              ILSVRC-2010 was 37.5 %, and 17.0 % with five answers per image. A group of such
              networks won ILSVRC-2012 with 15.3 %, where the second best had 26.2 %.
Strengths     It is short, so that the forward pass is quick and each layer can be looked at.
Weaknesses    The three dense layers hold 94 to 96 % of the parameters, grow with the image, and
              overfit small data sets. The first layer moves by four pixels and loses detail.
              Without batch normalisation, training depends on the initial weights.
Use it        to retrace the history, or to see what ReLU, dropout and overlapping pooling change.
Avoid it      otherwise: a ResNet is better with fewer parameters and less memory.
Elsewhere     The alexnet of torchvision is the one-column network of Krizhevsky's "One weird trick"
              (arXiv:1404.5997), with 64 and 192 filters in its first layers and 61,100,840
              parameters. Caffe's bvlc_alexnet has the 60,965,224.
Checked       against PyTorch 2.14 with the same weights on random images (Conv2d with groups=2, and
              LocalResponseNorm, which takes the mean where the paper takes the sum, with five times
              alpha). The logits differ by at most 1.6e-5 (alexnet) and 2.5e-5 (alexnet_2towers), on
              logits up to 8.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

from convlens.language import N_
from convlens.zoo.registry import chain, register_model


class Row(NamedTuple):
    """A convolution.

    Attributes:
        filters: The number of filters.
        kernel_size: The side of the kernel.
        strides: The strides.
        padding: "same" or "valid".
        pool: Whether a pooling of 3x3 with stride 2 follows.
    """

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
# Convolutions that see the maps of their own tower only. Their biases start at 1.
IN_TOWERS = (2, 4, 5)
# Convolutions that response normalisation follows.
NORMALIZED = (1, 2)
HIDDEN = 4096
# As a configuration, so that each layer draws values of its own.
GAUSSIAN = {
    "class_name": "RandomNormal",
    "config": {"mean": 0.0, "stddev": 0.01, "seed": None},
}
# The mean of ImageNet's red, green and blue, as keras.applications subtracts it.
MEAN = [123.68, 116.779, 103.939]


def subtract_mean(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Return pixels 0..255 minus ImageNet's mean, of each of three channels, or of all of them."""
    channels = pixels.shape[-1]
    mean = MEAN if channels == 3 else [sum(MEAN) / 3] * channels
    return layers.Rescaling(1.0, [-value for value in mean], name="subtract_mean")(pixels)


def local_response_normalization(
    x: keras.KerasTensor, *, size: int = 5, bias: float = 2.0, alpha: float = 1e-4
) -> keras.KerasTensor:
    """Return maps divided by (bias + alpha * sum of squares of neighbouring channels) ** 0.75.

    This is section 3.3 of the paper, whose k is `bias`. The sum is a product with a matrix of ones
    near its diagonal: a step of training takes an eighth of the time that shifted slices or a
    pooling along the channels need.

    Args:
        x: The maps, (batch, height, width, channels).
        size: The number of channels in the sum, which is odd. At the ends there are fewer.
        bias: What is added to the sum.
        alpha: The factor of the sum. Libraries that take the mean need `size` times as much.
    """
    channel = np.arange(x.shape[-1])
    near = (np.abs(channel[:, None] - channel) <= size // 2).astype("int8")
    root = ops.rsqrt(bias + alpha * ops.matmul(ops.square(x), near))
    # s ** -0.75 is s ** -0.5 times s ** -0.25, which is quicker than a power.
    return x * root * ops.sqrt(root)


def convolution(
    x: keras.KerasTensor, row: Row, name: str, initializer: Any, bias: float = 0.0
) -> keras.KerasTensor:
    """Return the convolution of a row with ReLU, whose biases start at `bias`."""
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
        x = chain(
            x,
            layers.Dense(
                HIDDEN,
                "relu",
                kernel_initializer=initializer,
                bias_initializer=keras.initializers.Constant(bias),
                name=f"dense{number}",
            ),
            layers.Dropout(0.5, name=f"dropout{number}"),
        )
    return layers.Dense(num_classes, kernel_initializer=initializer, name="logits")(x)


@register_model(
    summary=N_(
        "AlexNet as lecture 004 prints it, in one column and without response normalisation."
    ),
    year=2012,
    input_shape=(227, 227, 3),
    num_params=62_378_344,
    multiply_adds=1_135_256_096,
    least_side=67,
)
def alexnet(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `alexnet`.

    Recipe: SGD with Keras' default learning rate of 0.01. Result: none is given. The convolutions
    start from Keras' random_uniform (-0.05..0.05), which is what "uniform" in the lecture means,
    and the dense layers from its default, Glorot's.
    """
    x = inputs
    for number, row in enumerate(CONVOLUTIONS, start=1):
        x = convolution(x, row, f"conv{number}", "random_uniform")
        if row.pool:
            x = layers.MaxPooling2D(3, strides=2, name=f"pool{number}")(x)
    return dense_layers(x, num_classes)


@register_model(
    summary=N_(
        "AlexNet of the paper: two towers that meet at the third convolution, and normalisation."
    ),
    year=2012,
    input_shape=(227, 227, 3),
    num_params=60_965_224,
    multiply_adds=724_406_816,
    least_side=67,
    scale=1.0,
)
def alexnet_2towers(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `alexnet_2towers`.

    It takes pixels 0..255 and subtracts ImageNet's mean itself (the mean of the three if there are
    not three channels), since the paper's initialiser, a normal distribution of standard deviation
    0.01, needs pixels of that size. Each tower is a convolution of its own. A convolution with
    groups=2 computes the same, but Keras compiles it with XLA on TensorFlow's CPU, where a training
    step takes five times as long.

    Recipe: SGD with momentum 0.9, weight decay 0.0005, batch size 128, learning rate 0.01 divided
    by ten three times, about 90 epochs; random crops, flips and shifts of the colours.
    """
    x = subtract_mean(inputs)
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
