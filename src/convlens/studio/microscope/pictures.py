"""Pictures: images under the microscope, which stay the same while their files may change."""

import hashlib
from pathlib import Path

from convlens.files import write_atomically
from convlens.language import _
from convlens.studio.content import checked_name
from convlens.studio.listing import time_of
from convlens.studio.problem import GONE, Problem
from convlens.text import printable

MOST = 60  # pictures that are kept; the oldest go
LENGTH = 20  # digits of an identifier


class Pictures:
    """The images that were put under the microscope.

    Args:
        folder: Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, given: str, content: bytes) -> dict[str, str]:
        """Keep an image, and return its identifier and name.

        Raises:
            Problem: If it is too large, or no image that can be read.
            StorageError: If it cannot be written.
        """
        name = checked_name(given, content)
        digest = hashlib.sha256(name.encode() + b"\0" + content).hexdigest()[:LENGTH]
        path = self._folder / f"{digest}-{name[-50:]}"
        if not path.exists():
            write_atomically(path, lambda there: there.write_bytes(content), _("the image"))
            self._forget_oldest()
        return {"id": digest, "name": printable(name)}

    def find(self, identifier: object) -> Path:
        """Return the file of an image.

        Raises:
            Problem: If there is none of this identifier.
        """
        if isinstance(identifier, str) and len(identifier) == LENGTH and identifier.isalnum():
            for path in self._folder.glob(f"{identifier}-*"):
                return path
        raise Problem(_("this image is not under the microscope any more."), GONE, "image")

    @staticmethod
    def name_of(path: Path) -> str:
        """Return the name with which an image came."""
        return path.name[LENGTH + 1 :]

    def _forget_oldest(self) -> None:
        found = sorted(self._folder.iterdir(), key=time_of)
        for path in found[:-MOST]:
            path.unlink(missing_ok=True)
