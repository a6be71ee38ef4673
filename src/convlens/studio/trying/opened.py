"""Opened: the classifier of a run that answers image after image, and says why and what is near.

It belongs to the process that answers; it imports the engine.
"""

import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from convlens.audit.run_audit import open_images
from convlens.classifier.classifier import Classifier
from convlens.classifier.prediction import Predictor
from convlens.classifier.runtime import Predict
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.data.sources import load_data, load_to_check
from convlens.data.splits import Splits
from convlens.data.store import open_store
from convlens.errors import DataError, ModelError, RunError
from convlens.explain.why.neighbours import TrainingImages, open_training_images
from convlens.explain.why.of_run import add_randomisation, open_explainer
from convlens.language import _
from convlens.maps.explainer import Explainer
from convlens.preprocess import ImageArray, Preprocessing, prepare
from convlens.run import Run
from convlens.screen import Screen
from convlens.studio.trying.shown import shown_answer, shown_explanation, shown_neighbours

Content = dict[str, Any]


@dataclass(eq=False)
class Quick(Predictor):
    """A classifier that computes on the fastest engine, which also computes its maps.

    Attributes:
        class_names: See `Predictor`, as for the next two.
        preprocessing: See there.
        threshold: See there.
        logits: Computes (n, num_classes) logits of images.
        temperature: What they are divided by before the softmax.
    """

    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    threshold: float | None
    logits: Predict
    temperature: float

    def probabilities(
        self,
        images: ImageArray,
        *,
        batch_size: int | None = None,
    ) -> NDArray[np.float32]:
        """Return the (n, num_classes) probabilities of prepared images."""
        rows = self.logits(images).astype(np.float64) / self.temperature
        return np.asarray(softmax(rows, axis=1), np.float32)


class Opened:
    """The classifier of a run, compiled once.

    Args:
        folder: The folder of the run.

    Raises:
        ClassifierError: If the classifier is damaged or missing.
    """

    def __init__(self, folder: Path) -> None:
        self.run = Run(folder)
        self.classifier: Classifier = self.run.classifier()
        self.explainer: Explainer | None = None
        self.reason = ""  # why there is no explainer
        self.predictor: Predictor = self.classifier
        try:
            self.explainer = open_explainer(self.classifier, self.run)
        except ModelError as error:
            self.reason = error.args[0]
        else:
            self.predictor = Quick(
                self.classifier.class_names,
                self.classifier.preprocessing,
                self.classifier.threshold,
                self.explainer.network.logits,
                self.classifier.temperature,
            )
        shape = self.classifier.preprocessing.shape
        self.predictor.probabilities(np.zeros((1, *shape), np.uint8))  # which compiles it
        self._training: TrainingImages | None = None
        self._version: object = None  # of the images, if they are not those of the training

    @property
    def facts(self) -> Content:
        """What a page should know of the classifier."""
        compiled = None if self.explainer is None else self.explainer.network.compiled
        return {
            "class_names": list(self.classifier.class_names),
            "threshold": self.classifier.threshold,
            "temperature": self.classifier.temperature,
            "input": list(self.classifier.preprocessing.shape),
            "engine": "keras" if compiled is None else compiled.engine,
        }

    def answer(self, content: bytes, asked: Content) -> Content:
        """Return what the classifier says of an image, as `convlens predict` does.

        Raises:
            ImageError: If it cannot be read.
        """
        begin = time.perf_counter()
        (prediction,) = self.predictor.predict(_stream(content, asked))
        seconds = time.perf_counter() - begin
        return {**shown_answer(prediction, self.predictor), "milliseconds": 1000 * seconds}

    def why(self, content: bytes, asked: Content, screen: Screen) -> Content:
        """Return the map of an image with its checks, as `convlens explain` does.

        Raises:
            ImageError: If it cannot be read.
            ConfigError: If there is no class of a name.
            ModelError: If the network cannot be explained.
        """
        explainer = self._explained()
        begin = time.perf_counter()
        add_randomisation(explainer, [explainer.best_method], screen, self.run)
        label, against = (asked.get(name) or None for name in ("class", "against"))
        found = explainer.explain(_stream(content, asked), label, against)
        return {**shown_explanation(found), "seconds": time.perf_counter() - begin}

    def neighbours(self, content: bytes, asked: Content, screen: Screen) -> Content:
        """Return the nearest training images of an image, as `convlens explain` names them.

        Where the images have changed since the training, all that are there now are compared.

        Raises:
            ImageError: If the image cannot be read.
            ConvlensError: If the images of the run cannot be found or read.
        """
        explainer = self._explained()
        begin = time.perf_counter()
        images = self._images(explainer, asked, screen)
        seen = self.classifier.with_unit_of([_stream(content, asked)]).preprocessing
        near = images.nearest(prepare(_stream(content, asked), seen), asked["count"])
        return {
            **shown_neighbours(near, images.usual),
            "compared": len(images.indices),
            "changed": self._version is not None,
            "seconds": time.perf_counter() - begin,
        }

    def _explained(self) -> Explainer:
        if self.explainer is None:
            raise ModelError(self.reason)
        return self.explainer

    def _images(self, explainer: Explainer, asked: Content, screen: Screen) -> TrainingImages:
        """Return the images to compare with; they are opened once."""
        if self._training is not None and self._version in (None, asked["version"]):
            return self._training
        try:
            prepared = open_images(self.run, self._moved(asked), screen)
        except (RunError, DataError):  # the images have changed
            if asked["images"] is None:  # they are not those of the workspace
                raise
            self._training = self._present_images(explainer, asked["images"], screen)
            self._version = asked["version"]
            return self._training
        self._training = open_training_images(explainer, self.run, prepared, screen)
        self._version = None
        return self._training

    def _moved(self, asked: Content) -> Dataset | None:
        """Return the images of a workspace that was moved; None for all others.

        Raises:
            DataError: If they cannot be read, or the lists of the run do not fit them any more.
        """
        if asked["images"] is None or Path(self.run.data["path"]).exists():
            return None
        settings = self.run.config.data
        return load_data(
            asked["images"]["source"],
            pattern=settings.pattern,
            layout=settings.layout,
            using=self.run.lists,
        )

    def _present_images(
        self, explainer: Explainer, images: Content, screen: Screen
    ) -> TrainingImages:
        using = [images["using"]] if images["using"] else []
        dataset = load_to_check(images["source"], layout=images["layout"], using=using)
        preprocessing = self.classifier.preprocessing
        with screen.counter(_("decoding")) as progress:
            store = open_store(dataset, preprocessing, progress, survive=True)
        indices = np.flatnonzero(store.usable)
        none = np.empty(0, np.int64)
        # They need no split of their own, for which a class may have too few.
        prepared = Prepared(dataset, preprocessing, store, Splits(indices, none, none))
        return open_training_images(explainer, self.run, prepared, screen, indices)


def _stream(content: bytes, asked: Content) -> io.BytesIO:
    """Return the bytes of an image under the name that they came with."""
    stream = io.BytesIO(content)
    stream.name = asked["name"]
    return stream
