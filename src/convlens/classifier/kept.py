"""Kept: the network of a classifier file on OpenVINO, which answers without Keras.

Importing Keras and TensorFlow, and building and converting the network, take 5 to 10 seconds of
processor time; opening the network that was converted before takes a fraction of one. It lies in
the cache, under the checksum of the file. The examples of the file are replayed on it before it
answers, as on the classifier itself; if they get other probabilities, it is not used. Without
examples nothing would tell a network that has suffered, and none is kept.

A training that somebody follows keeps its network: the studio sets `CONVLENS_KEEP_NETWORK`.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.classifier.archive import read_facts
from convlens.classifier.examples import check_examples, unpack_examples
from convlens.classifier.network_files import discard, is_there, place_of, store_again
from convlens.classifier.on_openvino import compile_network, refuse_without_openvino
from convlens.classifier.prediction import Predictor
from convlens.data.cache_size import keep_within_limit
from convlens.errors import BackendError, ClassifierError, ConvlensError
from convlens.preprocess import ImageArray, Preprocessing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convlens.classifier.classifier import Classifier

VARIABLE = "CONVLENS_KEEP_NETWORK"
# For one image at a time, as fast as possible, with the numbers of the classifier.
SETTINGS = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}


@dataclass(eq=False)
class Kept(Predictor):
    """The network of a classifier file that was kept.

    Attributes:
        class_names: See `Predictor`, as for the next two.
        preprocessing: See there.
        threshold: See there.
        compiled: The network, from one uint8 image (1, height, width, channels) to its
            (1, num_classes) probabilities.
        checksum: The checksum in the file.
    """

    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    threshold: float | None
    compiled: Any
    checksum: str

    def probabilities(
        self, images: ImageArray, *, batch_size: int | None = None
    ) -> "NDArray[np.float32]":
        """Return the (n, num_classes) probabilities of prepared images, one after the other."""
        found = np.empty((len(images), len(self.class_names)), np.float32)
        for row, image in enumerate(images):
            found[row] = self.compiled(np.ascontiguousarray(image[None]))[0][0]
        return found


def open_kept(path: Path) -> Kept | None:
    """Return the network of a classifier file if it was kept, or None.

    Raises:
        ClassifierError: If the file is missing, damaged, or no classifier.
        BackendError: If it was kept and OpenVINO is not installed.
        StorageError: If the cache folder cannot be created.
    """
    facts = read_facts(path)
    network = _place(facts)
    if "examples" not in facts or not is_there(network):
        return None
    refuse_without_openvino()  # the network is of use for others with whom the cache is shared
    try:
        kept = Kept(
            tuple(facts["class_names"]),
            Preprocessing.from_dict(facts["preprocessing"]),
            facts.get("threshold"),  # files from before calibration have none
            compile_network(network, SETTINGS, network.name),
            facts["checksum"],
        )
        _check(kept, path, facts)
    except (BackendError, ClassifierError):
        discard(network)
        return None
    return kept


def keep(classifier: "Classifier", path: Path) -> None:
    """Convert the network of a classifier that has examples, and keep it.

    Args:
        classifier: The classifier.
        path: Its file.

    Raises:
        BackendError: If OpenVINO is not installed or cannot run the network.
        StorageError: If it cannot be written.
    """
    if classifier.examples is None:
        return
    from convlens.classifier.converted import open_converted  # which imports Keras

    network, _compiled = open_converted(classifier)
    store_again(_place(read_facts(path)), network)
    keep_within_limit()


def keep_if_asked(classifier: "Classifier", path: Path) -> None:
    """Keep the network of a classifier if somebody waits for it; it may fail without harm."""
    if os.environ.get(VARIABLE):
        with contextlib.suppress(ConvlensError):
            keep(classifier, path)


def _place(facts: dict[str, Any]) -> Path:
    return place_of(facts["checksum"])


def _check(kept: Kept, path: Path, facts: dict[str, Any]) -> None:
    """Replay the examples of a file on the network that was kept for it.

    Raises:
        ClassifierError: If they get other probabilities.
    """
    images, recorded = unpack_examples(facts["examples"], kept.preprocessing.shape)
    check_examples(path, kept.probabilities(images), recorded, "float32", 1.0)
