"""LeNet-5: convolution, subsampling and shared weights, trained together to read digits.

Paper         LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document
              Recognition", Proceedings of the IEEE 86(11), 1998; sections II and III
Introduced    The convolutional network in the form from which all later ones developed.
Input         (32, 32, 1): digits of 28x28 with a margin.
Parameters    lenet5 has 60,850 with 10 classes: 60,000 are trainable, as the paper says, and 850 in
              its head are fixed. lenet5_modern has 61,706 with 10 classes, all trainable.
Departures    In lenet5, the bitmaps of the head are drawn here, as the paper prints its own as an
              image only. Biases start from the paper's uniform distribution too, which it describes
              for weights. On larger images, C5 makes a map that F6 sees as a whole, where the
              network of the paper scans it. Trained with cross-entropy, it has another loss than
              the paper's, see `rbf_head`. lenet5_modern is not from the paper.

Contribution  Features are learned from pixels together with the classifier, by gradient descent.
              Three ideas keep this small: neurons that see a neighbourhood, weights that are shared
              over the image, and maps that get coarser. It read MNIST with an error of 0.95 %, and
              of 0.8 % after training on distorted copies too.
Strengths     It is small, quick and complete, and every number in it can be looked at.
Weaknesses    The gradients of its activations vanish, its averages blur what stands out, and its
              head is made for digits. The steep logits of that head need small steps: SGD with
              momentum learns at a rate of 0.001 and diverges at 0.01.
Use it        for small grey images, as a baseline, or to retrace the history.
Avoid it      for photographs, or for much more than 32 pixels: after two poolings a neuron has seen
              16 pixels, and F6 grows with every pixel more.
Elsewhere     Many networks are called LeNet-5 in other libraries. Most connect C3 fully (with 2,416
              parameters there instead of 1,516), pool without parameters, and end in a dense layer.
              lenet5_modern is that network, with tanh. The lecture's is lenet_sigmoid.
Checked       against the equations of the paper, written with SciPy's correlation in the test of
              this file: the squared distances differ by at most 7e-6, on values up to 84.
"""

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from convlens.language import N_
from convlens.zoo.registry import chain, register_model

# Table I has a row for each map of S2 and a column for each map of C3, with an X where they are
# connected.
C3_TABLE = (
    "X...XXX..XXXX.XX",
    "XX...XXX..XXXX.X",
    "XXX...XXX..X.XXX",
    ".XXX..XXXX..X.XX",
    "..XXX..XXXX.XX.X",
    "...XXX..XXXX.XXX",
)
# Each digit is 7 wide and 12 high; # stands for +1.
DIGITS = (
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
# Appendix A: with these, tanh maps +1 to +1 and -1 to -1.
AMPLITUDE = 1.7159
SLOPE = 2 / 3
# Section II-B: with these, pixels have a mean of about 0 and a variance of about 1.
INK = 1.175
PAPER = -0.1


def class_codes(num_classes: int) -> NDArray[np.int64]:
    """Return the targets of F6, an array (num_classes, 84) of -1 and +1.

    For ten classes they are the outlines of the digits. For other numbers of classes they are drawn
    at random from a fixed seed.
    """
    if num_classes == 10:
        outlines = [
            "".join(column) for column in zip(*(row.split() for row in DIGITS), strict=True)
        ]
        return np.array([[1 if pixel == "#" else -1 for pixel in outline] for outline in outlines])
    return np.random.default_rng(CODES_SEED).choice(np.array([-1, 1]), (num_classes, CODE_LENGTH))


def start(fan_in: int) -> keras.initializers.Initializer:
    """Return the initialiser of appendix A: uniform, up to 2.4 over the number of inputs."""
    return keras.initializers.RandomUniform(-2.4 / fan_in, 2.4 / fan_in)


def squash(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Return 1.7159 tanh(2/3 x)."""
    return chain(
        x,
        layers.Rescaling(SLOPE, name=f"{name}_slope"),
        layers.Activation("tanh", name=f"{name}_tanh"),
        layers.Rescaling(AMPLITUDE, name=f"{name}_amplitude"),
    )


def convolve(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Return a 5x5 convolution."""
    fan_in = 25 * x.shape[-1]
    return layers.Conv2D(
        filters, 5, kernel_initializer=start(fan_in), bias_initializer=start(fan_in), name=name
    )(x)


def subsample(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Return the sums of 2x2 neighbours, with a coefficient and a bias for each map, squashed."""
    x = chain(
        x,
        layers.AveragePooling2D(2, name=f"{name}_average"),
        layers.Rescaling(4.0, name=f"{name}_sum"),
        layers.DepthwiseConv2D(
            1, depthwise_initializer=start(4), bias_initializer=start(4), name=name
        ),
    )
    return squash(x, name)


def convolve_sparsely(x: keras.KerasTensor) -> keras.KerasTensor:
    """Return C3, whose maps are convolutions of those maps that the table connects them to."""
    connected = [
        [channel for channel, mark in enumerate(column) if mark == "X"]
        for column in zip(*C3_TABLE, strict=True)
    ]
    maps = [
        convolve(ops.take(x, channels, axis=-1), 1, f"c3_map{number}")
        for number, channels in enumerate(connected)
    ]
    return layers.Concatenate(name="c3")(maps)


def rbf_head(x: keras.KerasTensor, codes: NDArray[np.int64]) -> keras.KerasTensor:
    """Return minus the squared distances of x to the codes, (batch, num_classes).

    They are -|x|^2 + 2 w.x - |w|^2 with fixed w. Cross-entropy on them is the second loss of the
    paper (equation 9), without the constant that it adds to the sum over the classes for images of
    no class. Without that constant the squares cancel, and only 2 w.x is learned from.
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
    summary=N_(
        "LeNet-5 of the paper: sparse C3, subsampling that learns, scaled tanh, distances to "
        "bitmaps."
    ),
    year=1998,
    input_shape=(32, 32, 1),
    num_params=60_850,
    multiply_adds=328_096,
    least_side=32,
    num_classes=10,
)
def lenet5(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `lenet5`.

    A single logit of two classes is the difference of their distances.

    Recipe: a stochastic diagonal Levenberg-Marquardt method, one image at a time, 20 passes.
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
    summary=N_(
        "LeNet-5 as it is mostly rebuilt: fully connected C3, plain average pooling, a dense head."
    ),
    year=1998,
    input_shape=(32, 32, 1),
    num_params=61_706,
    multiply_adds=416_520,
    least_side=16,
    num_classes=10,
)
def lenet5_modern(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `lenet5_modern`.

    Recipe: none. It starts from Keras' default initialisers and trains well with Adam.
    """
    return chain(
        inputs,
        layers.Conv2D(6, 5, activation="tanh", name="c1"),
        layers.AveragePooling2D(2, name="s2"),
        layers.Conv2D(16, 5, activation="tanh", name="c3"),
        layers.AveragePooling2D(2, name="s4"),
        layers.Flatten(name="flatten"),
        layers.Dense(120, "tanh", name="c5"),
        layers.Dense(84, "tanh", name="f6"),
        layers.Dense(num_classes, name="logits"),
    )
