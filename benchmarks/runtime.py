"""Compare the speed of a frozen backbone on each engine, and how much the features differ.

python benchmarks/runtime.py FOLDER [--model efficientnet_lite0] [--images 500] [--rounds 3]
"""

import argparse
import os
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from tables import table_of

from convlens import backend

WAYS = (
    ("keras", "float32"),
    ("keras", "bfloat16"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
)
Network = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Measure engines and precisions in turn; print medians, ranges and largest differences."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of JPEG images, with its subfolders")
    parser.add_argument("--model", default="efficientnet_lite0")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    backend.start()
    from convlens.classifier.runtime import compile_model
    from convlens.preprocess import Preprocessing, prepare

    body = features_of(asked.model)
    size = Preprocessing(*body.input_shape[1:], fit="crop")
    paths = sorted(asked.folder.rglob("*.jpg"))
    chosen = [paths[i] for i in np.linspace(0, len(paths) - 1, asked.images).astype(int)]
    images = np.stack([prepare(path, size) for path in chosen])
    networks = []
    ready = []
    for engine, precision in WAYS:
        began = time.perf_counter()
        networks.append(compile_model(body, precision, engine))
        networks[-1](images[:16])
        ready.append(time.perf_counter() - began)
    seconds, features = measure(networks, images, asked.rounds)
    console = Console(highlight=False, width=120)
    console.print(table(len(images) / seconds, features, ready))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # Linux counts in kB
    console.print(
        f"{asked.model}, {len(images)} images, {os.cpu_count()} cores, {peak:.2f} GB for all"
    )


def measure(
    networks: Sequence[Network], images: np.ndarray, rounds: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return (rounds, networks) seconds for all images, and the features of each network."""
    seconds = np.empty((rounds, len(networks)))
    features = [np.empty(0)] * len(networks)
    for turn in range(rounds):
        for column, network in enumerate(networks):
            began = time.perf_counter()
            features[column] = network(images)
            seconds[turn, column] = time.perf_counter() - began
    return seconds, features


def table(speeds: np.ndarray, features: Sequence[np.ndarray], ready: Sequence[float]) -> Table:
    """Return the table of the engines, whose features are compared with those of the first.

    Args:
        speeds: (rounds, networks) images a second.
        features: The features of each network.
        ready: The seconds until each network has computed its first images.
    """
    rows = table_of(
        "engine",
        "images/s",
        "least to most",
        "ready in s",
        "largest difference",
        "of the largest",
        "RMS",
    )
    exact = features[0]
    for column, (engine, precision) in enumerate(WAYS):
        off = np.abs(features[column] - exact)
        own = speeds[:, column]
        rows.add_row(
            f"{engine} {precision}",
            f"{np.median(own):.0f}",
            f"{own.min():.0f} to {own.max():.0f}",
            f"{ready[column]:.1f}",
            f"{off.max():.2g}",
            f"{off.max() / np.abs(exact).max():.2g}",
            f"{np.sqrt(np.mean(off**2) / np.mean(exact**2)):.2g}",
        )
    return rows


def features_of(name: str):  # noqa: ANN201 - a keras.Model
    """Return a trained network without its last layer, which takes uint8 images."""
    import keras

    from convlens.zoo.create import create_model
    from convlens.zoo.registry import model_info

    network = create_model(name, weights="imagenet")
    body = keras.Model(network.input, network.layers[-1].input)
    images = keras.Input(network.input_shape[1:], dtype="uint8")
    return keras.Model(
        images, body(keras.layers.Rescaling(model_info(name).scale)(images)), name=name
    )


if __name__ == "__main__":
    main()
