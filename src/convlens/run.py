"""Run: the folder `runs/<name>/`, which holds everything that is known of a training."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens import lock, run_access, run_folder, run_images
from convlens.config import Config
from convlens.data.corrections import obey
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.errors import RunError
from convlens.files import storage_errors, write_atomically
from convlens.folders import make_folder
from convlens.history import Row, read_history, write_history
from convlens.inventory import progress_of
from convlens.language import _
from convlens.memory import why_killed
from convlens.run_folder import CLASSIFIER, HISTORY, SETTINGS
from convlens.screen import Screen

if TYPE_CHECKING:
    from convlens.classifier.classifier import Classifier


@dataclass(frozen=True)
class Run:
    """The folder of a training.

    It holds `run.toml`, `data.json`, `history.csv`, `state/`, `classifier.keras`, the report and
    the plots.

    Attributes:
        folder: The path of the folder.
    """

    folder: Path

    place = staticmethod(run_folder.place)
    refuse_taken = staticmethod(run_access.refuse_taken)
    find_classifier = staticmethod(run_access.find_classifier)

    @classmethod
    def create(cls, name: str | Path | None, default: str) -> "Run":
        """Create a new folder: `runs/<name>`, or the path itself where the name contains a folder.

        Whoever creates `state/` inside has the folder. Among several processes, that is one.

        Args:
            name: The name that the user asked for. With None, `default` is used, with a number
                where it is taken.
            default: A name such as "cats_dogs-small_resnet".

        Raises:
            RunError: If the folder that the user asked for has content.
            StorageError: If the folder cannot be created.
        """
        return cls(run_access.claim(name, default))

    @contextmanager
    def removed_on_failure(self) -> Iterator[None]:
        """Remove the folder if the block fails before what was begun there can be continued.

        Its name is free again then.
        """
        try:
            yield
        except BaseException:
            if not run_folder.is_begun(self.folder):
                shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @classmethod
    def open(cls, name: str | Path) -> "Run":
        """Return an existing run by its folder or its name under `runs/`.

        Raises:
            RunError: If there is no run of that name.
        """
        return cls(run_access.find(name))

    @property
    def config(self) -> Config:
        """The resolved configuration."""
        return Config.from_toml(self.folder / SETTINGS)

    @property
    def data(self) -> dict[str, Any]:
        """What was trained on: source, class names, counts, fingerprint and split."""
        return self.read("data.json")

    @property
    def report(self) -> dict[str, Any]:
        """The content of `report.json`."""
        return self.read("report.json")

    @property
    def history(self) -> list[Row]:
        """A row for each epoch, as in `history.csv`; None where a value was not measured."""
        return read_history(self.folder / HISTORY)

    @property
    def classifier_path(self) -> Path:
        """Where the classifier of the best epoch lies."""
        return self.folder / CLASSIFIER

    @property
    def start_path(self) -> Path:
        """Where a network that is not from the zoo lies as it was before the training."""
        return self.folder / "state" / "start.keras"

    @property
    def state_path(self) -> Path:
        """Where the state lies from which a stopped training continues."""
        return self.folder / "state" / "state.npz"

    @property
    def has_state(self) -> bool:
        """Whether a training by steps was stopped here and can continue."""
        return self.state_path.exists()

    @property
    def finished(self) -> bool:
        """Whether the run ended with its report."""
        return (self.folder / "report.json").exists()

    def refuse_finished(self) -> None:
        """Raise RunError if the run ended with its report."""
        if self.finished:
            message = _(
                "{folder}: this run is finished. To train its classifier further: --from {folder}."
            )
            raise RunError(message.format(folder=self.folder))

    def how_to_resume(self) -> str:
        """Return what a stopped run has kept, and the command that continues what is left."""
        if run_folder.is_finished(self.folder):  # It was stopped after its result was written.
            return _("{folder} is finished; its result is there.").format(folder=self.folder)
        how = _("To go on: {command}")
        if self.classifier_path.exists():
            how = _("{path} holds the classifier so far. To go on: {command}")
            if (self.folder / HISTORY).exists() and self.history:
                how = _("{path} holds the best epoch so far. To go on: {command}")
        command = run_folder.resume_command(self.folder)
        return how.format(path=self.classifier_path, command=command)

    def divided(self, prepared: Prepared) -> Prepared:
        """Return the images with the split that the run recorded.

        Raises:
            RunError: If these are not the images of the run, or not in the order that they had.
        """
        return run_images.divided(self.folder, self.data, prepared)

    def drawn(self, dataset: Dataset) -> NDArray[np.int64]:
        """Return the (n,) indices of the images of a data set that the run uses.

        Raises:
            RunError: If these are not the images of the run.
        """
        return run_images.drawn(self.folder, self.data, dataset)

    def load_images(self, path: str | None = None, remedy: str = "") -> Dataset:
        """Return the images of the run; see `run_images.load_images`.

        Args:
            path: Where they lie. None is where they lay when the run was trained.
            remedy: What the message says besides if they cannot be found or read there.
        """
        path = self.data["path"] if path is None else path
        return run_images.load_images(path, self.config, self.lists, remedy)

    @property
    def lists(self) -> list[Path]:
        """The copies of the lists of corrections that the images of the run have."""
        return [self.folder / one["file"] for one in self.data.get("lists", ())]

    def corrected(self, dataset: Dataset) -> Dataset:
        """Return a data set with the corrections of the run, unless it has some already.

        Raises:
            DataError: If a list cannot be obeyed any more.
        """
        return dataset if dataset.lists else obey(dataset, self.lists)

    def record(self, prepared: Prepared, facts: Mapping[str, Any] | None = None) -> None:
        """Write what was trained on, in `data.json`, and copy the lists of corrections.

        If the run is recorded again, what was known of it besides stays, such as when it began.

        Args:
            prepared: The images and their split.
            facts: Further entries of data.json.

        Raises:
            StorageError: If a file cannot be written.
        """
        began = {"began": datetime.now(UTC).isoformat(timespec="seconds")}
        known = self.data if (self.folder / "data.json").exists() else {}
        data = began | known | prepared.to_dict()
        for number, used in enumerate(prepared.dataset.lists, 1):
            name = f"lists/{number}-{used.list.path.name}"
            write_atomically(self.folder / name, used.list.content, _("the list"))
            data["lists"][number - 1]["file"] = name
        self.write("data.json", json.dumps(data | dict(facts or {}), ensure_ascii=False))

    def locked(self) -> AbstractContextManager[None]:
        """Lock the folder for a block, so that no other process works on the run.

        Raises:
            RunError: If another process does so already.
            StorageError: If the folder cannot be written to.
        """
        return lock.locked(self.folder)

    @contextmanager
    def resumed(self, screen: Screen) -> Iterator[Callable[[], None]]:
        """Lock the folder for a block that goes on with the run.

        The block gets a function, which it calls when it has made sure that the run can go on. It
        says what is done so far, and if memory had ended the run, this, too.

        Raises:
            RunError: If another process works on the run.
            StorageError: If the folder cannot be written to.
        """
        killed = why_killed(self.folder)  # first, since the lock clears what tells of it

        def say_where() -> None:
            if progress := progress_of(self.folder):
                said = _("{folder} goes on; done so far: {progress}")
                screen.say(said.format(folder=self.folder, progress=progress))
            if killed:
                screen.note(killed)

        with self.locked():
            yield say_where

    def classifier(self, precision: str = "float32") -> "Classifier":
        """Load the classifier of the best epoch.

        Raises:
            ClassifierError: If no epoch was finished.
        """
        # Imported here, so that a run can be read before the engine is chosen.
        from convlens.classifier.classifier import Classifier

        return Classifier.load(self.classifier_path, precision=precision)

    def write_history(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows of `history.csv`; see `history.write_history`."""
        write_history(self.folder / HISTORY, rows)

    def write(self, name: str, text: str) -> None:
        """Write a text file of the folder, as a whole or not at all.

        Raises:
            StorageError: If the file cannot be written.
        """
        write_atomically(self.folder / name, text)

    def part(self, name: str) -> "Run":
        """Return the run of a part of this one, with its folder created.

        Raises:
            StorageError: If the folder cannot be created.
        """
        with storage_errors(self.folder / name, _("the run folder")):
            make_folder(self.folder / name / "state")
        return Run(self.folder / name)

    def write_figure(self, name: str, figure: Any) -> Path:
        """Write a matplotlib figure as `plots/<name>.png`, and return its path.

        Raises:
            StorageError: If the file cannot be written.
        """
        path = self.folder / "plots" / f"{name}.png"
        write_atomically(path, lambda place: figure.savefig(place, dpi=120), _("the figure"))
        return path

    def read(self, name: str) -> dict[str, Any]:
        """Return the content of a JSON file of the folder, with the present names of its keys.

        Raises:
            RunError: If the file is missing or damaged.
        """
        return run_folder.read_json(self.folder / name)
