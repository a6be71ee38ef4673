"""Evaluation: from labels and predicted probabilities to every score that a report shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlens.errors import DataError
from convlens.evaluation import metrics
from convlens.evaluation.scores import Bin, ClassScores, Score
from convlens.language import N_, _

EXPLANATIONS = {  # from each score to its name and its meaning
    "accuracy": (N_("Accuracy"), N_("Share of the images that are classified correctly.")),
    "top_3": (
        N_("Top 3"),
        N_("Share of the images whose true class is among the three most probable classes."),
    ),
    "top_5": (
        N_("Top 5"),
        N_("Share of the images whose true class is among the five most probable classes."),
    ),
    "balanced_accuracy": (
        N_("Balanced accuracy"),
        N_("Mean recall of the classes. Every class counts the same, however many images it has."),
    ),
    "macro_precision": (
        N_("Precision (macro)"),
        N_(
            "Share of the images predicted as a class that belong to it, averaged over the classes."
        ),
    ),
    "macro_recall": (
        N_("Recall (macro)"),
        N_("Share of the images of a class that are found, averaged over the classes."),
    ),
    "macro_f1": (
        N_("F1 (macro)"),
        N_(
            "Harmonic mean of precision and recall, averaged over the classes. It is high only if "
            "both are high."
        ),
    ),
    "log_loss": (
        N_("Log loss"),
        N_(
            "Mean of −ln(probability of the true class). 0 is perfect; confident mistakes cost "
            "most."
        ),
    ),
    "expected_calibration_error": (
        N_("Calibration error"),
        N_(
            "Mean distance between confidence and accuracy. At 0, of the predictions made with "
            "90 % confidence, 90 in 100 are correct."
        ),
    ),
}
IMAGES_SEEN = {"test": N_("test"), "validation": N_("validation"), "train": N_("train")}
# A top-k accuracy is reported from this number of classes on, where it says more than the accuracy.
TOP_K = {3: 4, 5: 10}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Everything that labels and probabilities say about a classifier.

    Attributes:
        labels: (n,) int64, the true classes.
        probabilities: (n, num_classes), the predicted probabilities.
        class_names: The names of the classes.
        images_seen: Which images were scored: "test", "validation", "train", or the name of another
            set.
        scores: The scores by name, as in `EXPLANATIONS`.
        per_class: Precision, recall and F1 of every class.
        confusion: (num_classes, num_classes) counts; the rows are the true classes.
        bins: The bins of the calibration curve.
        threshold: The least confidence with which an image is assigned to a class. If None, every
            image is.
    """

    labels: NDArray[np.int64]
    probabilities: NDArray[np.floating]
    class_names: tuple[str, ...]
    images_seen: str
    scores: dict[str, Score]
    per_class: tuple[ClassScores, ...]
    confusion: NDArray[np.int64]
    bins: tuple[Bin, ...]
    threshold: float | None = None

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """(n,) the predicted class of each image, which is the most probable one."""
        return np.asarray(self.probabilities.argmax(1), np.int64)

    @cached_property
    def confidence(self) -> NDArray[np.floating]:
        """(n,) the probability of the predicted class."""
        return np.asarray(self.probabilities.max(1))

    @property
    def accepted(self) -> Score:
        """The share of the images that reach the threshold; the others are "none of these"."""
        return metrics.wilson(int(self._is_accepted.sum()), len(self.labels))

    @property
    def accepted_accuracy(self) -> Score:
        """The accuracy on the images that reach the threshold."""
        return metrics.accuracy(self.labels[self._is_accepted], self.predicted[self._is_accepted])

    @property
    def _is_accepted(self) -> NDArray[np.bool_]:
        return np.asarray(self.confidence >= (self.threshold or 0))

    def worst(self, m: int) -> NDArray[np.int64]:
        """Return the indices of at most m mistakes, the most confident first."""
        return self._by_confidence(self.predicted != self.labels)[:m]

    def correct(self, m: int) -> NDArray[np.int64]:
        """Return at most m indices of correct predictions, evenly from the most confident down."""
        order = self._by_confidence(self.predicted == self.labels)
        spread = np.linspace(0, len(order) - 1, min(m, len(order))).round().astype(np.int64)
        return order[spread]

    def _by_confidence(self, where: NDArray[np.bool_]) -> NDArray[np.int64]:
        indices = np.flatnonzero(where)
        return indices[np.argsort(-self.confidence[indices], kind="stable")]

    def confusions(self, m: int) -> list[tuple[str, str, int]]:
        """Return at most m pairs of most often confused classes: (true, predicted, images)."""
        mistakes = self.confusion - np.diag(np.diag(self.confusion))
        order = np.argsort(-mistakes, axis=None, kind="stable")[:m]
        names = self.class_names
        return [
            (names[row], names[column], int(mistakes[row, column]))
            for row, column in zip(*np.unravel_index(order, mistakes.shape), strict=True)
            if mistakes[row, column]
        ]

    @property
    def baseline(self) -> float:
        """The accuracy of always predicting the class with the most images."""
        return float(self.confusion.sum(1).max() / len(self.labels))

    def to_dict(self) -> dict[str, Any]:
        """Return every number, ready for JSON: metrics, classes, confusion and calibration."""
        none_of_these = {
            "threshold": self.threshold,
            "answered": self.accepted.to_dict(),
            "accuracy": self.accepted_accuracy.to_dict(),
        }
        return {
            "images_seen": self.images_seen,
            "n": len(self.labels),
            "metrics": {name: score.to_dict() for name, score in self.scores.items()},
            "baseline": self.baseline,
            "class_names": list(self.class_names),
            "classes": [one.to_dict() for one in self.per_class],
            "confusion": self.confusion.tolist(),
            "calibration": [one.to_dict() for one in self.bins],
            "none_of_these": None if self.threshold is None else none_of_these,
        }


