"""Proof: an exported network gives the probabilities of its classifier, measured in a new process.

The golden examples are read as files by the `predict.py` of the folder, so that its decoding is
compared, too. Validation images are given as the pixels that the classifier saw.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.classifier import Classifier
from convlens.errors import ExportError
from convlens.language import _
from convlens.preprocess import ImageArray

TOLERANCE = 1e-4  # of a probability in float32; divided by a temperature below 1
MARGIN = 1e-3  # between the two most probable classes; below it a class may change
TIMED = 30  # images that are classified one by one to measure the time
# The program that runs in the new process, with the folder, the images and the answers.
# not translated: it is code
PROGRAM = """
import json, sys, time
import numpy as np
folder, given, found = sys.argv[1:]
sys.path.insert(0, folder)
import predict
network = predict.Network(folder)
images = np.load(given)
names = json.loads((network.folder / "examples.json").read_text(encoding="utf-8"))
read = np.stack([network.read(network.folder / "examples" / name) for name in names])
one = images if len(images) else read
seconds = []
for index in range(min(len(one), {timed}) + 3):
    start = time.perf_counter()
    network.probabilities(one[index % len(one)][None])
    seconds.append(time.perf_counter() - start)
rows = [network.probabilities(image[None])[0] for image in (*read, *images)]
np.savez(found, rows=np.stack(rows), read=read, seconds=np.median(seconds[3:]))
"""


@dataclass(frozen=True)
class Proof:
    """What the comparison of an exported network with its classifier has found.

    Attributes:
        examples: The number of golden examples, which were read as files.
        images: The number of validation images.
        changed: How many of both got another class.
        near: How many of these lie so close to the border of two classes that either is right.
        largest: The largest difference of a probability.
        mean: The mean difference of the probabilities.
        allowed: The largest difference that is allowed.
        pixels: The largest difference of a pixel between `predict.py` and convlens.
        size: The bytes of the exported network.
        classifier_size: The bytes of the classifier file.
        milliseconds: The median time of one image in the exported network, decoded before.
        classifier_milliseconds: The same of the classifier.
    """

    examples: int
    images: int
    changed: int
    near: int
    largest: float
    mean: float
    allowed: float
    pixels: int
    size: int
    classifier_size: int
    milliseconds: float
    classifier_milliseconds: float

    @property
    def holds(self) -> bool:
        """Whether the exported network computes what the classifier computes."""
        return self.changed == self.near and self.largest <= self.allowed and self.pixels == 0

    def to_dict(self) -> dict[str, Any]:
        """Return every number, as proof.json has it."""
        return {**asdict(self), "holds": self.holds}


def allowed_difference(classifier: Classifier) -> float:
    """Return how far a probability may differ; a temperature below 1 enlarges every difference."""
    return TOLERANCE / min(1.0, classifier.temperature)


def prove(
    folder: Path, classifier: Classifier, examples: ImageArray, images: ImageArray, size: int
) -> Proof:
    """Return the comparison of the exported network in a folder with its classifier.

    Args:
        folder: The exported folder.
        classifier: The classifier, in float32.
        examples: (m, height, width, channels) uint8, the golden examples as convlens reads them.
        images: (n, height, width, channels) uint8 further images, as the network takes them.
        size: The bytes of the classifier file.

    Raises:
        ExportError: If the exported network cannot be run.
    """
    found = _run(folder, images)
    expected = classifier.probabilities(np.concatenate([examples, images]))
    rows = found["rows"]
    difference = np.abs(rows - expected)
    changed = rows.argmax(1) != expected.argmax(1)
    two = np.sort(expected, axis=1)[:, -2:]
    near = changed & (two[:, 1] - two[:, 0] <= MARGIN)
    return Proof(
        examples=len(examples),
        images=len(images),
        changed=int(changed.sum()),
        near=int(near.sum()),
        largest=float(difference.max()),
        mean=float(difference.mean()),
        allowed=allowed_difference(classifier),
        pixels=int(np.abs(found["read"].astype(int) - examples).max()),
        size=_bytes_of(folder),
        classifier_size=size,
        milliseconds=1000 * float(found["seconds"]),
        classifier_milliseconds=1000 * _seconds_of(classifier, examples[0]),
    )


def _run(folder: Path, images: ImageArray) -> dict[str, NDArray[Any]]:
    """Run the exported network in a new process, and return what it computed."""
    with tempfile.TemporaryDirectory() as place:
        given = Path(place) / "images.npy"
        found = Path(place) / "found.npz"
        np.save(given, images)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.replace("{timed}", str(TIMED)), folder, given, found],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not found.exists():
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            raise ExportError(
                _("the exported network cannot be run: {reason}. Nothing was exported.").format(
                    reason=lines[-1].rstrip(".") if lines else _("the program was stopped")
                )
            )
        with np.load(found) as arrays:
            return dict(arrays)


def _seconds_of(classifier: Classifier, image: ImageArray) -> float:
    """Return the median time that a classifier needs for one image."""
    seconds = []
    for _repetition in range(TIMED + 3):
        start = time.perf_counter()
        classifier.probabilities(image[None])
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[3:]))


def _bytes_of(folder: Path) -> int:
    """Return the size of the network in an exported folder, with the files that belong to it."""
    facts = json.loads((folder / "convlens.json").read_text(encoding="utf-8"))
    return sum((folder / name).stat().st_size for name in facts["network_files"])
