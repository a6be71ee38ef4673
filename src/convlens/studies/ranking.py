"""Ranking: networks by validation accuracy, with their costs and the significant differences."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.anatomy.summary import count_multiply_adds, rounded
from convlens.charts.comparison import show_growth, show_tradeoff
from convlens.classifier.classifier import Classifier
from convlens.data.prepared import Prepared
from convlens.errors import TrainingError
from convlens.evaluation.metrics import accuracy
from convlens.evaluation.paired import Pair, compare_pairs
from convlens.evaluation.scores import Score
from convlens.files import write_atomically
from convlens.language import N_, _, recalled
from convlens.report.finish import finish
from convlens.run import Run
from convlens.run_folder import NETWORK_DONE
from convlens.screen import Screen

TRAINED = NETWORK_DONE  # marks a run as trained, with its seconds and a note
ALONE = 50  # images that are classified one by one to time a prediction
WARM = 5  # images that are classified before these, without being timed
TEST = N_("exact McNemar, two-sided, on the test images; Holm's correction over all pairs")
SAID = 10  # pairs; if there are more, only the verdicts on the best network are printed


@dataclass(frozen=True, eq=False)
class Entry:
    """A network of a comparison.

    Attributes:
        name: Its name in the zoo.
        num_params: The number of all parameters.
        multiply_adds: The number of multiply-adds for one image of this size.
        epochs: The number of finished epochs.
        passes: The number of passes over the training images in these epochs.
        seconds: The time of its training, including validations and writing.
        milliseconds: The median time to classify one decoded image, in float32. A classifier
            computes an image alone twice.
        val: The accuracy on the validation images, which also chose the epoch.
        test: The accuracy on the test images, which were used once.
        correct: (n,) whether each test image was classified correctly.
        note: What happened during the training, or "".
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
    correct: NDArray[np.bool_]
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
    """Networks, the best validation accuracy first, with a verdict on every pair.

    Attributes:
        entries: The networks.
        pairs: The paired tests on the test images.
    """

    entries: tuple[Entry, ...]
    pairs: tuple[Pair, ...]

    @property
    def said(self) -> tuple[Pair, ...]:
        """The verdicts that are printed: all, or if there are many, those with the best network."""
        if len(self.pairs) <= SAID:
            return self.pairs
        return tuple(pair for pair in self.pairs if pair.first == self.entries[0].name)

    def to_dict(self) -> dict[str, Any]:
        """Return every number, ready for JSON; matrices have the models in ranking order."""
        names = [entry.name for entry in self.entries]
        corrected = np.ones((len(names), len(names)))
        only_row = np.zeros((len(names), len(names)), np.int64)
        for pair in self.pairs:
            i = names.index(pair.first)
            j = names.index(pair.second)
            corrected[[i, j], [j, i]] = pair.p_corrected
            only_row[[i, j], [j, i]] = [pair.first_only, pair.second_only]
        return {
            "ranking": [entry.to_dict() for entry in self.entries],
            "paired_test": {
                "test": _(TEST),
                "models": names,
                "p_corrected": corrected.tolist(),
                "only_row_right": only_row.tolist(),
                "pairs": [pair.to_dict() for pair in self.pairs],
                "verdicts": [str(pair) for pair in self.pairs],
            },
        }

    def draw(self, folder: Path, histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Write tradeoff.png and growth.png.

        Args:
            folder: The folder of the charts.
            histories: The epochs of each network, by its name.

        Raises:
            StorageError: If a chart cannot be written.
        """
        names = [entry.name for entry in self.entries]
        costs: dict[str, list[float]] = {
            _("multiply-adds of one image"): [float(entry.multiply_adds) for entry in self.entries],
            _("milliseconds to classify one image, measured"): [
                entry.milliseconds for entry in self.entries
            ],
        }
        tradeoff = show_tradeoff(names, [entry.val for entry in self.entries], costs)
        growth = show_growth(names, [histories[name] for name in names])
        for name, figure in (("tradeoff", tradeoff), ("growth", growth)):
            write_atomically(
                folder / f"{name}.png", partial(figure.savefig, dpi=110), _("the chart")
            )

    def rows(self) -> list[tuple[str, ...]]:
        """Return the final table, its headings first."""
        return [
            (
                _("model"),
                _("parameters"),
                _("mult-adds"),
                _("trained"),
                "ms",
                _("validation, 95 %"),
                _("test, 95 %"),
            ),
            *(
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
            ),
        ]


def rank(entries: Sequence[Entry]) -> Ranking:
    """Return the entries by validation accuracy, and if that is equal, by fewer multiply-adds."""
    ordered = sorted(entries, key=lambda entry: (-entry.val.value, entry.multiply_adds))
    names = [entry.name for entry in ordered]
    pairs = compare_pairs(names, np.stack([entry.correct for entry in ordered])) if ordered else []
    return Ranking(tuple(ordered), tuple(pairs))


def score_runs(runs: Sequence[tuple[Run, Prepared]], screen: Screen) -> Ranking:
    """Score trained runs, write their reports, and rank them.

    Args:
        runs: The run of each network, and the images as the network takes them.
        screen: Where a note names the networks that are left out.

    Raises:
        TrainingError: If none of them finished an epoch.
    """
    entries = []
    for run, prepared in runs:
        trained = run.read(TRAINED)
        note = recalled(trained["note"])
        if run.classifier_path.exists():
            entries.append(_score(run, prepared, trained["seconds"], note))
        else:
            screen.note(_("{name} is left out: {note}").format(name=run.folder.name, note=note))
    if not entries:
        raise TrainingError(
            _("none of the networks finished an epoch, so there is nothing to rank.")
        )
    return rank(entries)


def _score(run: Run, prepared: Prepared, seconds: float, note: str) -> Entry:
    """Calibrate, score and report a trained run, and return its entry."""
    classifier, scored = finish(run, prepared, Screen(quiet=True))
    if scored is None:
        raise TrainingError(
            _("{folder}: a comparison needs images to score on.").format(folder=run.folder)
        )
    settings = run.config.training
    images = prepared.store.images
    val = prepared.splits.val
    predicted = classifier.probabilities(images, indices=val).argmax(axis=1)
    steps_per_pass = math.ceil(len(prepared.splits.train) / settings.batch_size)
    epochs = len(run.history)
    return Entry(
        name=run.config.model.model,
        num_params=int(classifier.provenance["parameters"]),
        multiply_adds=count_multiply_adds(classifier.model),
        epochs=epochs,
        passes=epochs * (settings.steps_per_epoch or steps_per_pass) / steps_per_pass,
        seconds=seconds,
        milliseconds=_milliseconds(classifier, images, val),
        val=accuracy(prepared.dataset.labels[val], predicted),
        test=scored.evaluation.scores["accuracy"],
        correct=scored.evaluation.predicted == scored.evaluation.labels,
        note=note,
    )


def _milliseconds(
    classifier: Classifier, images: NDArray[np.uint8], indices: NDArray[np.int64]
) -> float:
    """Return the median milliseconds to classify one decoded image."""
    spans = []
    for number in range(WARM + ALONE):
        one = indices[number % len(indices) :][:1]
        began = time.perf_counter()
        classifier.probabilities(images, indices=one)
        spans.append(time.perf_counter() - began)
    return 1000 * float(np.median(spans[WARM:]))
