"""Compare ways to compute many images with one network: in batches, in turn, or side by side.

    python benchmarks/parallel_requests.py FOLDER [--images 120] [--rounds 4]

FOLDER is an exported one of OpenVINO or ONNX Runtime. The ways take turns, and the best round of
each counts: milliseconds for an image on the clock, and of processor time.
"""

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from convlens.export.folder import open_network
from convlens.serve.engines import open_engine

BATCH = 8


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    opened = open_network(asked.folder)
    engine = open_engine(opened.network, asked.threads)
    rng = np.random.default_rng(0)
    shape = (asked.images, *opened.preprocessing.shape)
    images = rng.integers(0, 256, shape, np.uint8)
    single = [image[None] for image in images]
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    pool = ThreadPoolExecutor(asked.threads)
    ways: dict[str, Callable[[], object]] = {
        "in turn, all threads": lambda: [engine.alone(image) for image in single],
        f"batches of {BATCH}, all threads": lambda: [engine.alone(batch) for batch in batches],
        "in turn, one thread": lambda: [engine.beside(image) for image in single],
        "side by side, one thread each": lambda: list(pool.map(engine.beside, single)),
    }
    best = dict.fromkeys(ways, (np.inf, np.inf))
    for _round in range(asked.rounds):
        for name, compute in ways.items():
            best[name] = min(best[name], _milliseconds(compute, len(images)))
    for name, (clock, processor) in best.items():
        print(f"{name:32} {clock:7.2f} ms on the clock {processor:7.2f} ms of processor time")


def _milliseconds(compute: Callable[[], object], number: int) -> tuple[float, float]:
    clock = time.perf_counter()
    processor = time.process_time()
    compute()
    found = (time.perf_counter() - clock, time.process_time() - processor)
    return 1000 * found[0] / number, 1000 * found[1] / number


if __name__ == "__main__":
    main()
