"""Measure the time and the memory of a whole training as images, classes or their size grow.

python benchmarks/speed/growth.py [--images 10000] [--classes 10] [--side 32]

One epoch of a small network on random images, from the start of `convlens train` to the report.
Prints one line of JSON: the seconds, and the largest resident memory in GB.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CHUNK = 10_000  # images that are drawn at a time
OPTIONS = "--model custom_cnn --filters 4,8 --dense 16 --epochs 1 --batch-size 256 --augment none"


def main() -> None:
    """Write the images, train on them, and print what it took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--side", type=int, default=32)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "random.npz"
        random = np.random.default_rng(0)
        shape = (given.images, given.side, given.side, 3)
        images = np.lib.format.open_memmap(Path(folder) / "x.npy", "w+", np.uint8, shape)
        for start in range(0, given.images, CHUNK):
            part = images[start : start + CHUNK]
            part[:] = random.integers(0, 256, part.shape, np.uint8)
        np.savez(data, x_train=images, y_train=np.arange(given.images) % given.classes)
        words = ["train", str(data), *OPTIONS.split(), "--run", str(Path(folder) / "run")]
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "convlens", *words],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"CONVLENS_CACHE": str(Path(folder) / "cache")},
        )
        seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(json.dumps({"seconds": round(seconds, 1), "gigabytes": round(memory / 1e9, 2)}))


if __name__ == "__main__":
    main()
