"""Images: where those lie that a cluster is asked about, and their content.

An image is named by its path or by its address in an object store. Names travel to the nodes, and
pixels do not: each node reads the images that it answers for.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn

import numpy as np

from convlens.cluster.stores import UNREADABLE, file_system, is_address, reason_of, store_errors
from convlens.data.dataset import Dataset
from convlens.data.digests import DIGEST_BYTES
from convlens.decode import may_begin_deep
from convlens.errors import ConvlensError, DataError, ImageError
from convlens.image_file import IMAGE_SUFFIXES, ImageLike, named, usual_suffixes
from convlens.language import _, listed, one_of
from convlens.text import original

COLUMNS = ("image", "file", "path")  # of a list of images; the first that is there
READ = 4096  # rows of a Parquet list that are read at a time
BUFFER = 2**20  # bytes of a Parquet list that are read at a time
START = 25  # bytes of an image that `may_begin_deep` asks for


def is_list(name: str) -> bool:
    """Return whether a name is that of a list of images, a CSV or Parquet file."""
    return name.lower().endswith(".csv") or _is_parquet(name)


def _is_parquet(name: str) -> bool:
    return name.lower().endswith(".parquet")


def images_in_list(name: str) -> Iterator[str]:
    """Yield the images that a list names, one after the other, so that a list may be of any length.

    Paths count from the folder of the list.

    Raises:
        DataError: If the list cannot be read, or has no column with images.
    """
    try:
        with store_errors(), _opened(name) as file:
            rows = (_parquet_rows if _is_parquet(name) else _rows)(file, name)
            for number, image in enumerate(rows, 1):
                if not image:
                    message = _("{name}: every row must name an image; row {row:,} names none.")
                    raise DataError(message.format(name=name, row=number))
                yield image if is_address(image) else _beside(name, image)
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(_(UNREADABLE).format(place=name, reason=reason_of(error))) from error


def files_of(dataset: Dataset) -> Sequence[Path]:
    """Return the files of a data set, which nodes can read.

    Raises:
        DataError: If its images are an array.
    """
    if isinstance(dataset.images, np.ndarray):
        raise DataError(
            _("{source}: a cluster reads image files; these images are in one file.").format(
                source=dataset.source
            )
        )
    return dataset.images


def _beside(name: str, image: str) -> str:
    if is_address(name):
        return "{folder}/{image}".format(folder=name.rpartition("/")[0], image=image)
    return str(Path(name).parent / original(image))


def _rows(file: IO[bytes], name: str) -> Iterator[str]:
    reader = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""))
    column = _column(reader.fieldnames or (), name)
    for row in reader:
        yield row[column]


def _parquet_rows(file: IO[bytes], name: str) -> Iterator[str]:
    import pyarrow.parquet

    content = pyarrow.parquet.ParquetFile(file, buffer_size=BUFFER)
    column = _column(content.schema_arrow.names, name)
    for some in content.iter_batches(READ, columns=[column]):
        yield from some.column(0).to_pylist()


def _column(names: Iterable[str], name: str) -> str:
    """Return the name of the column with the images.

    Raises:
        DataError: If there is none.
    """
    found = list(names)
    column = next((one for one in COLUMNS if one in found), None)
    if column is None:
        raise DataError(
            _(
                "{name}: a list of images must have a column {known}; found the columns {found}."
            ).format(name=name, known=one_of(COLUMNS), found=listed(found) or "-")
        )
    return column


def images_at(address: str) -> Iterator[str]:
    """Yield the images below an address in an object store, or the image that lies there itself.

    Raises:
        DataError: If the address cannot be read, or if there is no image.
        BackendError: If the package for this kind of store is not installed.
    """
    files, path = file_system(address)
    scheme = address.partition("://")[0]
    found = False
    try:
        with store_errors():
            if files.isfile(path):
                yield address
                return
            for folder, _folders, names in files.walk(path, on_error="raise"):
                for name in sorted(names):
                    if name.lower().endswith(IMAGE_SUFFIXES):
                        found = True
                        yield "{scheme}://{folder}/{name}".format(
                            scheme=scheme, folder=folder, name=name
                        )
    except OSError as error:
        raise DataError(_(UNREADABLE).format(place=address, reason=reason_of(error))) from error
    if not found:
        raise DataError(
            _("{pattern}: there is no such image ({suffixes}).").format(
                pattern=address, suffixes=usual_suffixes()
            )
        )


def _opened(name: str) -> IO[bytes]:
    if not is_address(name):
        return Path(name).open("rb")
    files, path = file_system(name)
    file: IO[bytes] = files.open(path, "rb")
    return file


class _Missing:
    """What stands for an image that could not be fetched: reading it raises why."""

    def __init__(self, name: str, error: Exception) -> None:
        self.name = name
        self._error = error

    def read(self) -> NoReturn:
        raise self._error


class Fetched(NamedTuple):
    """An image that was fetched.

    Attributes:
        image: The content as `Predictor.answer` takes it, so that what is decoded is what was
            digested; if it could not be fetched, this says why when it is read.
        content: The digest of its content, see `convlens.data.digests`; None without content.
        key: A digest of its name and its content.
    """

    image: Any
    content: bytes | None
    key: bytes


def fetch(name: str) -> Fetched:
    """Fetch an image as a whole.

    Args:
        name: The path of a file, or the address of an object.
    """
    image: ImageLike | _Missing = Path(name)
    digest = None
    try:
        if is_address(name):
            files, path = file_system(name)
            content = files.cat_file(path)
        else:
            content = Path(name).read_bytes()
        image = named(content, name)
        digest = hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()
    except Exception as error:  # each kind of store has errors of its own
        if is_address(name):
            image = _Missing(name, _said_of(name, error))
    key = hashlib.blake2b(digest or b"", digest_size=DIGEST_BYTES)
    key.update(name.encode(errors="surrogateescape"))
    return Fetched(image, digest, key.digest())


def fetch_if_deep(name: str) -> ImageLike | None:
    """Return an image unless its first bytes say that its pixels have 8 bits.

    Args:
        name: The path of a file, or the address of an object.

    Returns:
        The image as `convlens.data.deep.find_values` takes it, of a file its path. None for one of
        8 bits in an object store, and for one that cannot be fetched.
    """
    if not is_address(name):
        return Path(name)
    try:
        files, path = file_system(name)
        if not may_begin_deep(files.cat_file(path, start=0, end=START)):
            return None
    except Exception:  # What has failed is said when the image is answered for.
        return None
    image: ImageLike = fetch(name).image
    return image


def _said_of(name: str, error: Exception) -> Exception:
    """Return what is said of an image that a store did not give."""
    if isinstance(error, FileNotFoundError | ConvlensError):
        return error
    return ImageError(
        _("{name}: the image cannot be fetched; {reason}.").format(
            name=name, reason=reason_of(error)
        )
    )
