"""Inception v2, or BN-Inception: the network that batch normalisation was introduced with.

Paper         Ioffe, Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing
              Internal Covariate Shift", 2015, arXiv:1502.03167, figure 5 and section 4.2
Introduced    Batch normalisation. Two 3x3 convolutions for a 5x5. Modules that halve the map
              themselves.
Input         (224, 224, 3)
Parameters    There are 11,208,192: 11,188,288 are trainable, and 19,904 are moving statistics. A
              k x k convolution from i to o channels has k * k * i * o + 4 * o: no bias, but four
              numbers per channel in its normalisation.
              conv1   7x7 to 3 * 8, 1x1 to 64     2,968        4b     667,136
              conv2   1x1 to 64, 3x3 to 192     115,712        4c     897,920
              3a                                220,032        4d   1,110,144
              3b                                261,248        4e   1,441,792
              3c                                386,176        5a   2,185,472
              4a                                611,712        5b   2,282,880
              logits                          1,025,000
Departures    Figure 5 prints 576 channels after 4c and 4d and 1024 after 4e, but also projections
              to 128 in 4c and 4d, with which there were 608, 608 and 1056. Here, as in Google's
              tf-slim, the projections are 96 and the channels are those printed. The maps of 3c and
              4e are printed before they are halved. Section 4.2 counts 13.6 million parameters; no
              reading of the figure that we tried has more than 11.3. The paper gives no initialiser
              (here it is He's normal one) and no epsilon (here it is 1e-3, as in Keras and
              tf-slim). It computes the statistics over the training set at the end; ours move along
              with momentum 0.9. Borders are Keras' "same" and do not count in averages. Pixels are
              0..1.

Contribution  Each layer is normalised over the batch, so that its scale does not depend on the
              layers before it. Learning rates can be 5 to 30 times as large. The same network
              without it takes fourteen times as many steps to reach 72.2 % and ends there, while
              this one ends at 74.8 %. Dropout and local response normalisation become unnecessary.
Strengths     It trains at once and works with most recipes. Its top-1 error is 25.2 % with 1.9
              billion multiply-adds.
Weaknesses    It depends on the batch: small ones give noisy statistics, and training and prediction
              differ. It has many small layers, each with a pass over memory for its normalisation.
Use it        as a GoogLeNet that trains well, and to see what normalisation does.
Avoid it      for trained weights (use `inception_v3`), or to change the network (use a ResNet).
Elsewhere     pretrainedmodels and pytorchcv have 11,295,240 trainable parameters: the projections
              to 128 (90,304 more), a plain 7x7 convolution (6,696) and biases before the
              normalisation (9,952). tf-slim normalises without a scale.
Checked       with random weights and statistics on three random images against BNInception of
              pretrainedmodels 0.7.4 (PyTorch 2.14.1), with our first convolution, projections,
              borders and epsilon. The largest difference of a logit was 2.1e-5, and the standard
              deviation of the logits 9.3.
Size          The weights take 45 MB. Building takes 0.8 s.
"""

from typing import NamedTuple

import keras
from keras import layers

from convlens.language import N_
from convlens.zoo.registry import POOLINGS, chain, register_model


class Module(NamedTuple):
    """A row of figure 5: the numbers of filters of the branches, and the pooling.

    Attributes:
        conv1: The filters of the 1x1 convolution; 0 if the module halves the map.
        reduce3: The filters of the 1x1 convolution before the 3x3.
        conv3: The filters of the 3x3 convolution.
        reduce_double: The filters of the 1x1 convolution before the two 3x3.
        double: The filters of each of the two 3x3 convolutions.
        pool: "average" or "max".
        projection: The filters of the 1x1 convolution after the pooling; 0 if there is none ("pass
            through").
    """

    conv1: int
    reduce3: int
    conv3: int
    reduce_double: int
    double: int
    pool: str
    projection: int


