"""Torch file: the arrays in a file of PyTorch's older format, read without PyTorch and without unpickling.

Until version 1.6 (2020) `torch.save` wrote five pickles one after the other (a magic number, the format's version,
facts on the machine, the object, the keys of its storages), then each storage: its count of values in 8 bytes, and the
values.

A pickle is a program that can call anything. Here `pickletools` only splits it into its operations, and a small stack
machine does those that a dictionary of tensors needs: nothing is imported, nothing called. It knows four names: a
storage's type, torch's function that makes a tensor of one, and the ordered dictionary become plain descriptions; any
other name or operation refuses the file.
"""

import hashlib
import io
import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.errors import ModelError

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
ZIP = b"PK\x03\x04"
TYPES = {
    "torch DoubleStorage": "<f8", "torch FloatStorage": "<f4", "torch HalfStorage": "<f2", "torch LongStorage": "<i8",
    "torch IntStorage": "<i4", "torch ShortStorage": "<i2", "torch CharStorage": "i1", "torch ByteStorage": "u1",
    "torch BoolStorage": "?",
}  # fmt: skip
MAKE_DICT = "collections OrderedDict"
MAKE_TENSOR = "torch._utils _rebuild_tensor_v2"
MALFORMED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)  # a program that makes no sense


class _RefusedError(Exception):
    """What the file asks for and does not get."""


@dataclass(frozen=True)
class _Name:
    """A name that a pickle would import: "module name"."""

    name: str


