"""Unseen: a network that is trained further must not be tested on what it has learned from."""

from dataclasses import replace

import numpy as np

from convlens.config import Config
from convlens.data.draws import Indices
from convlens.data.prepared import Prepared
from convlens.errors import ConfigError
from convlens.language import _, ngettext, recorded
from convlens.run_images import are_among
from convlens.training.network import Origin


def was_trained_on(origin: Origin, prepared: Prepared) -> bool:
    """Return whether a network was trained on the same images, no more and no fewer."""
    before = {} if origin.trained is None else origin.trained.provenance.get("data", {})
    return prepared.has_fingerprint(before.get("fingerprint"))


def refuse_other_split(origin: Origin, prepared: Prepared, config: Config) -> None:
    """Refuse to train a network further on the same images if they are split in another way.

    Some images of the test set would be among those that the first training has learned from.

    Args:
        origin: The network.
        prepared: The images.
        config: The configuration, which splits them.

    Raises:
        ConfigError: If a setting of the split differs from that of the first training.
    """
    if origin.trained is None or not was_trained_on(origin, prepared):
        return
    before = origin.trained.provenance["config"]
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


def with_learned_in_training(origin: Origin, prepared: Prepared) -> Prepared:
    """Return images whose test set has none that a network has learned from; these train instead.

    If images were added since the first training, the draw may move some of the others. A test set
    of the source stays as it is. So does one that would lose more than half of its images or all of
    a class: scores that are too high, and are said to be, tell more than those of a few images.

    Args:
        origin: The network.
        prepared: The images.
    """
    given = prepared.dataset.splits
    if not len(origin.learned) or (given is not None and "test" in given):
        return prepared
    splits = prepared.splits
    learned = are_among(prepared.store.contents, origin.learned)
    belong = np.isin(prepared.clusters[splits.test], prepared.clusters[learned])
    moved = splits.test[belong]
    left = splits.test[~belong]
    labels = prepared.dataset.labels
    loses_class = not np.isin(labels[moved], labels[left]).all()
    if not len(moved) or 2 * len(left) < len(splits.test) or loses_class:
        return prepared
    note = ngettext(
        "the classifier that this begins with has learned from {number:,} image that was drawn for "
        "the test; it is in the training instead, which leaves {left:,} of {total:,} images for "
        "the test",
        "the classifier that this begins with has learned from {number:,} images that were drawn "
        "for the test; they are in the training instead, which leaves {left:,} of {total:,} images "
        "for the test",
        len(moved),
    ).format(number=len(moved), left=len(left), total=len(splits.test))
    train = np.union1d(splits.train, moved)
    return replace(
        prepared,
        splits=replace(splits, train=train, test=left),
        recorded_notes=(*prepared.recorded_notes, recorded(note)),
    )


def with_learned_noted(origin: Origin, prepared: Prepared, scored: Indices) -> Prepared:
    """Return images with a note if a network has learned from some of those that will be scored.

    Other images than those of the first training may have some in common with them.

    Args:
        origin: The network.
        prepared: The images.
        scored: The indices of the images that will be scored.
    """
    learned = int(np.count_nonzero(are_among(prepared.store.contents[scored], origin.learned)))
    if not learned:
        return prepared
    note = _(
        "the classifier that this begins with has learned from {learned:,} of the {total:,} images "
        "that will be scored, so that the scores will be too high; to score it on others: convlens "
        "evaluate RUN --data FOLDER"
    ).format(learned=learned, total=len(scored))
    return replace(prepared, recorded_notes=(*prepared.recorded_notes, recorded(note)))
