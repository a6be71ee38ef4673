"""How fast the studio answers with many images: its start, the first paint, the grid and an upload.

    python benchmarks/studio.py [--images 20000] [--side 256]

A workspace of that many JPEG files is made in a temporary folder, and a studio is started on it as
`convlens studio` does. The times are those of one client on the same computer; the page itself is
not part of them.
"""

import argparse
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image
from studio_process import Started, make_workspace, started

CLASSES = 10
SCREEN = 120  # images that are seen at a time


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=256)
    given = parser.parse_args()
    with running(given.images, given.side) as (process, url, token):
        headers = {"X-Convlens-Token": token}
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            measure(client, given.images)
        memory = psutil.Process(process.pid).memory_info().rss
        print(f"memory of the server {memory / 1e6:.0f} MB")


@contextmanager
def running(images: int, side: int) -> Iterator[Started]:
    """Yield the process of a studio on new JPEG files, its address and its token."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "studio"
        begin = time.perf_counter()
        make_images(folder / "images", images, side)
        print(f"made {images:,} images in {time.perf_counter() - begin:.0f} s")
        make_workspace(folder)
        begin = time.perf_counter()
        with started(folder) as studio:
            print(f"start {time.perf_counter() - begin:.2f} s")
            yield studio


def make_images(root: Path, number: int, side: int) -> None:
    """Write JPEG files of noise that is as smooth as a photograph."""
    rng = np.random.default_rng(0)
    for index in range(number):
        small = Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8))
        path = root / f"class {index % CLASSES}" / f"{index}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        small.resize((side, side), Image.Resampling.BICUBIC).save(path, quality=85)


def timed(name: str, work: Callable[[], object], times: int = 5) -> None:
    """Print the least time of some work, and the first."""
    taken = []
    for _time in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    print(f"{name}: first {1000 * taken[0]:.0f} ms, least of {times} {1000 * min(taken):.0f} ms")


def measure(client: httpx.Client, number: int) -> None:
    """Print how long the requests of a page take."""
    timed("state", lambda: client.get("/api/state").raise_for_status())
    timed("first 200 rows", lambda: client.get("/api/images?limit=200").raise_for_status())

    def all_rows() -> None:
        for offset in range(0, number, 5000):
            client.get(f"/api/images?offset={offset}&limit=5000").raise_for_status()

    timed("all rows", all_rows)
    key = client.get("/api/state").json()["image_key"]
    rows = client.get("/api/images?limit=5000&order=shuffled").json()["rows"]

    def screen(first: int) -> Callable[[], None]:
        def load() -> None:
            for row in rows[first : first + SCREEN]:
                client.get(f"/images/{row[0]}/thumb?key={key}").raise_for_status()

        return load

    timed(f"{SCREEN} small images that are made", screen(0), 1)
    timed(f"{SCREEN} small images that are there", screen(0))
    timed("another order", lambda: client.get("/api/images?limit=200&order=newest"), 1)
    chosen = [row[0] for row in rows[:1000]]
    timed("leave 1,000 out", lambda: client.post("/api/exclude", json={"images": chosen}), 1)
    timed("undo", lambda: client.post("/api/undo"), 1)
    identifier = client.get("/api/state").json()["classes"][0]["id"]
    file = io.BytesIO()
    Image.new("RGB", (640, 480), "red").save(file, "JPEG")

    def upload() -> None:
        path = f"/api/classes/{identifier}/images?name={os.urandom(8).hex()}.jpg&group=bench"
        client.post(path, content=file.getvalue()).raise_for_status()

    timed("an upload", upload, 20)


if __name__ == "__main__":
    main()
