"""Unfreeze: which layers of a backbone learn, and how fast each of them does.

Lower layers learn with smaller rates ("discriminative fine-tuning"), and gradual unfreezing lets
them begin later. A group is the layers whose feature maps have one size; the group with the
smallest maps, next to the head, is the top group.

Source      Howard, Ruder, "Universal Language Model Fine-tuning for Text Classification", 2018,
            arXiv:1801.06146, sections 3.2 and 3.3
"""

from difflib import get_close_matches
from fnmatch import fnmatchcase

import keras
from keras import layers

from convlens.anatomy.summary import layer_table
from convlens.config import TransferConfig
from convlens.errors import ConfigError
from convlens.training.optimizers import Multiplier

GRADUAL_SHARE = 0.5  # of the steps, after which gradual unfreezing has reached the lowest group
LIKENESS = 0.4  # of a name in a message to the pattern that matches nothing
NAMED = 3  # layers in that message


def unfreeze(body: keras.Model, settings: TransferConfig) -> list[keras.Layer]:
    """Let the layers learn that `settings.unfreeze` names, and no others; return them.

    Args:
        body: The layers below the head. They are changed.
        settings: Its `unfreeze` is None, "all", the number of the last layers with weights, or
            patterns with commas between them. Batch normalisations stay frozen unless
            `train_batch_norm` is set.

    Raises:
        ConfigError: If a pattern matches no layer with weights.
    """
    for layer in body.layers:
        layer.trainable = False
    if settings.unfreeze is None:
        return []
    chosen = _matching(settings.unfreeze, trainable_layers(body, settings))
    for layer in chosen:
        layer.trainable = True
    return chosen


def trainable_layers(body: keras.Model, settings: TransferConfig) -> list[keras.Layer]:
    """Return the layers that can learn, which are those with weights.

    Batch normalisations are among them only if `settings.train_batch_norm` is set.
    """
    with_weights = [layer for layer in body.layers if layer.weights]
    if settings.train_batch_norm:
        return with_weights
    return [layer for layer in with_weights if not isinstance(layer, layers.BatchNormalization)]


def _matching(text: str, candidates: list[keras.Layer]) -> list[keras.Layer]:
    """Return the layers that the text of `--unfreeze` names."""
    if text == "all":
        return candidates
    if text.isdecimal():
        if not 1 <= int(text) <= len(candidates):
            raise ConfigError(
                "--unfreeze must be 1 to {count} layers, as many as can learn; found "
                "{text}.".format(count=len(candidates), text=text)
            )
        return candidates[-int(text) :]
    names = [layer.name for layer in candidates]
    found: set[str] = set()
    for pattern in (part.strip() for part in text.split(",")):
        matching = {name for name in names if fnmatchcase(name, pattern)}
        if not matching:
            plain = pattern.strip("*?")
            near = get_close_matches(plain, names, n=NAMED, cutoff=LIKENESS) or names[-NAMED:]
            raise ConfigError(
                "--unfreeze {pattern} must match layers with weights; it matches none of {count}. "
                "Some of them are: {near}. Batch normalisations count with "
                "--train-batch-norm.".format(
                    pattern=pattern, count=len(names), near=", ".join(near)
                )
            )
        found |= matching
    return [layer for layer in candidates if layer.name in found]


def learning_rate_multipliers(
    model: keras.Model, body: keras.Model, settings: TransferConfig
) -> list[Multiplier]:
    """Return how fast each of the model's trainable variables learns, in their order.

    The head and the top group learn at the full rate, and each group below at `layer_decay` times
    the rate of the group above it.
    """
    strides = map_strides(body)
    sizes = {strides[layer.name] for layer in body.layers if layer.trainable_variables}
    groups = {size: number for number, size in enumerate(sorted(sizes, reverse=True))}
    of_body = {}
    for layer in body.layers:
        number = groups.get(strides[layer.name], 0)
        begin = 0.0
        if settings.gradual and groups:
            begin = GRADUAL_SHARE * number / len(groups)
        of_body[layer.name] = Multiplier(settings.layer_decay**number, begin)
    return [
        of_body.get(layer.name, Multiplier())
        for layer in model.layers
        for _ in layer.trainable_variables
    ]


def map_strides(body: keras.Model) -> dict[str, int]:
    """Return the stride in pixels of the feature map of each layer, by the layer's name.

    A layer without a map has the stride of the map before it. A gate (squeeze and excitation) looks
    at the whole of a map and belongs to it.
    """
    strides: dict[str, int] = {}
    last = 1
    for row in layer_table(body):
        if row.stride:
            last = max(row.stride)
        strides[row.name] = last
    return strides
