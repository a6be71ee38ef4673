"""Folder: where the answers of a cluster are kept, on a shared disk or in an object store.

A file is there as a whole or not at all: on a disk it is renamed when it is whole, and an object
store shows an object when all of it has arrived.
"""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from convlens.cluster.stores import file_system, is_address, reason_of, store_errors
from convlens.errors import ConvlensError, StorageError
from convlens.files import expanded, storage_errors, write_atomically
from convlens.language import N_, _

Content = bytes | str | Callable[[Path], object]
REMEDY = N_("Check the address, and that this computer has the right to write there.")
UNREAD = N_("{place}: the answers cannot be read; {reason}.")
BLOCK = 2**20  # bytes of an object that are fetched at a time


class Folder(ABC):
    """A folder of answers. The files in it are named by relative paths with slashes.

    Attributes:
        address: Its absolute path, or its address in an object store.
    """

    address: str

    @abstractmethod
    def write(self, name: str, content: Content, what: str) -> None:
        """Write a file as a whole.

        Args:
            name: The name of the file.
            content: Its content, or a function that writes it to the path that it is given.
            what: What it is, for the message.

        Raises:
            StorageError: If it cannot be written.
        """

    @abstractmethod
    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Return a context in which a file is open for reading.

        Raises:
            StorageError: If the file cannot be read.
        """

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Return whether a file is there.

        Raises:
            StorageError: If an object store cannot be read.
        """

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Return the sorted names of the files in a folder of this one.

        Raises:
            StorageError: If an object store cannot be read.
        """


class OnDisk(Folder):
    """A folder on a disk.

    Args:
        path: Its path.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = expanded(path).absolute()
        self.address = str(self._path)

    def write(self, name: str, content: Content, what: str) -> None:
        """Write a file under another name and rename it; see `Folder.write`."""
        write_atomically(self._path / name, content, what)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Yield a file that is open for reading."""
        path = self._path / name
        with _reading(str(path)), path.open("rb") as file:
            yield file

    def exists(self, name: str) -> bool:
        """Return whether a file is there."""
        return (self._path / name).exists()

    def names(self, folder: str) -> list[str]:
        """Return the sorted names of the whole files in a folder of this one."""
        return sorted(path.name for path in (self._path / folder).glob("[!.]*"))


class InStore(Folder):
    """A folder in an object store.

    Args:
        address: Its address.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._files, self._path = file_system(self.address)

    def write(self, name: str, content: Content, what: str) -> None:
        """Put an object; see `Folder.write`."""
        place = f"{self._path}/{name}"
        with storage_errors(f"{self.address}/{name}", what, _(REMEDY)), store_errors():
            if not callable(content):
                self._files.pipe_file(
                    place, content.encode() if isinstance(content, str) else content
                )
                return
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / Path(name).name
                content(path)
                self._files.put_file(str(path), place)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Yield an object that is open for reading, of which parts can be fetched."""
        with (
            _reading(f"{self.address}/{name}"),
            self._files.open(f"{self._path}/{name}", "rb", block_size=BLOCK) as file,
        ):
            yield file

    def exists(self, name: str) -> bool:
        """Return whether there is an object."""
        with _reading(self.address):
            found: bool = self._files.exists(f"{self._path}/{name}")
            return found

    def names(self, folder: str) -> list[str]:
        """Return the sorted names of the objects in a folder of this one."""
        with _reading(self.address):
            try:
                found = self._files.ls(f"{self._path}/{folder}", detail=False)
            except FileNotFoundError:
                return []
            return sorted(place.rpartition("/")[2] for place in found)


@contextmanager
def _reading(place: str) -> Iterator[None]:
    """Raise what reading a place raises inside as a StorageError."""
    try:
        yield
    except ConvlensError:
        raise
    except Exception as error:  # Parquet, JSON and each kind of store have errors of their own
        raise StorageError(_(UNREAD).format(place=place, reason=reason_of(error))) from error


def folder_at(place: str | Path | Folder) -> Folder:
    """Return the folder of answers at a path or an address.

    Raises:
        DataError: If the address names no kind of store.
        BackendError: If the package for this kind of store is not installed.
    """
    if isinstance(place, Folder):
        return place
    if isinstance(place, str) and is_address(place):
        return InStore(place)
    return OnDisk(place)