def evaluate(
    labels: ArrayLike,
    probabilities: ArrayLike,
    class_names: Sequence[str],
    *,
    images_seen: str = "test",
    threshold: float | None = None,
) -> Evaluation:
    """Return all scores of predicted probabilities against the true classes.

    The same input always gives the same numbers, since the bootstrap is seeded.

    Args:
        labels: (n,) the true classes, as numbers.
        probabilities: (n, num_classes), with the columns in the order of `class_names`.
        class_names: The names of the classes.
        images_seen: Which images these are, see `Evaluation`.
        threshold: The threshold of the classifier, see `Evaluation`.

    Raises:
        DataError: If there are no images, the shapes do not match, a label is out of range, or the
            probabilities are not between 0 and 1 with a sum of 1.

    Example:
        >>> evaluation = evaluate([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], ["cat", "dog"])
        >>> print(evaluation.scores["accuracy"])
        66.7 % [20.8, 93.9] n=3
    """
    truth = np.asarray(labels, np.int64)
    rows = np.asarray(probabilities)
    names = tuple(class_names)
    _check(truth, rows, names)
    predicted = rows.argmax(1)
    confusion = metrics.confusion_matrix(truth, predicted, len(names))
    scores = {"accuracy": metrics.accuracy(truth, predicted)}
    for k, fewest in TOP_K.items():
        if len(names) >= fewest:
            scores[f"top_{k}"] = metrics.top_k_accuracy(truth, rows, k)
    scores |= metrics.macro_scores(confusion)
    scores["log_loss"] = metrics.log_loss(truth, rows)
    scores["expected_calibration_error"] = metrics.expected_calibration_error(truth, rows)
    return Evaluation(
        labels=truth,
        probabilities=rows,
        class_names=names,
        images_seen=images_seen,
        scores=scores,
        per_class=metrics.class_scores(confusion, names),
        confusion=confusion,
        bins=metrics.calibration_bins(truth, rows),
        threshold=threshold,
    )


def _check(
    labels: NDArray[np.int64], probabilities: NDArray[np.floating], names: tuple[str, ...]
) -> None:
    if len(labels) == 0:
        raise DataError(
            _(
                "Scores need at least one image with a label; found none. Provide labelled images, "
                "or a larger --test."
            )
        )
    shape = (len(labels), len(names))
    if probabilities.shape != shape:
        raise DataError(
            _("Probabilities must be (images, classes) = {shape}; found {found}.").format(
                shape=shape, found=probabilities.shape
            )
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= len(names)))
    if len(wrong):
        raise DataError(
            _(
                "Labels must be 0 to {last}, the classes of the classifier; found {label} for "
                "image {image}."
            ).format(last=len(names) - 1, label=labels[wrong[0]], image=wrong[0])
        )
    is_in_range = ((probabilities >= 0) & (probabilities <= 1.001)).all(1)
    sums_to_one = np.abs(probabilities.sum(1, dtype=np.float64) - 1) <= 0.02
    wrong = np.flatnonzero(~(is_in_range & sums_to_one))
    if len(wrong):
        raise DataError(
            _(
                "Probabilities must be 0 to 1 and sum to 1; found {row} for image {image}. Logits "
                "need a softmax first."
            ).format(row=probabilities[wrong[0]], image=wrong[0])
        )
