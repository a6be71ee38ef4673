"""Runs: a tiny training with all that a resumed run must repeat, and what it ends with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convlens import backend
from convlens.data.sources import load_data
from convlens.errors import RunError
from convlens.pipeline import train
from convlens.run import Run
from tests.trainings import QUIET, columns, weights

BEGUN = "was killed before it could be continued"  # what a run says that has no settings yet
PRECISIONS = ("float32", "bfloat16")
# Dropout, the order of the batches, augmentation, a schedule and averaged weights; 2 epochs of 2
# steps, of which the first is the better one, so that a resumed run must find its classifier.
FLAGS = (
    "--model custom_cnn --filters 4 --dense 8 --augment light --schedule one_cycle --epochs 2 "
    "--steps-per-epoch 2 --batch-size 12 --seed 7 --average-weights"
)


@dataclass(frozen=True, eq=False)
class Ending:
    """What a training ends with.

    Attributes:
        weights: The weights of the classifier, its temperature included.
        history: The rows of its epochs without their seconds.
        report: Its report without times.
    """

    weights: list[np.ndarray]
    history: list[dict[str, Any]]
    report: dict[str, Any]

    @classmethod
    def of(cls, folder: Path) -> "Ending":
        """Return what a finished run ended with."""
        run = Run(folder)
        report = {name: value for name, value in run.report.items() if name not in TIMES}
        report["history"] = columns(run)
        return cls(weights(run), columns(run), report)

    def equals(self, other: "Ending") -> bool:
        """Return whether both are equal bit for bit."""
        pairs = zip(self.weights, other.weights, strict=True)
        same = all(np.array_equal(one, two) for one, two in pairs)
        return same and self.history == other.history and self.report == other.report


TIMES = ("written", "seconds", "title", "history")


def write_images(folder: Path) -> Path:
    """Write 48 generated images of 8x8 pixels in two classes, and return their file."""
    rng = np.random.default_rng(0)
    labels = np.arange(48) % 2
    images = rng.integers(0, 120, (48, 8, 8), np.uint8)
    images[labels == 1, 2:5] += 100
    path = folder / "images.npz"
    np.savez(path, x=images, y=labels)
    return path


def words_of(images: Path, folder: Path, precision: str) -> list[str]:
    """Return the command that trains on images, in a new folder."""
    words = ["train", str(images), *FLAGS.split(), "--precision", precision]
    return [*words, "--run", str(folder)]


def resume(images: Path, folder: Path) -> str:
    """Continue a run in this process, and return the message if it cannot be continued."""
    try:
        with backend.forgotten():
            train(load_data(str(images)), run=folder, resume=True, screen=QUIET)
    except RunError as error:
        return str(error)
    return ""
