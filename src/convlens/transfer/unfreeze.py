"""Thaw: which layers of a backbone learn on, and how fast each.

Source      Howard, Ruder, "Universal Language Model Fine-tuning for Text Classification", 2018, arXiv:1801.06146,
            section 3.2: smaller learning rates for lower layers ("discriminative fine-tuning") and gradual unfreezing
Groups      the layers whose maps have one size; the smallest maps, nearest to the head, are the top group
"""

from difflib import get_close_matches
from fnmatch import fnmatchcase

import keras
from keras import layers

from convlens.anatomy.summary import layer_table
from convlens.config import TransferConfig
from convlens.errors import ConfigError
from convlens.training.optimizers import Pace

GRADUAL_SHARE = 0.5  # of the steps, in which gradual unfreezing reaches the lowest group


def thaw(body: keras.Model, settings: TransferConfig) -> list[keras.Layer]:
    """Let the layers that `settings.unfreeze` names learn, the others not; return those that do.

    Args:
        body: its layers are set.
        settings: `unfreeze` is patterns with commas between, a number (of the last layers with weights), or "all".
            Batch normalisations stay as they are unless `train_batch_norm`: then they compute with their statistics.

    Raises:
        ConfigError: a pattern matches no layer with weights.
    """
    for layer in body.layers:
        layer.trainable = False
    chosen = (
        _chosen(str(settings.unfreeze), able_layers(body, settings))
        if settings.unfreeze is not None
        else []
    )
    for layer in chosen:
        layer.trainable = True
    return chosen


def able_layers(body: keras.Model, settings: TransferConfig) -> list[keras.Layer]:
    """Return the layers that can learn, those with weights; batch normalisations with `train_batch_norm` only."""
    able = [layer for layer in body.layers if layer.weights]
    if settings.train_batch_norm:
        return able
    return [layer for layer in able if not isinstance(layer, layers.BatchNormalization)]


def _chosen(text: str, able: list[keras.Layer]) -> list[keras.Layer]:
    if text == "all":
        return able
    if text.isdecimal():
        if not 1 <= int(text) <= len(able):
            raise ConfigError(
                f"--unfreeze must be 1 to {len(able)} layers, as many as can learn; found {text}."
            )
        return able[-int(text) :]
    names = [layer.name for layer in able]
    found = set()
    for pattern in (part.strip() for part in text.split(",")):
        matching = {name for name in names if fnmatchcase(name, pattern)}
        if not matching:
            plain = pattern.strip("*?")
            near = get_close_matches(plain, names, n=3, cutoff=0.4) or names[-3:]
            raise ConfigError(
                f"--unfreeze {pattern} must match layers with weights; it matches none of {len(names)}. "
                f"Some that there are: {', '.join(near)}; batch normalisations count with --train-batch-norm."
            )
        found |= matching
    return [layer for layer in able if layer.name in found]


def paces(model: keras.Model, body: keras.Model, settings: TransferConfig) -> list[Pace]:
    """Return how fast each of the model's trainable variables learns, in their order.

    The head and the top group learn at the full rate, each group below at `layer_decay` of the one above it.
    """
    strides = map_strides(body)
    sizes = sorted({strides[layer.name] for layer in body.layers if layer.trainable_variables})
    groups = {size: number for number, size in enumerate(reversed(sizes))}
    of_body = {}
    for layer in body.layers:
        number = groups.get(strides[layer.name], 0)
        begin = GRADUAL_SHARE * number / len(groups) if settings.gradual and groups else 0.0
        of_body[layer.name] = Pace(settings.layer_decay**number, begin)
    return [
        of_body.get(layer.name, Pace()) for layer in model.layers for _ in layer.trainable_variables
    ]


def map_strides(body: keras.Model) -> dict[str, int]:
    """Return the pixels between neighbours of the map of each layer, or of the map before it where it has none.

    A gate (squeeze and excitation) looks at the whole of a map and belongs to it.
    """
    strides, last = {}, 1
    for row in layer_table(body):
        last = max(row.stride) if row.stride else last
        strides[row.name] = last
    return strides
