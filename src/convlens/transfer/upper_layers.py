"""Upper layers: where only they learn, they learn from kept maps of the frozen layers below.

A frozen layer computes the same map of an image in every epoch, unless the image is augmented. The
lower layers of a backbone, of which none learns, therefore see each image once: their last map is
kept by the content of the image, as features are. An image that flips has two maps, one of them of
its mirror image. Every step then computes the upper layers only, which takes a fraction of the
time of the whole network.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens import backend
from convlens.classifier.classifier import Classifier
from convlens.classifier.runtime import compile_model, said_arithmetic
from convlens.data.augment import mirrored
from convlens.data.batches import Batches
from convlens.data.decoding import Progress
from convlens.data.store import Store
from convlens.language import N_, _, ngettext
from convlens.preprocess import ImageArray
from convlens.run import Run
from convlens.screen import duration
from convlens.training.checkpoint import State
from convlens.training.setup import Setup
from convlens.transfer.feature_cache import BATCH, FeatureCache, Network
from convlens.transfer.features import key_of
from convlens.transfer.kept_maps import choose_map, kind_of


class MapCache(FeatureCache):
    """The maps of images, by content, which the list of the cache tells from features."""

    place = "maps"
    described = N_("the maps of {count:,} images ({megabytes:,.0f} MB)")


class Maps:
    """The maps of the images of a store, as if they were an array of them.

    Args:
        cache: Where they are kept.
        network: Computes those that are missing, as rows.
        store: The decoded images.
        shape: (height, width, channels) of a map.
    """

    def __init__(
        self, cache: MapCache, network: Network, store: Store, shape: tuple[int, ...]
    ) -> None:
        self.cache = cache
        self.network = network
        self.shape = shape
        self.blank = False  # whether zeros take the place of maps
        self._store = store
        self._known = np.zeros(len(store.images), bool)

    def missing(self, indices: NDArray[np.int64]) -> int:
        """Return how many of the images have no map yet; equal images count once."""
        return len(self.cache.missing(self._store, indices))

    def compute(self, indices: NDArray[np.int64], progress: Progress | None = None) -> int:
        """Compute the maps that are missing, and return their number; see `FeatureCache.compute`.

        Args:
            indices: (m,) indices of all images whose maps are needed from here on.
            progress: Called with the number of maps that are done, and of all.

        Raises:
            StorageError: If the maps cannot be written. What was computed before is kept.
        """
        number = self.cache.compute(self.network, self._store, indices, progress)
        self._known[indices] = True
        return number

    def __getitem__(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return (m, height, width, channels) maps; those that are missing are computed first."""
        if self.blank:
            return np.zeros((len(indices), *self.shape), np.float32)
        if not self._known[indices].all():
            self.compute(indices)
        return self.cache.rows(self._store.digests[indices]).reshape(-1, *self.shape)


class FlippedBatches(Batches):
    """Batches of maps in which those of the mirror images take turns with the others.

    They are mirrored in the epochs in which `augment` mirrors the images.

    Args:
        *facts: See `Batches`.
        mirror_maps: The maps of the mirror images.
        **more: See `Batches`.
    """

    def __init__(self, *facts: Any, mirror_maps: Maps, **more: Any) -> None:
        super().__init__(*facts, **more)
        self.mirror_maps = mirror_maps

    def slice_at(self, epoch: int, step: int, part: slice) -> tuple[NDArray[np.generic], ...]:
        """Return some maps of the batch of a step, with their targets."""
        maps, *others = super().slice_at(epoch, step, part)
        indices = self.indices_at(epoch, step)[part]
        number, _step = self._place(epoch, step)
        flipped = mirrored(indices, seed=int(self.seed or 0), epoch=number)
        if flipped.any():
            maps[flipped] = self.mirror_maps[indices[flipped]]
        return maps, *others


