"""Opened: the classifier of a run that answers image after image, in the process that answers.

Answers need the network on OpenVINO alone, if it was kept (`convlens.classifier.kept`). The engine
that trained it, which takes seconds to import, is opened for maps and near images, or if there is
nothing else.
"""

import io
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens import backend
from convlens.classifier.archive import read_facts
from convlens.classifier.kept import Kept, keep, open_kept
from convlens.classifier.prediction import Prediction, Predictor
from convlens.errors import BackendError, ClassifierError, ConfigError, StorageError
from convlens.language import _
from convlens.run_folder import CLASSIFIER

if TYPE_CHECKING:
    from convlens.classifier.classifier import Classifier
    from convlens.studio.trying.explaining import Explaining

CLASSES = 10  # whose probabilities are told

Content = dict[str, Any]


class Opened:
    """The classifier of a run, ready to answer.

    Args:
        folder: The folder of the run.

    Raises:
        ClassifierError: If the classifier is damaged or missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()  # of what the engine has opened
        self._classifier: Classifier | None = None
        self._explaining: Explaining | None = None
        self.engine = "openvino"
        self.predictor = self._open()
        shape = self.predictor.preprocessing.shape
        self.predictor.probabilities(np.zeros((1, *shape), np.uint8))  # which compiles it

    def _open(self) -> Predictor:
        path = self._folder / CLASSIFIER
        try:
            kept = open_kept(path)
            if kept is None:
                keep(self._engine_opened(), path)
                kept = open_kept(path)
        except (BackendError, ConfigError, StorageError):  # the engine answers, too
            kept = None
        if kept is not None:
            return kept
        classifier = self._engine_opened()
        self.engine = backend.engine()
        return classifier

    @property
    def facts(self) -> Content:
        """What a page should know of the classifier."""
        return {
            "class_names": list(self.predictor.class_names),
            "threshold": self.predictor.threshold,
            "input": list(self.predictor.preprocessing.shape),
            "engine": self.engine,
        }

    def answer(self, content: bytes, asked: Content) -> Content:
        """Return what the classifier says of an image, as `convlens predict` does.

        Raises:
            ImageError: If it cannot be read.
        """
        begin = time.perf_counter()
        (prediction,) = self.predictor.predict(stream_of(content, asked))
        seconds = time.perf_counter() - begin
        return {**shown_answer(prediction, self.predictor), "milliseconds": 1000 * seconds}

    def explaining(self) -> "Explaining":
        """Return what explains the answers; it is opened once.

        Raises:
            ClassifierError: If the classifier is damaged, missing, or another one by now.
            ModelError: If the network cannot be explained.
        """
        with self._lock:
            if self._explaining is None:
                answers = self.predictor
                classifier = self._engine_opened(
                    answers.checksum if isinstance(answers, Kept) else None
                )
                from convlens.run import Run
                from convlens.studio.trying.explaining import Explaining

                self._explaining = Explaining(Run(self._folder), classifier)
            return self._explaining

    def _engine_opened(self, checksum: str | None = None) -> "Classifier":
        """Return the classifier, which is loaded once: that with a checksum, if one is given."""
        if self._classifier is None:
            backend.start()
            from convlens.classifier.classifier import Classifier

            loaded = Classifier.load(self._folder)
            if checksum not in (None, read_facts(self._folder / CLASSIFIER)["checksum"]):
                raise ClassifierError(
                    _(
                        "the classifier of this run has changed since it was opened. Load the new "
                        "one above, and ask again."
                    )
                )
            self._classifier = loaded
        return self._classifier


def stream_of(content: bytes, asked: Content) -> io.BytesIO:
    """Return the bytes of an image under the name that they came with."""
    stream = io.BytesIO(content)
    stream.name = asked["name"]
    return stream


def shown_answer(prediction: Prediction, predictor: Predictor) -> dict[str, Any]:
    """Return a prediction."""
    order = (-prediction.probabilities).argsort(kind="stable")[:CLASSES]
    height, width = predictor.preprocessing.shape[:2]
    return {
        "label": prediction.label,
        "probability": prediction.probability,
        "probabilities": [
            [predictor.class_names[index], float(prediction.probabilities[index])]
            for index in order
        ],
        "known": prediction.known,
        "threshold": predictor.threshold,
        "seen_as": [width, height],
    }
