"""Explaining: why the classifier of a run answers so, and which training images are near.

It belongs to the process that answers, and imports the engine; see `Opened.explaining`.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np

from convlens.audit.run_audit import open_images
from convlens.classifier.classifier import Classifier
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.data.sources import load_to_check
from convlens.data.splits import Splits
from convlens.data.store import open_store
from convlens.errors import DataError, RunError
from convlens.explain.why.neighbours import TrainingImages, open_training_images
from convlens.explain.why.of_run import add_randomisation, open_explainer
from convlens.language import _
from convlens.maps.explainer import Explainer
from convlens.preprocess import prepare
from convlens.run import Run
from convlens.screen import Screen
from convlens.studio.trying.opened import stream_of
from convlens.studio.trying.shown import shown_explanation, shown_neighbours

Content = dict[str, Any]


class Explaining:
    """What explains the answers of a classifier.

    Args:
        run: The run.
        classifier: Its classifier.

    Raises:
        ModelError: If the network cannot be explained.
    """

    def __init__(self, run: Run, classifier: Classifier) -> None:
        self.run = run
        self.classifier = classifier
        self.explainer: Explainer = open_explainer(classifier, run)
        self._training: TrainingImages | None = None
        self._version: object = None  # of the images, if they are not those of the training

    def why(self, content: bytes, asked: Content, screen: Screen) -> Content:
        """Return the map of an image with its checks, as `convlens explain` does.

        Raises:
            ImageError: If it cannot be read.
            ConfigError: If there is no class of a name.
            ModelError: If the network cannot be explained.
        """
        begin = time.perf_counter()
        explainer = self.explainer
        add_randomisation(explainer, [explainer.best_method], screen, self.run)
        label, against = (asked.get(name) or None for name in ("class", "against"))
        found = explainer.explain(stream_of(content, asked), label, against)
        return {**shown_explanation(found), "seconds": time.perf_counter() - begin}

    def neighbours(self, content: bytes, asked: Content, screen: Screen) -> Content:
        """Return the nearest training images of an image, as `convlens explain` names them.

        Where the images have changed since the training, all that are there now are compared.

        Raises:
            ImageError: If the image cannot be read.
            ConvlensError: If the images of the run cannot be found or read.
        """
        begin = time.perf_counter()
        explainer = self.explainer
        images = self._images(explainer, asked, screen)
        seen = self.classifier.with_unit_of([stream_of(content, asked)]).preprocessing
        near = images.nearest(prepare(stream_of(content, asked), seen), asked["count"])
        return {
            **shown_neighbours(near, images.usual),
            "compared": len(images.indices),
            "changed": self._version is not None,
            "seconds": time.perf_counter() - begin,
        }

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
        return self.run.load_images(asked["images"]["source"])

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
