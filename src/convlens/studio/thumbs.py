"""Thumbs: small images of the grid, made once and kept in one file of the workspace.

They are drawn anew from the pixels, so that no byte of an uploaded file ever reaches a page.
"""

import contextlib
import io
import os
import sqlite3
import threading
import time
from pathlib import Path

from PIL import Image

from convlens.decode import ORIENTATION, TURNS
from convlens.errors import ImageError
from convlens.image_file import MAX_PIXELS
from convlens.language import _
from convlens.preprocess import ImageArray, open_image
from convlens.studio.listing import Item
from convlens.studio.workspace import Workspace

SIDES = (128, 256)
LARGE = 1600  # pixels of the longest side of an image that is shown alone
QUALITY = 82
QUIET = 0.5  # seconds without a request after which others are made in the background
JPEG = "image/jpeg"
PNG = "image/png"
Drawn = tuple[bytes, str]
# not translated: SQL
TABLE = (
    "CREATE TABLE IF NOT EXISTS thumbs "  # not translated: SQL
    "(id TEXT, side INTEGER, stamp TEXT, content BLOB, PRIMARY KEY (id, side))"
)
FIND = "SELECT stamp, content FROM thumbs WHERE id = ? AND side = ?"  # not translated: SQL
KEEP = "INSERT OR REPLACE INTO thumbs VALUES (?, ?, ?, ?)"  # not translated: SQL
KNOWN = "SELECT id FROM thumbs WHERE side = ?"  # not translated: SQL
ALL = "SELECT DISTINCT id FROM thumbs"  # not translated: SQL
FORGET = "DELETE FROM thumbs WHERE id = ?"  # not translated: SQL
EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)"  # not translated: SQL
# All of it can be made again, so nothing waits for the disk. What is deleted is overwritten.
SETTINGS = (
    "PRAGMA journal_mode = WAL",  # not translated: SQL
    "PRAGMA synchronous = OFF",  # not translated: SQL
    "PRAGMA secure_delete = ON",  # not translated: SQL
)


