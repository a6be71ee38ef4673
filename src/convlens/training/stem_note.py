"""Stem note: what the small stem would change for images that are small for a network."""

import dataclasses

import keras

from convlens.anatomy.summary import count_multiply_adds, layer_table
from convlens.config import ModelConfig
from convlens.data.prepared import Prepared
from convlens.errors import ModelError
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
    left = _last_map(model)
    if min(left) > 1:
        return []
    height, width, channels = prepared.preprocessing.shape
    sides = prepared.enlarged_from or (height, width)
    try:
        small = create_model(
            name,
            input_shape=(*sides, channels),
            num_classes=prepared.dataset.num_classes,
            config=dataclasses.replace(config, stem="small"),
        )
    except ModelError:
        return []
    small = keras.Model(small.inputs, small.outputs[0])
    kept = _last_map(small)
    shrinks = "{name} shrinks {height} x {width} to {left_height} x {left_width}".format(
        name=name, height=height, width=width, left_height=left[0], left_width=left[1]
    )
    if min(kept) == 1:
        return [
            "{shrinks}, and no less with --stem small; a larger --size leaves more of the "
            "images".format(shrinks=shrinks)
        ]
    kept_text = "{height} x {width}".format(height=kept[0], width=kept[1])
    if prepared.enlarged_from:
        kept_text += " of {height} x {width}".format(height=sides[0], width=sides[1])
    times = count_multiply_adds(small) / count_multiply_adds(model)
    return [
        "{shrinks}; --stem small keeps {kept}, at {times:.2g} times the multiply-adds".format(
            shrinks=shrinks, kept=kept_text, times=times
        )
    ]


def _last_map(model: keras.Model) -> tuple[int, int]:
    """Return the (height, width) of the last feature map, before the network looks at all of it."""
    rows = reversed(layer_table(model))
    height, width, _ = next(row for row in rows if row.stride is not None).output_shape
    return height, width
