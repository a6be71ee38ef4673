"""Measure the time and the memory of a whole training as images, classes or their size grow.

python benchmarks/speed/growth.py [--images 10000] [--classes 10] [--side 32]

One epoch of a small network on random images, from the start of `convlens train` to the report.
Prints one line of JSON: the seconds, the largest resident memory in GB, and how much of it was the
process's own. The rest is pages of mapped files, which the system takes back when it needs memory.
The own memory is asked for ten times a second, and is null where the system does not tell it.
"""

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

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
        training = subprocess.Popen(
            [sys.executable, "-m", "convlens", *words],
            stdout=subprocess.DEVNULL,
            env=os.environ | {"CONVLENS_CACHE": str(Path(folder) / "cache")},
        )
        own = largest_own_memory(training)
        if training.returncode:
            sys.exit(training.returncode)
        seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(
        json.dumps(
            {
                "seconds": round(seconds, 1),
                "gigabytes": round(memory / 1e9, 2),
                "own_gigabytes": round(own / 1e9, 2) if own else None,
            }
        )
    )


def largest_own_memory(training: subprocess.Popen) -> int:
    """Wait until a process ends, and return the most bytes that it had besides mapped files.

    Returns 0 where the system does not tell what is mapped.
    """
    own = 0
    process = psutil.Process(training.pid)
    while training.poll() is None:
        with contextlib.suppress(psutil.Error):  # It may have ended just now.
            memory = process.memory_info()
            own = max(own, memory.rss - getattr(memory, "shared", memory.rss))
        time.sleep(0.1)
    return own


if __name__ == "__main__":
    main()
