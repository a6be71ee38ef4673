"""Disk: what a folder may look like after a crash, rebuilt from the calls that changed it.

A process that is killed leaves all calls that it made, the last of them perhaps in part. A power
cut may lose more: the bytes of a file that were not brought to the disk by fsync, and a new name
(of a file that was created, renamed or linked) whose folder was not.

Source      Pillai et al., "All File Systems Are Not Created Equal: On the Complexity of Crafting
            Crash-Consistent Applications", OSDI 2014
"""

import hashlib
import shutil
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple

HEAD = struct.Struct("<2I4Q")  # as `struct header` of recorder.c
KINDS = {
    "C": "create",
    "D": "mkdir",
    "L": "link",
    "O": "open",
    "R": "rename",
    "S": "fsync",
    "T": "truncate",
    "U": "unlink",
    "W": "write",
    "X": "rmdir",
}
NAMING = ("create", "link", "rename")

Content = Mapping[str, bytes | None]
"""The bytes of each file by its path below the folder; None for a folder."""


class Call(NamedTuple):
    """A call that changed a file.

    Attributes:
        number: Which call below the folder it was, from 1.
        kind: One of the values of KINDS.
        path: The path below the folder.
        inode: The number of the file, for calls on open files.
        place: Where in the file, or its new size.
        data: What was written, or the new path below the folder.
    """

    number: int
    kind: str
    path: str
    inode: int
    place: int
    data: bytes

    @property
    def named(self) -> str:
        """The path that the call has given to a file."""
        return self.data.decode() if self.kind in ("link", "rename") else self.path

    def __str__(self) -> str:
        size = f" {len(self.data)} bytes" if self.kind == "write" else ""
        return f"{self.number} {self.kind} {self.named}{size}"


@dataclass(frozen=True)
class Recording:
    """A folder, and the calls that changed it.

    Attributes:
        before: The content before the first call.
        inodes: The numbers of its files.
        calls: The calls, in order.
    """

    before: Content
    inodes: Mapping[int, str]
    calls: Sequence[Call]


@dataclass(frozen=True)
class State:
    """What may be on the disk after a crash.

    Attributes:
        moment: When the crash happened, and what it cost.
        content: The folder.
    """

    moment: str
    content: Content


def read_folder(folder: Path) -> Content:
    """Return the content of a folder."""
    paths = sorted(folder.rglob("*"))
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in paths
    }


def read_inodes(folder: Path) -> dict[int, str]:
    """Return the paths of the files in a folder by their numbers."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.stat().st_ino: path.relative_to(folder).as_posix() for path in files}


def write_folder(content: Content, folder: Path) -> Path:
    """Give a folder this content, and return it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in sorted(content.items()):
        if data is None:
            (folder / name).mkdir(exist_ok=True)
        else:
            (folder / name).write_bytes(data)
    return folder


def read_calls(log: Path, folder: Path) -> list[Call]:
    """Return the calls of a log of recorder.c."""
    calls = []
    content = log.read_bytes() if log.exists() else b""
    start = 0
    while start < len(content):
        kind, path_size, number, inode, place, size = HEAD.unpack_from(content, start)
        middle = start + HEAD.size + path_size
        path = _below(content[start + HEAD.size : middle], folder)
        data = content[middle : middle + size]
        if chr(kind) in "LR":
            data = _below(data, folder).encode()
        calls.append(Call(number, KINDS[chr(kind)], path, inode, place, data))
        start = middle + size
    return calls


def _below(path: bytes, folder: Path) -> str:
    return path.decode().removeprefix(str(folder)).strip("/")


def without_leftovers(content: Content) -> Content:
    """Return the content without hidden files and folders, which nothing reads by name."""
    return {
        name: data
        for name, data in content.items()
        if not any(part.startswith(".") for part in PurePath(name).parts)
    }


def key(content: Content) -> str:
    """Return a digest that is the same for equal contents."""
    digest = hashlib.sha256()
    for name, data in sorted(content.items()):
        digest.update(f"{name}\0{-1 if data is None else len(data)}\0".encode())
        digest.update(data or b"")
    return digest.hexdigest()


