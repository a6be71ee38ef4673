"""VGG: nothing but 3x3 convolutions and 2x2 poolings, at growing depth.

Paper         Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
              Recognition", 2014, arXiv:1409.1556, table 1
Introduced    Blocks of 3x3 convolutions that replace larger ones. Depth is the only thing that
              varies.
Input         (224, 224, 3)
Parameters    VARIANTS states them; all are trainable. Configurations D and E are Keras' own `vgg16`
              and `vgg19`; they are in the table so that a test can check it.
Departures    Pixels are 0..1, and the mean is not subtracted. Local response normalisation has the
              constants of Krizhevsky et al. 2012, as the paper says (n 5, k 2, alpha 1e-4, beta
              0.75, and the sum is not divided by n). They are meant for pixels 0..255: with alpha
              times 255 squared, a network of pixels 0..1 gives the same output, divided by 255.
Initialiser   The convolutions use He's normal initialiser of 2015, which is made for ReLUs. Section
              3.1 found that configuration A need not be trained first with Glorot's, but training
              then starts late. On the digits of scikit-learn at 32x32 (6 epochs, one cycle to 2e-3,
              one run each), vgg11 reached 61 % with Glorot's and 94 % with He's; vgg16_1x1 learned
              nothing with Glorot's and reached 20 % with He's. The dense layers keep Glorot's.

Contribution  Depth pays. The top-5 errors on the validation images of ImageNet (table 3, 256
              pixels) are A 10.4 %, A-LRN 10.5, B 9.9, C 9.4, D 8.8 and E 9.0. Two 3x3 convolutions
              see what a 5x5 does, with 18 weights instead of 25 and one more ReLU. C, whose third
              convolutions are 1x1, is better than B and worse than D: another ReLU helps, and a
              larger receptive field helps more. Normalisation (A-LRN) does not help.
Strengths     It is easy to read, to change and to explain. Its maps serve other images and tasks
              well.
Weaknesses    The first dense layer alone has 102,764,544 parameters. The networks compute 7.6 (A)
              to 11.8 (C) billion multiply-adds. Without batch normalisation and shortcuts, training
              starts slowly, and networks deeper than E hardly train.
Use it        to learn, and as features with trained weights (`vgg16`).
Avoid it      from scratch on few images, or where time or memory is short: resnet18 is as good with
              an eleventh of the parameters.
Elsewhere     Keras and torchvision count the same: every layer has its bias and nothing else.
Checked       with random weights on three random images against torchvision 0.29.1 (PyTorch
              2.14.1). The largest difference of a logit was 9.5e-6 for vgg11 and 9.7e-6 for vgg13,
              where the standard deviation of the logits was 1.3 and 1.0. For vgg11_lrn it was
              2.3e-6 of 0.31, against torchvision's vgg11 with LocalResponseNorm (which divides
              alpha by n). A test compares D and E with VGG16 and VGG19 of keras.applications.
Size          The weights take 532 MB. Building takes 0.6 s and at most 1.4 GB; training with Adam
              holds four times the weights.
"""

from typing import NamedTuple

import keras
from keras import layers

from convlens.language import N_
from convlens.zoo.alexnet import local_response_normalization
from convlens.zoo.registry import chain, register_model, variant


class Block(NamedTuple):
    """The convolutions before a pooling.

    Attributes:
        filters: The number of filters of each.
        kernel_sizes: The kernel size of each.
        lrn: Whether local response normalisation follows the last.
    """

    filters: int
    kernel_sizes: tuple[int, ...]
    lrn: bool = False


# Table 1, from left to right.
CONFIGURATIONS = {
    "A": (Block(64, (3,)), Block(128, (3,)), *(Block(n, (3, 3)) for n in (256, 512, 512))),
    "A-LRN": (
        Block(64, (3,), lrn=True),
        Block(128, (3,)),
        *(Block(n, (3, 3)) for n in (256, 512, 512)),
    ),
    "B": tuple(Block(n, (3, 3)) for n in (64, 128, 256, 512, 512)),
    "C": (
        *(Block(n, (3, 3)) for n in (64, 128)),
        *(Block(n, (3, 3, 1)) for n in (256, 512, 512)),
    ),
    "D": (
        *(Block(n, (3, 3)) for n in (64, 128)),
        *(Block(n, (3, 3, 3)) for n in (256, 512, 512)),
    ),
    "E": (
        *(Block(n, (3, 3)) for n in (64, 128)),
        *(Block(n, (3, 3, 3, 3)) for n in (256, 512, 512)),
    ),
}
VARIANTS = {  # configuration, parameters, multiply-adds, summary
    "vgg11": (
        "A", 132_863_336, 7_609_090_048,
        N_("VGG A: eight 3x3 convolutions and three dense layers."),
    ),
    "vgg11_lrn": (
        "A-LRN", 132_863_336, 7_609_090_048,
        N_("VGG A-LRN: A with local response normalisation after its first convolution."),
    ),
    "vgg13": (
        "B", 133_047_848, 11_308_466_176, N_("VGG B: ten 3x3 convolutions and three dense layers."),
    ),
    "vgg16_1x1": (
        "C", 133_638_952, 11_770_888_192,
        N_("VGG C: B with three more 1x1 convolutions, which mix channels without seeing further."),
    ),
}  # fmt: skip
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
    """Return the building block of VGG: ReLU convolutions and a 2x2 max pooling.

    It can also be used in your own networks.

    Args:
        x: The map, (batch, height, width, channels), with a height and width of at least 2.
        filters: The number of filters of every convolution.
        kernel_sizes: The kernel size of each convolution.
        lrn: Whether local response normalisation comes before the pooling.
        name: The beginning of the names of the layers: {name}_conv1, ..., {name}_pool.

    Returns:
        A map of shape (batch, height // 2, width // 2, filters).

    Raises:
        ValueError: If the map is smaller than 2x2.

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
    """Return the logits of a configuration of table 1: "A", "A-LRN", "B", "C", "D" or "E"."""
    x = inputs
    for number, block in enumerate(CONFIGURATIONS[configuration], start=1):
        x = vgg_block(x, *block, name=f"block{number}")
    x = layers.Flatten(name="flatten")(x)
    for number, units in enumerate(DENSE_UNITS, start=1):
        x = chain(
            x,
            layers.Dense(units, "relu", name=f"dense{number}"),
            layers.Dropout(DROPOUT, name=f"dropout{number}"),
        )
    return layers.Dense(num_classes, name="logits")(x)


for _name, (_configuration, _params, _multiply_adds, _summary) in VARIANTS.items():
    register_model(
        summary=_summary,
        year=2014,
        input_shape=(224, 224, 3),
        num_params=_params,
        multiply_adds=_multiply_adds,
        least_side=32,
    )(variant(vgg, _name, _configuration))
