"""Serve a classifier with TensorFlow behind the same server, for benchmarks/serving.py.

python benchmarks/serving_tensorflow.py FOLDER CLASSIFIER [--way predict]

FOLDER is an exported one, and CLASSIFIER the file that it was exported from.
"""

import argparse
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from convlens import Classifier, backend
from convlens.serve.app import create_app
from convlens.serve.engines import Engine
from convlens.serve.limits import Limits
from convlens.serve.model import open_served
from convlens.serve.server import bind, create_server, listen, run, url_of

WAYS = ("predict", "call")


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("classifier", type=Path)
    parser.add_argument("--way", choices=WAYS, default="predict")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    backend.start("tensorflow")
    compute = in_turn(way_of(Classifier.load(asked.classifier).model, asked.way))
    served = replace(open_served(asked.folder, asked.threads), engine=Engine(compute, compute))
    bound = bind("127.0.0.1", 0)
    server = create_server(create_app(served, Limits()))
    listen(bound)
    print(url_of(bound), flush=True)
    run(server, bound)


def way_of(model: Any, way: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from images to probabilities that runs on TensorFlow."""
    if way == "predict":
        return lambda images: model.predict(images, verbose=0)
    return lambda images: np.asarray(model(images, training=False))


def in_turn(compute: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that one thread calls at a time; Keras does not promise more."""
    lock = threading.Lock()

    def run_alone(images: np.ndarray) -> np.ndarray:
        with lock:
            return compute(images)

    return run_alone


if __name__ == "__main__":
    main()
