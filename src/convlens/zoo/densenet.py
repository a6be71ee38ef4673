"""DenseNet: every layer sees the maps of all layers before it, and adds a few of its own.

Paper         Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks",
              2016, arXiv:1608.06993
Introduced    The dense block, which concatenates where ResNet adds. Transition layers that
              compress.
Input         (32, 32, 3)
Parameters    densenet_bc_100_12 has 793,150 with 10 classes, and 769,162 of them are trainable (the
              paper says 0.8 million). The others are moving statistics, two for each normalised
              channel, which PyTorch's libraries do not count.
Departures    The mean of the pixels is not subtracted. There is no dropout, while the paper uses
              0.2 where it trains without augmentation. The transition has a ReLU, as in the
              authors' Torch code; the paper names normalisation, convolution and pooling. The paper
              gives neither epsilon nor momentum of the normalisation: 1e-5 and 0.9 are Torch's.

Counting      A layer on c channels has 2c (normalisation), 48c (1x1), 96 (normalisation) and
              9 * 48 * 12 (3x3) parameters. Sixteen of them from 24, 108 and 150 channels have
              175,680, 242,880 and 276,480. Add the first convolution with 648, the transitions from
              216 and 300 channels with 23,760 and 45,600, the last normalisation with 684, and the
              logits with 3,430.
Block types   Without bottleneck (the lecture's type A, the paper's DenseNet), a layer is a
              normalisation, a ReLU and a 3x3 convolution. With bottleneck (type B, DenseNet-B), a
              1x1 convolution to 4 * growth_rate channels comes before it. C stands for compression.
Training      As in the paper: SGD with Nesterov momentum 0.9, batch size 64, 300 epochs, learning
              rate 0.1, divided by ten after half and after three quarters of them. He's
              initialiser. Weight decay 1e-4, which belongs to the optimizer.
Contribution  Features are kept and used again instead of being learned anew, and every layer is
              close to the loss. It has the accuracy of a ResNet with far fewer parameters.
Strengths     The file is small for its accuracy. It trains well although it is deep, and is good on
              small data sets.
Weaknesses    Every concatenation copies its maps, which are kept for the gradients. A training step
              on 32 images takes 1.1 s of processor time, thirteen times that of resnet20; the first
              step takes 20 s, and the process grows to 2.3 GB.
Use it        where parameters are expensive: for little data, or a small file. For photographs,
              keras.applications has densenet121, 169 and 201 with trained weights.
Avoid it      where time or memory for training is short.
Checked       against torchvision 0.29.1 on PyTorch 2.14.1, whose dense blocks and transitions were
              put behind a 3x3 convolution. Random weights and statistics were copied, and two
              random images computed. The largest difference of a logit was 1.3e-6, and the standard
              deviation of the logits 0.36.
"""

import keras
from keras import layers

from convlens.language import N_
from convlens.zoo.registry import chain, register_model

GROWTH_RATE = 12  # the channels that a layer adds
BLOCKS = (16, 16, 16)  # layers of two convolutions: with stem, transitions and logits 100
STEM_FILTERS = 2 * GROWTH_RATE
BOTTLENECK = 4  # times the growth rate
COMPRESSION = 0.5
MOMENTUM = 0.9
EPSILON = 1e-5


def activation(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Return batch normalisation and ReLU, which come before a convolution in this network."""
    return chain(
        x,
        layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"{name}_norm"),
        layers.ReLU(name=f"{name}_relu"),
    )


def convolution(
    x: keras.KerasTensor, filters: int, kernel_size: int, name: str
) -> keras.KerasTensor:
    """Return a convolution without bias that keeps the size of the map."""
    return layers.Conv2D(
        filters,
        kernel_size,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def dense_block(
    x: keras.KerasTensor, num_layers: int, growth_rate: int, name: str, *, bottleneck: bool = True
) -> keras.KerasTensor:
    """Return the map with num_layers * growth_rate more channels.

    Each layer sees all maps before it.

    Args:
        x: The map, (batch, height, width, channels).
        num_layers: The number of layers of the block.
        growth_rate: The number of channels that each layer adds.
        name: The beginning of the names of the layers.
        bottleneck: False for the lecture's type A, a 3x3 convolution; True for type B, with a 1x1
            convolution before it.
    """
    for number in range(1, num_layers + 1):
        layer = f"{name}_layer{number}"
        y = x
        if bottleneck:
            y = activation(y, f"{layer}_bottleneck")
            y = convolution(y, BOTTLENECK * growth_rate, 1, f"{layer}_bottleneck")
        y = activation(y, f"{layer}_conv")
        y = convolution(y, growth_rate, 3, f"{layer}_conv")
        x = layers.Concatenate(name=f"{layer}_concat")([x, y])
    return x


def transition(
    x: keras.KerasTensor, name: str, *, compression: float = COMPRESSION
) -> keras.KerasTensor:
    """Return a map of half the size and `compression` times the channels, both rounded down.

    Args:
        x: The map, (batch, height, width, channels).
        name: The beginning of the names of the layers.
        compression: Above 0 and at most 1, which keeps the channels.
    """
    x = activation(x, f"{name}_conv")
    x = convolution(x, int(compression * x.shape[-1]), 1, f"{name}_conv")
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)


@register_model(
    summary=N_("DenseNet-BC of 100 layers and growth rate 12 for images of about 32 pixels."),
    year=2016,
    input_shape=(32, 32, 3),
    num_params=793_150,
    multiply_adds=287_929_692,
    least_side=4,
    num_classes=10,
)
def densenet_bc_100_12(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `densenet_bc_100_12`.

    Result (paper): CIFAR-10 test 95.49 % with images shifted and mirrored, 94.08 % without.
    """
    x = convolution(inputs, STEM_FILTERS, 3, "stem_conv")
    for number, num_layers in enumerate(BLOCKS, start=1):
        x = dense_block(x, num_layers, GROWTH_RATE, f"block{number}")
        if number < len(BLOCKS):
            x = transition(x, f"transition{number}")
    return chain(
        activation(x, "last"),
        layers.GlobalAveragePooling2D(name="average"),
        layers.Dense(num_classes, kernel_initializer="he_normal", name="logits"),
    )
