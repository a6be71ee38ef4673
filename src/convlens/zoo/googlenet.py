"""GoogLeNet: modules that look at several scales at once, kept cheap by 1x1 convolutions.

Paper         Szegedy et al., "Going Deeper with Convolutions", 2014, arXiv:1409.4842, table 1,
              figure 3 and section 5
Introduced    The Inception module. Auxiliary heads halfway, which help the gradient.
Input         (224, 224, 3)
Parameters    googlenet has 6,998,552. googlenet_auxiliary has 13,378,280 while it trains, of which
              3,188,840 (after 4a) and 3,190,888 (after 4d) are in the two heads that are removed
              afterwards. All are trainable.
Departures    Pixels are 0..1, and the mean is not subtracted. The paper gives no constants for
              local response normalisation. They are those of Krizhevsky et al. 2012 (n 5, k 2,
              alpha 1e-4, beta 0.75, and the sum is not divided by n), with alpha times 255 squared,
              as their pixels are 0..255. Nor does it give an initialiser. With He's normal one,
              which is used here, the digits of scikit-learn at 32x32 were learned to 75 % in 12
              epochs (AdamW, 1e-3); with Glorot's, training stayed at chance. Borders are Keras'
              "same": poolings keep partial windows, as the sizes in the paper demand, and the first
              convolution looks one pixel further right and down than in Caffe and PyTorch, which
              pad by 3 on all sides.
Table 1       The table prints 2.7 K parameters and 34 M multiply-adds for the first convolution.
              These are those of a separable one with 8 depthwise filters per channel (with which
              `inception_v2` begins). The plain 7x7 has 9,472 and 118 M, and is what Caffe,
              torchvision and we build. The 54 M printed for 5a require 48 filters before the 5x5,
              where its row has 32, as here. All other multiply-adds agree. Parameters differ by up
              to 7 %.

Contribution  Filters of several sizes work side by side, with 1x1 convolutions before the expensive
              ones: the module of lecture 004 needs 122,064 parameters instead of 403,424. An
              average replaces the dense layers. Seven such networks won ILSVRC 2014 with a top-5
              error of 6.67 % over 144 crops per image; one network with one crop has 10.07 %.
Strengths     It has a nineteenth of vgg11's parameters and a fifth of its multiply-adds, at a
              similar error.
Weaknesses    Without batch normalisation, training starts slowly, hence the auxiliary heads. The
              numbers in its table follow no rule, so that it is hard to make it larger or smaller.
Use it        to see Inception's idea in its first form, and what auxiliary heads do.
Avoid it      otherwise: `inception_v2` trains at once, and so does a ResNet.
Elsewhere     Caffe's bvlc_googlenet has our layers. The googlenet of torchvision has 6,624,904
              (13,004,888 with heads): it has batch normalisation instead of biases and local
              response normalisation, 3x3 instead of 5x5, and 2x2 in the last max pooling.
Checked       with random weights on three random images against torchvision 0.29.1 (PyTorch
              2.14.1), after its four differences, the pooling of its heads (5x5 by 3),
              LocalResponseNorm (which divides alpha by n) and the border of its first convolution
              were changed to ours. The largest difference of a logit was 5.4e-7, and 3.7e-7 and
              5.1e-7 in the heads. The standard deviations of the logits were 0.26, 0.16 and 0.22.
Size          The weights take 28 MB, and 54 MB with the heads. Building takes 0.3 s.
"""

from typing import NamedTuple

import keras
from keras import layers

from convlens.language import N_
from convlens.zoo.alexnet import local_response_normalization
from convlens.zoo.registry import chain, register_model


class Branches(NamedTuple):
    """The numbers of filters of an Inception module, as the columns of table 1.

    None leaves out a 1x1 convolution.

    Attributes:
        conv1: The filters of the 1x1 convolution.
        reduce3: The filters of the 1x1 convolution before the 3x3.
        conv3: The filters of the 3x3 convolution.
        reduce5: The filters of the 1x1 convolution before the 5x5.
        conv5: The filters of the 5x5 convolution.
        projection: The filters of the 1x1 convolution after the pooling.
    """

    conv1: int
    reduce3: int | None
    conv3: int
    reduce5: int | None
    conv5: int
    projection: int | None


# Table 1. A max pooling comes before each stage; the modules of stage 3 are called 3a, 3b and so
# on.
STAGES = {
    3: (Branches(64, 96, 128, 16, 32, 32), Branches(128, 128, 192, 32, 96, 64)),
    4: (
        Branches(192, 96, 208, 16, 48, 64),
        Branches(160, 112, 224, 24, 64, 64),
        Branches(128, 128, 256, 24, 64, 64),
        Branches(112, 144, 288, 32, 64, 64),
        Branches(256, 160, 320, 32, 128, 128),
    ),
    5: (Branches(256, 160, 320, 32, 128, 128), Branches(384, 192, 384, 48, 128, 128)),
}
AUXILIARY = ("4a", "4d")  # the modules that an auxiliary head follows
DROPOUT = 0.4
AUXILIARY_DROPOUT = 0.7
ALPHA = 1e-4 * 255**2  # 1e-4 is for the pixels 0..255 of Krizhevsky et al. 2012; ours are 0..1


