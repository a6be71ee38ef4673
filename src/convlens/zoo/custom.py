"""A network of one's own: every choice of the lectures' "make your own" is a field of the configuration."""

import keras
from keras import layers

from convlens.config import ModelConfig
from convlens.zoo.registry import register_model

POOLINGS = {
    "max": layers.MaxPooling2D,
    "average": layers.AveragePooling2D,
    "avg": layers.AveragePooling2D,
}


@register_model(
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
    """Your own: blocks of convolutions, pooling and dropout, then dense layers.

    Args:
        inputs: (batch, height, width, channels).
        num_classes: number of logits.
        config: filters, convs_per_block, kernel_size, strides, padding, pooling, pool_size, pool_strides, dense,
            dropout, activation and initializer. The parameters above are those of its defaults.
    """
    x = inputs
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
        if (pooling := config.pooling or "max") in POOLINGS:
            x = POOLINGS[pooling](config.pool_size, config.pool_strides, name=f"block{block}_pool")(
                x
            )
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