@dataclass(eq=False)
class UpperSetup(Setup):
    """The setup of a training of the upper layers, whose input are maps.

    `network` is the model from maps to logits, and shares its layers with the whole network.

    Attributes:
        whole: The setup with the whole network, which the classifier has.
        maps: The maps of all images.
        mirror_maps: The maps of the mirror images, or None where images do not flip.
        arithmetic: The precision and the engine that compute the maps.
    """

    whole: Setup = field(kw_only=True)
    maps: Maps = field(kw_only=True)
    mirror_maps: Maps | None = field(kw_only=True)
    arithmetic: str = field(kw_only=True)

    @property
    def inputs(self) -> Any:
        """The maps of all images."""
        return self.maps

    def batches(
        self, indices: NDArray[np.int64], kind: Callable[..., Batches] = Batches, **options: Any
    ) -> Batches:
        """Return batches of the maps of images; see `Setup.batches`."""
        if self.mirror_maps is not None and options.get("augmentation") is not None:
            kind = partial(FlippedBatches, mirror_maps=self.mirror_maps)
        return super().batches(indices, kind, **options | {"augmentation": None})

    def classifier(self) -> Classifier:
        """Return a classifier with the whole network."""
        return self.whole.classifier()

    def save_classifier(self, run: Run, state: State, provenance: Mapping[str, Any]) -> None:
        """Write the classifier of the best epoch so far; see `Setup.save_classifier`."""
        self.whole.save_classifier(run, state, provenance)

    def missing(self) -> int:
        """Return the number of maps that must be computed."""
        splits = self.prepared.splits
        number = self.maps.missing(np.concatenate([splits.train, splits.val]))
        if self.mirror_maps is not None:
            number += self.mirror_maps.missing(splits.train)
        return number

    @contextmanager
    def blank_maps(self) -> Iterator[None]:
        """Let zeros take the place of the maps in the block, where steps are measured."""
        every = [self.maps, *filter(None, [self.mirror_maps])]
        for maps in every:
            maps.blank = True
        try:
            yield
        finally:
            for maps in every:
                maps.blank = False

    def cost(self) -> tuple[float, str]:
        """Return the seconds of the missing maps, measured on one batch, and say them in words."""
        how = _("{shape} numbers an image, {arithmetic}").format(
            shape=" x ".join(map(str, self.maps.shape)), arithmetic=self.arithmetic
        )
        number = self.missing()
        if not number:
            return 0.0, _("kept from an earlier run; {how}").format(how=how)
        images = self.prepared.store.images[self.prepared.splits.train[:BATCH]]
        self.maps.network(images)  # The first call may compile.
        began = time.monotonic()
        self.maps.network(images)
        seconds = (time.monotonic() - began) / len(images) * number
        said = ngettext(
            "about {time} for {count:,} map, measured, kept for later; {how}",
            "about {time} for {count:,} maps, measured, kept for later; {how}",
            number,
        ).format(time=duration(max(1, seconds)), count=number, how=how)
        return seconds, said

    def compute(self, progress: Progress) -> None:
        """Compute the maps that are missing.

        Args:
            progress: Called with the number of maps that are done, and of all.

        Raises:
            StorageError: If the maps cannot be written. What was computed before is kept.
        """
        before = 0
        total = self.missing()

        def of_all(done: int, _number: int) -> None:
            progress(before + done, total)

        splits = self.prepared.splits
        before = self.maps.compute(np.concatenate([splits.train, splits.val]), of_all)
        if self.mirror_maps is not None:
            self.mirror_maps.compute(splits.train, of_all)


def upper_setup(setup: Setup) -> Setup:
    """Return a setup of the upper layers alone where maps are kept, else the given one.

    See `kept_maps.choose_map`, which decides it.
    """
    chosen = choose_map(setup)
    if chosen is None:
        return setup
    network = setup.network
    shape = tuple(chosen.shape[1:])
    kind = kind_of(setup)
    largest = np.finfo(kind).max
    lower = keras.Model(network.input, keras.layers.Flatten(name="maps")(chosen), name="lower")
    compiled = compile_model(lower, setup.precision)

    def maps_of(view: str, network: Network) -> Maps:
        key = key_of(lower, setup.prepared, compiled, f" {kind.name} {view}")
        return Maps(MapCache(key, math.prod(shape), kind), network, setup.prepared.store, shape)

    def finite(images: ImageArray) -> NDArray[np.float32]:
        return np.clip(compiled(images), -largest, largest)

    mirror_maps = None
    if setup.config.augment.flip:
        mirror_maps = maps_of("mirrored", lambda images: finite(images[:, :, ::-1]))
    # On small maps depthwise convolutions take a smaller part of the time, so that bfloat16 pays.
    config = setup.config.replace(precision=backend.resolve_precision(setup.precision))
    upper = UpperSetup(
        setup.prepared,
        setup.origin,
        config,
        setup.precision,
        keras.Model(chosen, network.output, name=network.name),
        setup.class_weights,
        whole=setup,
        maps=maps_of("", finite),
        mirror_maps=mirror_maps,
        arithmetic=said_arithmetic(compiled.arithmetic),
    )
    if setup.memory:  # The whole network does not fit, but its upper layers may.
        upper.config = upper.config.replace(micro_batch=None)
        upper.fit_into_memory()
        setup.memory = upper.memory
        setup.config = setup.config.replace(micro_batch=upper.config.training.micro_batch)
    return upper
