"""Asking a cluster: answers and time per image on 1, 2 and 4 nodes of Ray on this computer.

The nodes share the processors of one computer, so that more of them cannot be faster. What is
measured is what a cluster costs beside the bare engine, and that its answers are the same.

    python benchmarks/cluster.py RUN --images 100000
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from convlens import backend
from convlens.classifier.prediction import Prediction, Predictor
from convlens.cluster.asking import answers, ask
from convlens.cluster.connection import connect
from convlens.cluster.question import KERAS, OPENVINO, question_of

SIDE = 32  # pixels of an image
FOLDER = 1000  # images in a folder
STORE = 100 * 2**20  # bytes of a node's object store


def main() -> None:
    """Measure, and print a row for each number of nodes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", help="a run, or the file of a classifier")
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--nodes", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--engine", choices=[KERAS, OPENVINO], default=KERAS)
    given = parser.parse_args()
    backend.start()
    from convlens.classifier.classifier import Classifier
    from convlens.classifier.compiled import compile_classifier

    loaded = Classifier.load(given.run)
    alone: Predictor = loaded
    if given.engine == OPENVINO:
        alone = compile_classifier(loaded, "float32")
    with tempfile.TemporaryDirectory() as place:
        images = _write_images(Path(place) / "images", given.images)
        began = time.perf_counter()
        expected = alone.predict(map(str, images))
        seconds = time.perf_counter() - began
        _say(nodes=0, images=len(images), seconds=seconds, engine=given.engine)
        for nodes in given.nodes:
            folder = Path(place) / f"answers-{nodes}"
            with _nodes(nodes) as address, connect(address) as cluster:
                question = question_of(loaded, given.engine, "float32")
                began = time.perf_counter()
                ask(question, cluster, folder, map(str, images))
                seconds = time.perf_counter() - began
            same = _same(expected, list(answers(folder, alone)))
            _say(nodes=nodes, images=len(images), seconds=seconds, same=same)


def _write_images(folder: Path, number: int) -> list[Path]:
    """Return the paths of images of random pixels."""
    rng = np.random.default_rng(0)
    paths = []
    for index in range(number):
        path = folder / f"{index // FOLDER:04d}" / f"{index:08d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(path)
        paths.append(path)
    return paths


@contextmanager
def _nodes(number: int) -> Iterator[str]:
    """Start nodes of Ray on this computer, and yield the address of the first."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    options = {"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False}
    nodes = Cluster(initialize_head=True, head_node_args=options)
    try:
        for _number in range(number - 1):
            nodes.add_node(**options)
        yield str(nodes.address)
    finally:
        nodes.shutdown()


def _same(expected: list[Prediction], found: list[object]) -> bool:
    """Return whether the probabilities are the same bits, in the same order."""
    return [(one.image, one.probabilities.tobytes()) for one in expected] == [
        (one.image, one.probabilities.tobytes()) for one in found if isinstance(one, Prediction)
    ]


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
