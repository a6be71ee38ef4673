"""Kept: the network of a classifier file on OpenVINO, which answers without Keras.

Importing Keras and TensorFlow, and building and converting the network, take 5 to 10 seconds of
processor time; opening the network that was converted before takes a fraction of one. It lies in
the cache, under the checksum of the file. The examples of the file are replayed on it before it
answers, as on the classifier itself; if they get other probabilities, it is not used. Without
examples nothing would tell a network that has suffered, and none is kept.

A training that somebody follows keeps its network: the studio sets `CONVLENS_KEEP_NETWORK`.
"""

import contextlib
import hashlib
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.classifier.archive import read_facts
from convlens.classifier.examples import check_examples, unpack_examples
from convlens.classifier.on_openvino import (
    compile_network,
    convert,
    refuse_without_openvino,
    write_network,
)
from convlens.classifier.prediction import Predictor
from convlens.data.cache import cache_folder, touch
from convlens.data.cache_size import keep_within_limit
from convlens.errors import BackendError, ClassifierError, ConvlensError
from convlens.files import storage_errors
from convlens.folders import make_folder
from convlens.language import N_, _
from convlens.preprocess import ImageArray, Preprocessing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convlens.classifier.classifier import Classifier

VARIABLE = "CONVLENS_KEEP_NETWORK"
VERSION = 1  # to be raised when a network is converted in another way
FOLDER = "networks"
REMEDY = N_("Free some space on the disk, or set CONVLENS_CACHE to another folder.")
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
    if "examples" not in facts or not network.exists():
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
        for one in _files(network):
            with contextlib.suppress(OSError):  # it is converted anew
                one.unlink()
        return None
    for one in _files(network):
        touch(one)
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
    place = _place(read_facts(path))
    network = convert(classifier.model)
    beside = place.with_name(f".{uuid.uuid4().hex[:8]}.{place.name}")
    with storage_errors(place, _("the converted network"), _(REMEDY)):
        make_folder(place.parent)
        try:
            write_network(network, beside)
            for written, one in zip(_files(beside), _files(place), strict=True):
                written.replace(one)
        finally:
            for written in _files(beside):
                written.unlink(missing_ok=True)
    keep_within_limit()


def keep_if_asked(classifier: "Classifier", path: Path) -> None:
    """Keep the network of a classifier if somebody waits for it; it may fail without harm."""
    if os.environ.get(VARIABLE):
        with contextlib.suppress(ConvlensError):
            keep(classifier, path)


def _place(facts: dict[str, Any]) -> Path:
    key = hashlib.sha256(f"{VERSION} {facts['checksum']}".encode()).hexdigest()
    return cache_folder() / FOLDER / f"{key[:32]}.xml"


def _files(network: Path) -> tuple[Path, Path]:
    """Return the files of a network in the order of writing: who finds the .xml finds the .bin."""
    return network.with_suffix(".bin"), network


def _check(kept: Kept, path: Path, facts: dict[str, Any]) -> None:
    """Replay the examples of a file on the network that was kept for it.

    Raises:
        ClassifierError: If they get other probabilities.
    """
    images, recorded = unpack_examples(facts["examples"], kept.preprocessing.shape)
    check_examples(path, kept.probabilities(images), recorded, "float32", 1.0)
