"""`convlens demo`: train and predict on the digits that come with the installation."""

import numpy as np
from PIL import Image

from convlens.cli.predict import predict_images
from convlens.cli.train import start_run
from convlens.config import Config
from convlens.data.sources import load_data
from convlens.run import Run

SHOWN = 5

ENDING = """
The report, {report}, opens in a browser. With images of your own, in a folder for each class:
  convlens data YOUR_FOLDER
  convlens train YOUR_FOLDER"""


def run_demo(name: str | None) -> None:
    """Train on mnist5k, predict a few test images from files, and print what to type next."""
    run = start_run("mnist5k", Config().replace(epochs=10), run=name)
    images = write_examples(run)
    print()  # noqa: T201
    predict_images(str(run.folder), images, top=3, form="table", precision="float32")
    print(ENDING.format(report=run.folder / "report.html"))  # noqa: T201


def write_examples(run: Run) -> list[str]:
    """Write a few test images of the run as files named `label.number.png`; return their paths."""
    dataset = load_data("mnist5k")
    test = run.data["splits"]["test"]
    folder = run.folder / "images"
    folder.mkdir(exist_ok=True)
    paths = []
    for index in test[:: len(test) // SHOWN][:SHOWN]:
        label = dataset.class_names[dataset.labels[index]]
        path = folder / "{label}.{index}.png".format(label=label, index=index)
        Image.fromarray(np.asarray(dataset.images[index])).save(path)
        paths.append(str(path))
    return paths
