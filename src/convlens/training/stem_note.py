"""Stem note: what `--stem small` would keep of an image, and what it does to trained weights."""

from dataclasses import replace

import keras

from convlens.anatomy.summary import count_multiply_adds, layer_table
from convlens.config import Config, ModelConfig
from convlens.data.prepared import Prepared
from convlens.errors import ModelError
from convlens.language import _
from convlens.text import multiple
from convlens.zoo.create import LEAST_WITH_STEM, create_model
from convlens.zoo.registry import model_info


def stem_note(name: str, prepared: Prepared, config: ModelConfig, model: keras.Model) -> list[str]:
    """Return a note on `--stem small`, or nothing where the last feature map is more than a pixel.

    Args:
        name: The name of the network in the zoo.
        prepared: The images.
        config: The settings of the network.
        model: The network with the stem of its paper.
    """
    if config.stem != "paper" or min(model_info(name).input_shape[:2]) < LEAST_WITH_STEM:
        return []
    model = keras.Model(model.inputs, model.outputs[0])  # without auxiliary heads
    left = _last_map_size(model)
    if min(left) > 1:
        return []
    height, width, channels = prepared.preprocessing.shape
    sides = prepared.enlarged_from or (height, width)
    try:
        small = create_model(
            name,
            input_shape=(*sides, channels),
            num_classes=prepared.dataset.num_classes,
            config=replace(config, stem="small"),
        )
    except ModelError:
        return []
    small = keras.Model(small.inputs, small.outputs[0])
    kept = _last_map_size(small)
    if min(kept) == 1:
        note = _(
            "{name} shrinks {size} to {left}, and no less with --stem small; a larger --size "
            "leaves more of the images"
        )
    elif prepared.enlarged_from:
        note = _(
            "{name} shrinks {size} to {left}; --stem small keeps {kept} of {sides}, at "
            "{times} times the multiply-adds"
        )
    else:
        note = _(
            "{name} shrinks {size} to {left}; --stem small keeps {kept}, at {times} times the "
            "multiply-adds"
        )
    return [
        note.format(
            name=name,
            size="{} x {}".format(height, width),
            left="{} x {}".format(*left),
            kept="{} x {}".format(*kept),
            sides="{} x {}".format(*sides),
            times=multiple(count_multiply_adds(small) / count_multiply_adds(model)),
        )
    ]


def borrowed_stem_note(name: str, config: Config) -> list[str]:
    """Return a note if trained weights are used with another stem than they were learned with.

    Args:
        name: The name of the network in the zoo.
        config: The configuration, with the stem, the backbone and the weights.
    """
    has_weights = config.transfer.backbone is not None or config.transfer.weights is not None
    if config.model.stem == "paper" or not has_weights:
        return []
    return [
        _(
            "with --stem small, the first layers of {name} are not those with which trained "
            "weights are usually learned: the accuracy can be much lower. Leave --stem out, or "
            "train both ways and compare"
        ).format(name=name)
    ]


def _last_map_size(model: keras.Model) -> tuple[int, int]:
    """Return the (height, width) of the last feature map, before the network looks at all of it."""
    last = [row for row in layer_table(model) if row.stride is not None][-1]
    height, width, _ = last.output_shape
    return height, width
