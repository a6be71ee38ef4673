"""Lesson: what the cells of a lesson are given: images by name, a folder, plots that are kept, results to compare."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from convlens import backend
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from convlens.errors import ConfigError, DataError, StorageError
from convlens.evaluation.scores import Score
from convlens.explain.pages.drawing import draw_page
from convlens.explain.pages.page import Page
from convlens.run import Run
from convlens.screen import Screen

STAND_INS = {  # what the lessons are about -> what `convlens` carries with it
    "mnist": "mnist5k, 5,000 of its images",
    "fashion_mnist": "mnist5k, digits in place of clothes",
    "cifar10": "digits, 1,797 of 8 x 8 pixels in place of photographs",
    "cats_dogs": "the 3s and 5s of mnist5k in place of cats and dogs",
}
HEADINGS = ("deck", "program", "the deck", "here", "95 % interval", "images", "seconds")

Arrays = tuple[NDArray[np.uint8], NDArray[np.int64]]  # images, labels


@dataclass(frozen=True)
class Result:
    """What a program of a deck gave here.

    Attributes:
        deck: number of the lesson.
        program: its name.
        published: the deck's accuracy, None where it gives none.
        score: accuracy here.
        seconds: of the training, None where it was not timed.
        stand_in: the images it was measured on, where they are not the deck's; there is nothing to compare then.
    """

    deck: str
    program: str
    published: float | None
    score: Score
    seconds: float | None
    stand_in: str | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the row under HEADINGS."""
        published = "" if self.published is None else f"{100 * self.published:.2f} %"
        if self.stand_in is not None:
            published = "other images"
        return (
            self.deck,
            self.program,
            published,
            f"{100 * self.score.value:.2f} %",
            f"[{100 * self.score.low:.2f}, {100 * self.score.high:.2f}]",
            f"{self.score.n:,}",
            "" if self.seconds is None else f"{self.seconds:.0f}",
        )


def result_rows(results: list[Result]) -> list[tuple[str, ...]]:
    """Return the table of results, its headings first."""
    return [HEADINGS, *(result.cells() for result in results)]


