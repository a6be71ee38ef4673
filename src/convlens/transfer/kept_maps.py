"""Kept maps: which map of the frozen layers of a network is kept, and where maps are kept at all.

A frozen layer computes the same map of an image in every epoch, unless the image is augmented.
"""

import math
import shutil
from collections import Counter
from dataclasses import replace

import keras
import numpy as np

from convlens.anatomy.graph import parents, producer
from convlens.augmentation import describe_augmentation, is_augmented, resolve
from convlens.config import AugmentConfig, Config
from convlens.data.cache import cache_folder
from convlens.data.cache_size import cache_limit
from convlens.errors import ConfigError
from convlens.language import _
from convlens.training.setup import Setup

LARGER = 2.0  # times the smallest map
OF_IMAGE = 2  # times as many numbers as an image has, which its map may have
SHARE = 0.5  # of the free disk and of the limit of the cache that all maps may take


def choose_map(setup: Setup) -> keras.KerasTensor | None:
    """Return the map of the frozen layers to keep, or None where each step computes them.

    What is decided is recorded in the configuration of the setup, as `keep_maps`.

    Raises:
        ConfigError: If maps are asked for and cannot be kept.
        StorageError: If there is no folder for the cache.
    """
    asked = setup.config.transfer.keep_maps
    chosen = None
    obstacle = _obstacle(setup.config)
    if asked is not False and not obstacle:
        chosen = frozen_map(setup.network)
        obstacle = "" if chosen is not None else _("no such layer, or only large maps")
    if asked and obstacle:
        raise _none_kept(obstacle)
    if asked is None and chosen is not None and not _fits(setup, chosen):
        chosen = None
    setup.config = setup.config.replace(keep_maps=chosen is not None)
    return chosen


def refuse_maps(config: Config) -> None:
    """Raise ConfigError if maps are asked for, and another setting keeps them from being kept."""
    obstacle = _obstacle(config)
    if config.transfer.keep_maps and obstacle:
        raise _none_kept(obstacle)


def _none_kept(found: str) -> ConfigError:
    return ConfigError(
        _(
            "--keep-maps needs frozen layers below all that learn, images that are not augmented "
            "but for flips, and no --snapshots; found {found}. Leave out --keep-maps or the other "
            "flag."
        ).format(found=found)
    )


def _obstacle(config: Config) -> str:
    """Return which setting keeps maps from being kept, or an empty text."""
    snapshots = config.training.snapshots
    if snapshots:  # which hold the whole network
        return f"--snapshots {snapshots}"
    augment = resolve(config.augment, flip_allowed=False)
    return "" if has_flips_only(augment) else describe_augmentation(augment)


def has_flips_only(augment: AugmentConfig) -> bool:
    """Return whether a resolved augmentation changes images in no other way than by flips."""
    return not is_augmented(replace(augment, flip=False))


def kind_of(setup: Setup) -> np.dtype[np.floating]:
    """Return the type of the numbers of a map in the cache: 16 bits unless float32 is asked for."""
    return np.dtype(np.float32 if setup.precision == "float32" else np.float16)


def number_of_maps(setup: Setup) -> int:
    """Return how many maps a training needs; an image that flips has two."""
    splits = setup.prepared.splits
    return len(splits.train) * (1 + bool(setup.config.augment.flip)) + len(splits.val)


def _fits(setup: Setup, chosen: keras.KerasTensor) -> bool:
    """Return whether all maps fit on the disk and into the cache; if not, the setup notes it."""
    each = math.prod(chosen.shape[1:]) * kind_of(setup).itemsize
    needed = number_of_maps(setup) * each
    room = SHARE * min(shutil.disk_usage(cache_folder()).free, cache_limit())
    if needed > room:
        setup.maps_note = _(
            "the maps of the frozen layers would take {needed:,.0f} MB, more than {room:,.0f} MB, "
            "half of the free disk or of the limit of the cache: the frozen layers are computed in "
            "every step, which takes several times as long"
        ).format(needed=needed / 1e6, room=room / 1e6)
    return not setup.maps_note


def frozen_map(network: keras.Model) -> keras.KerasTensor | None:
    """Return the map of frozen layers that is worth keeping, or None where there is none.

    Nothing above it needs another tensor from below, and no layer below it learns, of which at
    least one has weights of its own. It is the highest one that is at most `LARGER` times as large
    as the smallest: the frozen layers above it are computed in every step. A map that takes much
    more space than the image is not worth it.
    """
    tensors = _in_order(network.output)
    calls = Counter(id(producer(tensor)) for tensor in tensors)
    last_use: dict[int, int] = {}
    for number, tensor in enumerate(tensors):
        last_use |= {id(parent): number for parent in parents(tensor)}
    found = []
    needed_until = -1  # the last tensor that is computed from those before
    is_frozen = False  # whether there is something to save
    for number, tensor in enumerate(tensors[:-1]):
        layer = producer(tensor)
        has_weights = bool(getattr(layer, "weights", ()))
        if has_weights and layer.trainable:
            break
        is_frozen |= has_weights and not isinstance(layer, keras.layers.Normalization)
        # A layer that is called again further up cannot be replaced by an input.
        if is_frozen and needed_until <= number and calls[id(layer)] == 1:
            found.append(tensor)
        needed_until = max(needed_until, last_use[id(tensor)])
    sizes = [math.prod(tensor.shape[1:]) for tensor in found]
    most = min(LARGER * min(sizes, default=0), OF_IMAGE * math.prod(network.input.shape[1:]))
    small = [one for one, size in zip(found, sizes, strict=True) if size <= most]
    return small[-1] if small else None


def _in_order(output: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Return the tensors from which another is computed, each after its parents, and itself."""
    found: dict[int, keras.KerasTensor] = {}
    stack = [output]
    while stack:
        tensor = stack[-1]
        waiting = [parent for parent in parents(tensor) if id(parent) not in found]
        if waiting:
            stack += waiting
        else:
            found[id(stack.pop())] = tensor
    return list(found.values())
