"""Lectures: the networks of the five lectures, each with its recipe and result there.

A network is a table of layers, as the lectures print them, and ends in logits; the softmax or
sigmoid comes after. The activation is ReLU and the initialiser Glorot's uniform one unless a
network says otherwise. The accuracies are those of the lectures.
"""

from collections import Counter
from typing import Any, NamedTuple

import keras
from keras import layers

from convlens.language import N_
from convlens.zoo.classics import APPLICATIONS
from convlens.zoo.registry import POOLINGS, Weights, chain, register_model, variant


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
    """A dropout: the share of the values that is set to zero in training."""

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
MLP: tuple[Row, ...] = (Flatten(), Dense(256), Dropout(0.4), Dense(128), Dropout(0.3))


class Lecture(NamedTuple):
    """A network of a lecture.

    Attributes:
        rows: Its layers, up to the logits.
        input_shape: (height, width, channels) of its images.
        num_params: The number of parameters.
        multiply_adds: The multiply-adds on one image.
        least_side: The side of the smallest square image that it can take, in pixels.
        summary: One line about it.
        doc: The docstring of its builder, after its first line.
        options: Arguments of `stack`.
        facts: Arguments of `register_model`.
    """

    rows: tuple[Row, ...]
    input_shape: tuple[int, int, int]
    num_params: int
    multiply_adds: int
    least_side: int
    summary: str
    doc: str
    options: dict[str, str] = {}  # noqa: RUF012 - a default that nothing changes
    facts: dict[str, Any] = {}  # noqa: RUF012


GREY = (28, 28, 1)
LECTURES = {
    "mnist_4conv": Lecture(FOUR_CONVS, GREY, 1_676_266, 19_899_904, 4,
        N_("Lecture 000: four convolutions for MNIST."),
        doc="""\
Recipe: Adam 1e-3, batch size 500, 20 epochs, 20 % validation. Result: test 99.6 %.
"""),
    "cifar_4conv": Lecture(FOUR_CONVS, (32, 32, 3), 2_168_362, 26_579_968, 4,
        N_("Lecture 000: the layers of mnist_4conv for CIFAR-10."),
        doc="""\
Recipe: Adam 1e-3, batch size 128, 20 epochs, 20 % validation. Result: test 78.3 %, train 86 %,
validation 79 %.
"""),
    "mnist_2conv": Lecture(TWO_CONVS, GREY, 242_062, 3_363_072, 4,
        N_("Lecture 001: two convolutions for MNIST, as in its code."),
        doc="""\
Recipe: Adam, batch size 300, 10 epochs, 20 % validation. Result: test 99.12 %.
"""),
    "mnist_3conv": Lecture(THREE_CONVS, GREY, 64_158, 2_316_352, 8,
        N_("Lecture 001: three convolutions for MNIST, as in its printed summary."),
        doc="""\
Recipe: that of mnist_2conv. Result: none is given.
"""),
    "fashion_mlp": Lecture((Flatten(), Dense(128)), GREY, 101_770, 101_632, 1,
        N_("Lecture 002: one hidden layer of 128 neurons for Fashion-MNIST."),
        doc="""\
Recipe: Adam, batch size 32, 5 epochs. Result: test 87.37 %, train 89.16 %.
"""),
    "mlp_256_128": Lecture(MLP, GREY, 235_146, 234_752, 1,
        N_("Lecture 002: hidden layers of 256 and 128 neurons, the test of its installation."),
        doc="""\
Recipe and result: none are given.
"""),
    "mnist_conv_3x3": Lecture(CONV_3X3, GREY, 1_199_882, 11_992_448, 6,
        N_("Lecture 002: two 3x3 convolutions without a border for MNIST."),
        doc="""\
Recipe: Adadelta 1.0, batch size 128, 12 epochs, 20 % validation. Result: test 99.09 %.
"""),
    "mnist_tanh": Lecture(TANH, GREY, 35_754, 324_352, 14,
        N_("Lecture 003: three convolutions with tanh for MNIST, on pixels that are not scaled."),
        doc="""\
Recipe: batch size 100, 10 epochs, shuffled; the optimizer is not shown. The dense layers start from
a normal distribution (Keras' random_normal). Result: train 99.6 %, test 98.38 %.
""", options={"activation": "tanh", "dense_initializer": "random_normal"}, facts={"scale": 1.0}),
    "logistic": Lecture((Flatten(),), GREY, 785, 784, 1,
        N_(
            "Lecture 003: logistic regression as a network of one neuron; with more classes, "
            "softmax regression."
        ),
        doc="""\
Recipe and result: none are given. The lecture names no data; we chose grey images of 28x28.
""", facts={"num_classes": 2, "head": "sigmoid"}),
    "cats_dogs_3conv": Lecture(CATS_DOGS, (64, 64, 3), 4_288_577, 45_482_496, 8,
        N_("Lecture 004: three convolutions for photographs of cats and dogs."),
        doc="""\
Recipe: Adam, batch size 10, 25 epochs, 25 % validation; shear of 10 degrees, zoom of 0.2,
horizontal flip. Result: test 80.30 %, train 85 %, validation 77 %.
""", facts={"num_classes": 2, "head": "sigmoid"}),
    "lenet_sigmoid": Lecture(LENET, GREY, 155_606, 3_841_000, 16,
        N_(
            "Lecture 004: LeNet with sigmoids and average pooling, whose vanishing gradients "
            "delay learning."
        ),
        doc="""\
Recipe: SGD, batch size 32, 20 epochs. Every layer starts from Keras' random_uniform (-0.05..0.05),
which is what "uniform" in the lecture means. Result: none is given. With Keras' learning rate for
SGD, 0.01, it stays near chance for all 20 epochs (validation at most 12.4 % in float32, seed 0).
With 0.05 it does so for 11 epochs, and then rises to 93.9 %.
""", options={
        "activation": "sigmoid",
        "conv_initializer": "random_uniform",
        "dense_initializer": "random_uniform",
    }),
}  # fmt: skip


