"""Shards: answers in Parquet files, each of which is named by its content.

A shard has the answers for a part of the images, in their order. It is there as a whole or not at
all (`convlens.cluster.folder`), and it gets the same name wherever and however often it is
computed. The index lists the shards of the last question that was answered in full.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from convlens.cluster.folder import Folder, folder_at
from convlens.cluster.stores import is_address
from convlens.data.digests import DIGEST_BYTES
from convlens.errors import StorageError
from convlens.language import _
from convlens.reasons import damage_reason
from convlens.text import original, printable

INDEX = "index.json"
LIST = "list.parquet"
SHARDS = "shards"
GROUP = 64  # parts of the list that are read at a time
CHUNK = 2**16  # keys that are compared at a time
KEY = np.dtype(f"S{DIGEST_BYTES}")
SCHEMA = pa.schema(
    {
        "image": pa.string(),
        "key": pa.binary(DIGEST_BYTES),
        "content": pa.binary(DIGEST_BYTES),
        "label": pa.string(),
        "probability": pa.float32(),
        "known": pa.bool_(),
        "probabilities": pa.list_(pa.float32()),
        "problem": pa.string(),
        "remarks": pa.list_(pa.string()),
        "loses_colours": pa.bool_(),
    }
)
Row = dict[str, Any]


class Listed(NamedTuple):
    """The list of the images.

    Attributes:
        images: The number of images.
        parts: The number of their parts.
        digest: A digest of the list.
        is_relative: Whether a path counts from the current folder.
    """

    images: int
    parts: int
    digest: str
    is_relative: bool


def write_list(folder: Folder, images: Iterable[str], size: int) -> Listed:
    """Write the images in parts, and return what they are.

    One group of parts at a time is in memory.

    Args:
        folder: The folder of the answers.
        images: The images by name.
        size: The number of images of a part.

    Raises:
        StorageError: If the file cannot be written.
    """
    schema = pa.schema({"images": pa.list_(pa.string())})
    digest = hashlib.sha256()
    counts = [0, 0, 0]

    def write(path: Path) -> None:
        with pq.ParquetWriter(path, schema) as writer:
            names = iter(printable(image) for image in images)
            while parts := list(islice(_parts(names, size), GROUP)):
                digest.update(json.dumps(parts).encode())
                counts[0] += sum(map(len, parts))
                counts[1] += len(parts)
                counts[2] += sum(map(_is_relative, chain.from_iterable(parts)))
                writer.write_table(pa.table({"images": parts}, schema), row_group_size=GROUP)

    folder.write(LIST, write, _("the list of the images"))
    return Listed(counts[0], counts[1], digest.hexdigest(), counts[2] > 0)


def _is_relative(name: str) -> bool:
    return not (is_address(name) or Path(name).is_absolute())


def _parts(names: Iterator[str], size: int) -> Iterator[list[str]]:
    while part := list(islice(names, size)):
        yield part


def read_part(folder: Folder, number: int) -> list[str]:
    """Return the names of the images of a part."""
    with folder.open(LIST) as opened, pq.ParquetFile(opened) as file:
        group = file.read_row_group(number // GROUP)
        names = group.column(0)[number % GROUP].as_py()
    return [original(name) for name in names]


def shard_name(keys: Sequence[bytes]) -> str:
    """Return the name of the shard with the answers for images of these keys."""
    return hashlib.blake2b(b"".join(keys), digest_size=DIGEST_BYTES).hexdigest()


def shard_file(name: str) -> str:
    """Return the file of a shard in the folder of the answers."""
    return f"{SHARDS}/{name}.parquet"


def write_shard(folder: Folder, name: str, rows: Sequence[Row]) -> None:
    """Write the answers for a part of the images.

    Raises:
        StorageError: If the file cannot be written.
    """
    table = pa.Table.from_pylist(list(rows), SCHEMA)
    folder.write(shard_file(name), lambda path: pq.write_table(table, path), _("the answers"))


def _read_shard(folder: Folder, name: str) -> list[Row]:
    rows: list[Row] = _read_table(folder, name).to_pylist()
    return rows


def _read_table(folder: Folder, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a shard, or some columns of it.

    Raises:
        StorageError: If it is damaged, or cannot be read.
    """
    place = shard_file(name)
    with folder.open(place) as file:
        try:
            return pq.read_table(file, columns=columns)
        except (ValueError, OSError) as error:
            if getattr(error, "errno", None) is not None:  # The disk or the store has failed.
                raise
            raise StorageError(
                _(
                    "{place}: these answers are damaged; {reason}. Remove the file: what is "
                    "missing is computed the next time."
                ).format(place=f"{folder.address}/{place}", reason=damage_reason(error))
            ) from error


