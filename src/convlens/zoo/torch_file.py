"""Torch file: the arrays in a known file of PyTorch's older format, read without PyTorch.

Until version 1.6 (2020), `torch.save` wrote five pickles one after the other: a magic number, the
version of the format, facts about the machine, the object, and the keys of its storages. The
storages follow: the number of values in 8 bytes, then the values.

A pickle can call any function, so that convlens unpickles nothing that a user opens. This is the
one exception, see `docs/decisions/torch_file.md`: only a file whose SHA-256 is known is unpickled,
and only the names in ALLOWED may occur in it. None of them is PyTorch's: tensors and storages
become descriptions, from which NumPy arrays are made.
"""

import hashlib
import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.errors import ModelError
from convlens.language import _
from convlens.reasons import system_reason

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
# What unpickling and describing can raise for content that makes no sense.
MALFORMED = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)


class _Storage(NamedTuple):
    """The values that one or several tensors show; they follow the pickles in the file."""

    key: str
    dtype: str


class _Tensor(NamedTuple):
    """A view of a storage. The offset of its first value and its strides count values."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self, content: bytes) -> NDArray[Any]:
        """Return the array, which cannot be written to, from the bytes of the storage."""
        size = np.dtype(self.storage.dtype).itemsize
        strides = tuple(step * size for step in self.strides)
        offset = self.offset * size
        return np.ndarray(self.shape, self.storage.dtype, content, offset, strides)


def _describe_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    """Stand in for `torch._utils._rebuild_tensor_v2`, whose other arguments concern training."""
    return _Tensor(storage, offset, shape, strides)


# The names that a file may contain, and what they become. Storages become types of NumPy.
ALLOWED: dict[tuple[str, str], str | Callable[..., Any]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _describe_tensor,
    ("torch", "DoubleStorage"): "<f8",
    ("torch", "FloatStorage"): "<f4",
    ("torch", "HalfStorage"): "<f2",
    ("torch", "LongStorage"): "<i8",
    ("torch", "IntStorage"): "<i4",
    ("torch", "ShortStorage"): "<i2",
    ("torch", "CharStorage"): "i1",
    ("torch", "ByteStorage"): "u1",
    ("torch", "BoolStorage"): "?",
}


class _Unpickler(pickle.Unpickler):
    """Unpickles descriptions of tensors and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what an allowed name becomes."""
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(
                _("it asks for {module}.{name}, which is not allowed").format(
                    module=module, name=name
                )
            )
        return ALLOWED[module, name]

    def persistent_load(self, description: tuple[Any, ...]) -> _Storage:
        """Return the description of a storage."""
        _word, dtype, key, *_ = description
        return _Storage(key, dtype)


def read_torch_file(path: Path, sha256: str) -> dict[str, NDArray[Any]]:
    """Return the named arrays of a file that holds a dictionary of tensors (a "state dict").

    Args:
        path: A file of PyTorch's older format.
        sha256: The SHA-256 that the file must have, in hexadecimal. It is checked before anything
            is unpickled.

    Raises:
        ModelError: If the file is missing, is not the known one, or holds more than tensors.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            _("{path}: the weights must be a readable file; {reason}.").format(
                path=path, reason=system_reason(error)
            )
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(
            _(
                "{path}: the file was cut or changed; its SHA-256 must begin with {expected}, "
                "found {found}. Replace it by a whole copy."
            ).format(path=path, expected=sha256[:12], found=found[:12])
        )
    try:
        return _read(io.BytesIO(content))
    except MALFORMED as error:
        raise ModelError(
            _(
                "{path}: the file must hold a dictionary of tensors as old versions of PyTorch "
                "wrote it, and nothing else; {error}."
            ).format(path=path, error=error)
        ) from error


def _read(stream: io.BytesIO) -> dict[str, NDArray[Any]]:
    magic, version, machine, tensors, keys = (_Unpickler(stream).load() for __ in range(5))
    if (magic, version, machine["little_endian"]) != (MAGIC, VERSION, True):
        raise ValueError(_("it does not begin as such a file does"))
    sizes = {
        tensor.storage.key: np.dtype(tensor.storage.dtype).itemsize for tensor in tensors.values()
    }
    contents = {}
    for key in keys:
        length = int.from_bytes(stream.read(8), "little") * sizes[key]
        contents[key] = stream.read(length)
        # NumPy checks that an array stays within its buffer, but not if the buffer is empty.
        if len(contents[key]) != length or length == 0:
            raise ValueError(_("storage {key!r} is cut or empty").format(key=key))
    return {name: tensor.array(contents[tensor.storage.key]) for name, tensor in tensors.items()}
