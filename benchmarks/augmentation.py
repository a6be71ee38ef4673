"""Measure what augmentation costs, per image and as a share of an epoch of small_resnet.

    python benchmarks/augmentation.py [--data cifar10.npz] [--size 32] [--rounds 7]
                                      [--precision bfloat16]

The time per image is that of the single thread that augments, so other work on the machine hardly
counts. For the same reason the epochs of `none`, `light` and `strong` take turns, and each is
compared with the `none` of its own round (median and quartiles). On a busy machine, trust the
processor time.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import argparse
import time
from pathlib import Path

import cv2
import keras
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from convlens.config import AUGMENT_PRESETS, AugmentConfig
from convlens.data.augment import augment, resolve
from convlens.preprocess import ImageArray
from convlens.zoo.create import create_model
from convlens.zoo.registry import model_info

SHAPES = ((28, 28, 1), (32, 32, 3), (64, 64, 3), (224, 224, 3))
MODEL = "small_resnet"
NUM_CLASSES = 10
BATCH_SIZE = 64
ALLOWED = {"none": 0.0, "light": 0.10, "strong": 0.25}  # the largest share of an epoch's time


class Batches(keras.utils.PyDataset):
    """Batches of one preset, which do nothing but augment."""

    def __init__(self, images: ImageArray, preset: str, seed: int) -> None:
        super().__init__()
        self.images = images
        self.seed = seed
        self.labels = np.arange(len(images)) % NUM_CLASSES
        self.config = resolve(AugmentConfig(augment=preset), flip_allowed=True)

    def __len__(self) -> int:
        return len(self.images) // BATCH_SIZE

    def __getitem__(self, step: int) -> tuple[ImageArray, NDArray[np.int64]]:
        indices = np.arange(step * BATCH_SIZE, (step + 1) * BATCH_SIZE)
        batch = augment(self.images[indices], indices, self.config, seed=self.seed, epoch=0)
        return batch, self.labels[indices]


def load_images(
    path: Path | None, shape: tuple[int, int, int], number: int, seed: int
) -> ImageArray:
    """Return (number, *shape) uint8 images.

    Args:
        path: An .npz file with `x_train`, whose first images are resized. None makes smooth random
            images.
        shape: (height, width, channels) of an image.
        number: The number of images.
        seed: The seed of the random images.
    """
    height, width, channels = shape
    if path is None:
        coarse = np.random.default_rng(seed).integers(0, 256, (number, 8, 8, 3), dtype=np.uint8)
    else:
        with np.load(path) as archive:
            coarse = archive["x_train"][:number]
        coarse = np.resize(coarse, (number, *coarse.shape[1:]))
    images = [cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC) for image in coarse]
    stacked = np.array(images).reshape(number, height, width, -1)
    return np.ascontiguousarray(
        np.broadcast_to(stacked, (number, height, width, 3))[..., :channels]
    )


def microseconds(images: ImageArray, preset: str, seed: int, rounds: int) -> float:
    """Return the median thread time per image."""
    config = resolve(AugmentConfig(augment=preset), flip_allowed=images.shape[3] == 3)
    times = []
    for epoch in range(rounds):
        start = time.thread_time()
        augment(images, np.arange(len(images)), config, seed=seed, epoch=epoch)
        times.append((time.thread_time() - start) / len(images) * 1e6)
    return float(np.median(times))


def build(shape: tuple[int, int, int]) -> keras.Model:
    """Return the compiled default model, which takes uint8 images."""
    inputs = keras.Input(shape, dtype="uint8")
    scaled = keras.layers.Rescaling(model_info(MODEL).scale)(inputs)
    network = create_model(MODEL, input_shape=shape, num_classes=NUM_CLASSES)
    model = keras.Model(inputs, network(scaled))
    model.compile("adamw", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def epochs_side_by_side(
    images: ImageArray, seed: int, rounds: int
) -> dict[str, NDArray[np.float64]]:
    """Return (rounds, 2) wall-clock and processor seconds per epoch of each preset.

    The first epoch is left out, because TensorFlow traces the model in it.
    """
    model = build(images.shape[1:])
    feeds = {preset: Batches(images, preset, seed) for preset in AUGMENT_PRESETS}
    seconds: dict[str, list[tuple[float, float]]] = {preset: [] for preset in feeds}
    for _ in range(rounds + 1):
        for preset, feed in feeds.items():
            wall = time.perf_counter()
            processor = time.process_time()
            model.fit(feed, epochs=1, shuffle=False, verbose=0)
            seconds[preset].append((time.perf_counter() - wall, time.process_time() - processor))
    return {preset: np.array(times[1:]) for preset, times in seconds.items()}


def image_table(arguments: argparse.Namespace) -> Table:
    """Return the table of microseconds per image, with a row for each size."""
    table = Table("images", *AUGMENT_PRESETS, title="thread time per image, microseconds, median")
    for shape in SHAPES:
        images = load_images(arguments.data, shape, BATCH_SIZE, arguments.seed)
        cells = (
            f"{microseconds(images, preset, arguments.seed, 30):.1f}" for preset in AUGMENT_PRESETS
        )
        table.add_row(" x ".join(map(str, shape)), *cells)
    return table


def epoch_table(arguments: argparse.Namespace) -> Table:
    """Return the table of what each preset adds to an epoch of the default model."""
    shape = (arguments.size, arguments.size, 3)
    images = load_images(arguments.data, shape, arguments.images, arguments.seed)
    seconds = epochs_side_by_side(images, arguments.seed, arguments.rounds)
    size = f"{arguments.size} x {arguments.size} x 3"
    title = f"{MODEL}, {size}, {arguments.precision}, {arguments.rounds} rounds"
    table = Table("preset", "images/s", "added time", "added processor", "allowed", title=title)
    for preset, times in seconds.items():
        speed = len(images) // BATCH_SIZE * BATCH_SIZE / np.median(times[:, 0])
        cells = []
        for added in (times / seconds["none"] - 1).T:
            low, middle, high = np.percentile(added, [25, 50, 75])
            cells.append(
                "" if preset == "none" else f"{middle:+.1%} ({100 * low:+.1f}, {100 * high:+.1f})"
            )
        table.add_row(preset, f"{speed:.0f}", *cells, f"{ALLOWED[preset]:.0%}")
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, help="an .npz file with x_train (n, height, width[, channels]) uint8"
    )
    parser.add_argument("--size", type=int, default=32, help="side of the images in the epochs")
    parser.add_argument("--images", type=int, default=2048, help="images in an epoch")
    parser.add_argument("--rounds", type=int, default=7, help="epochs of each preset; 0 skips them")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.precision == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    keras.utils.set_random_seed(arguments.seed)
    console = Console()
    console.print(
        f"{os.cpu_count()} cores, seed {arguments.seed}, {arguments.data or 'random images'}"
    )
    console.print(image_table(arguments))
    if arguments.rounds:
        console.print(epoch_table(arguments))


if __name__ == "__main__":
    main()
