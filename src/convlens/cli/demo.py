"""`convlens demo`: train and predict on the digits that come with the installation."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convlens.cli.predict import predict
from convlens.cli.starting import open_images, say_what_is_next, start_run
from convlens.config import Config
from convlens.files import write_atomically
from convlens.language import N_, _

if TYPE_CHECKING:
    from convlens.data.dataset import Dataset
    from convlens.run import Run

SHOWN = 5

ENDING = N_("""
The report, {report}, opens in a browser. With images of your own, in a folder for each class:
  convlens data YOUR_FOLDER
  convlens train YOUR_FOLDER""")


def demo(*, run: Annotated[str | None, Parameter(help=N_("name of the run"))] = None) -> None:
    """Train on 5,000 images of handwritten digits, predict a few, and print what to type next."""
    config = Config()
    dataset = open_images("mnist5k", config)
    done = start_run(dataset, config, run=run)
    say_what_is_next(done)
    print()  # noqa: T201
    predict(str(done.folder), *write_examples(done, dataset))
    print(_(ENDING).format(report=done.folder / "report.html"))  # noqa: T201


def write_examples(run: "Run", dataset: "Dataset") -> list[str]:
    """Write a few test images of the run as files named `label.number.png`; return their paths."""
    import numpy as np
    from PIL import Image

    test = run.data["splits"]["test"]
    folder = run.folder / "images"
    paths = []
    for index in test[:: len(test) // SHOWN][:SHOWN]:
        path = folder / "{label}.{index}.png".format(
            label=dataset.class_names[dataset.labels[index]], index=index
        )
        write_atomically(path, Image.fromarray(np.asarray(dataset.images[index])).save)
        paths.append(str(path))
    return paths