class _File:
    """The bytes of a file, and those that no power cut can take."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = bytearray(content)
        self.safe = content


class Disk:
    """The files of a folder while calls are repeated."""

    def __init__(self, recording: Recording) -> None:
        content = recording.before
        self.files = {name: _File(data) for name, data in content.items() if data is not None}
        self.folders = {name for name, data in content.items() if data is None}
        self._open = {inode: self.files[name] for inode, name in recording.inodes.items()}

    def repeat(self, call: Call, *, lost: bool = False, torn: bool = False) -> None:
        """Repeat a call.

        Args:
            call: The call.
            lost: Whether the name that it gave to a file is lost.
            torn: Whether only half of the bytes were written.
        """
        if call.kind == "create":
            self._open[call.inode] = _File()
            if not lost:
                self.files[call.path] = self._open[call.inode]
        elif call.kind in ("write", "truncate", "fsync"):
            self._change(call, torn=torn)
        elif call.kind == "link" and not lost and call.path in self.files:
            self.files[call.named] = self.files[call.path]
        elif call.kind == "rename" and not lost:
            self._rename(call.path, call.named)
        elif call.kind == "unlink":
            self.files.pop(call.path, None)
        elif call.kind == "mkdir":
            self.folders.add(call.path)
        elif call.kind == "rmdir":
            self.folders.discard(call.path)

    def _change(self, call: Call, *, torn: bool) -> None:
        file = self._open.get(call.inode)
        if file is None:  # a folder, or a file without a name
            return
        data = call.data[: len(call.data) // 2] if torn else call.data
        if call.kind == "fsync":
            file.safe = bytes(file.content)
        elif call.kind == "truncate":
            del file.content[call.place :]
            file.content.extend(bytes(call.place - len(file.content)))
        else:
            file.content.extend(bytes(max(0, call.place - len(file.content))))
            file.content[call.place : call.place + len(data)] = data

    def _rename(self, old: str, new: str) -> None:
        def name_of(name: str) -> str:
            return new + name.removeprefix(old) if f"{name}/".startswith(f"{old}/") else name

        if old in self.files:
            self.files.pop(new, None)
        self.files = {name_of(name): file for name, file in self.files.items()}
        self.folders = {name_of(name) for name in self.folders}

    def content(self, unsafe: str = "") -> Content:
        """Return the content; of one file only what is safe."""
        files = {
            name: file.safe if name == unsafe else bytes(file.content)
            for name, file in self.files.items()
        }
        return files | dict.fromkeys(self.folders)

    @property
    def unsafe(self) -> list[str]:
        """The files with bytes that a power cut can take."""
        return [name for name, file in self.files.items() if file.safe != file.content]


def states(recording: Recording) -> list[State]:
    """Return the states that differ, for a crash after each of the calls."""
    found: dict[str, State] = {}
    for state in _all_states(recording):
        found.setdefault(key(state.content), state)
    return list(found.values())


def _all_states(recording: Recording) -> Iterator[State]:
    yield State("before", recording.before)
    disk = Disk(recording)
    pending: list[int] = []  # calls whose names a power cut can take
    for index, call in enumerate(recording.calls):
        if call.kind == "write":
            torn = _repeated(recording, index)
            torn.repeat(call, torn=True)
            yield State(f"within {call}", torn.content())
        disk.repeat(call)
        if call.kind == "fsync":
            pending = [i for i in pending if _folder_of(recording.calls[i]) != call.path]
        elif call.kind in NAMING:
            pending.append(index)
        yield State(f"after {call}", disk.content())
        for name in disk.unsafe:
            yield State(f"after {call}, without the bytes of {name}", disk.content(name))
        for lost in {(i,) for i in pending} | {tuple(pending)} - {()}:
            names = ", ".join(recording.calls[i].named for i in lost)
            without = _repeated(recording, index + 1, lost).content()
            yield State(f"after {call}, without the name of {names}", without)


def _folder_of(call: Call) -> str:
    """Return the folder in which a call has named a file, as calls on it name it."""
    parent = PurePath(call.named).parent.as_posix()
    return "" if parent == "." else parent


def _repeated(recording: Recording, number: int, lost: Sequence[int] = ()) -> Disk:
    """Return the disk after so many calls, some of which have lost the name that they gave."""
    disk = Disk(recording)
    for index, call in enumerate(recording.calls[:number]):
        disk.repeat(call, lost=index in lost)
    return disk
