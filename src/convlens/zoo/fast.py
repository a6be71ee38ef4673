"""Fast: networks that learn small images in few passes, and what their first layer is set to.

The first layer is computed from the training images and then frozen. Its filters are the principal
components of the patches of these images, scaled to equal variance ("whitening"), and their
negatives, since the ReLU after them keeps positive values only. Three groups of layers follow. Each
has two convolutions with batch normalisation and ReLU, and max pooling after the first convolution.
A convolution begins as the identity on its first channels, so that the image passes through all
layers from the first step on.

`create_model` gives the first layer random weights. A training sets them with `whiten`.

Source        Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, arXiv:2404.00498:
              the whitened layer, the order of the groups and their first filters. Page, "How to
              train your ResNet", 2018-2019: whitening. Ours are the average in place of the largest
              value at the end, larger patches with strides for larger images, and ReLU in place of
              GELU, which is slow on a CPU.
Parameters    VARIANTS states them with 10 classes at 32x32x3. The first layer and the moving
              statistics of the normalisations are not trainable.
"""

import keras
import numpy as np
from keras import layers, ops
from numpy.lib.stride_tricks import sliding_window_view

from convlens.language import N_
from convlens.preprocess import ImageArray
from convlens.zoo.registry import chain, register_model, variant

# The least side of the images, then the side and the strides of the patches.
PATCHES = ((96, 8, 4), (48, 4, 2), (1, 2, 1))
COMPONENTS = 4  # components of each channel that are kept, all of a patch of 2x2
# A component that hardly varies is not enlarged without bounds. It is added to the variances.
LEAST_VARIANCE = 5e-4 * 0.25**2  # of the source, where pixels have the standard deviation 1
CHUNK = 50  # images whose patches are in memory at a time
SMALL = 4  # pixels; the side of a map from which no row is left out
MOMENTUM = 0.6  # of the moving statistics, since few passes make few steps
WHITEN = "whiten"
VARIANTS = (  # name, filters of the groups, parameters, multiply-adds, summary
    (
        "fast_cnn",
        (32, 64, 64),
        147_074,
        17_085_088,
        N_("Our default: it learns in few passes, and its first layer is computed."),
    ),
    (
        "fast_cnn_wide",
        (64, 128, 128),
        570_306,
        54_223_904,
        N_("fast_cnn with twice the filters, for more time and a higher accuracy."),
    ),
    (
        "fast_cnn_large",
        (64, 256, 256),
        1_973_954,
        118_147_360,
        N_("fast_cnn with up to four times the filters, for the highest accuracy."),
    ),
)


def convolution(
    x: keras.KerasTensor, filters: int, name: str, *, pool: bool = False
) -> keras.KerasTensor:
    """Return a convolution, max pooling if `pool`, batch normalisation and ReLU.

    The first filters are initialised to the identity: filter i returns channel i of x.
    """
    layer = layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=False,  # the normalisation has one
        kernel_initializer=keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform"),
        name=f"{name}_conv",
    )
    channels = x.shape[-1]
    x = layer(x)
    kernel = ops.convert_to_numpy(layer.kernel).copy()
    passed = np.arange(min(channels, filters))
    kernel[..., passed] = 0
    kernel[1, 1, passed, passed] = 1
    layer.kernel.assign(kernel)
    if pool:
        # The normalisation after it then has a quarter of the work. An odd row at the border is
        # left out, except where few rows are left.
        padding = "valid" if min(x.shape[1:3]) > SMALL else "same"
        x = layers.MaxPooling2D(2, padding=padding, name=f"{name}_pool")(x)
    # The scale of a filter means nothing before a convolution and its normalisation.
    norm = layers.BatchNormalization(momentum=MOMENTUM, scale=False, name=f"{name}_norm")
    return chain(x, norm, layers.ReLU(name=f"{name}_relu"))


def whiten(model: keras.Model, images: ImageArray) -> None:
    """Set the first layer of a model to the principal components of the patches of images.

    Args:
        model: A model from images to logits, with the first layer of a network of this module.
        images: (n, height, width, channels) uint8 training images; a few hundred are enough.
    """
    layer = model.get_layer(WHITEN)
    scaled = keras.Model(model.input, layer.input)
    (side, _), (strides, _) = layer.kernel_size, layer.strides
    channels = images.shape[-1]
    size = side * side * channels
    count, total, products = 0, np.zeros(size), np.zeros((size, size))
    for start in range(0, len(images), CHUNK):
        pixels = ops.convert_to_numpy(scaled(images[start : start + CHUNK]))
        windows = sliding_window_view(pixels, (side, side), axis=(1, 2))[:, ::strides, ::strides]
        patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, size).astype(np.float64)
        count += len(patches)
        total += patches.sum(axis=0)
        products += patches.T @ patches
    mean = total / count
    variances, components = np.linalg.eigh(products / count - np.outer(mean, mean))
    kept = slice(-(layer.filters // 2), None)  # those that vary most come last
    filters = components[:, kept] / np.sqrt(np.maximum(variances[kept], 0) + LEAST_VARIANCE)
    filters = np.concatenate([filters, -filters], axis=1)
    bias = -mean @ filters
    layer.set_weights([filters.reshape(side, side, -1, filters.shape[1]), bias])


def _fast(
    inputs: keras.KerasTensor, num_classes: int, widths: tuple[int, ...]
) -> keras.KerasTensor:
    """Return the logits of a network whose first layer `whiten` sets."""
    smallest = min(inputs.shape[1:3])
    _, side, strides = next(patch for patch in PATCHES if smallest >= patch[0])
    filters = 2 * COMPONENTS * inputs.shape[-1]
    first = layers.Conv2D(filters, side, strides, padding="valid", name=WHITEN)
    first.trainable = False
    x = chain(inputs, first, layers.ReLU(name="whiten_relu"))
    for number, width in enumerate(widths, start=1):
        x = convolution(x, width, f"group{number}_1", pool=True)
        x = convolution(x, width, f"group{number}_2")
    return chain(
        x,
        layers.GlobalAveragePooling2D(name="average"),
        layers.Dense(num_classes, name="logits"),
    )


for _name, _widths, _parameters, _multiply_adds, _summary in VARIANTS:
    register_model(
        summary=_summary,
        year=2026,
        input_shape=(32, 32, 3),
        num_params=_parameters,
        multiply_adds=_multiply_adds,
        least_side=2,
        num_classes=10,
        adapt=whiten,
    )(variant(_fast, _name, _widths))
