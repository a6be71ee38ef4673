"""The default network: small, batch-normalised, residual."""

import keras
from keras import layers

from convlens.zoo.registry import register_model

__all__ = ["small_resnet"]

STAGES = ((32, 1), (64, 1), (96, 1))  # filters, blocks; every stage after the first starts at half the size


def normalised_conv(x: keras.KerasTensor, filters: int, kernel_size: int, strides: int, name: str) -> keras.KerasTensor:
    """Return a convolution without bias and its batch normalisation."""
    x = layers.Conv2D(
        filters, kernel_size, strides, "same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    return layers.BatchNormalization(name=f"{name}_norm")(x)


def block(x: keras.KerasTensor, filters: int, strides: int, name: str) -> keras.KerasTensor:
    """Return ReLU(F(x) + x), F two 3x3 convolutions; the short way gets a 1x1 convolution where shapes differ."""
    short = x
    if strides != 1 or x.shape[-1] != filters:
        short = normalised_conv(x, filters, 1, strides, f"{name}_short")
    y = normalised_conv(x, filters, 3, strides, f"{name}_1")
    y = layers.ReLU(name=f"{name}_1_relu")(y)
    y = normalised_conv(y, filters, 3, 1, f"{name}_2")
    x = layers.Add(name=f"{name}_add")([y, short])
    return layers.ReLU(name=f"{name}_relu")(x)


@register_model(year=2025, input_shape=(32, 32, 3), num_params=224_298, num_classes=10)
def small_resnet(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Our default: a small batch-normalised residual network."""
    strides = 2 if min(inputs.shape[1:3]) >= 48 else 1
    x = normalised_conv(inputs, STAGES[0][0], 3, strides, "stem")
    x = layers.ReLU(name="stem_relu")(x)
    for stage, (filters, blocks) in enumerate(STAGES, start=1):
        for number in range(1, blocks + 1):
            strides = 2 if stage > 1 and number == 1 else 1
            x = block(x, filters, strides, f"stage{stage}_block{number}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.Dense(num_classes, name="logits")(x)
