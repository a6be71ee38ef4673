"""Proof: an exported network gives the probabilities of its classifier, measured in a new process.

The golden examples are read as files by the `predict.py` of the folder, so that its decoding is
compared, too. Validation images are given as the pixels that the classifier saw.
"""

import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.classifier import Classifier
from convlens.export.cost import Cost, measure_cost
from convlens.export.folder import read_facts
from convlens.export.process import run_program
from convlens.export.samples import Samples
from convlens.preprocess import ImageArray

TOLERANCE = 1e-4  # of a probability in float32; divided by a temperature below 1
MARGIN = 1e-3  # between the two most probable classes; below it a class may change
INT8_TOLERANCE = 0.05  # of a probability in int8, between processors and releases of the engines
TIMED = 30  # images that are classified one by one to measure the time
# The program that runs in the new process, with the folder, the images, the answers, and the
# network in float32 where that of the folder is not. Both are timed in turns.
# not translated: it is code
PROGRAM = """
import json, sys, time
import numpy as np
folder, given, plain, found = sys.argv[1:]
sys.path.insert(0, folder)
import predict
network = predict.Network(folder)
images = np.load(given)
names = json.loads((network.folder / "examples.json").read_text(encoding="utf-8"))
read = np.stack([network.read(network.folder / "examples" / name) for name in names])
every = [image[None] for image in (*read, *images)]
runs = [network.probabilities]
if plain:
    runs.append(predict.ENGINES[network.facts["format"]](plain))
seconds = [[] for run in runs]
for index in range({timed} + 3):
    image = every[-1 - index % min(len(every), {timed})]
    for run, times in zip(runs, seconds):
        start = time.perf_counter()
        run(image)
        times.append(time.perf_counter() - start)
answers = {"rows": np.concatenate([network.probabilities(image) for image in every])}
if network.facts["format"] == "openvino":
    import openvino
    model = folder + "/" + network.facts["model"]
    default = openvino.Core().compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    answers["default_rows"] = np.concatenate([default(image)["probabilities"] for image in every])
    answers["default_type"] = default.get_property("INFERENCE_PRECISION_HINT").get_type_name()
np.savez(found, **answers, read=read, seconds=[np.median(times[3:]) for times in seconds])
"""


Rows = NDArray[np.float32]  # (n, classes) probabilities


@dataclass(frozen=True)
class AnySize:
    """What the comparison of a network that resizes its images with Pillow has found.

    Attributes:
        examples: The number of example files.
        images: The number of generated images of odd sizes.
        levels: The largest difference of a resized pixel, of 255.
        differing: The share of the pixels that differ.
        largest: The largest difference of a probability.
        allowed: The largest difference of a probability that is allowed.
    """

    examples: int
    images: int
    levels: int
    differing: float
    largest: float
    allowed: float


@dataclass(frozen=True)
class Proof:
    """What the comparison of an exported network with its classifier has found.

    Attributes:
        precision: The precision of the exported network.
        examples: The number of golden examples, which were read as files.
        images: The number of validation images.
        changed: How many of both got another class.
        near: How many of these lie so close to the border of two classes that either is right.
        largest: The largest difference of a probability.
        mean: The mean difference of the probabilities.
        allowed: The largest difference that is allowed in float32.
        pixels: The largest difference of a pixel between `predict.py` and convlens.
        size: The bytes of the exported network.
        classifier_size: The bytes of the classifier file.
        milliseconds: The median time of one image in the exported network, decoded before.
        classifier_milliseconds: The same of the classifier.
        float32_size: The bytes of the same network in float32, if the exported one is not.
        float32_milliseconds: The median time of one image in that network, measured in turns.
        cost: What the precision costs; None in float32.
        accepted: Whether the user accepts the cost, whatever it is.
        default_type: The arithmetic that OpenVINO chooses on this processor if it is not told,
            "f32" or "bf16"; None for the other engines.
        default_largest: How much a probability of the exported network differs then, at most.
        default_changed: How many classes change then.
        any_size: What the resize inside the network gives; None if it has none.
    """

    precision: str
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
    float32_size: int | None = None
    float32_milliseconds: float | None = None
    cost: Cost | None = None
    accepted: bool = False
    default_type: str | None = None
    default_largest: float | None = None
    default_changed: int | None = None
    any_size: AnySize | None = None

    @property
    def holds(self) -> bool:
        """Whether the exported network computes what the classifier computes.

        In a lower precision than float32, what counts is that it does not cost too much.
        """
        if self.pixels > 0 or not np.isfinite(self.largest):
            return False
        if self.cost is not None:
            return self.accepted or not self.cost.too_much
        return self.changed == self.near and self.largest <= self.allowed

    def to_dict(self) -> dict[str, Any]:
        """Return every number, as proof.json has it."""
        cost = None if self.cost is None else self.cost.to_dict()
        return {**asdict(self), "cost": cost, "holds": self.holds}


