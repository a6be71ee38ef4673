"""Measure the time from image files to the end of the first epoch, and of the last.

python benchmarks/speed/files.py PROGRAM FOLDER [--size 64] [--epochs 5]

FOLDER has a folder of images for each class. Every program trains a network of two convolutions
and two dense layers, which costs little, so that reading, decoding and resizing count. The seconds
are those since the start of the process; convlens begins without anything that it has decoded
before.

    keras        `image_dataset_from_directory` with prefetching, and Keras' own `fit`
    torch        an `ImageFolder` of torchvision and a DataLoader with a worker for each processor
    fastai       a `DataBlock` with as many workers, and a `Learner` of the network for PyTorch
    ultralytics  `YOLO.train` for classification with as many workers and no change of colours; its
                 crops cannot be left out, its layers have batch normalisation, its head has 1,280
                 features, and it first checks every file. The end of an epoch is that of its
                 training steps.
    convlens     the command `convlens train`, with the check of the images; an epoch ends when its
                 row is printed

All of them train from random weights and download nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import keras
    import torch

BATCH = 32
FILTERS = (16, 32)
KERNEL = 5
STRIDES = 4
UNITS = 16


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
            *(layers.Conv2D(filters, KERNEL, STRIDES, activation="relu") for filters in FILTERS),
            layers.Flatten(),
            layers.Dense(UNITS, activation="relu"),
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


def network_of_torch(size: int, classes: int) -> "torch.nn.Module":
    """Return the same network for PyTorch."""
    from torch import nn

    side = size
    for _ in FILTERS:
        side = (side - KERNEL) // STRIDES + 1
    return nn.Sequential(
        nn.Conv2d(3, FILTERS[0], KERNEL, STRIDES),
        nn.ReLU(),
        nn.Conv2d(*FILTERS, KERNEL, STRIDES),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(FILTERS[1] * side**2, UNITS),
        nn.ReLU(),
        nn.Linear(UNITS, classes),
    )


def with_torch(folder: Path, size: int, epochs: int) -> list[float]:
    """Return the times at which the epochs ended."""
    import torch
    from torchvision import datasets, transforms

    prepare = transforms.Compose([transforms.Resize((size, size)), transforms.ToTensor()])
    data = datasets.ImageFolder(folder, prepare)
    loader = torch.utils.data.DataLoader(
        data, BATCH, shuffle=True, num_workers=os.cpu_count() or 1, persistent_workers=True
    )
    model = network_of_torch(size, len(data.classes)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters())
    loss_of = torch.nn.CrossEntropyLoss()
    ends = []
    for _ in range(epochs):
        for images, labels in loader:
            optimizer.zero_grad()
            loss_of(model(images), labels).backward()
            optimizer.step()
        ends.append(time.time())
    return ends


def with_fastai(folder: Path, size: int, epochs: int) -> list[float]:
    """Return the times at which the epochs ended."""
    from fastai.vision import all as fastai

    class Noting(fastai.Callback):
        def after_epoch(self) -> None:
            ends.append(time.time())

    ends: list[float] = []
    block = fastai.DataBlock(
        (fastai.ImageBlock, fastai.CategoryBlock),
        get_items=fastai.get_image_files,
        get_y=fastai.parent_label,
        splitter=lambda files: (list(range(len(files))), []),
        item_tfms=fastai.Resize(size, fastai.ResizeMethod.Squish),
    )
    data = block.dataloaders(folder, bs=BATCH, num_workers=os.cpu_count() or 1)
    learner = fastai.Learner(
        data, network_of_torch(size, len(data.vocab)), fastai.CrossEntropyLossFlat(), cbs=[Noting()]
    )
    with learner.no_bar(), learner.no_logging():
        learner.fit(epochs)
    return ends


def with_ultralytics(folder: Path, size: int, epochs: int) -> list[float]:
    """Return the times at which the epochs ended."""
    with tempfile.TemporaryDirectory() as fresh:
        os.environ["YOLO_CONFIG_DIR"] = fresh
        root = Path(fresh) / "images"  # a list of the images is written beside their folder
        root.mkdir()
        (root / "train").symlink_to(folder.resolve(), target_is_directory=True)
        for name in folder.iterdir():  # The library demands images to validate on.
            (root / "val" / name.name).mkdir(parents=True)
            first = next(name.iterdir()).resolve()
            (root / "val" / name.name / first.name).symlink_to(first)
        layers = [[-1, 1, "Conv", [filters, KERNEL, STRIDES]] for filters in FILTERS]
        description = {"nc": 2, "backbone": layers, "head": [[-1, 1, "Classify", ["nc"]]]}
        plan = Path(fresh) / "two-cls.yaml"
        plan.write_text(json.dumps(description))  # JSON is YAML, too

        from ultralytics import YOLO

        ends: list[float] = []
        model = YOLO(plan, task="classify")
        model.add_callback("on_train_epoch_end", lambda trainer: ends.append(time.time()))
        model.train(
            data=root,
            imgsz=size,
            epochs=epochs,
            batch=BATCH,
            device="cpu",
            workers=os.cpu_count(),
            optimizer="Adam",
            amp=False,
            project=fresh,
            hsv_h=0,
            hsv_s=0,
            hsv_v=0,
            fliplr=0,
            erasing=0,
            auto_augment="",
            val=False,
            plots=False,
            verbose=False,
            save=False,
            scale=0,
        )
    return ends


def with_convlens(folder: Path, size: int, epochs: int) -> list[float]:
    """Return the times at which the rows of the epochs were printed."""
    network = f"--model custom_cnn --kernel-size {KERNEL} --strides {STRIDES} --padding valid "
    network += f"--filters {','.join(map(str, FILTERS))} --pooling none --dense {UNITS} --dropout 0"
    images = f"--size {size} --val 0 --test 0 --augment none"
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as fresh:
        training = f"--epochs {epochs} --batch-size {BATCH} --run {fresh}/run"
        words = ["train", str(folder), *f"{network} {images} {training}".split()]
        cache = {"CONVLENS_CACHE": f"{fresh}/cache", "PYTHONUNBUFFERED": "1"}
        command = subprocess.Popen(
            [sys.executable, "-m", "convlens", *words],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | cache,
        )
        for line in command.stdout or ():
            if line.split()[:1] == [str(len(ends) + 1)]:
                ends.append(time.time())
        if command.wait():
            sys.exit(command.returncode)
    return ends


PROGRAMS = {
    "keras": with_keras,
    "torch": with_torch,
    "fastai": with_fastai,
    "ultralytics": with_ultralytics,
    "convlens": with_convlens,
}

if __name__ == "__main__":
    main()
