"""Features: a cluster computes those of a frozen network, and this computer keeps them.

They go into the cache of `convlens.transfer.features` part by part, where every later run finds
them. Paths travel to the nodes, and features come back.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens import backend
from convlens.classifier.compiled import CompiledClassifier
from convlens.classifier.prediction import BATCH, Prediction, Predictor
from convlens.classifier.runtime import compile_model
from convlens.cluster.connection import Cluster
from convlens.cluster.images import fetch
from convlens.cluster.question import KERAS, OPENVINO, Question
from convlens.data.decoding import Progress
from convlens.data.digests import DIGEST_BYTES, Digests
from convlens.transfer.wanted import Compute, Wanted

PART = 4 * BATCH  # images of a task
Rows = tuple[Digests, NDArray[np.float32]]


@dataclass(frozen=True)
class _Features(Question):
    """Which features images have; they take the place of probabilities."""

    width: int = 0

    def open(self, folder: Path) -> Predictor:
        """Return what computes the features, from the folder with the file of the network."""
        backend.start(threads=1)
        path = folder / next(iter(self.files))
        body = keras.models.load_model(path, compile=False, safe_mode=True)
        compiled = compile_model(body, self.precision, self.engine)
        numbers = tuple(map(str, range(self.width)))
        return CompiledClassifier(compiled, numbers, self.preprocessing, None)


def on_cluster(cluster: Cluster) -> Compute:
    """Return what lets a cluster compute features, see `convlens.transfer.wanted.computed_by`."""

    def compute(wanted: Wanted, progress: Progress | None) -> None:
        missing = wanted.cache.missing(wanted.prepared.store, wanted.indices)
        if not len(missing):
            return
        images = wanted.prepared.dataset.images
        paths = [Path(images[index]).absolute() for index in missing]
        wanted.cache.add(len(paths), _computed(wanted, cluster, [*map(str, paths)], progress))
        # An image that has changed meanwhile, or that a node could not read.
        wanted.cache.compute(wanted.compiled, wanted.prepared.store, wanted.indices)

    return compute


def _computed(
    wanted: Wanted, cluster: Cluster, names: list[str], progress: Progress | None
) -> Iterator[Rows]:
    """Yield digests and features of the images, as the nodes compute them."""
    import ray

    question = [ray.put(_question(wanted))]
    parts = [names[start : start + PART] for start in range(0, len(names), PART)]
    done = 0
    for number, rows in cluster.run(_features_of, ((question, part) for part in parts)):
        yield rows
        done += len(parts[number])
        if progress is not None:
            progress(done, len(names))


def _question(wanted: Wanted) -> _Features:
    """Return which features are wanted, with the file of the network."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "body.keras"
        wanted.body.save(path)
        files = {path.name: path.read_bytes()}
    return _Features(
        files,
        wanted.cache.folder.name,
        OPENVINO if wanted.compiled.engine == OPENVINO else KERAS,
        wanted.compiled.precision,
        wanted.prepared.preprocessing,
        wanted.cache.width,
    )


def _features_of(asked: tuple[list[Any], list[str]]) -> Rows:
    """Return the digests and features of those images that can be read.

    Args:
        asked: A list of the reference to the question, and the names of the images.
    """
    (reference,), part = asked
    predictor = _predictor(reference)
    digests = []
    rows = []
    for start in range(0, len(part), BATCH):
        names = part[start : start + BATCH]
        fetched = [fetch(name) for name in names]
        batch = [(name, one.image) for name, one in zip(names, fetched, strict=True)]
        for one, answer in zip(fetched, predictor.answer(batch), strict=True):
            if isinstance(answer, Prediction) and one.content is not None:
                digests.append(one.content)
                rows.append(answer.probabilities)
    found = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, DIGEST_BYTES)
    return found, np.array(rows, np.float32)


@lru_cache(maxsize=1)
def _predictor(reference: Any) -> Predictor:
    """Return what computes the features, once for a process."""
    import ray

    question: Question = ray.get(reference)
    return question.predictor()
