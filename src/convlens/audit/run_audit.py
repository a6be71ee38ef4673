"""Audit of a run: which labels its images should not have, and where its classifier is worse.

The classifier judges the images that it has not learned from, those of validation and test, and
regressions on features judge all images out of fold; where both do, their probabilities are joined.
Pairs of classes and slices are those of the classifier.
"""

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from convlens import backend
from convlens.audit.doubts import Doubt, find_doubts
from convlens.audit.features import (
    PATCHES,
    AuditFeatures,
    audit_features,
    require_both_backbones,
    thorough_features,
)
from convlens.audit.out_of_fold import Judged, judge_out_of_fold
from convlens.audit.share import SLACK, SLACK_OF_PATCHES, estimate_share
from convlens.audit.slices import HardPair, Slice, hard_pairs, worse_slices
from convlens.data.clusters import belonging_together
from convlens.data.dataset import Dataset
from convlens.data.duplicates import find_pairs
from convlens.data.prepared import Prepared, prepare_data
from convlens.errors import RunError
from convlens.evaluation.scores import Score
from convlens.language import _
from convlens.run import Run
from convlens.screen import Screen

# What was noted of each image while it was decoded; see `convlens.data.looks`.
MEASURED = ("width", "height", "brightness", "contrast", "sharpness", "colourfulness")
TINY = 1e-12  # the least probability of which a logarithm is taken


@dataclass(frozen=True, eq=False)
class RunAudit:
    """What is doubtful about the images of a run, as plain data.

    Attributes:
        prepared: The images of the run, with its splits.
        judged: The predicted probabilities of the images that were judged.
        doubts: The labels to doubt, the surest ones first.
        share: The expected share of wrong labels among the judged images, with its interval.
        pairs: Classes that the classifier confuses more often than others.
        slices: Images on which it is worse than on others of the same classes.
        features: The name of the features of the regressions.
        scored: The number of images by which pairs and slices were found: the classifier had
            learned neither from them nor from a copy of them. 0 if those of the regressions were.
    """

    prepared: Prepared
    judged: Judged
    doubts: tuple[Doubt, ...]
    share: Score
    pairs: tuple[HardPair, ...]
    slices: tuple[Slice, ...]
    features: str
    scored: int


def audit_run(
    run: Run,
    screen: Screen | None = None,
    *,
    dataset: Dataset | None = None,
    thorough: bool = False,
) -> RunAudit:
    """Return what is doubtful about the images of a run.

    Args:
        run: A run with a classifier.
        screen: Where the progress is shown.
        dataset: The images of the run, where they lie elsewhere now.
        thorough: Whether labels are judged by two backbones, which find more wrong ones and take
            three times as long. What was computed is kept, also if it is stopped.

    Raises:
        ModelError: If the weights of a backbone are missing that a thorough audit needs.
        RunError: If the images are not those of the run.
        DataError: If the images cannot be found or read.
        ClassifierError: If the run has no classifier.
        StorageError: If features cannot be written.
    """
    screen = screen or Screen(quiet=True)
    if thorough:
        require_both_backbones()
    prepared = open_images(run, dataset, screen)
    splits = prepared.splits
    labels = prepared.dataset.labels
    used = np.sort(np.concatenate([splits.train, splits.val, splits.test]))
    with screen.counter(_("looking for copies")) as progress:
        pairs = find_pairs(prepared.store, progress=progress)
    clusters = belonging_together(prepared.dataset, prepared.store, pairs)
    features = _features(prepared, used, screen, thorough=thorough)
    judged = _out_of_fold(run, prepared, used, clusters[used], features.values, screen)
    unseen = judge_unseen(run, prepared, clusters)
    scored = judged
    if len(unseen.indices):
        scored = unseen
        judged = joined(judged, unseen, labels)
    given = labels[scored.indices]
    predicted = scored.probabilities.argmax(axis=1)
    slack = SLACK_OF_PATCHES if features.name == PATCHES else SLACK
    share = estimate_share(judged.probabilities, labels[judged.indices], slack)
    return RunAudit(
        prepared=prepared,
        judged=judged,
        doubts=find_doubts(judged, labels, share),
        share=share,
        pairs=hard_pairs(scored.indices, given, predicted, prepared.dataset.num_classes),
        slices=worse_slices(scored.indices, given, predicted, columns_of(prepared, scored.indices)),
        features=features.name,
        scored=len(unseen.indices),
    )


def _features(
    prepared: Prepared, used: NDArray[np.int64], screen: Screen, *, thorough: bool
) -> AuditFeatures:
    if thorough:
        return thorough_features(prepared, used, screen)
    with screen.counter(_("features")) as progress:
        return audit_features(prepared, used, progress)


