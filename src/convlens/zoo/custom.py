"""Custom: your own network, in which every choice of the lectures is a setting."""

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
    """Your own network: blocks of convolutions, pooling and dropout, then dense layers.

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
            pool = pooling(config.pool_size, config.pool_strides, name=f"block{block}_pool")
            x = pool(x)
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
