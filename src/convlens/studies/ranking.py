"""Ranking: networks in the order of their validation accuracy, with what each costs, and which differences are real."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.anatomy.summary import count_multiply_adds, rounded
from convlens.charts.comparison import show_growth, show_tradeoff
from convlens.classifier.classifier import Classifier
from convlens.data.prepared import Prepared
from convlens.errors import StorageError, TrainingError
from convlens.evaluation.metrics import accuracy
from convlens.evaluation.paired import Pair, compare_pairs
from convlens.evaluation.scores import Score
from convlens.report.finish import finish
from convlens.run import Run
from convlens.screen import Screen

TRAINED = "trained.json"  # in a run: its training is over; the seconds it took and what happened on the way
ALONE = 50  # images answered one by one to time a prediction, after WARM that do not count
WARM = 5
SAID = 10  # verdicts that are said; of more pairs, those with the first of the ranking


@dataclass(frozen=True, eq=False)
class Entry:
    """A network of a comparison.

    Attributes:
        name: in the zoo.
        num_params: all parameters.
        multiply_adds: on one image of this size.
        epochs: finished.
        passes: over the training images, in those epochs.
        seconds: trained, validations and writing included.
        milliseconds: to answer one image that is decoded, alone in its batch, in float32; a median.
        val: accuracy on the validation images, which chose the epoch and make the ranking.
        test: accuracy on the test images, touched once.
        right: (n,) whether each test image was named rightly.
        note: what happened on the way, or "".
    """

    name: str
    num_params: int
    multiply_adds: int
    epochs: int
    passes: float
    seconds: float
    milliseconds: float
    val: Score
    test: Score
    right: NDArray[np.bool_]
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return every number, ready for JSON."""
        return {
            "model": self.name,
            "parameters": self.num_params,
            "multiply_adds": self.multiply_adds,
            "epochs": self.epochs,
            "passes": round(self.passes, 2),
            "seconds": round(self.seconds, 1),
            "milliseconds": round(self.milliseconds, 3),
            "validation": self.val.to_dict(),
            "test": self.test.to_dict(),
            "note": self.note,
        }


