"""`convlens demo`: the whole way on the digits that come with the installation."""

import numpy as np
from PIL import Image

from convlens.cli.predict import predict_images
from convlens.cli.train import start_run
from convlens.config import Config
from convlens.data.sources import load_data
from convlens.run import Run

SHOWN = 5


def run_demo(name: str | None) -> None:
    """Train on mnist5k, predict a few test images as files, and say what to type next."""
    config = Config().replace(epochs=10)
    run = start_run("mnist5k", config, run=name, start_from=None, folds=None, find_rate=False)
    images = write_examples(run)
    print()  # noqa: T201
    predict_images(str(run.folder), images, top=3, form="table", precision="float32")
    print(  # noqa: T201
        f"\nThe report, {run.folder / 'report.html'}, opens in a browser. With images of your own, a folder a class:"
        "\n  convlens data YOUR_FOLDER"
        "\n  convlens train YOUR_FOLDER"
    )


def write_examples(run: Run) -> list[str]:
    """Write a few test images of the run as PNG files named `label.number.png`; return their paths."""
    dataset = load_data("mnist5k")
    test = np.array(run.data["splits"]["test"])
    folder = run.folder / "images"
    folder.mkdir(exist_ok=True)
    paths = []
    for index in test[:: len(test) // SHOWN][:SHOWN]:
        label = dataset.class_names[dataset.labels[index]]
        path = folder / f"{label}.{index}.png"
        Image.fromarray(np.asarray(dataset.images[int(index)])).save(path)
        paths.append(str(path))
    return paths
