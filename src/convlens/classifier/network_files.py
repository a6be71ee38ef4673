"""Network files: networks of OpenVINO in the cache, each a file .xml and one .bin beside it.

Nothing here imports Keras, so that a network that was converted before answers at once.
"""

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from convlens.data.cache import REMEDY, cache_folder, touch
from convlens.files import storage_errors
from convlens.folders import make_folder
from convlens.language import _

VERSION = 2  # to be raised when networks are converted in another way
FOLDER = "networks"
OUTPUTS = ("probabilities", "logits")  # of each network, in this order


def place_of(content: str) -> Path:
    """Return the .xml file for what identifies the content of a network.

    Raises:
        StorageError: If the cache folder cannot be created.
    """
    key = hashlib.sha256(f"{VERSION} {content}".encode()).hexdigest()
    return cache_folder() / FOLDER / f"{key[:32]}.xml"


def is_there(network: Path) -> bool:
    """Return whether a network was kept, perhaps damaged; it then counts as used now."""
    if not network.exists():
        return False
    for one in _files(network):
        touch(one)
    return True


def store(network: Path, write: Callable[[Path], None]) -> None:
    """Keep a network; other processes find it when it is whole.

    Args:
        network: Its .xml file.
        write: Writes it to another .xml file, and the .bin file beside that.

    Raises:
        StorageError: If it cannot be written.
    """
    beside = network.with_name(f".{uuid.uuid4().hex[:8]}.{network.name}")
    with storage_errors(network, _("the converted network"), REMEDY):
        make_folder(network.parent)
        try:
            write(beside)
            for written, one in zip(_files(beside), _files(network), strict=True):
                written.replace(one)
        finally:
            for written in _files(beside):
                written.unlink(missing_ok=True)


def store_again(network: Path, other: Path) -> None:
    """Keep a network that was kept by another name as well; both share their place on the disk.

    Raises:
        StorageError: If it cannot be written.
    """

    def write(beside: Path) -> None:
        for one, copy in zip(_files(other), _files(beside), strict=True):
            try:
                os.link(one, copy)
            except OSError:  # the disk has no links
                shutil.copyfile(one, copy)

    store(network, write)


def discard(network: Path) -> None:
    """Remove a network that has suffered; it is converted anew."""
    for one in _files(network):
        with contextlib.suppress(OSError):
            one.unlink()


def _files(network: Path) -> tuple[Path, Path]:
    """Return the files of a network in the order of writing: who finds the .xml finds the .bin."""
    return network.with_suffix(".bin"), network
