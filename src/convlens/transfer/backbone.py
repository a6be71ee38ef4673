"""Backbone: the layers of a trained network below its top, a new head on them, and which learn.

The top is everything that follows the last feature map, because it knows the classes of the first
training. A network without feature maps gives the input of its last layer.

Lower layers learn with smaller rates ("discriminative fine-tuning"), and gradual unfreezing lets
them begin later. A group is the layers whose feature maps have one size; the group with the
smallest maps, next to the head, is the top group.

Source      Howard, Ruder, "Universal Language Model Fine-tuning for Text Classification", 2018,
            arXiv:1801.06146, sections 3.2 and 3.3
"""

from difflib import get_close_matches
from fnmatch import fnmatchcase

import keras

from convlens.anatomy.summary import layer_table
from convlens.config import Config, TransferConfig
from convlens.errors import ConfigError
from convlens.language import _, listed, sentences
from convlens.setting import either
from convlens.training.optimization import Multiplier

FEATURES = "features"  # the name of the layer that gives the features of an image
HEAD = "transfer_"  # what the names of the new layers begin with
POOLINGS = {
    "max": keras.layers.GlobalMaxPooling2D,
    "average": keras.layers.GlobalAveragePooling2D,
    "avg": keras.layers.GlobalAveragePooling2D,
    "none": keras.layers.Flatten,
}
GRADUAL_SHARE = 0.5  # of the steps, after which gradual unfreezing has reached the lowest group
LIKENESS = 0.4  # of a name in a message to the pattern that matches nothing
NAMED = 3  # layers in that message


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
        x = keras.layers.Flatten(name=FEATURES)(last)
    unfreeze(keras.Model(trained.input, x), config.transfer)
    for number, units in enumerate(config.transfer.head, start=1):
        x = keras.layers.Dense(units, "relu", name=f"{HEAD}dense{number}")(x)
    logits = keras.layers.Dense(num_classes, name=f"{HEAD}logits")(x)
    return keras.Model(trained.input, logits, name=name)


def body_of(model: keras.Model) -> keras.Model:
    """Return the part of a model with a new head from uint8 images to (batch, width) features."""
    return keras.Model(model.input, model.get_layer(FEATURES).output, name="body")


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
    chosen = _matching(settings, trainable_layers(body, settings))
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
    return [
        layer for layer in with_weights if not isinstance(layer, keras.layers.BatchNormalization)
    ]


def _matching(settings: TransferConfig, candidates: list[keras.Layer]) -> list[keras.Layer]:
    """Return the layers that the text of `--unfreeze` names."""
    text = str(settings.unfreeze)
    if text == "all":
        return candidates
    if text.isdecimal():
        if not 1 <= int(text) <= len(candidates):
            raise ConfigError(
                _(
                    "--unfreeze must be 1 to {count}, the number of layers of {backbone} that can "
                    "learn; found {text}."
                ).format(count=len(candidates), backbone=settings.backbone, text=text)
            )
        return candidates[-int(text) :]
    names = [layer.name for layer in candidates]
    found: set[str] = set()
    for pattern in (part.strip() for part in text.split(",")):
        matching = {name for name in names if fnmatchcase(name, pattern)}
        if not matching:
            raise ConfigError(_no_match(pattern, names, settings))
        found |= matching
    return [layer for layer in candidates if layer.name in found]


def _no_match(pattern: str, names: list[str], settings: TransferConfig) -> str:
    """Return that a pattern of `--unfreeze` matches none of the layers, and names of some."""
    word = pattern.strip("*?")
    known = {name: name for name in names}
    if word != pattern:  # It may stand for a block, such as stage7 of stage7_block1_project_conv.
        known |= {block: f"{block}*" for name in names for block in _blocks_of(name)}
    near = [known[one] for one in get_close_matches(word, known, n=NAMED, cutoff=LIKENESS)]
    message: str = _(
        "--unfreeze must name layers of {backbone}; found {pattern}, which matches none of the "
        "{count} that can learn. Did you mean {near}?"
    )
    if not near:
        message = _(
            "--unfreeze must name layers of {backbone}; found {pattern}, which matches none of the "
            "{count} that can learn, such as {near}."
        )
    message = message.format(
        backbone=settings.backbone,
        pattern=pattern or "''",
        count=len(names),
        near=either(near) if near else listed(names[-NAMED:]),
    )
    if settings.train_batch_norm:
        return message
    return sentences(message, _("Batch normalisations are among them with --train-batch-norm."))


def _blocks_of(name: str) -> list[str]:
    """Return the beginnings of the name of a layer, which name the blocks that it lies in.

    >>> _blocks_of("stage7_block1_conv")
    ['stage7', 'stage7_block1']
    """
    parts = name.split("_")
    return ["_".join(parts[:count]) for count in range(1, len(parts))]


def learning_rate_multipliers(
    model: keras.Model, body: keras.Model, settings: TransferConfig
) -> list[Multiplier]:
    """Return how fast each of the model's trainable variables learns, in their order.

    The head and the top group learn at the full rate, and each group below at `layer_decay` times
    the rate of the group above it.
    """
    strides = map_strides(body)
    groups = sorted(
        {strides[layer.name] for layer in body.layers if layer.trainable_variables}, reverse=True
    )
    latest = GRADUAL_SHARE if settings.gradual else 0.0
    of_group = {
        size: Multiplier(settings.layer_decay**number, latest * number / len(groups))
        for number, size in enumerate(groups)
    }
    return [
        of_group.get(strides.get(layer.name, 0), Multiplier())
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
