"""Evaluation: from labels and probabilities to every score that a report shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlens.errors import DataError
from convlens.evaluation import metrics
from convlens.evaluation.scores import Bin, ClassScores, Score

EXPLANATIONS = {  # score: its name, and what it says
    "accuracy": ("Accuracy", "Share of the images that were named rightly."),
    "top_3": ("Top 3", "Share of the images whose true class is among the three most probable."),
    "top_5": ("Top 5", "Share of the images whose true class is among the five most probable."),
    "balanced_accuracy": (
        "Balanced accuracy",
        "Mean recall of the classes: every class counts the same, however many images it has.",
    ),
    "macro_precision": (
        "Precision (macro)",
        "When it names a class, how often that is right: the mean over the classes.",
    ),
    "macro_recall": (
        "Recall (macro)",
        "Of the images of a class, how many it finds: the mean over the classes.",
    ),
    "macro_f1": (
        "F1 (macro)",
        "Harmonic mean of precision and recall: high only where both are; mean over the classes.",
    ),
    "log_loss": (
        "Log loss",
        "Mean of \N{MINUS SIGN}ln(probability given to the true class); 0 is perfect, sure mistakes cost most.",
    ),
    "expected_calibration_error": (
        "Calibration error",
        "How far confidence and accuracy are apart on average; "
        "0 means that of the answers given with 90\N{NO-BREAK SPACE}% confidence 90 in 100 are right.",
    ),
}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that labels and probabilities say about a classifier.

    Attributes:
        labels: (n,) int64, the true classes.
        probabilities: (n, num_classes).
        class_names: num_classes names.
        images_seen: which images these are: "test", "validation", "train", or the name of another set.
        scores: score by name, as in `EXPLANATIONS`.
        per_class: precision, recall and F1 of every class.
        confusion: (num_classes, num_classes) counts; rows are the true class.
        bins: the calibration curve.
        threshold: the least confidence with which an image is said to be of a class; None where every image is.
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
        """(n,) most probable class of each image."""
        return np.asarray(self.probabilities.argmax(1), np.int64)

    @cached_property
    def confidence(self) -> NDArray[np.floating]:
        """(n,) probability of that class."""
        return np.asarray(self.probabilities.max(1))

    @property
    def answered(self) -> Score:
        """Share of the images whose confidence reaches the threshold; the others are "none of these"."""
        return metrics.wilson(int(self._answered.sum()), len(self.labels))

    @property
    def answered_rightly(self) -> Score:
        """Accuracy among those."""
        return metrics.accuracy(self.labels[self._answered], self.predicted[self._answered])

    @property
    def _answered(self) -> NDArray[np.bool_]:
        return np.asarray(self.confidence >= (self.threshold or 0))

    def worst(self, m: int) -> NDArray[np.int64]:
        """Return the indices of at most m mistakes, the most confident first."""
        return self._most_confident(self.predicted != self.labels, m)

    def right(self, m: int) -> NDArray[np.int64]:
        """Return the indices of at most m right answers, spread evenly from the most to the least confident."""
        order = self._most_confident(self.predicted == self.labels, len(self.labels))
        spread = np.linspace(0, len(order) - 1, min(m, len(order))).round().astype(np.int64)
        return np.asarray(order[spread])

    def _most_confident(self, where: NDArray[np.bool_], m: int) -> NDArray[np.int64]:
        indices = np.flatnonzero(where)
        return np.asarray(indices[np.argsort(-self.confidence[indices], kind="stable")[:m]])

    def confusions(self, m: int) -> list[tuple[str, str, int]]:
        """Return at most m pairs of classes most often confused: (true class, predicted class, images)."""
        mistakes = self.confusion - np.diag(np.diag(self.confusion))
        order = np.argsort(-mistakes, axis=None, kind="stable")[:m]
        names = self.class_names
        pairs = [
            (int(row), int(column))
            for row, column in zip(*np.unravel_index(order, mistakes.shape), strict=True)
        ]
        return [(names[i], names[j], int(mistakes[i, j])) for i, j in pairs if mistakes[i, j]]

    @property
    def baseline(self) -> float:
        """Accuracy of always answering the class with the most images."""
        return float(self.confusion.sum(1).max() / len(self.labels))

    def to_dict(self) -> dict[str, Any]:
        """Return every number, ready for JSON: metrics, classes, confusion, calibration."""
        return {
            "images_seen": self.images_seen,
            "n": len(self.labels),
            "metrics": {name: score.to_dict() for name, score in self.scores.items()},
            "baseline": self.baseline,
            "class_names": list(self.class_names),
            "classes": [
                {
                    "name": one.name,
                    "images": one.images,
                    "predicted": one.predicted,
                    "precision": one.precision.to_dict(),
                    "recall": one.recall.to_dict(),
                    "f1": one.f1.to_dict(),
                }
                for one in self.per_class
            ],
            "confusion": self.confusion.tolist(),
            "calibration": [
                {
                    "low": one.low,
                    "high": one.high,
                    "confidence": one.confidence if one.accuracy.n else None,
                    "accuracy": one.accuracy.to_dict(),
                }
                for one in self.bins
            ],
            "none_of_these": None
            if self.threshold is None
            else {
                "threshold": self.threshold,
                "answered": self.answered.to_dict(),
                "accuracy": self.answered_rightly.to_dict(),
            },
        }


def evaluate(
    labels: ArrayLike,
    probabilities: ArrayLike,
    class_names: Sequence[str],
    *,
    images_seen: str = "test",
    threshold: float | None = None,
) -> Evaluation:
    """Return all scores of (n,) labels against (n, num_classes) probabilities in the order of `class_names`.

    The same input gives the same numbers: the bootstrap is seeded.

    Raises:
        DataError: nothing to evaluate, shapes that do not fit, labels out of range, or no probabilities in 0..1.
    """
    truth, answers, names = (
        np.asarray(labels, np.int64),
        np.asarray(probabilities),
        tuple(class_names),
    )
    _check(truth, answers, names)
    predicted = answers.argmax(1)
    confusion = metrics.confusion_matrix(truth, predicted, len(names))
    scores = {"accuracy": metrics.accuracy(truth, predicted)}
    for k, least in ((3, 4), (5, 10)):  # where it says more than accuracy does
        if len(names) >= least:
            scores[f"top_{k}"] = metrics.top_k_accuracy(truth, answers, k)
    scores |= metrics.macro_scores(confusion)
    scores["log_loss"] = metrics.log_loss(truth, answers)
    scores["expected_calibration_error"] = metrics.expected_calibration_error(truth, answers)
    return Evaluation(
        truth,
        answers,
        names,
        images_seen,
        scores,
        metrics.class_scores(confusion, names),
        confusion,
        metrics.calibration_bins(truth, answers),
        threshold,
    )


def _check(
    labels: NDArray[np.int64], probabilities: NDArray[np.floating], names: tuple[str, ...]
) -> None:
    if len(labels) == 0:
        raise DataError(
            "Scores need at least one image with a label; found none. Give some, or a larger --test."
        )
    if probabilities.shape != (len(labels), len(names)):
        raise DataError(
            f"Probabilities must be (images, classes) = ({len(labels)}, {len(names)}); found {probabilities.shape}."
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= len(names)))
    if len(wrong):
        raise DataError(
            f"Labels must be 0 to {len(names) - 1}, the classes of the classifier; "
            f"found {labels[wrong[0]]} for image {wrong[0]}."
        )
    bad = np.flatnonzero(~((probabilities >= 0) & (probabilities <= 1.001)).all(1))
    bad = (
        bad
        if len(bad)
        else np.flatnonzero(np.abs(probabilities.sum(1, dtype=np.float64) - 1) > 0.02)
    )
    if len(bad):
        raise DataError(
            f"Probabilities must be 0 to 1 and sum to 1; found {probabilities[bad[0]]} for image {bad[0]}. "
            "Logits need a softmax first."
        )
