"""Measure the images a second of one program that trains a network on random images.

python benchmarks/speed/throughput.py PROGRAM [--network cifar_4conv] [--batch 128]

Every program trains the same layers in batches of the same size with Adam, without augmentation:

    deck            as the lecture does it: Keras' own `fit`, arrays of float32
    keras_bfloat16  the same with Keras' policy mixed_bfloat16
    torch           PyTorch's loop, channels last, float32
    torch_bfloat16  the same under autocast
    torch_compiled  the first with torch.compile
    convlens        `convlens.train`, with all that a user gets: history, checkpoints, progress

Prints one line of JSON. The median of the epochs after the first counts, in which engines compile.
"""

import argparse
import contextlib
import io
import json
import os
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

STEPS = 50  # of an epoch; with few, what convlens writes after each would weigh too much
EPOCHS = 3
SHAPE = (32, 32, 3)
NETWORKS = ("cifar_4conv", "small_resnet", "fast_cnn")


def main() -> None:
    """Train, and print the speed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--network", choices=NETWORKS, default="cifar_4conv")
    parser.add_argument("--batch", type=int, default=128)
    given = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    shape = (given.batch * STEPS, *SHAPE)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    labels = np.arange(len(images)) % 10
    seconds = PROGRAMS[given.program](given.network, images, labels, given.batch)
    rate = len(images) / statistics.median(seconds[1:])
    print(json.dumps({"images_per_second": round(rate, 1)}))


def deck(network: str, images: np.ndarray, labels: np.ndarray, batch: int) -> list[float]:
    """Return the seconds of each epoch of Keras' own `fit`."""
    import keras

    from convlens.zoo.create import create_model

    model = create_model(network, num_classes=10)
    model.compile(
        "adam", keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    times = [time.perf_counter()]
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: times.append(time.perf_counter()))
    model.fit(
        images.astype("float32") / 255,
        keras.utils.to_categorical(labels, 10),
        batch_size=batch,
        epochs=EPOCHS,
        verbose=0,
        callbacks=[note],
    )
    return np.diff(times).tolist()


def keras_bfloat16(network: str, images: np.ndarray, labels: np.ndarray, batch: int) -> list[float]:
    """Return the same with Keras' policy for bfloat16."""
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    return deck(network, images, labels, batch)


def convlens(network: str, images: np.ndarray, labels: np.ndarray, batch: int) -> list[float]:
    """Return the seconds from the row of each epoch to the next.

    history.csv leaves out the writing of the classifier and of the history itself.
    """
    import convlens as package
    from convlens.config import Config
    from convlens.screen import Screen

    times: list[float] = []

    class Noting(Screen):
        def start(self, done: int, total: int) -> None:
            super().start(done, total)
            times.append(time.perf_counter())

        def epoch(self, row: dict[str, object], *, best: bool) -> None:
            super().epoch(row, best=best)
            times.append(time.perf_counter())

    config = Config().replace(
        model=network,
        optimizer="adam",
        schedule="constant",
        batch_size=batch,
        epochs=EPOCHS,
        augment="none",
        val=0.0,
        test=0.0,
        calibration=False,
        audit=False,
        micro_batch=0,
    )
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "random.npz"
        np.savez(data, x_train=images, y_train=labels)
        with contextlib.redirect_stdout(io.StringIO()):
            package.train(
                package.load_data(data), config, run=Path(folder) / "run", screen=Noting()
            )
    return np.diff(times).tolist()


def torch(
    network: str,
    images: np.ndarray,
    labels: np.ndarray,
    batch: int,
    *,
    bfloat16: bool = False,
    compiled: bool = False,
) -> list[float]:
    """Return the seconds of each epoch of PyTorch, under autocast or with a compiled network."""
    if network != "cifar_4conv":
        raise SystemExit(f"only cifar_4conv is written in PyTorch here; found {network}.")
    import torch as engine
    from torch import nn

    def block(inputs: int, filters: int) -> list[nn.Module]:
        first = nn.Conv2d(inputs, filters, 3, padding="same")
        second = nn.Conv2d(filters, filters, 3, padding="same")
        return [first, nn.ReLU(), second, nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)]

    head = [nn.Flatten(), nn.Linear(4096, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10)]
    model = nn.Sequential(*block(3, 32), *block(32, 64), *head)
    model = model.to(memory_format=engine.channels_last)
    step = engine.compile(model) if compiled else model
    optimizer = engine.optim.Adam(model.parameters())
    loss_of = nn.CrossEntropyLoss()
    pixels = engine.from_numpy(images.transpose(0, 3, 1, 2)) / 255
    pixels = pixels.to(memory_format=engine.channels_last)
    targets = engine.from_numpy(labels.astype(np.int64))
    seconds = []
    for _ in range(EPOCHS):
        began = time.perf_counter()
        order = engine.randperm(len(pixels))
        for start in range(0, len(pixels), batch):
            chosen = order[start : start + batch]
            optimizer.zero_grad()
            with engine.autocast("cpu", engine.bfloat16, enabled=bfloat16):
                loss = loss_of(step(pixels[chosen]), targets[chosen])
            loss.backward()
            optimizer.step()
        seconds.append(time.perf_counter() - began)
    return seconds


PROGRAMS = {
    "deck": deck,
    "keras_bfloat16": keras_bfloat16,
    "torch": torch,
    "torch_bfloat16": partial(torch, bfloat16=True),
    "torch_compiled": partial(torch, compiled=True),
    "convlens": convlens,
}

if __name__ == "__main__":
    main()
