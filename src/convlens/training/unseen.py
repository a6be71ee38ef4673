"""Unseen: a network that is trained further must not be tested on what it has learned from."""

from dataclasses import replace

import numpy as np

from convlens.config import Config
from convlens.data.dataset import note_if
from convlens.data.draws import Indices
from convlens.data.prepared import Prepared
from convlens.errors import ConfigError
from convlens.language import _
from convlens.run_images import are_among
from convlens.training.network import Origin


def has_learned_from(origin: Origin, prepared: Prepared, indices: Indices) -> bool:
    """Return whether a network has learned from some of the images, or from all and others.

    Args:
        origin: The network.
        prepared: The images.
        indices: Some of them.
    """
    before = {} if origin.trained is None else origin.trained.provenance.get("data", {})
    is_known = prepared.has_fingerprint(before.get("fingerprint"))
    return is_known or _learned_among(origin, prepared, indices) > 0


def with_unseen_test(origin: Origin, prepared: Prepared, config: Config) -> Prepared:
    """Refuse to train further on the same images with another split, and return the images.

    The first training has learned from some images of the other split's test set.

    Args:
        origin: The network.
        prepared: The images, or some of them and others.
        config: The configuration, which splits them.

    Returns:
        The images, with a note if the network has learned from test images all the same.

    Raises:
        ConfigError: If a setting of the split differs from that of the first training.
    """
    first = origin.trained
    test = prepared.splits.test
    if first is None or not has_learned_from(origin, prepared, test):
        return prepared
    before = first.provenance["config"]
    for flag, old, new in (
        ("--val", before["data"]["val"], config.data.val),
        ("--test", before["data"]["test"], config.data.test),
        ("--limit", before["data"]["limit"], config.data.limit),
        ("--seed", before["training"]["seed"], config.training.seed),
    ):
        if old != new:
            raise ConfigError(
                _(
                    "{flag} must be as in the first training of these images, {old}, or the test "
                    "images would be some that the classifier has learned from; found {new}."
                ).format(flag=flag, old=old, new=new)
            )
    notes = note_if(
        learned := _learned_among(origin, prepared, test),
        _(
            "the classifier that this begins with has learned from {learned:,} of the {total:,} "
            "test images, as the images have changed since then; the scores of the test will be "
            "too high"
        ),
        learned=learned,
        total=len(test),
    )
    return replace(prepared, more_notes=(*prepared.more_notes, *notes))


def _learned_among(origin: Origin, prepared: Prepared, indices: Indices) -> int:
    """Return from how many images with these indices a network is known to have learned."""
    return int(np.count_nonzero(are_among(prepared.store.contents[indices], origin.learned)))
