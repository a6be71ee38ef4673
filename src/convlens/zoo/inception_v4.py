"""Inception-v4: one kind of module for each size of the map, without residual connections.

Paper         Szegedy, Ioffe, Vanhoucke, Alemi, "Inception-v4, Inception-ResNet and the Impact of
              Residual Connections on Learning", 2016, arXiv:1602.07261
Introduced    A stem that branches. Modules A, B and C, each of which is repeated unchanged.
              Reduction modules between them.
Input         (299, 299, 3)
Parameters    There are 42,742,984 with 1000 classes, and 42,679,816 of them are trainable, as in
              timm; the others are moving statistics.
Departures    Each pair of 1x7 and 7x1 convolutions has the order of the authors' TF-Slim code.
              Normalisations have a scale, as in timm; TF-Slim (and Keras' Inception-v3) leave it
              out, with 31,584 parameters fewer. Moving statistics have a momentum of 0.9, where
              TF-Slim's 0.9997 needs many thousand steps; the epsilon of 1e-3 is TF-Slim's. Pixels
              are 0..1, and -1..1 there. The auxiliary head of TF-Slim is not in the paper and not
              here.

Training      As in the paper: RMSProp with decay 0.9 and epsilon 1, learning rate 0.045, multiplied
              by 0.94 every second epoch. TF-Slim: He's initialiser, and weight decay 4e-5, which
              belongs to the optimizer.
Name          The lecture shows Inception-ResNet under "Inception-V4"; they are two networks of one
              paper. The one with shortcuts trains faster, and in the end they are about equally
              accurate.
Contribution  Inception-v3 had grown by hand under the limits of its training system. Here each
              stage repeats one module.
Strengths     It looks at several sizes at once, with fewer multiply-adds than one large kernel, and
              was accurate for its year.
Weaknesses    It is large (171 MB in float32), and hard to read and to change. Its many short
              branches are slow for their multiply-adds.
Use it        to study the family, or when there are many photographs to train it.
Avoid it      with few photographs, as Keras has no weights for it (use inception_v3 or
              inception_resnet_v2), below 75 pixels, and on a mobile phone.
Checked       against timm 1.0.31 on PyTorch 2.14.1: random weights and statistics were copied, and
              two random images computed. The largest difference of a logit was 3.5e-12 in float64
              and 1.4e-3 in float32, where rounding alone changes timm's own by 1.0e-3, as random
              statistics magnify it. The standard deviation of the logits was 10.
Cost          Building takes 2.4 s of processor time and 250 MB.
"""

from typing import NamedTuple

import keras
from keras import layers

from convlens.language import N_
from convlens.zoo.registry import POOLINGS, chain, register_model

MOMENTUM = 0.9
EPSILON = 1e-3
DROPOUT = 0.2


class Conv(NamedTuple):
    """A normalised convolution with a ReLU.

    Attributes:
        filters: The number of filters.
        kernel_size: (height, width) of the kernel.
        strides: The strides.
        padding: "same" or "valid".
    """

    filters: int
    kernel_size: tuple[int, int]
    strides: int = 1
    padding: str = "same"


class Pool(NamedTuple):
    """A pooling of 3x3.

    Attributes:
        kind: "max" or "average".
        strides: The strides.
        padding: "same" or "valid".
    """

    kind: str
    strides: int = 1
    padding: str = "same"


class Fork(NamedTuple):
    """Branches that all take the same map and whose outputs are concatenated."""

    branches: tuple[tuple["Step", ...], ...]


Step = Conv | Pool | Fork

