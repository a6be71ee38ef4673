"""List: the trainings of a workspace in a file, and the commands that they are.

The file says what was chosen. The command is made of it when the training starts, so that a file
which somebody else has written makes nothing start but a training of these images.
"""

import json
from pathlib import Path

from convlens.files import numbered, write_atomically
from convlens.language import _
from convlens.run_folder import is_begun
from convlens.studio.problem import GONE, Problem
from convlens.studio.telling import Telling
from convlens.studio.training import entry as states
from convlens.studio.training.entry import Entry
from convlens.studio.training.files import Logs, damage_of, read_entries
from convlens.studio.training.ways import Choice, Images
from convlens.studio.workspace import Workspace
from convlens.text import printable

MOST = 200  # trainings that are remembered


class TrainingList(Telling):
    """The trainings that were asked for in a workspace.

    Attributes:
        workspace: The workspace.
        told: A number that rises with each piece of progress.
        entries: All trainings that were asked for; those that wait are in their order.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self._places = workspace.places
        self._file = self._places.hidden / "trainings.json"
        self.entries = read_entries(self._file)

    @property
    def damage(self) -> str:
        """What is said of a file that was damaged, or nothing."""
        return damage_of(self._file)

    def find(self, identifier: object) -> Entry:
        """Return a training.

        Raises:
            Problem: If there is none of this name.
        """
        for one in self.entries:
            if one.id == identifier:
                return one
        raise Problem(_("this training is not in the list any more."), 404, "id")

    def of_run(self, name: str) -> Entry | None:
        """Return the training of a run, if the studio has begun it."""
        return next((one for one in self.entries if one.run == name), None)

    @property
    def running(self) -> Entry | None:
        """The training that goes on, if there is one."""
        return next((one for one in self.entries if one.state == states.RUNNING), None)

    def words(self, one: Entry) -> list[str]:
        """Return the words after `convlens` with which a training starts next.

        Raises:
            Problem: If nobody knows what was chosen.
        """
        folder = self._places.runs / one.run
        if self._goes_on_with_its_run(one):
            return self._resuming(one)
        if not one.choice:
            gone = _("the workspace has no run {name!r}.").format(name=printable(one.run))
            raise Problem(gone, GONE, "run")
        return self._words(folder, Choice.of(one.choice))

    def shown_words(self, one: Entry) -> list[str]:
        """Return the words a training was begun with, or those that continue it.

        Raises:
            Problem: If nobody knows them.
        """
        is_over = (self.folder(one) / "report.json").exists()
        is_first_start = one.state == states.RUNNING and not one.resumes
        if one.words and (is_over or is_first_start):
            return one.words
        if is_over:
            return []
        is_begun_by_it = one.state != states.WAITING and is_begun(self.folder(one))
        return self._resuming(one) if is_begun_by_it else self.words(one)

    def _goes_on_with_its_run(self, one: Entry) -> bool:
        """Return whether the next start is not the first; the run keeps the images that it has."""
        return one.resumes and is_begun(self.folder(one))

    def _resuming(self, one: Entry) -> list[str]:
        # The studio trains on the images of its workspace, which may have been moved or copied. A
        # run of the command line knows its images itself.
        images = [Images.of(self.workspace).source] if one.choice else []
        return ["train", *images, "--run", str(self.folder(one)), "--resume"]

    def planned_words(self, choice: Choice) -> list[str]:
        """Return the words after `convlens` of a training that nobody has asked for yet."""
        return self._words(self._free_folder(choice), choice)

    def _words(self, folder: Path, choice: Choice) -> list[str]:
        images = Images.of(self.workspace)
        return ["train", *images.words, "--run", str(folder), *choice.words]

    def _free_folder(self, choice: Choice) -> Path:
        taken = {one.run for one in self.entries}
        return next(
            one
            for one in numbered(self._places.runs / choice.name)
            if one.name not in taken and not one.exists()
        )

    def folder(self, one: Entry) -> Path:
        """Return the folder of the run of a training."""
        return self._places.runs / one.run

    def logs(self, one: Entry) -> Logs:
        """Return the files that a training writes for the studio."""
        folder = self._places.hidden / "logs"
        return Logs(*(folder / f"{one.id}.{kind}" for kind in ("txt", "errors", "progress")))

    def _change(self, entries: list[Entry]) -> None:
        ended = [one for one in entries if one.state in states.ENDED]
        forgotten = ended[: max(0, len(ended) - MOST)]
        kept = [one for one in entries if one not in forgotten]
        content = {"format": 1, "trainings": [one.to_dict() for one in kept]}
        write_atomically(self._file, json.dumps(content, ensure_ascii=False), _("the queue"))
        known = {one.id for one in kept}
        for one in self.entries:
            if one.id not in known:
                self.logs(one).remove()
        self.entries = kept
        self._tell()
