"""Shards: answers in Parquet files, each of which is named by its content.

A shard has the answers for a part of the images, in their order. It is renamed when it is whole, so
that a process that is killed leaves a shard or none, and it gets the same name wherever and however
often it is computed. The index lists the shards of the last question that was answered in full.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from convlens.data.digests import DIGEST_BYTES
from convlens.files import write_atomically
from convlens.language import _
from convlens.text import original, printable

INDEX = "index.json"
LIST = "list.parquet"
SHARDS = "shards"
GROUP = 64  # parts of the list that are read at a time
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


def write_list(folder: Path, images: Iterable[str], size: int) -> tuple[int, int, str]:
    """Write the images in parts; return the numbers of images and parts, and a digest of the list.

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
    counts = [0, 0]

    def write(path: Path) -> None:
        with pq.ParquetWriter(path, schema) as writer:
            names = iter(printable(image) for image in images)
            while parts := list(islice(_parts(names, size), GROUP)):
                digest.update(json.dumps(parts).encode())
                counts[0] += sum(map(len, parts))
                counts[1] += len(parts)
                writer.write_table(pa.table({"images": parts}, schema), row_group_size=GROUP)

    write_atomically(folder / LIST, write, _("the list of the images"))
    return counts[0], counts[1], digest.hexdigest()


def _parts(names: Iterator[str], size: int) -> Iterator[list[str]]:
    while part := list(islice(names, size)):
        yield part


def read_part(folder: Path, number: int) -> list[str]:
    """Return the names of the images of a part."""
    with pq.ParquetFile(folder / LIST) as file:
        group = file.read_row_group(number // GROUP)
        names = group.column(0)[number % GROUP].as_py()
    return [original(name) for name in names]


def shard_name(keys: Sequence[bytes]) -> str:
    """Return the name of the shard with the answers for images of these keys."""
    return hashlib.blake2b(b"".join(keys), digest_size=DIGEST_BYTES).hexdigest()


def shard_path(folder: Path, name: str) -> Path:
    """Return the file of a shard."""
    return folder / SHARDS / f"{name}.parquet"


def write_shard(folder: Path, name: str, rows: Sequence[Row]) -> None:
    """Write the answers for a part of the images.

    Raises:
        StorageError: If the file cannot be written.
    """
    table = pa.Table.from_pylist(list(rows), SCHEMA)
    write_atomically(
        shard_path(folder, name), lambda path: pq.write_table(table, path), _("the answers")
    )


def write_index(folder: Path, digest: str, names: Sequence[str]) -> None:
    """Write which shards hold the answers for the images of a list, in their order."""
    content = json.dumps({"list": digest, "shards": list(names)})
    write_atomically(folder / INDEX, content, _("the index of the answers"))


def read_index(folder: Path) -> tuple[str, list[str]]:
    """Return the digest of the last list that was answered in full, and its shards."""
    path = folder / INDEX
    if not path.exists():
        return "", []
    content = json.loads(path.read_text(encoding="utf-8"))
    return content["list"], content["shards"]


def read_answers(folder: Path) -> Iterator[Row]:
    """Yield the answers of the last question in the order of its images, each of them once.

    One shard at a time is in memory, and 16 bytes for each image.

    Args:
        folder: The folder of the answers.
    """
    names = read_index(folder)[1]
    keys = [_keys_of(shard_path(folder, name)) for name in names]
    everyone = np.concatenate(keys) if keys else np.empty(0, KEY)
    is_first = np.zeros(len(everyone), bool)
    is_first[np.unique(everyone, return_index=True)[1]] = True
    start = 0
    for name in names:
        for row in pq.read_table(shard_path(folder, name)).to_pylist():
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

    def rows(self, folder: Path, keys: Sequence[bytes]) -> dict[bytes, Row]:
        """Return the answers to these keys that are known."""
        wanted = np.array(keys, KEY)
        places = np.searchsorted(self.keys, wanted)
        places[places == len(self.keys)] = 0
        found = self.keys[places] == wanted if len(self.keys) else np.zeros(len(wanted), bool)
        rows: dict[bytes, Row] = {}
        for number in np.unique(self.shards[places[found]]) if found.any() else ():
            for row in pq.read_table(shard_path(folder, self.names[number])).to_pylist():
                rows[row["key"]] = row
        return {key: rows[key] for key in keys if key in rows}


def find_known(folder: Path) -> Known:
    """Return where the answers are that lie in a folder."""
    paths = sorted(path for path in (folder / SHARDS).glob("[!.]*.parquet"))
    with ThreadPoolExecutor() as pool:
        parts = list(pool.map(_keys_of, paths))
    keys = np.concatenate([np.empty(0, KEY), *parts])
    shards = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])
    unique, first = np.unique(keys, return_index=True)
    return Known(unique, shards[first], tuple(path.stem for path in paths))


def _keys_of(path: Path) -> NDArray[np.bytes_]:
    """Return (n,) the keys of the answers of a shard."""
    return np.array(pq.read_table(path, columns=["key"]).column(0).to_pylist(), KEY)