STEM: tuple[Step, ...] = (  # figure 3
    Conv(32, (3, 3), 2, "valid"),
    Conv(32, (3, 3), 1, "valid"),
    Conv(64, (3, 3)),
    Fork(((Pool("max", 2, "valid"),), (Conv(96, (3, 3), 2, "valid"),))),
    Fork(
        (
            (Conv(64, (1, 1)), Conv(96, (3, 3), 1, "valid")),
            (Conv(64, (1, 1)), Conv(64, (1, 7)), Conv(64, (7, 1)), Conv(96, (3, 3), 1, "valid")),
        )
    ),
    Fork(((Conv(192, (3, 3), 2, "valid"),), (Pool("max", 2, "valid"),))),
)
INCEPTION_A = Fork(  # figure 4
    (
        (Conv(96, (1, 1)),),
        (Conv(64, (1, 1)), Conv(96, (3, 3))),
        (Conv(64, (1, 1)), Conv(96, (3, 3)), Conv(96, (3, 3))),
        (Pool("average"), Conv(96, (1, 1))),
    )
)
REDUCTION_A = Fork(  # figure 7 with k, l, m, n = 192, 224, 256, 384
    (
        (Conv(384, (3, 3), 2, "valid"),),
        (Conv(192, (1, 1)), Conv(224, (3, 3)), Conv(256, (3, 3), 2, "valid")),
        (Pool("max", 2, "valid"),),
    )
)
INCEPTION_B = Fork(  # figure 5
    (
        (Conv(384, (1, 1)),),
        (Conv(192, (1, 1)), Conv(224, (1, 7)), Conv(256, (7, 1))),
        (
            Conv(192, (1, 1)),
            Conv(192, (7, 1)),
            Conv(224, (1, 7)),
            Conv(224, (7, 1)),
            Conv(256, (1, 7)),
        ),
        (Pool("average"), Conv(128, (1, 1))),
    )
)
REDUCTION_B = Fork(  # figure 8
    (
        (Conv(192, (1, 1)), Conv(192, (3, 3), 2, "valid")),
        (Conv(256, (1, 1)), Conv(256, (1, 7)), Conv(320, (7, 1)), Conv(320, (3, 3), 2, "valid")),
        (Pool("max", 2, "valid"),),
    )
)
THREE_BOTH_WAYS = Fork(((Conv(256, (1, 3)),), (Conv(256, (3, 1)),)))
INCEPTION_C = Fork(  # figure 6
    (
        (Conv(256, (1, 1)),),
        (Conv(384, (1, 1)), THREE_BOTH_WAYS),
        (Conv(384, (1, 1)), Conv(448, (3, 1)), Conv(512, (1, 3)), THREE_BOTH_WAYS),
        (Pool("average"), Conv(256, (1, 1))),
    )
)
# Figure 9: the name of a module, the module, and how many follow each other.
MODULES = (
    ("inception_a", INCEPTION_A, 4),
    ("reduction_a", REDUCTION_A, 1),
    ("inception_b", INCEPTION_B, 7),
    ("reduction_b", REDUCTION_B, 1),
    ("inception_c", INCEPTION_C, 3),
)


def convolution(x: keras.KerasTensor, row: Conv, name: str) -> keras.KerasTensor:
    """Return a convolution without bias, its batch normalisation and a ReLU."""
    return chain(
        x,
        layers.Conv2D(
            row.filters,
            row.kernel_size,
            row.strides,
            padding=row.padding,
            use_bias=False,  # the normalisation has one
            kernel_initializer="he_normal",
            name=name,
        ),
        layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"{name}_norm"),
        layers.ReLU(name=f"{name}_relu"),
    )


def stack(x: keras.KerasTensor, steps: tuple[Step, ...], name: str) -> keras.KerasTensor:
    """Return the map after the steps in a row."""
    for number, step in enumerate(steps, start=1):
        match step:
            case Conv():
                x = convolution(x, step, f"{name}_conv{number}")
            case Pool(kind, strides, padding):
                x = POOLINGS[kind](3, strides, padding, name=f"{name}_pool{number}")(x)
            case Fork():
                x = fork(x, step, f"{name}_fork{number}")
    return x


def fork(x: keras.KerasTensor, module: Fork, name: str) -> keras.KerasTensor:
    """Return the concatenated outputs of the branches of a module."""
    outputs = [
        stack(x, steps, f"{name}_branch{number}")
        for number, steps in enumerate(module.branches, start=1)
    ]
    return layers.Concatenate(name=f"{name}_concat")(outputs)


@register_model(
    summary=N_("Inception-v4 for photographs."),
    year=2016,
    input_shape=(299, 299, 3),
    num_params=42_742_984,
    multiply_adds=12_253_974_624,
    least_side=75,
)
def inception_v4(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `inception_v4`.

    Result: ImageNet top-1 80.2 %, top-5 95.2 % with one crop (the authors' weights in TF-Slim);
    82.3 % and 96.2 % with 144 crops (paper).
    """
    x = stack(inputs, STEM, "stem")
    for name, module, count in MODULES:
        for number in range(1, count + 1):
            x = fork(x, module, f"{name}{number}")
    return chain(
        x,
        layers.GlobalAveragePooling2D(name="average"),
        layers.Dropout(DROPOUT, name="dropout"),
        layers.Dense(num_classes, name="logits"),
    )
