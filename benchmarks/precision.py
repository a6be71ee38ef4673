"""Compare the speed of trainings in float32 and bfloat16, on random images.

python benchmarks/precision.py [--rounds 5] [--only NAME]
"""

import argparse
import os
import time

import numpy as np
from rich.console import Console
from tables import table_of

from convlens import backend

CASES = (  # network, input shape, batch size
    ("mnist_2conv", (28, 28, 1), 300),
    ("cifar_4conv", (32, 32, 3), 128),
    ("small_resnet", (28, 28, 1), 64),
    ("small_resnet", (32, 32, 3), 64),
    ("small_resnet", (64, 64, 3), 64),
    ("cats_dogs_3conv", (64, 64, 3), 32),
    ("resnet50", (224, 224, 3), 16),
    ("efficientnet_lite0", (224, 224, 3), 32),
    ("mobilenet_v3_large", (224, 224, 3), 32),
)
SECONDS = 3.0  # of a measurement, after a few steps that are not timed


def main() -> None:
    """Measure both precisions in turn, and print the medians and the range of their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="networks whose name contains this text")
    arguments = parser.parse_args()
    rounds = arguments.rounds
    backend.start()
    table = table_of(
        "network",
        "images",
        "float32, images/s",
        "bfloat16, images/s",
        "ratio",
        "least to most",
    )
    for name, shape, batch_size in CASES:
        if arguments.only not in name:
            continue
        models = [compiled(name, shape, policy) for policy in ("float32", "mixed_bfloat16")]
        speeds = np.array(
            [[speed(model, shape, batch_size) for model in models] for _ in range(rounds)]
        )
        ratios = speeds[:, 1] / speeds[:, 0]
        low, high = np.median(speeds, 0)
        spread = f"{ratios.min():.2f} to {ratios.max():.2f}"
        size = "x".join(map(str, shape))
        table.add_row(name, size, f"{low:,.0f}", f"{high:,.0f}", f"{np.median(ratios):.2f}", spread)
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"{os.cpu_count()} cores, seed 0, {rounds} rounds in turn, {backend.versions()['engine']}"
    )


def compiled(name: str, shape: tuple[int, int, int], policy: str):  # noqa: ANN201 - a keras.Model
    """Return a network that is compiled as in a training."""
    import keras

    from convlens.classifier.assembly import assemble, with_precision
    from convlens.preprocess import Preprocessing
    from convlens.zoo.create import build
    from convlens.zoo.registry import model_info

    keras.utils.set_random_seed(0)
    classes = model_info(name).num_classes
    model = assemble(lambda x: build(name, x, classes), Preprocessing(*shape), classes, name)
    model = with_precision(model, policy)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], jit_compile=backend.jit_compile())
    return model


def speed(model, shape: tuple[int, int, int], batch_size: int) -> float:  # noqa: ANN001 - a keras.Model
    """Return the images per second of training steps on one random batch."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (batch_size, *shape), np.uint8)
    classes = model.output_shape[-1]
    targets = np.eye(classes, dtype=np.float32)[rng.integers(0, classes, batch_size)]
    for _ in range(3):
        model.train_on_batch(images, targets)
    began = time.perf_counter()
    steps = 0
    while time.perf_counter() - began < SECONDS:
        model.train_on_batch(images, targets)
        steps += 1
    return steps * batch_size / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
