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
MOST_NAMED = 2000  # images with findings whose features are computed besides
SEED = 0


def measure(
    prepared: Prepared,
    findings: Sequence[Finding],
    *,
    of_run: bool = False,
    share: Score | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Return the effect of leaks and wrong labels on the score, and a map of the images.

    Of many images, the features of some are computed, drawn at random in whole clusters, and those
    of images with findings. Features of a backbone are kept for later runs.

    Args:
        prepared: The images.
        findings: What was found among them.
        of_run: Whether the images and the findings are those of a run. If so, the effect of the
            labels that are almost surely wrong is measured, and otherwise that of leaks.
        share: The expected share of wrong labels, or None.
        progress: Called with the number of images whose features are done, and of all.

    Raises:
        StorageError: If the features cannot be written.
    """
    dataset = prepared.dataset
    known = np.flatnonzero(prepared.store.usable).astype(np.int64)
    if of_run:
        splits = prepared.splits
        known = np.sort(np.concatenate([splits.train, splits.val, splits.test]))
    drawn = known[draw_clusters(prepared.clusters[known], np.random.default_rng(SEED))]
    indices = np.union1d(drawn, np.intersect1d(known, _named(findings)))
    features = audit_features(prepared, indices, progress)
    of_drawn = features.values[np.searchsorted(indices, drawn)]
    effects = []
    if not of_run:
        effects.append(leak_effect(of_drawn, drawn, dataset, prepared.clusters))
    else:
        wrong = [index for one in findings if one.code == WRONG for index in one.indices]
        train = np.intersect1d(prepared.splits.train, drawn)
        test = np.intersect1d(prepared.splits.test, drawn)
        effects.append(
            labels_effect(of_drawn, drawn, dataset, train, test, np.array(wrong, np.int64))
        )
    return Measured(
        effects=[effect for effect in effects if effect is not None],
        map=make_map(features.values, indices, findings, features.name, of=len(known)),
        images=prepared.store.images,
        splits=_names(prepared) if of_run else None,
        share=share,
        unit=prepared.preprocessing.unit,
    )


def _named(findings: Sequence[Finding]) -> NDArray[np.int64]:
    """Return images of findings; of many, some are drawn."""
    named = np.unique([index for one in findings for index in one.indices]).astype(np.int64)
    drawn: NDArray[np.int64] = np.random.default_rng(SEED).permutation(named)[:MOST_NAMED]
    return drawn


def _names(prepared: Prepared) -> NDArray[np.str_]:
    """Return (n,) the split of each image, and nothing for images that are in none."""
    names = np.full(len(prepared.dataset), "", dtype="U5")
    for split in SPLITS:
        names[getattr(prepared.splits, split)] = split
    return names