def write_index(folder: Folder, digest: str, names: Sequence[str]) -> None:
    """Write which shards hold the answers for the images of a list, in their order."""
    content = json.dumps({"list": digest, "shards": list(names)})
    folder.write(INDEX, content, _("the index of the answers"))


def read_index(folder: Folder) -> tuple[str, list[str]]:
    """Return the digest of the last list that was answered in full, and its shards."""
    if not folder.exists(INDEX):
        return "", []
    with folder.open(INDEX) as file:
        content = json.load(file)
    return content["list"], content["shards"]


def read_answers(place: str | Path | Folder) -> Iterator[Row]:
    """Yield the answers of the last question in the order of its images, each of them once.

    One shard at a time is in memory, and a byte for each image; about 50 before the first answer.

    Args:
        place: The folder of the answers: its path, or its address in an object store.

    Raises:
        StorageError: If a file is damaged or cannot be read.
    """
    folder = folder_at(place)
    names = read_index(folder)[1]
    is_first = _are_first(_keys_of_all(folder, names)[0])
    start = 0
    for name in names:
        for row in _read_shard(folder, name):
            if is_first[start]:
                yield row
            start += 1


@dataclass(frozen=True)
class Known:
    """Where the answers are that were computed before.

    Attributes:
        keys: (n,) the keys of images, sorted.
        shards: (n,) the number of the shard that has the answer.
        names: The names of the shards.
    """

    keys: NDArray[np.bytes_]
    shards: NDArray[np.int32]
    names: tuple[str, ...]

    @classmethod
    def none(cls) -> "Known":
        """Return that no answer is known."""
        return cls(np.empty(0, KEY), np.empty(0, np.int32), ())

    def rows(self, folder: Folder, keys: Sequence[bytes]) -> dict[bytes, Row]:
        """Return the answers to these keys that are known."""
        wanted = np.array(keys, KEY)
        places = np.searchsorted(self.keys, wanted)
        places[places == len(self.keys)] = 0
        found = self.keys[places] == wanted if len(self.keys) else np.zeros(len(wanted), bool)
        rows: dict[bytes, Row] = {}
        for number in np.unique(self.shards[places[found]]) if found.any() else ():
            for row in _read_shard(folder, self.names[number]):
                rows[row["key"]] = row
        return {key: rows[key] for key in keys if key in rows}


def find_known(folder: Folder) -> Known:
    """Return where the answers are that lie in a folder."""
    names = [name.removesuffix(".parquet") for name in folder.names(SHARDS)]
    keys, sizes = _keys_of_all(folder, names)
    shards = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    is_first = _are_first(keys)
    keys = keys[is_first]
    shards = shards[is_first]
    order = np.argsort(keys)
    return Known(keys[order], shards[order], tuple(names))


def _keys_of_all(folder: Folder, names: Sequence[str]) -> tuple[NDArray[np.bytes_], list[int]]:
    """Return (n,) the keys of all answers of shards, and the number of answers of each shard."""

    def keys_of(name: str) -> NDArray[np.bytes_]:
        return np.array(_read_table(folder, name, ["key"]).column(0).to_pylist(), KEY)

    with ThreadPoolExecutor() as pool:
        parts = list(pool.map(keys_of, names))
    return np.concatenate([np.empty(0, KEY), *parts]), [len(part) for part in parts]


def _are_first(keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Return (n,) whether a key is the first of those that equal it; with little memory."""
    order = np.argsort(keys, kind="stable")
    is_first = np.ones(len(keys), bool)
    for start in range(1, len(keys), CHUNK):
        some = order[start - 1 : start + CHUNK]
        sorted_keys = keys[some]
        is_first[some[1:]] = sorted_keys[1:] != sorted_keys[:-1]
    return is_first