# The layers of VGG16 that the transfer network continues to train.
TRAINED = ("block5_conv1", "block5_conv2", "block5_conv3")
VGG16_FILES = APPLICATIONS["vgg16"].files


def stack(
    x: keras.KerasTensor,
    num_classes: int,
    rows: tuple[Row, ...],
    *,
    activation: str = "relu",
    conv_initializer: str = "glorot_uniform",
    dense_initializer: str = "glorot_uniform",
) -> keras.KerasTensor:
    """Return the logits (batch, num_classes) after the rows.

    The layers are called conv1, pool1, dense1 and so on, and the last one logits.
    """
    seen: Counter[type] = Counter()
    for row in rows:
        seen[type(row)] += 1
        number = seen[type(row)]
        match row:
            case Conv(filters, kernel_size, padding):
                layer = layers.Conv2D(
                    filters,
                    kernel_size,
                    padding=padding,
                    activation=activation,
                    kernel_initializer=conv_initializer,
                    name=f"conv{number}",
                )
            case Pool(pool_size, kind):
                layer = POOLINGS[kind](pool_size, name=f"pool{number}")
            case Dropout(rate):
                layer = layers.Dropout(rate, name=f"dropout{number}")
            case Flatten():
                layer = layers.Flatten(name="flatten")
            case Dense(units):
                layer = layers.Dense(
                    units, activation, kernel_initializer=dense_initializer, name=f"dense{number}"
                )
        x = layer(x)
    return layers.Dense(num_classes, kernel_initializer=dense_initializer, name="logits")(x)


@register_model(
    summary=N_(
        "Lecture 004: VGG16 frozen except for its last three convolutions, for cats and dogs."
    ),
    year=2019,
    input_shape=(224, 224, 3),
    num_params=27_560_769,
    multiply_adds=15_359_476_224,
    least_side=32,
    num_classes=2,
    head="sigmoid",
    weights=Weights(VGG16_FILES.named("vgg16"), head=2, other_head=VGG16_FILES.head),
)
def transfer_vgg16_cats_dogs(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `transfer_vgg16_cats_dogs`.

    Recipe: RMSprop 1e-5, batch size 10, 10 epochs, 25 % of the training folder; shift of 0.2, shear
    of 0.2 degrees, zoom of 0.2, horizontal flip. Result: test 95.00 %.

    It is the last program of the lecture, which uses Simonyan, Zisserman 2014 (arXiv:1409.1556)
    from keras.applications. There are 27,560,769 parameters: 14,714,688 of VGG16 without its top
    and 12,846,081 of the head; 19,925,505 are trainable. The sigmoid comes after the logit, as
    everywhere here.

    The lecture feeds pixels divided by 255, which is an error that is kept. The trained weights
    were made for blue, green and red minus the mean, as our `vgg16` scales them. `--backbone vgg16`
    is the right way, with which this can be compared.
    """
    body = keras.applications.VGG16(weights=None, include_top=False, input_tensor=inputs)
    for layer in body.layers:
        # The other layers come before VGG16 and belong to the caller.
        if layer.name.startswith("block"):
            layer.trainable = layer.name in TRAINED
    return chain(
        body.output,
        layers.Flatten(name="flatten"),
        layers.Dense(512, "relu", name="dense1"),
        layers.Dense(num_classes, name="logits"),
    )


for _name, _row in LECTURES.items():
    register_model(
        summary=_row.summary,
        year=2019,
        input_shape=_row.input_shape,
        num_params=_row.num_params,
        multiply_adds=_row.multiply_adds,
        least_side=_row.least_side,
        **{"num_classes": 10, **_row.facts},
    )(variant(stack, _name, _row.rows, doc=f"Return the logits.\n\n{_row.doc}", **_row.options))