def allowed_difference(classifier: Classifier) -> float:
    """Return how far a probability may differ; a temperature below 1 enlarges every difference."""
    return TOLERANCE / min(1.0, classifier.temperature)


def tolerance(classifier: Classifier, precision: str) -> float:
    """Return how far the probabilities of the examples may be from the recorded ones.

    Those of float16 are recorded after rounding, and its arithmetic is float32. In int8, a value
    that lies between two whole numbers is rounded up by one engine and down by another, and what
    follows is rounded anew: the same network of ONNX and of OpenVINO, in integers and simulated
    in float32, differed by up to 0.033. See docs/export.md.
    """
    return INT8_TOLERANCE if precision == "int8" else allowed_difference(classifier)


def prove(
    folder: Path,
    classifier: Classifier,
    examples: ImageArray,
    samples: Samples,
    found: dict[str, NDArray[Any]],
    size: int,
) -> Proof:
    """Return the comparison of the exported network in a folder with its classifier.

    Args:
        folder: The exported folder.
        classifier: The classifier, in float32.
        examples: (m, height, width, channels) uint8, the golden examples as convlens reads them.
        samples: Further images, as the network takes them, and their labels.
        found: What `run_exported` has computed in that folder.
        size: The bytes of the classifier file.
    """
    expected = classifier.probabilities(np.concatenate([examples, samples.images]))
    rows = found["rows"]
    difference = np.abs(rows - expected)
    changed = rows.argmax(1) != expected.argmax(1)
    two = np.sort(expected, axis=1)[:, -2:]
    near = changed & (two[:, 1] - two[:, 0] <= MARGIN)
    seconds = found["seconds"]
    facts = read_facts(folder)
    return Proof(
        precision=facts["precision"],
        examples=len(examples),
        images=len(samples.images),
        changed=int(changed.sum()),
        near=int(near.sum()),
        largest=float(difference.max()),
        mean=float(difference.mean()),
        allowed=allowed_difference(classifier),
        pixels=int(np.abs(found["read"].astype(int) - examples).max()),
        size=sum((folder / name).stat().st_size for name in facts["network_files"]),
        classifier_size=size,
        milliseconds=1000 * float(seconds[0]),
        classifier_milliseconds=1000 * _seconds_of(classifier, examples[0]),
        **_default(found),
        **(_cost(expected, found, samples) if facts["precision"] != "float32" else {}),
    )


def _default(found: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Return what is known of an engine that is not told how to compute."""
    if "default_rows" not in found:
        return {}
    rows = found["default_rows"]
    return {
        "default_type": str(found["default_type"]),
        "default_largest": float(np.abs(rows - found["rows"]).max()),
        "default_changed": int((rows.argmax(1) != found["rows"].argmax(1)).sum()),
    }


def _cost(
    expected: NDArray[np.float32], found: dict[str, NDArray[Any]], samples: Samples
) -> dict[str, Any]:
    """Return what a lower precision costs and saves.

    It is measured on the validation images; without them, on the golden examples.
    """
    has_images = len(samples.images) > 0
    first = len(expected) - len(samples.images) if has_images else 0
    labels = samples.labels if has_images else None
    return {
        "cost": measure_cost(expected[first:], found["rows"][first:], labels),
        "float32_size": int(found["float32_size"]),
        "float32_milliseconds": 1000 * float(found["seconds"][1]),
    }


def run_exported(
    folder: Path, images: ImageArray, plain: Path | None = None
) -> dict[str, NDArray[Any]]:
    """Run the exported network in a new process, and return what it has computed.

    Args:
        folder: The exported folder.
        images: (n, height, width, channels) uint8, besides the golden examples.
        plain: The network in float32, in a folder of its own, to be timed beside.

    Returns:
        rows: (m + n, classes) float32 probabilities of the golden examples and the images.
        read: (m, height, width, channels) uint8, the golden examples as predict.py reads them.
        seconds: The median times of the network and of the plain one.
        float32_size: The bytes of the plain network.
        default_rows, default_type: The probabilities of OpenVINO as it would compute them, and how.

    Raises:
        ExportError: If the exported network cannot be run.
    """
    with tempfile.TemporaryDirectory() as place:
        given = Path(place) / "images.npy"
        np.save(given, images)
        program = PROGRAM.replace("{timed}", str(TIMED))
        found = run_program(program, folder, given, plain or "")
    if plain is not None:
        sizes = [file.stat().st_size for file in plain.parent.rglob("*") if file.is_file()]
        found["float32_size"] = np.array(sum(sizes))
    return found


def _seconds_of(classifier: Classifier, image: ImageArray) -> float:
    """Return the median time that a classifier needs for one image."""
    seconds = []
    for _repetition in range(TIMED + 3):
        start = time.perf_counter()
        classifier.probabilities(image[None])
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[3:]))