@dataclass(frozen=True, eq=False)
class Ranking:
    """Entries, the best validation accuracy first, and a verdict on every pair of them."""

    entries: tuple[Entry, ...]
    pairs: tuple[Pair, ...]

    @property
    def said(self) -> tuple[Pair, ...]:
        """The verdicts to be read: all, or those with the first where there are many."""
        if len(self.pairs) <= SAID:
            return self.pairs
        return tuple(pair for pair in self.pairs if pair.first == self.entries[0].name)

    def to_dict(self) -> dict[str, Any]:
        """Return every number, ready for JSON; row i and column j of the matrices are models i and j."""
        names = [entry.name for entry in self.entries]
        corrected = np.ones((len(names), len(names)))
        only_row = np.zeros((len(names), len(names)), np.int64)
        for pair in self.pairs:
            i, j = names.index(pair.first), names.index(pair.second)
            corrected[i, j] = corrected[j, i] = pair.p_corrected
            only_row[i, j], only_row[j, i] = pair.first_only, pair.second_only
        return {
            "ranking": [entry.to_dict() for entry in self.entries],
            "paired_test": {
                "test": "exact McNemar, two-sided, on the test images; Holm's correction over all pairs",
                "models": names,
                "p_corrected": corrected.tolist(),
                "only_row_right": only_row.tolist(),
                "pairs": [pair.to_dict() for pair in self.pairs],
                "verdicts": [str(pair) for pair in self.pairs],
            },
        }

    def draw(self, folder: Path, histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Write tradeoff.png and growth.png into a folder; `histories` by name. Raises StorageError."""
        names, scores = (
            [entry.name for entry in self.entries],
            [entry.val for entry in self.entries],
        )
        costs = {
            "multiply-adds of one image": [float(entry.multiply_adds) for entry in self.entries],
            "milliseconds to answer one image, measured": [
                entry.milliseconds for entry in self.entries
            ],
        }
        try:
            folder.mkdir(exist_ok=True)
            show_tradeoff(names, scores, costs).savefig(folder / "tradeoff.png", dpi=110)
            show_growth(names, [histories[name] for name in names]).savefig(
                folder / "growth.png", dpi=110
            )
        except OSError as error:
            raise StorageError(
                f"{folder}: the charts cannot be written; {error.strerror or error}."
            ) from error

    def rows(self) -> list[tuple[str, ...]]:
        """Return the final table, its headings first."""
        rows: list[tuple[str, ...]] = [
            ("model", "parameters", "mult-adds", "trained", "ms", "validation, 95 %", "test, 95 %")
        ]
        return rows + [
            (
                entry.name,
                rounded(entry.num_params),
                rounded(entry.multiply_adds),
                f"{entry.seconds:.0f} s",
                f"{entry.milliseconds:.1f}",
                f"{entry.val.value_text} {entry.val.interval_text}",
                f"{entry.test.value_text} {entry.test.interval_text}",
            )
            for entry in self.entries
        ]


def rank(entries: Sequence[Entry]) -> Ranking:
    """Return the entries by validation accuracy, of equals the one with fewer multiply-adds first."""
    ordered = sorted(entries, key=lambda entry: (-entry.val.value, entry.multiply_adds))
    names = [entry.name for entry in ordered]
    pairs = compare_pairs(names, np.stack([entry.right for entry in ordered])) if ordered else []
    return Ranking(tuple(ordered), tuple(pairs))


def score_runs(runs: Sequence[tuple[Run, Prepared]], screen: Screen) -> Ranking:
    """Score trained runs on their validation and test images, write their reports, and rank them.

    Raises:
        TrainingError: none of them finished an epoch.
    """
    entries = []
    for run, prepared in runs:
        trained = run.read(TRAINED)
        if run.classifier_path.exists():
            entries.append(_score(run, prepared, trained["seconds"], trained["note"]))
        else:
            screen.note(f"{run.folder.name} is left out: {trained['note']}")
    if not entries:
        raise TrainingError("none of the networks finished an epoch, so there is nothing to rank.")
    return rank(entries)


def _score(run: Run, prepared: Prepared, seconds: float, note: str) -> Entry:
    config = run.config
    finished = finish(run, prepared, Screen(quiet=True))
    if finished.scored is None:
        raise TrainingError(f"{run.folder}: a comparison needs images to score on.")
    classifier = finished.classifier
    scored = finished.scored
    images, labels, val = prepared.store.images, prepared.dataset.labels, prepared.splits.val
    answers = classifier.probabilities(images, indices=val).argmax(1)
    milliseconds = _milliseconds(classifier, images, val)
    epochs = len(run.history)
    steps_per_pass = math.ceil(len(prepared.splits.train) / config.training.batch_size)
    return Entry(
        config.model.model,
        int(classifier.provenance["parameters"]),
        count_multiply_adds(classifier.model),
        epochs,
        epochs * (config.training.steps_per_epoch or steps_per_pass) / steps_per_pass,
        seconds,
        milliseconds,
        accuracy(labels[val], answers),
        scored.evaluation.scores["accuracy"],
        scored.evaluation.predicted == scored.evaluation.labels,
        note,
    )


def _milliseconds(
    classifier: Classifier, images: NDArray[np.uint8], indices: NDArray[np.int64]
) -> float:
    """Return the median milliseconds to answer one decoded image, alone in its batch."""
    taken = []
    for number in range(WARM + ALONE):
        one = indices[number % len(indices) :][:1]
        began = time.perf_counter()
        classifier.probabilities(images, indices=one)
        taken.append(time.perf_counter() - began)
    return 1000 * float(np.median(taken[WARM:]))
