"""Live: the worst mistakes of the last epoch, in a file of the run, for those who watch it.

`state/live.json` has the epoch, the number of validation images and of those that were wrong, and
the images with the highest loss among the wrong ones: {"file", "label", "predicted",
"probability", "of_label"}. `file` is the name that lists of corrections use.
"""

import contextlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.data.prepared import Prepared
from convlens.errors import StorageError
from convlens.files import write_atomically
from convlens.run_folder import LIVE

MOST = 12  # mistakes


def write_live(
    folder: Path, prepared: Prepared, probabilities: NDArray[np.float32], epoch: int
) -> None:
    """Write the worst mistakes on the validation images; a disk that is full ends nothing.

    Args:
        folder: The folder of the run.
        prepared: The images.
        probabilities: (m, num_classes) probabilities of the validation images in their order. More
            rows may follow, see `convlens.data.shares`.
        epoch: The epoch, counted from 1; 0 stands for a head that is not trained by steps.
    """
    dataset = prepared.dataset
    indices = prepared.splits.val
    if len(indices) > len(probabilities):
        return
    probabilities = probabilities[: len(indices)]
    labels = dataset.labels[indices]
    predicted = probabilities.argmax(axis=1)
    of_label = probabilities[np.arange(len(labels)), labels]
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(of_label[wrong], kind="stable")][:MOST]
    mistakes = [
        {
            "file": dataset.file_name(int(indices[one])),
            "label": dataset.class_names[labels[one]],
            "predicted": dataset.class_names[predicted[one]],
            "probability": round(float(probabilities[one].max()), 4),
            "of_label": round(float(of_label[one]), 4),
        }
        for one in worst
    ]
    content = {"epoch": epoch, "images": len(indices), "wrong": len(wrong), "mistakes": mistakes}
    with contextlib.suppress(StorageError):
        write_atomically(folder / LIVE, json.dumps(content))