def _out_of_fold(
    run: Run,
    prepared: Prepared,
    used: NDArray[np.int64],
    clusters: NDArray[np.int64],
    features: NDArray[np.float32],
    screen: Screen,
) -> Judged:
    """Return what regressions say of images that they have not learned from.

    Args:
        run: The run.
        prepared: Its images.
        used: (n,) indices of the images.
        clusters: (n,) the number of the cluster of copies of each.
        features: (n, width) their features.
        screen: Where the progress is shown.
    """
    with screen.counter(_("regressions")) as progress:
        found = judge_out_of_fold(
            features,
            prepared.dataset.labels[used],
            prepared.dataset.num_classes,
            clusters,
            seed=run.config.training.seed,
            progress=progress,
        )
    return Judged(used[found.indices], found.probabilities)


def open_images(run: Run, dataset: Dataset | None, screen: Screen) -> Prepared:
    """Return the images of a run as its classifier takes them, with the run's splits.

    Raises:
        RunError: If the images are not those of the run, or if the run consists of draws.
        DataError: If the images cannot be found or read.
        ClassifierError: If the run has no classifier.
    """
    if "few" in run.data:
        raise RunError(
            _(
                "{folder}: a training on few images consists of draws. To audit one of them: "
                "convlens audit {draw}."
            ).format(folder=run.folder, draw=shlex.quote(str(run.folder / "draw-1")))
        )
    config = run.config
    if dataset is None:
        remedy = _("The images of {folder} lay there; if they lie elsewhere now, give --data.")
        dataset = run.load_images(remedy=remedy.format(folder=run.folder))
    backend.start(threads=config.training.threads)
    classifier = run.classifier()
    dataset = run.corrected(dataset).with_classes(classifier.class_names)
    with screen.counter(_("decoding")) as progress:
        prepared = prepare_data(
            dataset,
            config,
            preprocessing=classifier.preprocessing,
            progress=progress,
            drawn=run.drawn(dataset),
        )
    return run.divided(prepared)


def judge_unseen(run: Run, prepared: Prepared, clusters: NDArray[np.int64] | None = None) -> Judged:
    """Return what the classifier says of the images of validation and test.

    In a cross-validation, the classifier of each fold judges the images that were held out.

    Args:
        run: The run.
        prepared: Its images.
        clusters: (n,) numbers, equal for images that belong together. If they are given, the images
            are left out that belong together with one from which the classifier has learned.
    """
    held_out: list[tuple[Run, tuple[str, ...]]]
    if "folds" in run.data:
        inner = [run.part(f"fold-{number}") for number in range(1, run.data["folds"] + 1)]
        held_out = [(one, ("test",)) for one in inner]
    else:
        held_out = [(run, ("val", "test"))]
    probabilities = np.zeros((len(prepared.dataset), prepared.dataset.num_classes), np.float32)
    judged = np.zeros(len(prepared.dataset), bool)
    for one, names in held_out:
        splits = one.divided(prepared).splits
        indices = np.sort(np.concatenate([getattr(splits, name) for name in names]))
        if clusters is not None:
            learned = clusters[splits.train]
            indices = indices[~np.isin(clusters[indices], learned)]
        judged[indices] = True
        probabilities[indices] = one.classifier().probabilities(
            prepared.store.images, indices=indices
        )
    indices = np.flatnonzero(judged)
    return Judged(indices, probabilities[indices])


def joined(one: Judged, other: Judged, labels: NDArray[np.int64]) -> Judged:
    """Return the images of both; where both judge, the mean of their probabilities.

    The mean is weighted so that the labels are as probable as can be.

    Args:
        one: What models say of some images.
        other: What another model says of some images.
        labels: (n,) the labels of all images.
    """
    both, mine, theirs = np.intersect1d(one.indices, other.indices, return_indices=True)
    indices = np.union1d(one.indices, other.indices)
    rows = np.empty((len(indices), one.probabilities.shape[1]), np.float32)
    rows[np.searchsorted(indices, one.indices)] = one.probabilities
    rows[np.searchsorted(indices, other.indices)] = other.probabilities
    if len(both):
        first = one.probabilities[mine].astype(np.float64)
        second = other.probabilities[theirs].astype(np.float64)
        place = np.arange(len(both)), labels[both]

        def loss(weight: float) -> float:
            mixed = weight * first[place] + (1 - weight) * second[place]
            return float(-np.log(np.maximum(mixed, TINY)).mean())

        weight = minimize_scalar(loss, bounds=(0, 1), method="bounded").x
        rows[np.searchsorted(indices, both)] = weight * first + (1 - weight) * second
    return Judged(indices, rows)


def columns_of(prepared: Prepared, indices: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return (m,) facts of some images by name, in which slices are looked for.

    Args:
        prepared: The images.
        indices: (m,) the images.
    """
    dataset = prepared.dataset
    looks = prepared.store.looks[indices]
    columns: dict[str, NDArray[Any]] = {name: looks[name].astype(float) for name in MEASURED}
    columns["camera"] = np.char.decode(looks["camera"], "utf-8", "replace")
    if dataset.splits is not None:
        columns["split"] = dataset.splits[indices]
    if not isinstance(dataset.images, np.ndarray):
        folders = [PurePosixPath(dataset.file_name(index)).parent for index in indices]
        columns["folder"] = np.array([str(folder) for folder in folders], np.str_)
    return columns
