"""LeNet-5: convolution, subsampling and shared weights, trained as one network to read handwritten digits.

Paper       LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", Proceedings of
            the IEEE 86(11), 1998; sections II and III
Introduced  the convolutional network in the form that all later ones grew from
Input       (32, 32, 1): digits of 28x28 with a margin
Parameters  lenet5: 60,850 with 10 classes, of which 60,000 trainable as the paper says and 850 fixed, in its head;
            lenet5_modern: 61,706 with 10 classes, all trainable
Departures  lenet5: the bitmaps of its head are drawn here, as the paper prints its own as an image only; biases too
            start from the paper's uniform distribution, of which it speaks for weights; of larger images, C5 makes a
            map that F6 sees whole, where the paper's network scans it. Trained with cross-entropy it has another loss
            than the paper's; see `rbf_head`. lenet5_modern is not from the paper.

What it brought: features learned together with the classifier, from pixels, by gradient descent; and three ideas that
keep this small: neurons that see a neighbourhood, weights shared over the image, maps that get coarser. It read MNIST
with 0.95 % of errors, and with 0.8 % after training on distorted copies too.
Strength: small, quick and complete; every number in it can be looked at.
Weakness: squashing functions whose gradients vanish, averages that wash out what stands out, a head made for digits,
whose steep logits want small steps: SGD with momentum learns at a rate of 0.001 and diverges at 0.01.
Take it for small grey images, as a baseline, or to retrace the history. For photographs, or much more than 32 pixels,
take something deeper: after two poolings a neuron has seen 16 pixels, and F6 grows with every pixel more.

Other libraries call many networks LeNet-5. Most connect C3 fully (2,416 parameters there instead of 1,516), pool
without parameters and end in a dense layer; lenet5_modern is that one, with tanh. The lecture's is lenet_sigmoid.

The check: the paper's equations, written with SciPy's correlation in this file's test, give the same squared distances:
they differ by at most 7e-6 on 84.
"""

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from convlens.zoo.registry import register_model

C3_TABLE = (  # table I: a row for each map of S2, a column for each map of C3, X where they are connected
    "X...XXX..XXXX.XX",
    "XX...XXX..XXXX.X",
    "XXX...XXX..X.XXX",
    ".XXX..XXXX..X.XX",
    "..XXX..XXXX.XX.X",
    "...XXX..XXXX.XXX",
)
DIGITS = (  # 7 wide, 12 high; # stands for +1
    "..###.. ...##.. ..####. ####### ....##. ####### ...###. ####### ..###.. ..###..",
    ".#####. ..###.. .###### ####### ...###. ####### ..####. ####### .#####. .#####.",
    "##...## .####.. ##...## ....##. ..####. ##..... .##.... .....## ##...## ##...##",
    "##...## ...##.. .....## ...##.. .##.##. ##..... ##..... ....##. ##...## ##...##",
    "##...## ...##.. .....## ..####. .##.##. #####.. ##..... ....##. .##.##. ###..##",
    "##...## ...##.. ....##. ..##### ##..##. ######. #####.. ...##.. ..###.. .######",
    "##...## ...##.. ...##.. .....## ##..##. ....### ######. ...##.. .##.##. ..#####",
    "##...## ...##.. ..##... .....## ####### .....## ##..### ..##... ##...## .....##",
    "##...## ...##.. .##.... .....## ####### .....## ##...## ..##... ##...## .....##",
    "##...## ...##.. ##..... ##...## ....##. ##...## ##...## ..##... ##...## ....##.",
    ".#####. .###### ####### .#####. ....##. ######. .#####. .##.... .#####. .####..",
    "..###.. .###### ####### ..###.. ....##. .####.. ..###.. .##.... ..###.. .###...",
)
CODE_LENGTH = 84  # 7 x 12
CODES_SEED = 1998
AMPLITUDE, SLOPE = 1.7159, 2 / 3  # appendix A: so that tanh takes +1 to +1 and -1 to -1
INK, PAPER = 1.175, -0.1  # section II-B: pixels have mean 0 and variance 1, roughly


def class_codes(num_classes: int) -> NDArray[np.int64]:
    """Return the targets of F6, (num_classes, 84) of -1 and +1: an outline of each digit for ten classes.

    For other numbers of classes, which have no outlines, they are random: always the same, from a fixed seed.
    """
    if num_classes == 10:
        outlines = [
            "".join(column) for column in zip(*(row.split() for row in DIGITS), strict=True)
        ]
        return np.array([[1 if pixel == "#" else -1 for pixel in outline] for outline in outlines])
    return np.random.default_rng(CODES_SEED).choice(np.array([-1, 1]), (num_classes, CODE_LENGTH))


