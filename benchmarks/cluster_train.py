"""One network trained by 1, 2 and 4 processes of a cluster: how far the results differ.

    python benchmarks/cluster_train.py FOLDER IMAGES [WORKERS...]

The nodes are processes of this computer with one processor each. A training that was finished
before is used. JAX must be installed (`convlens[jax,cluster]`).
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from ray_nodes import nodes

STORE = 300 * 2**20  # bytes of a node's object store
SETTINGS = (
    *("--model", "small_resnet", "--optimizer", "momentum", "--epochs", "2", "--batch-size", "64"),
    *("--limit", "4000", "--precision", "float32", "--no-audit", "--backend", "jax"),
)
SCORES = ("loss", "accuracy", "val_loss", "val_accuracy")


def train(images: str, run: Path, *more: str) -> None:
    """Train unless it is done, and print how long it took."""
    if (run / "report.json").exists():
        return
    words = [sys.executable, "-m", "convlens", "train", images, *SETTINGS, "--run", str(run)]
    began = time.monotonic()
    subprocess.run([*words, *more], check=True, env=os.environ | {"KERAS_BACKEND": "jax"})
    print(f"{run.name}: {time.monotonic() - began:.0f} s")


def history(run: Path) -> np.ndarray:
    """Return (epochs, 4) scores of a run."""
    rows = np.genfromtxt(run / "history.csv", delimiter=",", names=True)
    return np.stack([np.atleast_1d(rows[name]) for name in SCORES], axis=1)


def weights(run: Path) -> list[np.ndarray]:
    """Return the weights of a run's classifier."""
    from convlens.classifier.classifier import Classifier

    return Classifier.load(run / "classifier.keras").model.get_weights()


def main(folder: Path, images: str, workers: list[int]) -> None:
    """Train with each number of processes, and print the differences from the first."""
    for number in workers:
        run = folder / f"workers-{number}"
        with nodes(number, STORE) as address:
            train(images, run, "--workers", str(number), "--cluster", address)
    first, *others = [folder / f"workers-{number}" for number in workers]
    for other in others:
        scores = np.abs(history(first) - history(other)).max(axis=0)
        pairs = zip(weights(first), weights(other), strict=True)
        furthest = max(float(np.abs(one - two).max()) for one, two in pairs)
        found = dict(zip(SCORES, scores.tolist(), strict=True))
        print(json.dumps({"run": other.name, "of": first.name, **found, "weights": furthest}))


if __name__ == "__main__":
    chosen = [int(word) for word in sys.argv[3:]] or [1, 2, 4]
    main(Path(sys.argv[1]), sys.argv[2], chosen)
