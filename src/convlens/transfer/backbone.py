"""Backbone: the layers of a trained network below its top, and a new head on them.

The top is everything that follows the last feature map, because it knows the classes of the first
training. A network without feature maps gives the input of its last layer.
"""

from collections import Counter
from typing import Any

import keras
from keras import layers

from convlens.anatomy.graph import run_graph
from convlens.anatomy.summary import layer_table
from convlens.classifier.assembly import finalize
from convlens.config import Config
from convlens.transfer.unfreeze import unfreeze

FEATURES = "features"  # the name of the layer that gives the features of an image
HEAD = "transfer_"  # what the names of the new layers begin with
POOLINGS = {
    "max": layers.GlobalMaxPooling2D,
    "average": layers.GlobalAveragePooling2D,
    "avg": layers.GlobalAveragePooling2D,
    "none": layers.Flatten,
}


def with_new_head(trained: keras.Model, num_classes: int, config: Config, name: str) -> keras.Model:
    """Return a trained model with its top replaced by a new head, and with layers unfrozen.

    Args:
        trained: A model from uint8 images to logits. Its layers are shared.
        num_classes: The number of logits of the new head.
        config: The pooling, the hidden layers of the head, and the layers to unfreeze.
        name: The name of the new model.

    Raises:
        ConfigError: If a pattern of `--unfreeze` matches no layer.
    """
    last = _last_map(trained)
    if len(last.shape) == 4:
        x = POOLINGS[config.model.pooling or "average"](name=FEATURES)(last)
    else:
        x = layers.Flatten(name=FEATURES)(last)
    unfreeze(keras.Model(trained.input, x), config.transfer)
    for number, units in enumerate(config.transfer.head, start=1):
        x = layers.Dense(units, "relu", name=f"{HEAD}dense{number}")(x)
    logits = layers.Dense(num_classes, name=f"{HEAD}logits")(x)
    return keras.Model(trained.input, logits, name=name)


def body_of(model: keras.Model) -> keras.Model:
    """Return the part of a model with a new head from uint8 images to (batch, width) features."""
    return keras.Model(model.input, model.get_layer(FEATURES).output, name="body")


def flat_copy(model: keras.Model) -> keras.Model:
    """Return a copy with its weights, in which the layers of nested models take their place.

    It is a copy because all folds of a cross-validation begin with the weights of the file.
    """
    copies: dict[int, tuple[keras.Layer, keras.Layer]] = {}
    names: Counter[str] = Counter()

    def rebuild(node: keras.Operation) -> Any:
        if isinstance(node, keras.Model):
            return lambda *inputs, **_: run_graph(node, keras.tree.flatten(inputs), rebuild)
        if not isinstance(node, keras.Layer):
            return node
        if id(node) not in copies:
            names[node.name] += 1
            name = node.name if names[node.name] == 1 else f"{node.name}_{names[node.name]}"
            copy = node.__class__.from_config(node.get_config() | {"name": name})
            copies[id(node)] = (node, copy)
        return copies[id(node)][1]

    inputs = keras.Input(model.input_shape[1:], dtype=model.input.dtype, name="images")
    copied = keras.Model(inputs, rebuild(model)(inputs), name=model.name)
    for old, new in copies.values():
        new.set_weights(old.get_weights())
    finalize(copied)
    return copied


def _last_map(model: keras.Model) -> keras.KerasTensor:
    """Return the last feature map, or the input of the last layer where there is none.

    A feature map has the shape (batch, height, width, channels).
    """
    rows = layer_table(model)
    # Before the first layer with weights there is only the image.
    first = next(number for number, row in enumerate(rows) if row.params)
    of_map = [row.name for row in rows[first:] if row.stride is not None]
    operations = {operation.name: operation for operation in model.operations}
    if of_map:
        return operations[of_map[-1]].output
    return operations[next(row.name for row in reversed(rows) if row.params)].input
