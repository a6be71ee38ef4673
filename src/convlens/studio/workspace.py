"""Workspace: the images of a workspace and what was done with them, for several threads.

Everything that is read or changed goes through its lock. Its version rises with every change, so
that all pages that show it notice.
"""

import os
import secrets
import shutil
import threading
import time
from pathlib import Path

from convlens.errors import DataError
from convlens.files import storage_errors, write_atomically
from convlens.folders import make_folder, sync_folder
from convlens.language import _, ngettext, sentences
from convlens.studio.content import MOST_IMAGES, checked_name, free_place, holds
from convlens.studio.history import History, Step, check_free
from convlens.studio.listing import Item, Listing, list_opened, list_own, own_item
from convlens.studio.marks import Marks
from convlens.studio.opening import Places
from convlens.studio.problem import GONE, Problem

LOOK_AGAIN = 1.0  # seconds between two looks at what others have changed


class Workspace:
    """An open workspace.

    Attributes:
        places: Where everything lies.
        session: A word that is another one after each start.
        version: A number that rises with every change.
        lock: What whoever reads or changes it holds.
        trouble: Why the list cannot be obeyed, or nothing.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self.session = secrets.token_hex(8)
        self.version = 1
        self.lock = threading.RLock()
        self.trouble = ""
        self.listing: Listing = self._listed()
        self.marks = Marks(places.list)
        self.marks.read(self.listing)
        self.history = History(places.hidden / "history.json")
        self._looked = time.monotonic()

    @property
    def is_own(self) -> bool:
        """Whether the images are in the workspace, so that it may add and remove some."""
        return self.places.source is None

    def _listed(self) -> Listing:
        if self.places.source is None:
            with storage_errors(self.places.images, _("the images")):
                return list_own(self.places.images)
        return list_opened(self.places.source)

    def refresh(self) -> None:
        """Look at what others, such as the command line, have changed meanwhile.

        What cannot be obeyed is kept in `trouble`, and the last state that could be stays.
        """
        with self.lock:
            if time.monotonic() - self._looked < LOOK_AGAIN:
                return
            self._looked = time.monotonic()
            is_outdated = self.listing.is_outdated()
            if not is_outdated and not self.marks.is_outdated():
                return
            trouble = self.trouble
            try:
                if is_outdated:
                    self.listing = self._listed()
                self.marks.read(self.listing)
                self.trouble = ""
            except DataError as error:
                self.trouble = error.args[0]
            if not self.trouble or self.trouble != trouble:
                self.version += 1

    def require_own(self) -> None:
        """Raise Problem unless images may be added and removed."""
        if not self.is_own:
            raise Problem(
                _(
                    "the images lie in {source}, which the studio never changes; to add images, "
                    "make a workspace with: convlens studio new-folder"
                ).format(source=self.places.source),
                GONE,
            )

    def items(self, ids: object) -> list[Item]:
        """Return the images of a request.

        Raises:
            Problem: If one is not there (any more), or if there are none.
        """
        if not isinstance(ids, list) or not ids:
            raise Problem(_("name at least one image."), field="images")
        found = [self.listing.by_id.get(one) for one in ids if isinstance(one, str)]
        items = [item for item in found if item is not None]
        if len(items) < len(ids):
            missing = len(ids) - len(items)
            raise Problem(
                ngettext(
                    "{number:,} of these images is not there any more; nothing was changed.",
                    "{number:,} of these images are not there any more; nothing was changed.",
                    missing,
                ).format(number=missing),
                GONE,
                "images",
            )
        return items

    def class_of(self, identifier: object) -> str:
        """Return the name of the class of a request.

        Raises:
            Problem: If it is not there (any more).
        """
        name = None if not isinstance(identifier, str) else self.listing.class_ids.get(identifier)
        if name is None:
            raise Problem(_("this class is not there any more."), GONE, "class")
        return name

    def folder_of(self, name: str) -> Path:
        """Return the folder of a class of an own workspace.

        Raises:
            Problem: If it is not there (any more), or is a link that leads out of the workspace.
        """
        folder = self.listing.folders.get(name)
        if folder is None:
            raise Problem(_("this class is not there any more."), GONE, "class")
        if not folder.resolve().is_relative_to(self.places.images.resolve()):
            raise Problem(
                _("{name}: this is a link that leads out of the workspace.").format(name=folder),
                GONE,
                "class",
            )
        return folder

    def perform(self, step: Step) -> None:
        """Do something that can be undone.

        Raises:
            Problem: If something else lies where an image is to go, or if it is not inside the
                workspace.
            StorageError: If the disk is full.
        """
        if self._has_other_list():
            raise Problem(
                _(
                    "somebody else has just changed the list of corrections, so that nothing was "
                    "changed here; look at the images, and do it again."
                ),
                GONE,
            )
        step.require_inside(self.places.root)
        step.require_free(self.places.root, forward=True)
        self.history.push(step)
        self._apply(step, forward=True)

    def _has_other_list(self) -> bool:
        """Return whether somebody else has just changed the list; what it says holds from now on.

        Raises:
            Problem: If it cannot be obeyed. It must not be written anew then.
        """
        is_other = self.marks.is_outdated()
        if is_other:
            self._looked -= LOOK_AGAIN  # so that it looks now
            self.refresh()
        if self.trouble:
            raise Problem(self.trouble, GONE)
        return is_other

    def undo(self) -> Step:
        """Undo the last step, and return it."""
        return self._back_and_forth(self.history.done, self.history.undone, forward=False)

    def redo(self) -> Step:
        """Do again what was undone last, and return it."""
        return self._back_and_forth(self.history.undone, self.history.done, forward=True)

    def _back_and_forth(self, source: list[Step], target: list[Step], *, forward: bool) -> Step:
        if not source:
            text = _("there is nothing to do again.") if forward else _("there is nothing to undo.")
            raise Problem(text, GONE)
        self._has_other_list()  # to whose rows those of the step are added
        try:
            source[-1].require_inside(self.places.root)
            source[-1].require_free(self.places.root, forward=forward)
        except Problem as problem:
            step = source.pop()  # otherwise no step before it could be undone
            self.history.save()
            raise Problem(
                sentences(
                    problem.args[0],
                    _("This step was taken off the list: {step}.").format(step=step.text),
                ),
                GONE,
            ) from problem
        self._apply(source[-1], forward=forward)
        step = source.pop()
        target.append(step)
        self.history.save()
        return step

    def _apply(self, step: Step, *, forward: bool) -> None:
        """Do a step, or take it back."""
        moves = step.moved(forward=forward)
        rows = step.after if forward else step.before
        kept = None if step.kept is None else step.kept[forward]
        try:
            for here, there in moves:
                self._move(self.places.root / here, self.places.root / there)
            if rows or step.kept is not None:
                self.marks.change(rows, kept)
        finally:
            if moves:
                former = self.listing
                self.rescan()
                self.listing.remember(former, moves)
            else:
                self.version += 1

    def _move(self, here: Path, there: Path) -> None:
        if not os.path.lexists(here):  # somebody else has removed it, or it was moved already
            return
        check_free(here, there)
        with storage_errors(there, _("the images")):
            make_folder(there.parent)
            here.rename(there)
            sync_folder(there.parent)
            sync_folder(here.parent)

    def add_image(self, name: str, given: str, content: bytes, group: str) -> tuple[Item, bool]:
        """Keep an image that was uploaded; return it, and whether it was there already.

        When this returns, the image is on the disk.

        Args:
            name: Its class.
            given: The name of its file, as it was sent.
            content: The bytes of the file.
            group: What joins images that are undone together, or nothing.

        Raises:
            Problem: If it is no image, too large, or one too many.
            StorageError: If the disk is full.
        """
        file_name = checked_name(given, content)
        with self.lock:
            self.require_own()
            if len(self.listing.items) >= MOST_IMAGES:
                raise Problem(
                    _("a workspace may have {most:,} images; this one has them.").format(
                        most=MOST_IMAGES
                    ),
                    413,
                )
            folder = self.folder_of(name)
            path = free_place(folder / file_name, content)
            file = path.relative_to(self.places.images).as_posix()
            present = self.listing.by_file.get(file) if holds(path, content) else None
            if present is not None:
                return present, True
            item = own_item(self.places.images, path, name)
            is_known = self.listing.knows(folder)
            # The history first: an image that it does not know could not be undone.
            self.history.push_image(group, path.relative_to(self.places.root), item.file)
            write_atomically(path, content, _("the image"))
            self.listing.add(item, folder if is_known else None)
            self.version += 1
            return item, False

    def rescan(self) -> None:
        """Look for the images anew, after some were moved."""
        self.listing = self._listed()
        self.version += 1

    def empty_trash(self) -> None:
        """Delete what is in the trash, and with it the steps that would bring it back."""
        shutil.rmtree(self.places.trash, ignore_errors=True)
        with storage_errors(self.places.trash, _("the trash")):
            make_folder(self.places.trash)
        self.history.forget_trash()
        self.version += 1

    def close(self) -> None:
        """Write what is not yet on the disk."""
        with self.lock:
            self.history.close()