class Thumbs:
    """The small images of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._asked = time.monotonic()
        self._decoding = threading.BoundedSemaphore(os.cpu_count() or 1)
        self._file = _opened(workspace.places.hidden / "thumbs.sqlite")
        self._maker = threading.Thread(target=self._make_all, daemon=True)

    def start(self) -> None:
        """Begin to make those that nobody has asked for yet, while nobody asks."""
        self._maker.start()

    def close(self) -> None:
        """End."""
        self._ended.set()
        if self._maker.is_alive():
            self._maker.join(5)
        with self._lock:
            self._file.close()

    def wait(self) -> None:
        """Let those that nobody has asked for wait, since the computer has something else to do."""
        self._asked = time.monotonic()

    def of(self, item: Item, side: int) -> Drawn:
        """Return a small image and its media type.

        Raises:
            ImageError: If the image cannot be read.
        """
        self.wait()
        return self._of(item, side)

    def _of(self, item: Item, side: int) -> Drawn:
        content = self._workspace.listing.content(item)
        stamp = self.stamp(item)
        with self._lock, contextlib.suppress(sqlite3.Error):
            found = self._file.execute(FIND, (item.id, side)).fetchone()
            if found is not None and found[0] == stamp:
                return _typed(found[1])
        drawn = self.draw(content, side)
        # A thumb that cannot be kept, as on a full disk, is made again.
        with self._lock, contextlib.suppress(sqlite3.Error):
            row = (item.id, side, stamp, drawn[0])
            self._file.execute(KEEP, row)
            self._file.commit()
        return drawn

    def stamp(self, item: Item) -> str:
        """Return what changes with the pixels of an image.

        Raises:
            ImageError: If it cannot be read.
        """
        listing = self._workspace.listing
        return _stamp(listing.content(item)) or str([*listing.watched.values()])

    def forget_gone(self) -> int:
        """Delete the small images of images that are not there any more.

        Returns:
            The number of those that could not be deleted.
        """
        known = self._workspace.listing.by_id.keys()
        with self._lock:
            gone: set[str] = set()
            try:
                gone = {row[0] for row in self._file.execute(ALL)} - known
                self._file.executemany(FORGET, [(one,) for one in gone])
                self._file.commit()
                self._file.execute(EMPTY_LOG)
            except sqlite3.Error:
                return max(1, len(gone))
        return 0

    def draw(self, content: Path | ImageArray, side: int) -> Drawn:
        """Return what `draw` does, for a few images at a time, so that they fit into the memory."""
        with self._decoding:
            return draw(content, side)

    def _make_all(self) -> None:
        """Make all small images, in the order of names, again after each change."""
        version = 0
        while not self._ended.wait(QUIET):
            if version == self._workspace.version:
                continue
            version = self._workspace.version
            with self._workspace.lock:
                items = list(self._workspace.listing.items)
            for item in self._missing(items):
                while time.monotonic() - self._asked < QUIET and not self._ended.is_set():
                    self._ended.wait(QUIET)
                if self._ended.is_set():
                    return
                # Its cell shows what is wrong with an image, and the others are made all the same.
                with contextlib.suppress(Exception):
                    self._of(item, SIDES[0])

    def _missing(self, items: list[Item]) -> list[Item]:
        with self._lock:
            try:
                rows = self._file.execute(KNOWN, (SIDES[0],))
                known = {row[0] for row in rows}
            except sqlite3.Error:
                return []
        return [item for item in items if item.id not in known]


def draw(content: Path | ImageArray, side: int) -> Drawn:
    """Return an image upright and reduced to a side, and its media type.

    A small image keeps each of its pixels.

    Raises:
        ImageError: If the image cannot be read.
    """
    image = _reduced_while_decoded(content, side)
    if image is None:
        image = open_image(content)
    is_small = max(image.size) <= side
    if not is_small:
        image.thumbnail((side, side))
    image.info = {}  # Pillow would write the profile and the comment of the file again
    file = io.BytesIO()
    if is_small and side < LARGE:
        image.save(file, "PNG")
    else:
        image.convert("RGB").save(file, "JPEG", quality=QUALITY)
    return _typed(file.getvalue())


def _reduced_while_decoded(content: Path | ImageArray, side: int) -> Image.Image | None:
    """Return a large JPEG file that is decoded at a fraction of its size; None for others."""
    if not isinstance(content, Path):
        return None
    try:
        with Image.open(content, formats=["JPEG"]) as image:
            width, height = image.size
            is_worth_it = min(width, height) > 2 * side and image.mode in ("L", "RGB")
            if not is_worth_it or width * height > MAX_PIXELS:
                return None
            image.draft(image.mode, (2 * side, 2 * side))
            turn = image.getexif().get(ORIENTATION, 1)
            image.load()
            return _turned(image.copy(), turn)
    except Exception:  # Whatever is wrong, `open_image` says it in the words of convlens.
        return None


def _turned(image: Image.Image, turn: object) -> Image.Image:
    return image.transpose(TURNS[turn]) if isinstance(turn, int) and turn in TURNS else image


def _typed(content: bytes) -> Drawn:
    return content, PNG if content.startswith(b"\x89PNG") else JPEG


def _stamp(content: Path | ImageArray) -> str:
    """Return what changes with the file of an image; nothing for an image of an array.

    Raises:
        ImageError: If the file has vanished.
    """
    if not isinstance(content, Path):
        return ""
    try:
        found = content.stat()
    except OSError as error:
        raise ImageError(_("{name}: there is no such file.").format(name=content)) from error
    return f"{found.st_mtime_ns} {found.st_size}"


def _opened(path: Path) -> sqlite3.Connection:
    """Return the file of small images, a new one if it is damaged; in memory if it cannot be."""
    for place in (path, path, Path(":memory:")):
        try:
            file = sqlite3.connect(place, check_same_thread=False, timeout=1)
            for command in (*SETTINGS, TABLE):
                file.execute(command)
            file.commit()
            return file
        except sqlite3.Error:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    return sqlite3.connect(":memory:", check_same_thread=False)