@dataclass(frozen=True)
class _Storage:
    """A row of numbers that follows the pickles."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage: first value, shape and steps, all counted in values."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch_file(path: Path, sha256: str | None = None) -> dict[str, NDArray[Any]]:
    """Return the named arrays of a file that holds a dictionary of tensors (a "state dict"), read-only.

    Args:
        path: a file of the older format.
        sha256: what the file's SHA-256 must be, in hexadecimal; where not given, any content is read.

    Raises:
        ModelError: the file is missing, cut, another one, or asks for more than tensors.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: the weights must be a readable file; {error.strerror or error}."
        ) from error
    if sha256 is not None and (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise ModelError(
            f"{path}: the file was cut or changed: its SHA-256 must begin with {sha256[:12]}, found {found[:12]}. "
            "Take a whole copy."
        )
    if content.startswith(ZIP):
        raise ModelError(
            f"{path}: this is PyTorch's newer format, a zip archive, which is not read here; in PyTorch, save it "
            "with torch.save(..., _use_new_zipfile_serialization=False)."
        )
    stream = io.BytesIO(content)
    try:
        return _read(stream)
    except _RefusedError as error:
        raise ModelError(
            f"{path}: the file may hold a dictionary of tensors only; {error}. Nothing was run."
        ) from error
    except MALFORMED as error:
        raise ModelError(
            f"{path}: the file is damaged or was not written by PyTorch; near byte {stream.tell():,}: {error}."
        ) from error


def _read(stream: io.BytesIO) -> dict[str, NDArray[Any]]:
    magic, version, machine, tensors, keys = (_Machine().run(stream) for _ in range(5))
    if magic != MAGIC or version != VERSION or machine["little_endian"] is not True:
        raise ValueError("it does not begin as such a file does")
    if not isinstance(tensors, dict):
        raise _RefusedError("found another object")
    for name, tensor in tensors.items():
        if not isinstance(tensor, _Tensor):
            raise _RefusedError(f"found something else under {name!r}")
    if not isinstance(keys, list) or not all(type(key) is str for key in keys):
        raise _RefusedError("found another object in its list of storages")
    described = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    if set(keys) != set(described):
        raise ValueError("its list of storages must have those of its tensors")
    storages = {key: _read_storage(stream, described[key]) for key in keys}
    return {name: _view(storages[tensor.storage.key], tensor) for name, tensor in tensors.items()}


def _read_storage(stream: io.BytesIO, storage: _Storage) -> NDArray[Any]:
    count = int.from_bytes(stream.read(8), "little", signed=True)
    if count != storage.count:
        raise ValueError(
            f"storage {storage.key!r} must have {storage.count:,} values; {count:,} are announced"
        )
    size = np.dtype(storage.dtype).itemsize * count
    content = stream.read(size)
    if len(content) != size:
        raise ValueError(
            f"storage {storage.key!r} must have {size:,} bytes; found {len(content):,}"
        )
    return np.frombuffer(content, storage.dtype)


def _view(storage: NDArray[Any], tensor: _Tensor) -> NDArray[Any]:
    numbers = (tensor.offset, *tensor.shape, *tensor.strides)
    if not all(type(number) is int and number >= 0 for number in numbers) or len(
        tensor.shape
    ) != len(tensor.strides):
        raise ValueError(
            "a tensor's offset, shape and strides must be whole numbers, one stride an axis"
        )
    count = math.prod(tensor.shape)
    last = tensor.offset + sum(
        (n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True)
    )
    if count > 0 and max(last + 1, count) > storage.size:
        raise ValueError(
            f"a tensor of shape {tensor.shape} reaches beyond its {storage.size:,} values"
        )
    return np.lib.stride_tricks.as_strided(
        storage[tensor.offset :],
        tensor.shape,
        [step * storage.itemsize for step in tensor.strides],
        writeable=False,
    )


class _Machine:
    """The stack, marks and memory of a pickle's program, for the operations in OPERATIONS."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []  # stacks below the marks
        self.memory: dict[int, Any] = {}

    def run(self, stream: io.BytesIO) -> Any:
        """Return what the pickle at the stream's position describes."""
        for opcode, argument, position in pickletools.genops(stream):
            if opcode.name not in OPERATIONS:
                raise _RefusedError(f"found the operation {opcode.name} at byte {position:,}")
            try:
                OPERATIONS[opcode.name](self, argument)
            except _RefusedError as error:
                raise _RefusedError(
                    f"{opcode.name} at byte {position:,} asks for {error}"
                ) from None
        return self.stack.pop()

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def recall(self, number: int) -> None:
        if number not in self.memory:
            raise ValueError(f"it asks for value {number}, which it has not kept")
        self.push(self.memory[number])

    def pop(self, count: int) -> list[Any]:
        values = [self.stack.pop() for _ in range(count)]
        return values[::-1]

    def mark(self, _: None) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def pop_mark(self) -> list[Any]:
        values, self.stack = self.stack, self.outer.pop()
        return values

    def extend(self, values: list[Any]) -> None:
        self.stack[-1].extend(values)

    def set_items(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict) or not all(isinstance(key, str) for key in values[::2]):
            raise _RefusedError("a dictionary with keys that are not text")
        target.update(zip(values[::2], values[1::2], strict=True))

    def name(self, name: str) -> None:
        if name not in TYPES and name not in (MAKE_DICT, MAKE_TENSOR):
            raise _RefusedError(f"the name {name!r}")
        self.push(_Name(name))

    def storage(self, _: None) -> None:
        """Replace (the word "storage", type, key, device, count of values, None) by its description."""
        word, kind, key, _device, count, view = self.stack.pop()
        if (
            word != "storage"
            or view is not None
            or not isinstance(kind, _Name)
            or kind.name not in TYPES
        ):
            raise _RefusedError("a storage of a kind that is not known")
        if not isinstance(key, str) or type(count) is not int or count < 0:
            raise ValueError("a storage must have a key and a count of values")
        self.push(_Storage(key, TYPES[kind.name], count))

    def call(self, _: None) -> None:
        """Make what one of the two known functions would, without calling it."""
        function, arguments = self.pop(2)
        if function == _Name(MAKE_DICT) and arguments == ():
            self.push({})
        elif function == _Name(MAKE_TENSOR) and isinstance(arguments[0], _Storage):
            self.push(
                _Tensor(*arguments[:4])
            )  # then come requires_grad and hooks, which concern training
        else:
            raise _RefusedError(
                f"a call of {getattr(function, 'name', 'something')} that makes no tensor"
            )

    def build(self, _: None) -> None:
        """Leave out the attributes of a dictionary: torch notes the versions of its layers there."""
        self.stack.pop()
        if not isinstance(self.stack[-1], dict):
            raise _RefusedError("attributes of something else than a dictionary")


def _push(value: Any) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.push(value)


OPERATIONS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "STOP"), lambda machine, _: None),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"), _Machine.push),
    **dict.fromkeys(
        ("BINPUT", "LONG_BINPUT"),
        lambda machine, at: machine.memory.update({at: machine.stack[-1]}),
    ),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _Machine.recall),
    "NONE": _push(None),
    "NEWTRUE": _push(True),
    "NEWFALSE": _push(False),
    "EMPTY_TUPLE": _push(()),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "MARK": _Machine.mark,
    "TUPLE": lambda machine, _: machine.push(tuple(machine.pop_mark())),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.pop(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.pop(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.pop(3))),
    "APPEND": lambda machine, _: machine.extend(machine.pop(1)),
    "APPENDS": lambda machine, _: machine.extend(machine.pop_mark()),
    "SETITEM": lambda machine, _: machine.set_items(machine.pop(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.pop_mark()),
    "GLOBAL": _Machine.name,
    "BINPERSID": _Machine.storage,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
}
