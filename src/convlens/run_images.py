"""Run images: whether images are those of a run, and which of them it has drawn and divided."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.checksums import refuse_altered
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.errors import RunError
from convlens.language import _


def divided(folder: Path, data: Mapping[str, Any], prepared: Prepared) -> Prepared:
    """Return images with the split that a run has recorded.

    Args:
        folder: The folder of the run.
        data: The content of its data.json.
        prepared: The images.

    Raises:
        RunError: If these are not the images of the run, or not in the order that they had.
    """
    if not prepared.has_fingerprint(data["fingerprint"]):
        raise RunError(
            _(
                "{source}: these are not the images of {folder} (their fingerprint differs). Give "
                "the run's own images; others can be scored with evaluate --data."
            ).format(source=prepared.dataset.source, folder=folder)
        )
    # Runs of earlier versions have not recorded the order.
    if "order" in data and not prepared.has_order(data["order"]):
        raise RunError(
            _(
                "{source}: these are the images of {folder} in another order. The split is "
                "recorded by the positions of the images. Restore the file names, or the order of "
                "the rows, of the training."
            ).format(source=prepared.dataset.source, folder=folder)
        )
    return prepared.divided(data["splits"])


def drawn(folder: Path, data: Mapping[str, Any], dataset: Dataset) -> NDArray[np.int64]:
    """Return the (n,) ascending indices of the images of a data set that a run uses.

    Runs without a limit, and those of earlier releases, have not recorded them, and use all images.

    Args:
        folder: The folder of the run.
        data: The content of its data.json.
        dataset: The images.

    Raises:
        RunError: If these are not the images of the run, or its settings or its split were changed.
    """
    refuse_altered(folder)
    if data.get("images", len(dataset)) != len(dataset):
        raise RunError(
            _(
                "{source}: these are not the images of {folder}, which has {known:,}; found "
                "{found:,}. Give the run's own images; others can be scored with evaluate --data."
            ).format(source=dataset.source, folder=folder, known=data["images"], found=len(dataset))
        )
    return np.array(data.get("drawn", range(len(dataset))), np.int64)
