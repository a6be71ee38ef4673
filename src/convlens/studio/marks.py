"""Marks: which images are left out or have another label, as the list of a workspace says it.

The list is one that `convlens train --using` obeys. Rows that the studio does not make, and rows
for images that are not there now, stay in it.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from convlens.data.correction_lists import Correction, read_list, write_list
from convlens.studio.listing import Item, Listing, time_of
from convlens.text import original

MADE = ("exclude", "relabel")  # the actions of an image; it has one of them at most
Rows = dict[str, Correction | None]


class Marks:
    """The list of corrections of a workspace.

    Attributes:
        path: The file, which is there if it has rows.
        rows: What is done with an image, by its file.
        kept: The other rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, Correction] = {}
        self.kept: list[Correction] = []
        self._time = 0

    def read(self, listing: Listing) -> None:
        """Read the file, if there is one.

        Raises:
            DataError: If it cannot be obeyed, as when somebody has edited it.
        """
        self._time = time_of(self.path)
        found = read_list(self.path).corrections if self.path.exists() else ()
        spelled = {_composed(item.file): item.file for item in listing.items}
        rows: dict[str, Correction] = {}
        kept: list[Correction] = []
        for row in found:
            name = original(row.file).replace("\\", "/")
            file = row.file if row.file in listing.by_file else spelled.get(_composed(name))
            if row.action in MADE and file is not None:
                rows[file] = row
            else:
                kept.append(row)
        self.rows = rows
        self.kept = kept

    def is_outdated(self) -> bool:
        """Return whether somebody else has changed the file."""
        return time_of(self.path) != self._time

    def change(self, rows: Mapping[str, Correction | None], kept: list[Correction] | None) -> None:
        """Set what is done with some images, and write the file.

        Args:
            rows: By file; None leaves an image as its source has it.
            kept: All other rows, if they change.

        Raises:
            StorageError: If it cannot be written; nothing has changed then.
        """
        changed = {file: row for file, row in {**self.rows, **rows}.items() if row is not None}
        others = self.kept if kept is None else kept
        write_list(self.path, [*changed.values(), *others])
        self._time = time_of(self.path)
        self.rows = changed
        self.kept = others

    def matter(self, listing: Listing) -> bool:
        """Return whether a row names an image that is there; `train` refuses other lists."""
        return bool(self.rows) or any(row.file in listing.by_file for row in self.kept)

    def is_excluded(self, item: Item) -> bool:
        """Return whether an image is left out."""
        row = self.rows.get(item.file)
        return row is not None and row.action == "exclude"

    def label(self, item: Item) -> str:
        """Return the class of an image, as the list has it."""
        row = self.rows.get(item.file)
        return row.value if row is not None and row.action == "relabel" else item.given

    def before(self, files: Iterable[str]) -> Rows:
        """Return what is done with some images now."""
        return {file: self.rows.get(file) for file in files}


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