class Lesson:
    """A lesson that is being run, by `convlens lesson` or in Jupyter.

    Attributes:
        number: "000" to "004".
        quick: whether embedded images stand in for the deck's; the cells train shorter then.
        folder: where plots and runs go; a new one.
        results: filled by `compare`.
        plots: files that `show` wrote.
    """

    def __init__(
        self,
        number: str,
        *,
        quick: bool = False,
        data: Mapping[str, str] | None = None,
        folder: str | Path | None = None,
    ) -> None:
        """Begin a lesson.

        Args:
            number: of the deck.
            quick: train on images that come with the installation, and shortly.
            data: where images lie, by the names of STAND_INS; others are looked for by name.
            folder: for plots and runs; runs/lesson-NUMBER where not given, with a number behind where that is taken.

        Raises:
            ConfigError: a name in `data` that no lesson knows.
        """
        backend.start()
        for name in data or {}:
            _require_known(name)
        self.number, self.quick = number, quick
        self.folder = _free(
            Path(folder) if folder is not None else Path("runs") / f"lesson-{number}"
        )
        self.results: list[Result] = []
        self.plots: list[Path] = []
        self._given = dict(data or {})
        self._loaded: dict[str, Dataset] = {}
        self._stand_ins: dict[str, str] = {}

    def data(self, name: str) -> Dataset:
        """Return the labelled images of "mnist", "fashion_mnist", "cifar10" or "cats_dogs".

        Where they cannot be had, it says what to fetch and returns the images that stand in for them.

        Raises:
            ConfigError: another name.
            DataError: the place that was given for them holds no such images.
        """
        _require_known(name)
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> Dataset:
        if not self.quick:
            if name in self._given:
                return load_data(self._given[name])
            try:
                return load_data(name)
            except DataError as error:
                missing = (
                    f"{name}: give its place by --data {name}=PATH."
                    if name == "cats_dogs"
                    else str(error)
                )
                Screen().note(f"{missing} The lesson goes on with other images.")
        self._stand_ins[name] = STAND_INS[name]
        Screen().note(
            f"in place of {name}: {STAND_INS[name]}; so nothing is compared with the deck"
        )
        return _stand_in(name)

    def stands_in(self, name: str) -> bool:
        """Return whether other images stand in for these."""
        self.data(name)
        return name in self._stand_ins

    def arrays(
        self, name: str, *, size: int | None = None, channels: str = "auto"
    ) -> tuple[Arrays, Arrays]:
        """Return ((x_train, y_train), (x_test, y_test)) as `keras.datasets` does.

        The test set is the published one; where there is none, a fifth of each class. Images without a published
        division come in random order, always the same, as some sets are sorted by class.

        Args:
            name: see `data`.
            size: side in pixels, for images of many sizes.
            channels: "grey", "rgb" or "auto".

        Returns:
            Images (n, height, width, channels) uint8 and labels (n,) int64, twice.
        """
        config = Config().replace(
            size="auto" if size is None else str(size), channels=channels, val=0.0
        )
        prepared = prepare_data(self.data(name), config)
        images, labels = prepared.store.images, prepared.dataset.labels
        train = np.sort(np.concatenate([prepared.splits.train, prepared.splits.val]))
        test = prepared.splits.test
        if prepared.dataset.splits is None:
            rng = np.random.default_rng(0)
            train, test = rng.permutation(train), rng.permutation(test)
        return (np.asarray(images[train]), labels[train]), (
            np.asarray(images[test]),
            labels[test],
        )

    def place(self, name: str) -> Path:
        """Return a path in the lesson's folder that is not taken, for a run or a file."""
        return _free(self.folder / name)

    def show(self, plot: Figure | Page, name: str) -> Figure:
        """Write a plot into the lesson's folder and return it: as a cell's last line, the notebook shows it.

        Args:
            plot: a figure of `convlens.plots`, or a page of `convlens.views`, which is drawn.
            name: of the file, without ".png".

        Raises:
            StorageError: it cannot be written.
        """
        figure = draw_page(plot) if isinstance(plot, Page) else plot
        path = self.folder / f"{name}.png"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=110)
        except OSError as error:
            raise StorageError(
                f"{path}: the plot cannot be written; {error.strerror or error}."
            ) from error
        self.plots.append(path)
        return figure

    def compare(
        self,
        program: str,
        outcome: Run | Score,
        *,
        data: str,
        deck: float | None = None,
        seconds: float | None = None,
    ) -> None:
        """Say what a program gave, the deck's number beside it, and keep it for the table.

        Args:
            program: its name.
            outcome: a finished run, or the accuracy on test images with its interval.
            data: the images it was about; see `data`.
            deck: the deck's accuracy, as 0.9912.
            seconds: of the training; a run knows its own.
        """
        if isinstance(outcome, Run):
            seconds = outcome.report["seconds"] if seconds is None else seconds
            outcome = Score(**outcome.report["metrics"]["accuracy"])
        stand_in = STAND_INS[data] if self.stands_in(data) else None
        result = Result(self.number, program, deck, outcome, seconds, stand_in)
        self.results.append(result)
        Screen().columns(result_rows([result]), left=(0, 1))

    def table(self) -> None:
        """Print all results, and which images stood in for which."""
        screen = Screen()
        if self.results:
            screen.columns(result_rows(self.results), left=(0, 1))
        for name, what in self._stand_ins.items():
            screen.note(
                f"in place of {name}: {what}; run the lesson on the real images to compare with the deck"
            )


def _require_known(name: str) -> None:
    if name not in STAND_INS:
        raise ConfigError(f"the images of the lessons are {', '.join(STAND_INS)}; found {name!r}.")


def _stand_in(name: str) -> Dataset:
    if name == "cifar10":
        return load_data("digits")
    digits = load_data("mnist5k")
    if name != "cats_dogs":
        return digits
    chosen = np.flatnonzero(np.isin(digits.labels, (3, 5)))
    labels = (digits.labels[chosen] == 5).astype(np.int64)
    images = np.asarray(digits.images)[chosen]
    return replace(
        digits,
        source="3s and 5s of mnist5k",
        images=images,
        labels=labels,
        class_names=("3", "5"),
    )


def _free(path: Path) -> Path:
    """Return the path, with a number behind where it exists."""
    free, number = path, 2
    while free.exists():
        free, number = path.with_name(f"{path.stem}-{number}{path.suffix}"), number + 1
    return free
