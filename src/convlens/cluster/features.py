"""Features: a cluster computes those of a frozen network, and this computer keeps them.

They go into the cache of `convlens.transfer.features`, where later runs find them.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from convlens import backend
from convlens.classifier.compiled import CompiledClassifier
from convlens.classifier.prediction import Predictor
from convlens.classifier.runtime import compile_model
from convlens.cluster.asking import ask
from convlens.cluster.connection import Cluster
from convlens.cluster.question import KERAS, OPENVINO, Question
from convlens.cluster.shards import Row, read_answers
from convlens.data.decoding import Progress
from convlens.data.digests import DIGEST_BYTES
from convlens.transfer.features import FeatureCache
from convlens.transfer.wanted import Compute, Wanted

KEPT = 4096  # images whose features are written to the cache at a time


@dataclass(frozen=True)
class _Features(Question):
    """Which features images have; a shard holds them in the place of probabilities."""

    width: int = 0

    def open(self, folder: Path) -> Predictor:
        """Return what computes the features, from the folder with the file of the network."""
        backend.start(threads=1)
        path = folder / next(iter(self.files))
        body = keras.models.load_model(path, compile=False, safe_mode=True)
        compiled = compile_model(body, self.precision, self.engine)
        numbers = tuple(map(str, range(self.width)))
        return CompiledClassifier(compiled, numbers, self.preprocessing, None)


def on_cluster(cluster: Cluster, folder: Path) -> Compute:
    """Return what lets a cluster compute features, see `convlens.transfer.wanted.computed_by`.

    Args:
        cluster: The cluster.
        folder: The folder of the answers, see `convlens.cluster.asking.ask`.
    """

    def compute(wanted: Wanted, progress: Progress | None) -> None:
        _compute(wanted, cluster, folder, progress)

    return compute


def _compute(
    wanted: Wanted, cluster: Cluster, folder: Path, progress: Progress | None = None
) -> None:
    """Put the features that are wanted and missing into their cache."""
    images = wanted.prepared.dataset.images
    store = wanted.prepared.store
    if isinstance(images, np.ndarray):  # which nodes cannot read
        wanted.cache.compute(wanted.compiled, store, wanted.indices, progress)
        return
    missing = wanted.cache.missing(store, wanted.indices)
    if not len(missing):
        return
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "body.keras"
        wanted.body.save(path)
        files = {path.name: path.read_bytes()}
    engine = OPENVINO if wanted.compiled.engine == OPENVINO else KERAS
    question = _Features(
        files,
        wanted.cache.folder.name,
        engine,
        wanted.compiled.precision,
        wanted.prepared.preprocessing,
        wanted.cache.width,
    )
    ask(question, cluster, folder, [str(images[index]) for index in missing], progress)
    _keep(folder, wanted.cache)
    # An image that has changed meanwhile, or that a node could not read.
    wanted.cache.compute(wanted.compiled, store, wanted.indices)


def _keep(folder: Path, cache: FeatureCache) -> None:
    """Put the answers in a folder into the cache."""
    some: list[Row] = []
    for row in read_answers(folder):
        if row["problem"] is None:
            some.append(row)
        if len(some) == KEPT:
            _add(some, cache)
            some.clear()
    if some:
        _add(some, cache)


def _add(rows: list[Row], cache: FeatureCache) -> None:
    digests = np.frombuffer(b"".join(row["content"] for row in rows), np.uint8)
    features = np.array([row["probabilities"] for row in rows], np.float32)
    cache.add(digests.reshape(-1, DIGEST_BYTES), features)