MODULES = {  # figure 5
    "3a": Module(64, 64, 64, 64, 96, "average", 32),
    "3b": Module(64, 64, 96, 64, 96, "average", 64),
    "3c": Module(0, 128, 160, 64, 96, "max", 0),
    "4a": Module(224, 64, 96, 96, 128, "average", 128),
    "4b": Module(192, 96, 128, 96, 128, "average", 128),
    "4c": Module(160, 128, 160, 128, 160, "average", 96),  # the figure prints 128, see Departures
    "4d": Module(96, 128, 192, 160, 192, "average", 96),  # the same
    "4e": Module(0, 128, 192, 192, 256, "max", 0),
    "5a": Module(352, 192, 320, 160, 224, "average", 128),
    "5b": Module(352, 192, 320, 192, 224, "max", 128),
}
# The filters for each channel of the image, in the depthwise half of the first layer.
DEPTH_MULTIPLIER = 8
# The momentum of the moving statistics; the paper averages over the training set afterwards.
MOMENTUM = 0.9


def normalize(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Return batch normalisation and ReLU."""
    return chain(
        x,
        layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm"),
        layers.ReLU(name=f"{name}_relu"),
    )


def convolution(
    x: keras.KerasTensor, filters: int, kernel_size: int, name: str, *, strides: int = 1
) -> keras.KerasTensor:
    """Return a convolution with a border of zeros, batch normalisation and ReLU."""
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same",
        use_bias=False,  # the normalisation has one
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return normalize(x, name)


def inception_v2_module(x: keras.KerasTensor, module: Module, name: str) -> keras.KerasTensor:
    """Return the concatenated maps of the branches.

    A module without a 1x1 branch halves the map.

    Args:
        x: The map, (batch, height, width, channels).
        module: The numbers of filters and the pooling.
        name: The beginning of the names of the layers: {name}_1x1_conv, ..., {name}_concat.

    Returns:
        A map of shape (batch, height, width, sum of the branches' channels). Modules that halve the
        map round its height and width up.

    >>> inception_v2_module(keras.Input((28, 28, 320)), MODULES["3c"], "inception3c").shape
    (None, 14, 14, 576)
    """
    strides = 1 if module.conv1 else 2
    three = convolution(x, module.reduce3, 1, f"{name}_3x3_reduce")
    three = convolution(three, module.conv3, 3, f"{name}_3x3", strides=strides)
    double = convolution(x, module.reduce_double, 1, f"{name}_double_reduce")
    double = convolution(double, module.double, 3, f"{name}_double1")
    double = convolution(double, module.double, 3, f"{name}_double2", strides=strides)
    pool = POOLINGS[module.pool](3, strides=strides, padding="same", name=f"{name}_pool")(x)
    if module.projection:
        pool = convolution(pool, module.projection, 1, f"{name}_pool_projection")
    one = [convolution(x, module.conv1, 1, f"{name}_1x1")] if module.conv1 else []
    return layers.Concatenate(name=f"{name}_concat")([*one, three, double, pool])


@register_model(
    summary=N_(
        "Inception v2 (BN-Inception): GoogLeNet with batch normalisation and 3x3 instead of 5x5."
    ),
    year=2015,
    input_shape=(224, 224, 3),
    num_params=11_208_192,
    multiply_adds=1_934_857_216,
    least_side=1,
)
def inception_v2(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `inception_v2`."""
    x = layers.SeparableConv2D(
        64,
        7,
        strides=2,
        padding="same",
        depth_multiplier=DEPTH_MULTIPLIER,
        use_bias=False,
        depthwise_initializer="he_normal",
        pointwise_initializer="he_normal",
        name="conv1_conv",
    )(inputs)
    x = normalize(x, "conv1")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    x = convolution(x, 64, 1, "conv2_reduce")
    x = convolution(x, 192, 3, "conv2")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool2")(x)
    for name, module in MODULES.items():
        x = inception_v2_module(x, module, f"inception{name}")
    return chain(
        x,
        layers.GlobalAveragePooling2D(name="average"),
        layers.Dense(num_classes, name="logits"),
    )
