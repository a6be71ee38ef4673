"""Measure: what the page of an audit shows besides the findings, from features of the images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convlens.audit.effect import draw_clusters, labels_effect, leak_effect
from convlens.audit.features import audit_features
from convlens.audit.finding import Finding
from convlens.audit.map import make_map
from convlens.audit.page import Measured
from convlens.data.dataset import SPLITS
from convlens.data.decoding import Progress
from convlens.data.prepared import Prepared
from convlens.evaluation.scores import Score

WRONG = "wrong_label"  # the code of the labels whose effect is measured


def measure(
    prepared: Prepared,
    findings: Sequence[Finding],
    *,
    of_run: bool = False,
    share: Score | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Return the effect of leaks and wrong labels on the score, and a map of the images.

    Features of 12,000 images at most are computed; those of a backbone are kept for later runs.

    Args:
        prepared: The images.
        findings: What was found among them.
        of_run: Whether the splits of the images are those of a run. If so, the effect of the labels
            that are almost surely wrong is measured, too.
        share: The expected share of wrong labels, or None.
        progress: Called with the number of images whose features are done, and of all.

    Raises:
        StorageError: If the features cannot be written.
    """
    dataset = prepared.dataset
    readable = np.flatnonzero(prepared.store.usable).astype(np.int64)
    drawn = draw_clusters(prepared.clusters[readable], np.random.default_rng(0))
    indices = readable[drawn]
    features = audit_features(prepared, indices, progress)
    effects = [leak_effect(features.values, indices, dataset, prepared.clusters)]
    if of_run:
        wrong = {index for one in findings if one.code == WRONG for index in one.indices}
        effects.append(
            labels_effect(
                features.values,
                indices,
                dataset,
                np.intersect1d(prepared.splits.train, indices),
                np.intersect1d(prepared.splits.test, indices),
                np.array(sorted(wrong), np.int64),
            )
        )
    return Measured(
        effects=[effect for effect in effects if effect is not None],
        map=make_map(features.values, indices, findings, features.name),
        images=prepared.store.images,
        splits=_names(prepared) if of_run else None,
        share=share,
    )


def _names(prepared: Prepared) -> NDArray[np.str_]:
    """Return (n,) the split of each image, and nothing for images that are in none."""
    names = np.full(len(prepared.dataset), "", dtype="U5")
    for split in SPLITS:
        names[getattr(prepared.splits, split)] = split
    return names
