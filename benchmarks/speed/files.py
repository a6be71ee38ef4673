"""Measure the time from image files to the end of the first epoch, and of the last.

python benchmarks/speed/files.py PROGRAM FOLDER [--size 64] [--epochs 5]

FOLDER has a folder of images for each class. Every program trains a network of two convolutions,
which costs little, so that reading, decoding and resizing count. The seconds are those since the
start of the process; convlens begins without anything that it has decoded before.

    keras     `image_dataset_from_directory` with prefetching, and Keras' own `fit`
    torch     an `ImageFolder` of torchvision and a DataLoader with a worker for each processor
    convlens  `convlens.train`, with the check of the images
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import keras

BATCH = 32
FILTERS = (16, 32)


def main() -> None:
    """Train, and print the seconds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("data", type=Path)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=5)
    given = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    ends = PROGRAMS[given.program](given.data, given.size, given.epochs)
    began = psutil.Process().create_time()
    print(
        json.dumps(
            {"first_epoch": round(ends[0] - began, 1), "last_epoch": round(ends[-1] - began, 1)}
        )
    )


def network(size: int, classes: int) -> "keras.Model":
    """Return the network from pixels of 0..1 to logits."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            layers.Conv2D(FILTERS[0], 5, strides=4, activation="relu"),
            layers.Conv2D(FILTERS[1], 3, strides=2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes),
        ]
    )


def with_keras(folder: Path, size: int, epochs: int) -> list[float]:
    """Return the times at which the epochs ended."""
    import keras
    import tensorflow as tf

    data = keras.utils.image_dataset_from_directory(
        folder, image_size=(size, size), batch_size=BATCH, label_mode="int", verbose=False
    )
    classes = len(data.class_names)
    scaled = data.map(lambda images, labels: (images / 255, labels)).prefetch(tf.data.AUTOTUNE)
    model = network(size, classes)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    ends: list[float] = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.time()))
    model.fit(scaled, epochs=epochs, verbose=0, callbacks=[note])
    return ends


def with_torch(folder: Path, size: int, epochs: int) -> list[float]:
    """Return the times at which the epochs ended."""
    import torch
    from torch import nn
    from torchvision import datasets, transforms

    prepare = transforms.Compose([transforms.Resize((size, size)), transforms.ToTensor()])
    data = datasets.ImageFolder(folder, prepare)
    loader = torch.utils.data.DataLoader(
        data, BATCH, shuffle=True, num_workers=os.cpu_count() or 1, persistent_workers=True
    )
    model = nn.Sequential(
        nn.Conv2d(3, FILTERS[0], 5, stride=4),
        nn.ReLU(),
        nn.Conv2d(*FILTERS, 3, stride=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(FILTERS[1], len(data.classes)),
    ).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters())
    loss_of = nn.CrossEntropyLoss()
    ends = []
    for _ in range(epochs):
        for images, labels in loader:
            optimizer.zero_grad()
            loss_of(model(images), labels).backward()
            optimizer.step()
        ends.append(time.time())
    return ends


def with_convlens(folder: Path, size: int, epochs: int) -> list[float]:
    """Return the times at which the epochs ended and their best classifier was written."""
    with tempfile.TemporaryDirectory() as fresh:
        os.environ["CONVLENS_CACHE"] = str(Path(fresh) / "cache")
        import convlens
        from convlens.config import Config
        from convlens.screen import Screen

        ends: list[float] = []

        class Noting(Screen):
            def epoch(self, row: dict, *, best: bool) -> None:
                ends.append(time.time())

        dataset = convlens.load_data(folder)
        config = Config().replace(
            size=str(size), epochs=epochs, batch_size=BATCH, augment="none", val=0.0, test=0.0
        )
        convlens.train(
            dataset,
            config,
            model=network(size, dataset.num_classes),
            run=Path(fresh) / "run",
            screen=Noting(quiet=True),
        )
        return ends


PROGRAMS = {"keras": with_keras, "torch": with_torch, "convlens": with_convlens}

if __name__ == "__main__":
    main()
