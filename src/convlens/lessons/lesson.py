"""Lesson: what the cells of a lesson use: images by name, a folder, plots, results to compare."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from convlens import backend
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from convlens.errors import ConfigError, DataError
from convlens.evaluation.scores import Score
from convlens.explain.pages.drawing import draw_page
from convlens.explain.pages.page import Page
from convlens.files import write_atomically
from convlens.language import N_, _, listed
from convlens.lessons.table import Result, result_rows
from convlens.run import Run
from convlens.screen import Screen

# The data sets of the lectures, and the images that replace them: these come with the installation.
STAND_INS = {
    "mnist": N_("mnist5k, 5,000 of its images"),
    "fashion_mnist": N_("mnist5k, digits in place of clothes"),
    "cifar10": N_("digits, 1,797 of 8 x 8 pixels in place of photographs"),
    "cats_dogs": N_("the 3s and 5s of mnist5k in place of cats and dogs"),
}
Arrays = tuple[NDArray[np.uint8], NDArray[np.int64]]  # images, labels


class Lesson:
    """A lesson that is run, by `convlens lesson` or in Jupyter.

    Attributes:
        number: "000" to "004", as that of a lecture, or "005".
        quick: Whether other images replace those of the lecture. The cells then train for a shorter
            time.
        folder: A new folder for plots and runs.
        results: The results that `compare` has kept.
        plots: The files that `show` has written.
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
            number: The number of the lesson.
            quick: Whether to train on images that come with the installation, for a short time.
            data: Places of images, by the names of STAND_INS. The others are looked for by name.
            folder: The folder for plots and runs. The default is runs/lesson-NUMBER. A number is
                added to a name that is taken.

        Raises:
            ConfigError: If no lesson knows a name in `data`.
        """
        backend.start()
        for name in data or {}:
            _require_known(name)
        self.number = number
        self.quick = quick
        self.folder = _free(Path(folder or "runs/lesson-{number}".format(number=number)))
        self.results: list[Result] = []
        self.plots: list[Path] = []
        self._given = dict(data or {})
        self._loaded: dict[str, Dataset] = {}
        self._stand_ins: dict[str, str] = {}

    def data(self, name: str) -> Dataset:
        """Return the labelled images of "mnist", "fashion_mnist", "cifar10" or "cats_dogs".

        If they are not on this computer, a note says what to fetch, and other images replace them.

        Raises:
            ConfigError: If the name is another one.
            DataError: If the place that was given for them has no such images.
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
                missing = str(error)
                if name == "cats_dogs":
                    missing = _("cats_dogs: give its place by --data cats_dogs=PATH.")
                Screen().note(
                    _("{missing} The lesson goes on with other images.").format(missing=missing)
                )
        self._stand_ins[name] = STAND_INS[name]
        Screen().note(
            _("in place of {name}: {images}; so nothing is compared with the deck").format(
                name=name, images=_(STAND_INS[name])
            )
        )
        return _stand_in(name)

    def stands_in(self, name: str) -> bool:
        """Return whether other images replace these."""
        self.data(name)
        return name in self._stand_ins

    def arrays(
        self, name: str, *, size: int | None = None, channels: str = "auto"
    ) -> tuple[Arrays, Arrays]:
        """Return ((x_train, y_train), (x_test, y_test)) as `keras.datasets` does.

        The test set is the published one, or else a fifth of each class. Images without published
        splits come in a random order, which is always the same, as some sets are sorted by class.

        Args:
            name: The name of the images, see `data`.
            size: The side in pixels, for images of different sizes.
            channels: "grey", "rgb" or "auto".

        Returns:
            Two pairs, to train on and to test on. Each has images, uint8 of shape (n, height,
            width, channels), and labels, int64 of shape (n,).
        """
        config = Config().replace(size=str(size or "auto"), channels=channels, val=0.0)
        prepared = prepare_data(self.data(name), config)
        images = prepared.store.images
        labels = prepared.dataset.labels
        train = np.sort(np.concatenate([prepared.splits.train, prepared.splits.val]))
        test = prepared.splits.test
        if prepared.dataset.splits is None:
            rng = np.random.default_rng(0)
            train = rng.permutation(train)
            test = rng.permutation(test)
        return (np.asarray(images[train]), labels[train]), (np.asarray(images[test]), labels[test])

    def place(self, name: str) -> Path:
        """Return a new path in the folder of the lesson, for a run or a file."""
        return _free(self.folder / name)

    def show(self, plot: Figure | Page, name: str) -> Figure:
        """Write a plot into the folder of the lesson and return it.

        A notebook shows the plot where the call is the last line of a cell.

        Args:
            plot: A figure of `convlens.plots`, or a page of `convlens.views`, which is drawn.
            name: The name of the file, without ".png".

        Raises:
            StorageError: If the file cannot be written.
        """
        figure = draw_page(plot) if isinstance(plot, Page) else plot
        path = self.folder / "{name}.png".format(name=name)
        write_atomically(path, lambda file: figure.savefig(file, dpi=110), _("the plot"))
        self.plots.append(path)
        return figure

    def text(self, template: str, **values: Any) -> str:
        """Return a text of the lesson in the chosen language, as the title of a plot.

        Args:
            template: The English text, with named fields as in `str.format`.
            values: The values of the fields.
        """
        return _(template).format(**values)

    def say(self, template: str, **values: Any) -> None:
        """Print a sentence in the chosen language; see `text`."""
        print(self.text(template, **values))  # noqa: T201 - the output of a cell

    def compare(
        self,
        program: str,
        outcome: Run | Score,
        *,
        data: str | None = None,
        deck: float | None = None,
        seconds: float | None = None,
    ) -> None:
        """Print the result of a program beside that of the lecture, and keep it for the table.

        Args:
            program: The name of the program.
            outcome: A finished run, or the accuracy on test images with its interval.
            data: The name of the images, see `data`; None for images that the lesson generates.
            deck: The accuracy that the lecture gives, as 0.9912.
            seconds: The time of the training. A run knows its own.
        """
        if isinstance(outcome, Run):
            seconds = outcome.report["seconds"] if seconds is None else seconds
            outcome = Score(**outcome.report["metrics"]["accuracy"])
        stand_in = None
        if data is not None and self.stands_in(data):
            stand_in = _(STAND_INS[data])
        result = Result(self.number, program, deck, outcome, seconds, stand_in)
        self.results.append(result)
        Screen().columns(result_rows([result]), left=(0, 1))

    def table(self) -> None:
        """Print all results, and a note on each data set that was replaced."""
        screen = Screen()
        if self.results:
            screen.columns(result_rows(self.results), left=(0, 1))
        for name, images in self._stand_ins.items():
            screen.note(
                _(
                    "in place of {name}: {images}; run the lesson on the real images to compare "
                    "with the deck"
                ).format(name=name, images=_(images))
            )


def _require_known(name: str) -> None:
    """Raise ConfigError if no lesson is about these images."""
    if name not in STAND_INS:
        raise ConfigError(
            _("the images of the lessons are {names}; found {name!r}.").format(
                names=listed(STAND_INS), name=name
            )
        )


def _stand_in(name: str) -> Dataset:
    """Return the images that replace those of a lecture, see STAND_INS."""
    if name == "cifar10":
        return load_data("digits")
    digits = load_data("mnist5k")
    if name != "cats_dogs":
        return digits
    chosen = np.flatnonzero(np.isin(digits.labels, (3, 5)))
    return replace(
        digits,
        source=_("3s and 5s of mnist5k"),
        images=np.asarray(digits.images)[chosen],
        labels=(digits.labels[chosen] == 5).astype(np.int64),
        class_names=("3", "5"),
    )


def _free(path: Path) -> Path:
    """Return the path, or one with a number added to its name if it exists."""
    free = path
    numbers = itertools.count(2)
    while free.exists():
        free = path.with_stem("{stem}-{number}".format(stem=path.stem, number=next(numbers)))
    return free
