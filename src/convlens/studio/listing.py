"""Listing: the images of a workspace in order, found as `train` finds them.

An own workspace has a folder for each class. Any other data source that `train` knows is opened as
it is, and never changed.
"""

import hashlib
import os
import unicodedata
from bisect import insort
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from convlens.data.dataset import Dataset
from convlens.data.formats.folder import BY_FOLDER, KINDS
from convlens.data.labels import natural_key
from convlens.data.sources import load_to_check
from convlens.data.walk import entries, walk
from convlens.errors import ImageError
from convlens.language import _, ngettext
from convlens.preprocess import ImageArray


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """An image of a workspace.

    Attributes:
        key: What it is sorted by.
        id: What it is called in requests, which name no paths.
        file: Its name in lists of corrections, see `Dataset.file_name`.
        given: The class that the source gives to it.
        number: Its index in the data set of an opened source.
        path: Its file, or None for an image of an array.
        split: "train", "val", "test" or nothing.
    """

    key: Any
    id: str
    file: str
    given: str
    number: int = 0
    path: Path | None = None
    split: str = ""

    def __lt__(self, other: "Item") -> bool:
        """Return whether this image stands before another one."""
        return bool(self.key < other.key)


def short_digest(name: str) -> str:
    """Return 16 letters and digits that stand for a name in addresses."""
    return hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:16]


@dataclass(eq=False)
class Listing:
    """The images of a workspace.

    Attributes:
        items: The images in order.
        folders: The folder of each class; None for those of an opened source.
        kind: How the source was recognised, in words.
        notes: Remarks on it.
        dataset: The opened data set, or None for an own workspace.
        watched: The folders and files that tell of changes, with their times.
        root: The folder of the images of an own workspace, as it is without links.
    """

    items: list[Item]
    folders: dict[str, Path | None]
    kind: str
    notes: tuple[str, ...] = ()
    dataset: Dataset | None = None
    watched: dict[Path, int] = field(default_factory=dict)
    root: Path | None = None

    def __post_init__(self) -> None:
        self.by_id = {item.id: item for item in self.items}
        self.by_file = {item.file: item for item in self.items}
        self.class_ids = {short_digest(f"class {name}"): name for name in self.folders}

    @property
    def class_names(self) -> list[str]:
        """The names of the classes in natural order."""
        return list(self.folders)

    def add(self, item: Item, folder: Path | None) -> None:
        """Add an image that has just been written.

        Args:
            item: The image.
            folder: The folder of its class, whose time is known from now on; None if somebody else
                has changed it, too, which would not be noticed any more.
        """
        insort(self.items, item)
        self.by_id[item.id] = item
        self.by_file[item.file] = item
        if folder is not None:
            self.watched[folder] = time_of(folder)

    def remember(self, former: "Listing", moves: list[tuple[str, str]]) -> None:
        """Know images also by the ids by which they were known before they were moved.

        A page may still show those, also from before several moves, and whoever goes on at once
        means the same images.

        Args:
            former: The listing before.
            moves: What was moved, from where to where, as paths inside the workspace.
        """
        moved = {
            here.removeprefix("images/"): there.removeprefix("images/") for here, there in moves
        }
        for known, item in former.by_id.items():
            folder, slash, name = item.file.partition("/")
            place = moved.get(item.file, moved.get(folder, folder) + slash + name)
            now = self.by_file.get(place)
            if now is not None:
                self.by_id.setdefault(known, now)

    def content(self, item: Item) -> Path | ImageArray:
        """Return what an image is decoded from.

        Raises:
            ImageError: If it is a link that leads out of an own workspace.
        """
        if item.path is not None:
            self._refuse_way_out(item.path)
            return item.path
        assert self.dataset is not None
        pixels: ImageArray = np.asarray(self.dataset.images[item.number])
        return pixels

    def _refuse_way_out(self, path: Path) -> None:
        if self.root is not None and not path.resolve().is_relative_to(self.root):
            raise ImageError(
                _("{name}: this is a link that leads out of the workspace.").format(name=path)
            )

    def is_outdated(self) -> bool:
        """Return whether somebody else has changed the folders."""
        return not all(map(self.knows, self.watched))

    def knows(self, folder: Path) -> bool:
        """Return whether a folder is as it was when its images were listed."""
        return time_of(folder) == self.watched.get(folder)


def time_of(path: Path) -> int:
    """Return when a folder or file was changed, in nanoseconds; 0 if it is not there."""
    with suppress(OSError):
        return path.stat().st_mtime_ns
    return 0


def own_item(root: Path, path: Path, given: str) -> Item:
    """Return an image file of an own workspace."""
    file = path.relative_to(root).as_posix()
    key = (natural_key(given), natural_key(file))
    return Item(key, short_digest(file), file, given, path=path)


def list_own(root: Path) -> Listing:
    """Return the images of an own workspace, which has a folder for each class.

    Raises:
        OSError: If a folder cannot be read.
    """
    watched = {root: time_of(root)}
    here = entries(root)
    folders: dict[str, Path | None] = {}
    items: list[Item] = []
    for folder in here.folders:
        watched[folder] = time_of(folder)
        name = unicodedata.normalize("NFC", folder.name)
        folders[name] = folder
        found = walk(folder)
        watched |= {inner: time_of(inner) for inner in found.folders}
        items += [own_item(root, path, name) for path in found.images]
    notes = []
    if here.images:
        beside = ngettext(
            "{number:,} image beside the class folders is not used",
            "{number:,} images beside the class folders are not used",
            len(here.images),
        )
        notes.append(beside.format(number=len(here.images)))
    kind = _(KINDS[BY_FOLDER])
    return Listing(sorted(items), folders, kind, tuple(notes), watched=watched, root=root.resolve())


def list_opened(source: str) -> Listing:
    """Return the images of a data source as `train` recognises it.

    Raises:
        DataError: If nothing is found, or the layout is not recognised.
    """
    dataset = load_to_check(source)
    splits = dataset.splits
    names = dataset.class_names
    is_array = isinstance(dataset.images, np.ndarray)
    items = []
    for index, label in enumerate(dataset.labels.tolist()):
        file = dataset.file_name(index)
        items.append(
            Item(
                key=index,
                id=short_digest(file),
                file=file,
                given=names[label],
                number=index,
                path=None if is_array else Path(dataset.images[index]),
                split="" if splits is None else str(splits[index]),
            )
        )
    watched = {path: time_of(path) for path in _watched(dataset, items)}
    folders: dict[str, Path | None] = dict.fromkeys(names)
    return Listing(items, folders, dataset.kind, dataset.notes, dataset, watched)


def _watched(dataset: Dataset, items: Iterable[Item]) -> set[Path]:
    """Return the folders of the images, and the folder or the file that the user named."""
    folders = {os.path.dirname(item.path) for item in items if item.path is not None}  # noqa: PTH120
    named = Path(dataset.path)
    return {Path(folder) for folder in folders} | ({named} if named.exists() else set())
