"""Ours: the default network, and your own network, in which every choice is a setting.

`small_resnet`, the default network, is residual, batch-normalised, and quick on a CPU.

Source        Ours, after He et al., "Deep Residual Learning for Image Recognition", 2015,
              arXiv:1512.03385. Pooling comes before normalisation, as in Jordan, "94% on CIFAR-10
              in 3.29 Seconds on a Single GPU", 2024, arXiv:2404.00498.
Parameters    There are 266,346 with 10 classes at 32x32x3.
Measured      on validation images, with AdamW and one cycle, batch size 64 and weight decay 0.05.
              Seconds are processor time on two cores divided by two, augmentation included. Each
              row is one run, so that a point more or less is chance.
              CIFAR-10, 40,000 images, 8 epochs, flip and shift, 4e-3    81 to 82 %    92 to 130 s
              cats and dogs, 1,500 images of 64x64, strong, 2e-3         84 % in 40 epochs, 67 s;
                                                                         87 % in 140, 255 s
              A wider or deeper network at full size (three stages of 32, 64 and 112) reached 81 %
              on CIFAR-10 in the same time. A stem that shrinks images of 64x64 to a quarter reached
              83 % on cats and dogs in 120 epochs and 88 s. The 140 epochs ran with moving
              statistics at 0.99 instead of 0.9; over 40 epochs the two are equal.
"""

import keras
from keras import layers

from convlens.config import ModelConfig
from convlens.language import N_
from convlens.zoo.registry import POOLINGS, chain, register_model

# The least side of the images, then kernel size, strides and pooling of the stem.
STEMS = ((96, 8, 4, False), (48, 4, 2, False), (24, 3, 1, True), (1, 3, 1, False))
STEM_FILTERS = 32
STAGES = (48, 96)  # filters; each stage halves the map
# Training on few images makes few steps, which moving statistics with Keras' 0.99 follow too late.
MOMENTUM = 0.9


def convolution(
    x: keras.KerasTensor,
    filters: int,
    name: str,
    *,
    kernel_size: int = 3,
    strides: int = 1,
    pool: bool = False,
) -> keras.KerasTensor:
    """Return a convolution, max pooling if `pool`, batch normalisation and ReLU."""
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same",
        use_bias=False,  # the normalisation has one
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    if pool:
        # The normalisation after it then has a quarter of the work.
        x = layers.MaxPooling2D(2, padding="same", name=f"{name}_pool")(x)
    return chain(
        x,
        layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm"),
        layers.ReLU(name=f"{name}_relu"),
    )


def residual_block(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Return x + F(x), where F is two 3x3 convolutions with as many filters as x has channels."""
    y = convolution(x, x.shape[-1], f"{name}_1")
    y = convolution(y, x.shape[-1], f"{name}_2")
    return layers.Add(name=f"{name}_add")([x, y])


@register_model(
    summary=N_("A small residual network that shrinks large images early, to save time."),
    year=2025,
    input_shape=(32, 32, 3),
    num_params=266_346,
    multiply_adds=12_387_264,
    least_side=1,
    num_classes=10,
)
def small_resnet(inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
    """Return the logits of `small_resnet`."""
    side = min(inputs.shape[1:3])
    _, kernel_size, strides, pool = next(stem for stem in STEMS if side >= stem[0])
    x = convolution(
        inputs, STEM_FILTERS, "stem", kernel_size=kernel_size, strides=strides, pool=pool
    )
    for number, filters in enumerate(STAGES, start=1):
        x = convolution(x, filters, f"stage{number}", pool=True)
        x = residual_block(x, f"stage{number}_block")
    return chain(
        x,
        layers.GlobalAveragePooling2D(name="average"),
        layers.Dense(num_classes, name="logits"),
    )


@register_model(
    summary=N_("Your own network: blocks of convolutions, pooling and dropout, then dense layers."),
    year=2025,
    input_shape=(32, 32, 3),
    num_params=356_810,
    multiply_adds=10_585_344,
    least_side=None,
    num_classes=10,
)
def custom_cnn(
    inputs: keras.KerasTensor, num_classes: int, config: ModelConfig
) -> keras.KerasTensor:
    """Return the logits of `custom_cnn`.

    Args:
        inputs: The images, (batch, height, width, channels).
        num_classes: The number of logits.
        config: filters, convs_per_block, kernel_size, strides, padding, pooling, pool_size,
            pool_strides, dense, dropout, activation and initializer. The registered number of
            parameters is that of the defaults.
    """
    x = inputs
    pooling = POOLINGS.get(config.pooling or "max")
    for block, filters in enumerate(config.filters, start=1):
        for conv in range(1, config.convs_per_block + 1):
            x = layers.Conv2D(
                filters,
                config.kernel_size,
                strides=config.strides,
                padding=config.padding,
                activation=config.activation,
                kernel_initializer=config.initializer,
                name=f"block{block}_conv{conv}",
            )(x)
        if pooling is not None:
            x = pooling(config.pool_size, config.pool_strides, name=f"block{block}_pool")(x)
        if config.dropout:
            x = layers.Dropout(config.dropout, name=f"block{block}_dropout")(x)
    x = layers.Flatten(name="flatten")(x)
    for number, units in enumerate(config.dense, start=1):
        x = layers.Dense(
            units, config.activation, kernel_initializer=config.initializer, name=f"dense{number}"
        )(x)
        if config.dropout:
            x = layers.Dropout(config.dropout, name=f"dense{number}_dropout")(x)
    return layers.Dense(num_classes, kernel_initializer=config.initializer, name="logits")(x)
