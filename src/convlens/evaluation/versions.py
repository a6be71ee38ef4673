"""Versions: several classifiers, each two on the images that both of them were tested on.

Images that one of the two alone was tested on do not count, since the other one may have learned
from them. Where the two record different labels for an image, that of the later version counts: it
is the one that somebody has looked at last.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from convlens.evaluation import metrics
from convlens.evaluation.paired import Pair, judge_pairs
from convlens.evaluation.predictions import Predictions
from convlens.evaluation.scores import Score


@dataclass(frozen=True, eq=False)
class Common:
    """Two classifiers on the n images that both were tested on.

    Attributes:
        files: The names of the n images.
        labels: The true class of each image.
        predicted: For both classifiers, the predicted class of each image.
        confidence: (2, n) the probability of the predicted class.
        relabelled: (n,) whether the two record different labels.
        correct: (2, n) whether each classifier predicts each image correctly.
    """

    files: tuple[str, ...]
    labels: tuple[str, ...]
    predicted: tuple[tuple[str, ...], ...]
    confidence: NDArray[np.float64]
    relabelled: NDArray[np.bool_]
    correct: NDArray[np.bool_]

    @property
    def accuracies(self) -> list[Score]:
        """The accuracy of both classifiers on these images."""
        return [metrics.wilson(int(row.sum()), len(self.files)) for row in self.correct]

    def cell(self, *, is_first: bool, is_second: bool) -> list[int]:
        """Return the images that the classifiers predict correctly or not, as is asked for.

        Those of which the classifiers are surest stand first.
        """
        indices = np.flatnonzero((self.correct[0] == is_first) & (self.correct[1] == is_second))
        sure = self.confidence.max(0)[indices]
        found: list[int] = indices[np.argsort(-sure, kind="stable")].tolist()
        return found


@dataclass(frozen=True, eq=False)
class Versions:
    """m classifiers in pairs.

    Attributes:
        names: Their names, those of the last one at the end.
        tested: How many images each of them was tested on.
        common: The images of each two, by their names, the earlier one first.
        pairs: The paired test of each two that have common images.
    """

    names: tuple[str, ...]
    tested: tuple[int, ...]
    common: Mapping[tuple[str, str], Common]
    pairs: tuple[Pair, ...]

    @property
    def relabelled(self) -> int:
        """How many images have different labels in two versions that were tested on them."""
        found = self.common.values()
        return len({one.files[place] for one in found for place in np.flatnonzero(one.relabelled)})


def compare_versions(
    predictions: Mapping[str, Predictions],
    *,
    same_images: Callable[[str, str], bool] = lambda first, second: True,
) -> Versions:
    """Return several classifiers, each two on the images that both were tested on.

    Args:
        predictions: Of each classifier, by its name, the last one at the end.
        same_images: Whether images of the same name are the same for two of the names; otherwise
            none is common to these two.
    """
    common = {
        (first, second): _common(
            predictions[first], predictions[second], same_images=same_images(first, second)
        )
        for first, second in combinations(predictions, 2)
    }
    pairs = judge_pairs(
        [(*names, *found.correct) for names, found in common.items() if found.files]
    )
    return Versions(
        names=tuple(predictions),
        tested=tuple(len(one.files) for one in predictions.values()),
        common=common,
        pairs=tuple(pairs),
    )


def _common(first: Predictions, second: Predictions, *, same_images: bool) -> Common:
    names = set(first.files) if same_images else set()
    files = tuple(file for file in second.files if file in names)
    placed = [(one, _places(one, files)) for one in (first, second)]
    recorded = [_names(one, one.labels[place]) for one, place in placed]
    predicted = tuple(_names(one, one.predicted[place]) for one, place in placed)
    labels = recorded[1]
    return Common(
        files=files,
        labels=labels,
        predicted=predicted,
        confidence=np.array([one.confidence[place] for one, place in placed]),
        relabelled=~_equal(recorded[0], labels),
        correct=np.array([_equal(row, labels) for row in predicted]),
    )


def _equal(one: tuple[str, ...], other: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([a == b for a, b in zip(one, other, strict=True)], bool)


def _places(found: Predictions, files: tuple[str, ...]) -> NDArray[np.int64]:
    """Return where some images stand in predictions."""
    places = {file: place for place, file in enumerate(found.files)}
    return np.array([places[file] for file in files], np.int64)


def _names(found: Predictions, numbers: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(found.class_names[number] for number in numbers)
