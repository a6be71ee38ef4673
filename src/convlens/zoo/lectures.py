"""The networks of the five lectures, each with its recipe and result there.

A network is a table of layers, as the lectures print them, and ends in logits: the softmax or sigmoid comes after. The
activation is ReLU and the initialiser Glorot's uniform one unless said. Accuracies are the lectures' own.
"""

from typing import NamedTuple

import keras
from keras import layers

from convlens.zoo.registry import register_model


class Conv(NamedTuple):
    """A convolution: number of filters, side of the kernel, padding."""

    filters: int
    kernel_size: int
    padding: str = "same"


class Pool(NamedTuple):
    """A pooling without overlap: side of the window, "max" or "average"."""

    pool_size: int = 2
    kind: str = "max"


class Dropout(NamedTuple):
    """A dropout: share of the values set to zero in training."""

    rate: float


class Flatten(NamedTuple):
    """The step from a map to a vector."""


class Dense(NamedTuple):
    """A dense layer: number of neurons."""

    units: int


Row = Conv | Pool | Dropout | Flatten | Dense

FOUR_CONVS: tuple[Row, ...] = (
    *(Conv(32, 3), Conv(32, 3), Pool(), Dropout(0.25)),
    *(Conv(64, 3), Conv(64, 3), Pool(), Dropout(0.25)),
    *(Flatten(), Dense(512), Dropout(0.5)),
)
TWO_CONVS: tuple[Row, ...] = (
    *(Conv(16, 5), Pool(), Conv(36, 5), Pool(), Dropout(0.25)),
    *(Flatten(), Dense(128), Dropout(0.5)),
)
THREE_CONVS: tuple[Row, ...] = (Conv(16, 5), Pool(), *TWO_CONVS)
CONV_3X3: tuple[Row, ...] = (
    *(Conv(32, 3, "valid"), Conv(64, 3, "valid"), Pool(), Dropout(0.25)),
    *(Flatten(), Dense(128), Dropout(0.5)),
)
TANH: tuple[Row, ...] = (
    *(Conv(4, 5, "valid"), Conv(8, 3, "valid"), Pool(), Conv(16, 3, "valid"), Pool()),
    *(Flatten(), Dense(128)),
)
CATS_DOGS: tuple[Row, ...] = (
    *(Conv(32, 3), Dropout(0.25), Pool()),
    *(Conv(64, 3), Dropout(0.25), Pool()),
    *(Conv(128, 3), Dropout(0.25), Pool()),
    *(Flatten(), Dense(512)),
)
LENET: tuple[Row, ...] = (
    *(Conv(32, 5, "valid"), Pool(2, "average"), Conv(64, 5, "valid"), Pool(2, "average")),
    *(Flatten(), Dense(100)),
)


def stack(
    x: keras.KerasTensor,
    rows: tuple[Row, ...],
    num_classes: int,
    *,
    activation: str = "relu",
    conv_initializer: str = "glorot_uniform",
    dense_initializer: str = "glorot_uniform",
) -> keras.KerasTensor:
    """Return logits (batch, num_classes) after the rows, with layers named conv1, pool1, dense1 ... logits."""
    seen: dict[type, int] = {}
    for row in rows:
        number = seen[type(row)] = seen.get(type(row), 0) + 1
        match row:
            case Conv(filters, kernel_size, padding):
                x = layers.Conv2D(
                    filters,
                    kernel_size,
                    padding=padding,
                    activation=activation,
                    kernel_initializer=conv_initializer,
                    name=f"conv{number}",
                )(x)
            case Pool(pool_size, kind):
                pooling = layers.MaxPooling2D if kind == "max" else layers.AveragePooling2D
                x = pooling(pool_size, name=f"pool{number}")(x)
            case Dropout(rate):
                x = layers.Dropout(rate, name=f"dropout{number}")(x)
            case Flatten():
                x = layers.Flatten(name="flatten")(x)
            case Dense(units):
                name = f"dense{number}"
                x = layers.Dense(
                    units, activation, kernel_initializer=dense_initializer, name=name
                )(x)
    return layers.Dense(num_classes, kernel_initializer=dense_initializer, name="logits")(x)


