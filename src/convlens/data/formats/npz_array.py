"""NPZ array: an array inside an `.npz` file, read in chunks that fit into memory."""

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from convlens.data.cache import CHUNK
from convlens.data.dataset import refuse_if
from convlens.errors import DataError
from convlens.language import _, sentences
from convlens.preprocess import ImageArray
from convlens.unit import Unit, Values, joined, to_bytes, values_of


def read_whole(path: Path, archive: Any, key: str) -> NDArray[Any]:
    """Return an array of labels or names."""
    with _open_member(path, archive.zip, key):
        return cast(NDArray[Any], archive[key])


class StoredImages:
    """An array of images inside an .npz file, which is read in chunks.

    Args:
        path: The file, for messages.
        archive: The open archive.
        key: The name of the array.

    Attributes:
        shape: (n, height, width) or (n, height, width, channels).
        dtype: The type of its numbers.

    Raises:
        DataError: If the array holds no images.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile, key: str) -> None:
        self.path = path
        self.archive = archive
        self.key = key
        with _open_member(path, archive, key) as (__, shape, ___, dtype):
            self.shape = shape
            self.dtype = dtype
        refuse_if(
            dtype.kind not in "buif",
            _("{path}: {key} must hold numbers; found {dtype}."),
            path=path,
            key=key,
            dtype=dtype,
        )
        is_image = len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3, 4))
        if not is_image or 0 in shape:
            message = _(
                "{path}: {key} must have the shape (n, height, width) or (n, height, width, 1, 3 "
                "or 4); found {shape}."
            ).format(path=path, key=key, shape=shape)
            raise DataError(sentences(message, _advice(shape)))

    @property
    def image_shape(self) -> tuple[int, ...]:
        """The shape without a single channel: (n, height, width[, 3 or 4])."""
        return self.shape[:3] if self.shape[3:] == (1,) else self.shape

    def values(self) -> Values | None:
        """Return the values of the array, or None if it has 8 bits.

        Raises:
            DataError: If some are NaN or infinity.
        """
        if self.dtype == np.uint8:
            return None
        found = None
        for block in self._raw():
            # NaN and infinity show in the extremes, too.
            refuse_if(
                not np.isfinite([block.min(), block.max()]).all(),
                _("{path}: pixels must be numbers; found NaN or infinity in {key} ({dtype})."),
                path=self.path,
                key=self.key,
                dtype=self.dtype,
            )
            found = joined([found, values_of(block)])
        return found

    def chunks(self, unit: Unit | None) -> Iterator[ImageArray]:
        """Yield uint8 images of `image_shape`, several at a time.

        Args:
            unit: The values of black and white; not used if the array has 8 bits.
        """
        for block in self._raw():
            pixels = block if unit is None or self.dtype == np.uint8 else to_bytes(block, unit)
            yield pixels.reshape(-1, *self.image_shape[1:])

    def _raw(self) -> Iterator[NDArray[Any]]:
        member = _open_member(self.path, self.archive, self.key)
        with member as (stream, shape, fortran_order, dtype):
            row = math.prod(shape[1:]) * dtype.itemsize
            step = shape[0] if fortran_order else max(1, CHUNK // row)
            for start in range(0, shape[0], step):
                count = min(step, shape[0] - start)
                data = stream.read(count * row)
                refuse_if(
                    len(data) < count * row,
                    _("{path}: {key} ends after {start:,} of {number:,} images."),
                    path=self.path,
                    key=self.key,
                    start=start,
                    number=shape[0],
                )
                block = np.frombuffer(data, dtype)
                wanted = (count, *shape[1:])
                yield block.reshape(wanted[::-1]).T if fortran_order else block.reshape(wanted)


def _advice(shape: tuple[int, ...]) -> str:
    """Return how an array of another shape can be made to fit, or nothing."""
    if len(shape) == 4 and shape[1] in (1, 3, 4):
        return _("The channels come last: np.moveaxis(x, 1, -1).")
    if len(shape) == 2:
        return _("Reshape the rows to height x width.")
    return ""


@contextmanager
def _open_member(
    path: Path, archive: zipfile.ZipFile, key: str
) -> Iterator[tuple[IO[bytes], tuple[int, ...], bool, np.dtype[Any]]]:
    """Yield (stream at the first value, shape, fortran_order, dtype) of an array.

    Raises:
        DataError: If the array holds Python objects.
    """
    with archive.open(f"{key}.npy") as stream:
        is_first = np.lib.format.read_magic(stream) == (1, 0)
        formats = np.lib.format
        read = formats.read_array_header_1_0 if is_first else formats.read_array_header_2_0
        shape, fortran_order, dtype = read(stream)
        refuse_if(
            dtype.hasobject,
            _(
                "{path}: {key} holds Python objects, which are never opened because they can run "
                "code; save it as a plain array of numbers or text (np.asarray(values, "
                "dtype=...))."
            ),
            path=path,
            key=key,
        )
        yield stream, shape, fortran_order, dtype