def convolution(
    x: keras.KerasTensor, filters: int, kernel_size: int, name: str, *, strides: int = 1
) -> keras.KerasTensor:
    """Return a ReLU convolution with a border of zeros."""
    return layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same",
        activation="relu",
        kernel_initializer="he_normal",
        name=name,
    )(x)


def inception_module(x: keras.KerasTensor, branches: Branches, name: str) -> keras.KerasTensor:
    """Return the concatenated maps of 1x1, 3x3 and 5x5 convolutions and a 3x3 max pooling.

    This is figure 2 of the paper. Without the reductions it is the paper's naive module, whose
    pooling passes on all channels.

    Args:
        x: The map, (batch, height, width, channels).
        branches: The numbers of filters.
        name: The beginning of the names of the layers: {name}_1x1, ..., {name}_concat.

    Returns:
        A map of shape (batch, height, width, sum of the branches' channels).

    >>> inputs = keras.Input((10, 10, 200))
    >>> inception_module(inputs, Branches(64, None, 128, None, 32, None), "naive").shape
    (None, 10, 10, 424)
    >>> inception_module(inputs, Branches(64, 64, 128, 16, 32, 32), "reduced").shape
    (None, 10, 10, 256)
    """
    one = convolution(x, branches.conv1, 1, f"{name}_1x1")
    three = convolution(x, branches.reduce3, 1, f"{name}_3x3_reduce") if branches.reduce3 else x
    three = convolution(three, branches.conv3, 3, f"{name}_3x3")
    five = convolution(x, branches.reduce5, 1, f"{name}_5x5_reduce") if branches.reduce5 else x
    five = convolution(five, branches.conv5, 5, f"{name}_5x5")
    pool = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
    if branches.projection:
        pool = convolution(pool, branches.projection, 1, f"{name}_pool_projection")
    return layers.Concatenate(name=f"{name}_concat")([one, three, five, pool])


@register_model(
    summary=N_(
        "GoogLeNet: nine Inception modules and one dense layer, without the auxiliary heads."
    ),
    year=2014,
    input_shape=(224, 224, 3),
    num_params=6_998_552,
    multiply_adds=1_582_671_872,
    least_side=1,
)
def googlenet(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `googlenet`."""
    x, _ = _modules(inputs)
    return _head(x, num_classes)


@register_model(
    summary=N_("GoogLeNet with its two auxiliary heads, which only training needs."),
    year=2014,
    input_shape=(224, 224, 3),
    num_params=13_378_280,
    multiply_adds=1_591_044_096,
    least_side=65,
)
def googlenet_auxiliary(inputs: keras.KerasTensor, num_classes: int) -> list[keras.KerasTensor]:
    """Return the logits of `googlenet_auxiliary`.

    Returns:
        The logits (batch, num_classes) of the head, and of the auxiliary heads after 4a and 4d.
    """
    x, maps = _modules(inputs)
    auxiliary = [
        _auxiliary_head(maps[module], num_classes, f"auxiliary{number}")
        for number, module in enumerate(AUXILIARY, start=1)
    ]
    return [_head(x, num_classes), *auxiliary]


def _modules(inputs: keras.KerasTensor) -> tuple[keras.KerasTensor, dict[str, keras.KerasTensor]]:
    """Return the last map, and the map of each module by its name."""
    x = convolution(inputs, 64, 7, "conv1", strides=2)
    x = _pool(x, "pool1")
    x = local_response_normalization(x, alpha=ALPHA)
    x = convolution(x, 64, 1, "conv2_reduce")
    x = convolution(x, 192, 3, "conv2")
    x = local_response_normalization(x, alpha=ALPHA)
    maps = {}
    for stage, modules in STAGES.items():
        x = _pool(x, f"pool{stage - 1}")
        for letter, branches in zip("abcde", modules, strict=False):
            x = inception_module(x, branches, f"inception{stage}{letter}")
            maps[f"{stage}{letter}"] = x
    return x, maps


def _pool(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Return the 3x3 max pooling that halves a map and keeps partial windows."""
    return layers.MaxPooling2D(3, strides=2, padding="same", name=name)(x)


def _head(x: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    return chain(
        x,
        layers.GlobalAveragePooling2D(name="average"),
        layers.Dropout(DROPOUT, name="dropout"),
        layers.Dense(num_classes, name="logits"),
    )


def _auxiliary_head(x: keras.KerasTensor, num_classes: int, name: str) -> keras.KerasTensor:
    """Return the logits of the side network of section 5; the map must be at least 5x5."""
    x = layers.AveragePooling2D(5, strides=3, name=f"{name}_pool")(x)
    return chain(
        convolution(x, 128, 1, f"{name}_conv"),
        layers.Flatten(name=f"{name}_flatten"),
        layers.Dense(1024, "relu", kernel_initializer="he_normal", name=f"{name}_dense"),
        layers.Dropout(AUXILIARY_DROPOUT, name=f"{name}_dropout"),
        layers.Dense(num_classes, name=f"{name}_logits"),
    )
