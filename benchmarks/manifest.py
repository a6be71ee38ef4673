"""Memory and time to read a Parquet list of images and to write it in parts, as `ask` does first.

python benchmarks/manifest.py 1000000
"""

import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from peak_memory import peak

from convlens.cluster.asking import PART
from convlens.cluster.folder import folder_at
from convlens.cluster.images import images_in_list
from convlens.cluster.shards import write_list

GROUP = 2**20  # rows of a row group, as pyarrow writes by itself


def write_manifest(path: Path, rows: int) -> None:
    """Write a list of so many images, a row group after the other."""
    with pq.ParquetWriter(path, pa.schema({"image": pa.string()})) as file:
        for start in range(0, rows, GROUP):
            numbers = range(start, min(start + GROUP, rows))
            names = [f"s3://bucket/photos/{number:012d}.jpg" for number in numbers]
            file.write_table(pa.table({"image": names}), row_group_size=GROUP)


def main(rows: int, place: Path) -> None:
    """Print the peak of the memory before and afterwards, and the time."""
    manifest = place / "manifest.parquet"
    with ProcessPoolExecutor(1, get_context("spawn")) as other:  # whose memory is another
        other.submit(write_manifest, manifest, rows).result()
    before = peak()
    began = time.perf_counter()
    listed = write_list(folder_at(place / "answers"), images_in_list(str(manifest)), PART)
    seconds = time.perf_counter() - began
    print(f"{listed.images:,}: {before:.0f} -> {peak():.0f} MiB, {seconds:.1f} s")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(int(sys.argv[1]), Path(made))
