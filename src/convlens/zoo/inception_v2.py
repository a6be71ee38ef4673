"""Inception v2, or BN-Inception: the network that batch normalisation was shown with.

Paper       Ioffe, Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
            Shift", 2015, arXiv:1502.03167, figure 5 and section 4.2
Introduced  batch normalisation; two 3x3 convolutions for a 5x5; modules that halve the map themselves
Input       (224, 224, 3)
Parameters  11,208,192, of which 11,188,288 are trainable and 19,904 moving statistics. A k x k convolution from i to o
            channels has k * k * i * o + 4 * o: no bias, but four numbers a channel in its normalisation.
            conv1   7x7 to 3 * 8, 1x1 to 64     2,968        4b     667,136
            conv2   1x1 to 64, 3x3 to 192     115,712        4c     897,920
            3a                                220,032        4d   1,110,144
            3b                                261,248        4e   1,441,792
            3c                                386,176        5a   2,185,472
            4a                                611,712        5b   2,282,880
            logits                          1,025,000
Departures  Figure 5 prints 576 channels after 4c and 4d and 1024 after 4e, but projections to 128 in 4c and 4d, with
            which they were 608, 608 and 1056. Here, as in Google's tf-slim, the projections are 96 and the channels as
            printed. 3c and 4e print their maps before they are halved. Section 4.2 counts 13.6 million parameters: no
            reading of the figure that we tried has more than 11.3. The paper gives no initialiser (He's normal one
            here) and no epsilon (1e-3, Keras' and tf-slim's); it takes the statistics over the training set at the end,
            where ours move along with momentum 0.9. Borders are Keras' "same" and do not count in averages. Pixels are
            0..1.

Brought     Each layer is normalised over the batch, so that its scale does not hang on the layers before it. Learning
            rates can be 5 to 30 times as large; the same network without it takes fourteen times the steps to 72.2 %
            and ends there, this one at 74.8 %. Dropout and local response normalisation become needless.
Strength    Starts at once and forgives the recipe. 25.2 % top-1 error for 1.9 thousand million multiply-adds.
Weakness    It hangs on the batch: small ones give noisy statistics, and training and prediction differ. Many small
            layers, each with a pass over memory for its normalisation.
Take it     as the GoogLeNet that trains well, and to see what normalisation does. With trained weights rather
            `inception_v3`; to change it oneself rather a ResNet.
Elsewhere   pretrainedmodels and pytorchcv have 11,295,240 trainable: the projections to 128 (90,304 more), a plain 7x7
            convolution (6,696) and biases before the normalisation (9,952). tf-slim normalises without a scale.
Checked     with random weights and statistics on three random images against BNInception of pretrainedmodels 0.7.4
            (PyTorch 2.14.1), with our first convolution, projections, borders and epsilon. The largest difference of a
            logit was 2.1e-5; logits spread by 9.3 (standard deviation).
Size        45 MB of weights; built in 0.8 s.
"""

from typing import NamedTuple

import keras
from keras import layers

from convlens.zoo.registry import register_model


class Module(NamedTuple):
    """A row of figure 5: filters of the branches, and the pooling.

    Attributes:
        conv1: of the 1x1 convolution; 0 where the module halves the map.
        reduce3: of the 1x1 convolution before the 3x3.
        conv3: of the 3x3 convolution.
        reduce_double: of the 1x1 convolution before the two 3x3.
        double: of each of the two 3x3 convolutions.
        pool: "average" or "max".
        projection: of the 1x1 convolution after the pooling; 0 where the pooling is handed on ("pass through").
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
    "4c": Module(160, 128, 160, 128, 160, "average", 96),  # the figure prints 128: see Departures
    "4d": Module(96, 128, 192, 160, 192, "average", 96),  # the same
    "4e": Module(0, 128, 192, 192, 256, "max", 0),
    "5a": Module(352, 192, 320, 160, 224, "average", 128),
    "5b": Module(352, 192, 320, 192, 224, "max", 128),
}
DEPTH_MULTIPLIER = 8  # filters for each channel of the image, in the first layer's depthwise half
MOMENTUM = (
    0.9  # of the moving statistics; the paper averages over the training set afterwards instead
)


def normalize(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Return batch normalisation and ReLU."""
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def convolution(
    x: keras.KerasTensor, filters: int, kernel_size: int, name: str, *, strides: int = 1
) -> keras.KerasTensor:
    """Return a convolution with a zero border, batch normalisation and ReLU."""
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
    """Return the answers of the branches side by side; without a 1x1 branch the module halves the map.

    Args:
        x: (batch, height, width, channels).
        module: numbers of filters and the pooling.
        name: the layers are called {name}_1x1_conv, ..., {name}_concat.

    Returns:
        (batch, height, width, sum of the branches' channels), height and width halved, rounded up, in such modules.

    >>> inception_v2_module(keras.Input((28, 28, 320)), MODULES["3c"], "inception3c").shape
    (None, 14, 14, 576)
    """
    strides = 1 if module.conv1 else 2
    three = convolution(x, module.reduce3, 1, f"{name}_3x3_reduce")
    three = convolution(three, module.conv3, 3, f"{name}_3x3", strides=strides)
    double = convolution(x, module.reduce_double, 1, f"{name}_double_reduce")
    double = convolution(double, module.double, 3, f"{name}_double1")
    double = convolution(double, module.double, 3, f"{name}_double2", strides=strides)
    pooling = layers.MaxPooling2D if module.pool == "max" else layers.AveragePooling2D
    pool = pooling(3, strides=strides, padding="same", name=f"{name}_pool")(x)
    if module.projection:
        pool = convolution(pool, module.projection, 1, f"{name}_pool_projection")
    one = [convolution(x, module.conv1, 1, f"{name}_1x1")] if module.conv1 else []
    return layers.Concatenate(name=f"{name}_concat")([*one, three, double, pool])


@register_model(
    year=2015,
    input_shape=(224, 224, 3),
    num_params=11_208_192,
    multiply_adds=1_934_857_216,
    least_side=1,
)
def inception_v2(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Inception v2 (BN-Inception): GoogLeNet with batch normalisation and two 3x3 convolutions for a 5x5."""
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
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return layers.Dense(num_classes, name="logits")(x)
