"""Versions: several classifiers on the images that all of them were tested on.

Images that one of them alone was tested on do not count, since another one may have learned from
them. Where the versions record different labels for an image, that of the last version counts: it
is the one that somebody has looked at last.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convlens.evaluation import metrics
from convlens.evaluation.paired import Pair, compare_pairs
from convlens.evaluation.predictions import Predictions
from convlens.evaluation.scores import Score


@dataclass(frozen=True, eq=False)
class Versions:
    """m classifiers on the n images that all of them were tested on.

    Attributes:
        names: Their names, those of the last one at the end.
        tested: How many images each of them was tested on.
        files: The names of the n images.
        labels: The true class of each image.
        predicted: For each classifier, the predicted class of each image.
        confidence: (m, n) the probability of the predicted class.
        relabelled: How many of the images have different labels in the versions.
        correct: (m, n) whether each classifier predicts each image correctly.
        pairs: The paired test of each two; none if no image is common.
    """

    names: tuple[str, ...]
    tested: tuple[int, ...]
    files: tuple[str, ...]
    labels: tuple[str, ...]
    predicted: tuple[tuple[str, ...], ...]
    confidence: NDArray[np.float64]
    relabelled: int
    correct: NDArray[np.bool_]
    pairs: tuple[Pair, ...]

    @property
    def accuracies(self) -> list[Score]:
        """The accuracy of each classifier on these images."""
        return [metrics.wilson(int(row.sum()), len(self.files)) for row in self.correct]

    def cell(self, first: int, second: int, *, is_first: bool, is_second: bool) -> list[int]:
        """Return the images that two classifiers predict correctly or not, as is asked for.

        Those of which the classifiers are surest stand first.
        """
        where = (self.correct[first] == is_first) & (self.correct[second] == is_second)
        indices = np.flatnonzero(where)
        sure = np.maximum(self.confidence[first], self.confidence[second])[indices]
        found: list[int] = indices[np.argsort(-sure, kind="stable")].tolist()
        return found


def compare_versions(
    predictions: Mapping[str, Predictions], *, same_images: bool = True
) -> Versions:
    """Return several classifiers on the images that all of them were tested on.

    Args:
        predictions: Of each classifier, by its name, the last one at the end.
        same_images: Whether images of the same name are the same; otherwise none is common.
    """
    names = tuple(predictions)
    found = list(predictions.values())
    common = set(found[-1].files) if same_images else set()
    common = common.intersection(*(one.files for one in found))
    files = tuple(file for file in found[-1].files if file in common)
    places = [_places(one, files) for one in found]
    placed = list(zip(found, places, strict=True))
    recorded = [_names(one, one.labels[place]) for one, place in placed]
    predicted = [_names(one, one.predicted[place]) for one, place in placed]
    labels = recorded[-1]
    correct = np.array(
        [[one == label for one, label in zip(row, labels, strict=True)] for row in predicted], bool
    ).reshape(len(found), len(files))
    return Versions(
        names=names,
        tested=tuple(len(one.files) for one in found),
        files=files,
        labels=labels,
        predicted=tuple(predicted),
        confidence=np.array([one.confidence[place] for one, place in placed]),
        relabelled=sum(len(set(row)) > 1 for row in zip(*recorded, strict=True)),
        correct=correct,
        pairs=tuple(compare_pairs(names, correct)) if files else (),
    )


def _places(found: Predictions, files: tuple[str, ...]) -> NDArray[np.int64]:
    """Return where some images stand in predictions."""
    places = {file: place for place, file in enumerate(found.files)}
    return np.array([places[file] for file in files], np.int64)


def _names(found: Predictions, numbers: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(found.class_names[number] for number in numbers)