def start(fan_in: int) -> keras.initializers.Initializer:
    """Return the paper's initialiser: uniform within 2.4 over the number of a unit's inputs (appendix A)."""
    return keras.initializers.RandomUniform(-2.4 / fan_in, 2.4 / fan_in)


def squash(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Return 1.7159 tanh(2/3 x)."""
    x = layers.Rescaling(SLOPE, name=f"{name}_slope")(x)
    x = layers.Activation("tanh", name=f"{name}_tanh")(x)
    return layers.Rescaling(AMPLITUDE, name=f"{name}_amplitude")(x)


def convolve(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Return a convolution of 5x5."""
    fan_in = 25 * x.shape[-1]
    return layers.Conv2D(
        filters, 5, kernel_initializer=start(fan_in), bias_initializer=start(fan_in), name=name
    )(x)


def subsample(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Return the sums of 2x2 neighbours times a coefficient plus a bias, one of each a map, squashed."""
    x = layers.AveragePooling2D(2, name=f"{name}_average")(x)
    x = layers.Rescaling(4.0, name=f"{name}_sum")(x)
    x = layers.DepthwiseConv2D(
        1, depthwise_initializer=start(4), bias_initializer=start(4), name=name
    )(x)
    return squash(x, name)


def convolve_sparsely(x: keras.KerasTensor) -> keras.KerasTensor:
    """Return C3: a map for each column of the table, each a convolution of the maps it is connected to."""
    maps = []
    for number, column in enumerate(zip(*C3_TABLE, strict=True)):
        connected = [channel for channel, mark in enumerate(column) if mark == "X"]
        maps.append(convolve(ops.take(x, connected, axis=-1), 1, f"c3_map{number}"))
    return layers.Concatenate(name="c3")(maps)


def rbf_head(x: keras.KerasTensor, codes: NDArray[np.int64]) -> keras.KerasTensor:
    """Return minus the squared distances (batch, num_classes) of x to the codes: -|x|^2 + 2 w.x - |w|^2, w fixed.

    Cross-entropy on them is the paper's second loss (equation 9) without the constant that it adds to the sum over the
    classes, for images of no class. Without it the two squares cancel, and only 2 w.x is learned from.
    """
    products = layers.Dense(
        len(codes),
        kernel_initializer=keras.initializers.Constant((2 * codes.T).tolist()),
        bias_initializer=keras.initializers.Constant(-CODE_LENGTH),
        trainable=False,
        name="rbf",
    )(x)
    return products - ops.sum(ops.square(x), axis=-1, keepdims=True)


@register_model(
    year=1998,
    input_shape=(32, 32, 1),
    num_params=60_850,
    multiply_adds=328_096,
    least_side=32,
    num_classes=10,
)
def lenet5(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """LeNet-5 of the paper: sparse C3, subsampling that learns, scaled tanh, distances to fixed bitmaps as answer.

    Recipe: a stochastic diagonal Levenberg-Marquardt method, one image at a time, 20 passes.
    A single logit of two classes is the difference of their distances.
    """
    x = layers.Rescaling(INK - PAPER, PAPER, name="paper_to_ink")(inputs)
    x = squash(convolve(x, 6, "c1"), "c1")
    x = subsample(x, "s2")
    x = squash(convolve_sparsely(x), "c3")
    x = subsample(x, "s4")
    x = squash(convolve(x, 120, "c5"), "c5")
    x = layers.Flatten(name="flatten")(x)
    fan_in = x.shape[-1]
    x = layers.Dense(
        CODE_LENGTH, kernel_initializer=start(fan_in), bias_initializer=start(fan_in), name="f6"
    )(x)
    x = squash(x, "f6")
    logits = rbf_head(x, class_codes(max(num_classes, 2)))
    return logits if num_classes > 1 else logits[:, 1:] - logits[:, :1]


@register_model(
    year=1998,
    input_shape=(32, 32, 1),
    num_params=61_706,
    multiply_adds=416_520,
    least_side=16,
    num_classes=10,
)
def lenet5_modern(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """LeNet-5 as most rebuild it: C3 fully connected, average pooling without parameters, a dense head.

    Recipe: none; it starts from Keras' default initialisers and trains well with Adam.
    """
    x = layers.Conv2D(6, 5, activation="tanh", name="c1")(inputs)
    x = layers.AveragePooling2D(2, name="s2")(x)
    x = layers.Conv2D(16, 5, activation="tanh", name="c3")(x)
    x = layers.AveragePooling2D(2, name="s4")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(120, "tanh", name="c5")(x)
    x = layers.Dense(84, "tanh", name="f6")(x)
    return layers.Dense(num_classes, name="logits")(x)