@register_model(
    year=2019,
    input_shape=(28, 28, 1),
    num_params=1_676_266,
    multiply_adds=19_899_904,
    least_side=4,
    num_classes=10,
)
def mnist_4conv(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Lecture 000: four convolutions for MNIST.

    Recipe: Adam 1e-3, batch 500, 20 epochs, 20 % validation. Result: test 99.6 %.
    """
    return stack(inputs, FOUR_CONVS, num_classes)


@register_model(
    year=2019,
    input_shape=(32, 32, 3),
    num_params=2_168_362,
    multiply_adds=26_579_968,
    least_side=4,
    num_classes=10,
)
def cifar_4conv(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Lecture 000: the layers of mnist_4conv for CIFAR-10.

    Recipe: Adam 1e-3, batch 128, 20 epochs, 20 % validation. Result: test 78.3 %, train 86 %, validation 79 %.
    """
    return stack(inputs, FOUR_CONVS, num_classes)


@register_model(
    year=2019,
    input_shape=(28, 28, 1),
    num_params=242_062,
    multiply_adds=3_363_072,
    least_side=4,
    num_classes=10,
)
def mnist_2conv(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Lecture 001: two convolutions for MNIST, as in its code.

    Recipe: Adam, batch 300, 10 epochs, 20 % validation. Result: test 99.12 %.
    """
    return stack(inputs, TWO_CONVS, num_classes)


@register_model(
    year=2019,
    input_shape=(28, 28, 1),
    num_params=64_158,
    multiply_adds=2_316_352,
    least_side=8,
    num_classes=10,
)
def mnist_3conv(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Lecture 001: three convolutions for MNIST, as in its printed summary.

    Recipe: as mnist_2conv. Result: none given.
    """
    return stack(inputs, THREE_CONVS, num_classes)


@register_model(
    year=2019,
    input_shape=(28, 28, 1),
    num_params=101_770,
    multiply_adds=101_632,
    least_side=1,
    num_classes=10,
)
def fashion_mlp(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Lecture 002: one hidden layer of 128 neurons for Fashion-MNIST.

    Recipe: Adam, batch 32, 5 epochs. Result: test 87.37 %, train 89.16 %.
    """
    return stack(inputs, (Flatten(), Dense(128)), num_classes)


@register_model(
    year=2019,
    input_shape=(28, 28, 1),
    num_params=235_146,
    multiply_adds=234_752,
    least_side=1,
    num_classes=10,
)
def mlp_256_128(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Lecture 002: hidden layers of 256 and 128 neurons, the test of its installation.

    Recipe: none given. Result: none given.
    """
    return stack(
        inputs, (Flatten(), Dense(256), Dropout(0.4), Dense(128), Dropout(0.3)), num_classes
    )


@register_model(
    year=2019,
    input_shape=(28, 28, 1),
    num_params=1_199_882,
    multiply_adds=11_992_448,
    least_side=6,
    num_classes=10,
)
def mnist_conv_3x3(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Lecture 002: two 3x3 convolutions without a border for MNIST.

    Recipe: Adadelta 1.0, batch 128, 12 epochs, 20 % validation. Result: test 99.09 %.
    """
    return stack(inputs, CONV_3X3, num_classes)


@register_model(
    year=2019,
    input_shape=(28, 28, 1),
    num_params=35_754,
    multiply_adds=324_352,
    least_side=14,
    num_classes=10,
    scale=1.0,
)
def mnist_tanh(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Lecture 003: three convolutions with tanh for MNIST, on pixels that are not scaled.

    Recipe: batch 100, 10 epochs, shuffled; the optimizer is not shown. The dense layers start from a normal
    distribution (Keras' random_normal). Result: train 99.6 %, test 98.38 %.
    """
    return stack(inputs, TANH, num_classes, activation="tanh", dense_initializer="random_normal")


@register_model(
    year=2019,
    input_shape=(28, 28, 1),
    num_params=785,
    multiply_adds=784,
    least_side=1,
    num_classes=2,
    head="sigmoid",
)
def logistic(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Lecture 003: logistic regression as a network of one neuron; with more classes, softmax regression.

    Recipe and result: none given. The lecture names no data; 28x28 grey images are our choice.
    """
    return stack(inputs, (Flatten(),), num_classes)


@register_model(
    year=2019,
    input_shape=(64, 64, 3),
    num_params=4_288_577,
    multiply_adds=45_482_496,
    least_side=8,
    num_classes=2,
    head="sigmoid",
)
def cats_dogs_3conv(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Lecture 004: three convolutions for photographs of cats and dogs.

    Recipe: Adam, batch 10, 25 epochs, 25 % validation; shear 10 degrees, zoom 0.2, horizontal flip.
    Result: test 80.30 %, train 85 %, validation 77 %.
    """
    return stack(inputs, CATS_DOGS, num_classes)


@register_model(
    year=2019,
    input_shape=(28, 28, 1),
    num_params=155_606,
    multiply_adds=3_841_000,
    least_side=16,
    num_classes=10,
)
def lenet_sigmoid(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Lecture 004: LeNet with sigmoids and average pooling; it learns nothing at first, as gradients vanish.

    Recipe: SGD, batch 32, 20 epochs; every layer starts from Keras' random_uniform (-0.05..0.05), which is what the
    lecture's "uniform" means. Result: none given. With Keras' learning rate for SGD, 0.01, it stays near chance for all
    20 epochs (validation at most 12.4 % in float32, seed 0); with 0.05 for 11, and then rises to 93.9 %.
    """
    start = "random_uniform"
    return stack(
        inputs,
        LENET,
        num_classes,
        activation="sigmoid",
        conv_initializer=start,
        dense_initializer=start,
    )
