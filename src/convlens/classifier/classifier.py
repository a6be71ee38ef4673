"""Classifier: a trained network together with its class names, preprocessing and provenance.

The network takes the uint8 images that `preprocess.prepare` returns and outputs probabilities.
`archive.py` describes the file in which a classifier is stored.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.backend import refuse_after_fork, resolve_precision
from convlens.classifier.archive import read_archive, write_archive
from convlens.classifier.assembly import all_layers, with_precision
from convlens.classifier.closing import TEMPERATURE, logits_of, temperature_layer
from convlens.classifier.examples import check_examples, pack_examples, unpack_examples
from convlens.classifier.prediction import Predictor
from convlens.files import and_more
from convlens.image_file import ImageLike
from convlens.preprocess import ImageArray, Preprocessing

if TYPE_CHECKING:
    from convlens.maps.explanation import Explanation

# The pixels of a batch. efficientnet_lite0 at 224x224 took 3.4 GB of memory with 256 images at a
# time and 1.0 GB with 20, and was equally fast.
PIXELS = 2**20


@dataclass(eq=False)
class Classifier(Predictor):
    """A trained network that predicts class probabilities for images of any size and kind.

    Attributes:
        model: The network, from uint8 (batch, height, width, channels) to float32
            (batch, num_classes). Each row sums to 1.
        class_names: The names of the classes, in the order of the columns.
        preprocessing: How an image is brought to the input of the network.
        provenance: Where the classifier came from, as plain data: the fingerprint of the data, the
            configuration, and the metrics with their intervals.
        examples: (m, height, width, channels) uint8 images that are replayed whenever the file is
            loaded. The file holds their probabilities.
        threshold: The least probability with which an image is assigned to a class. If None, every
            image is.

    Example:
        >>> classifier = Classifier.load("runs/cats_dogs")  # doctest: +SKIP
        >>> classifier.predict("photo.jpg")[0].label  # doctest: +SKIP
        'cat'
    """

    model: keras.Model
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    provenance: dict[str, Any] = field(default_factory=dict)
    examples: ImageArray | None = None
    threshold: float | None = None

    def __repr__(self) -> str:
        """Return one line, as a notebook shows it, without the weights and the examples."""
        return "<Classifier {name}: {shape} -> {classes:,} classes ({names})>".format(
            name=self.model.name,
            shape=" x ".join(map(str, self.preprocessing.shape)),
            classes=len(self.class_names),
            names=and_more(self.class_names, 5),
        )

    @classmethod
    def from_logits(
        cls,
        model: keras.Model,
        class_names: tuple[str, ...],
        preprocessing: Preprocessing,
        temperature: float = 1.0,
    ) -> "Classifier":
        """Return a classifier that shares the weights of a network that outputs logits.

        Args:
            model: A float32 model made by `assemble`, without auxiliary heads.
            class_names: The names of the classes, in the order of the logits.
            preprocessing: How an image is brought to the input of the network.
            temperature: What the logits are divided by before the softmax, see
                `convlens.evaluation.calibration`.
        """
        logits = model.outputs[0]
        if temperature != 1:
            logits = keras.layers.Rescaling(1 / temperature, dtype="float32", name=TEMPERATURE)(
                logits
            )
        probabilities = keras.layers.Softmax(dtype="float32", name="probabilities")(logits)
        return cls(
            keras.Model(model.input, probabilities, name=model.name), class_names, preprocessing
        )

    def recalibrated(self, temperature: float, threshold: float | None) -> "Classifier":
        """Return a classifier with the same weights and another temperature and threshold."""
        other = Classifier.from_logits(
            self.logits_model, self.class_names, self.preprocessing, temperature
        )
        return replace(self, model=other.model, threshold=threshold)

    @property
    def temperature(self) -> float:
        """What the logits are divided by before the softmax; 1 if they are not divided."""
        layer = temperature_layer(self.model)
        return 1.0 if layer is None else 1 / layer.scale

    @property
    def logits_model(self) -> keras.Model:
        """The network from uint8 images to (batch, num_classes) logits; see `closing.logits_of`."""
        return logits_of(self.model)

    def probabilities(
        self,
        images: ImageArray,
        *,
        indices: NDArray[np.int64] | None = None,
        batch_size: int | None = None,
    ) -> NDArray[np.float32]:
        """Return the (m, num_classes) probabilities of images that are already prepared.

        Only one batch at a time is held in memory.

        Args:
            images: (n, height, width, channels) uint8, as `prepare` returns them or a store holds
                them.
            indices: (m,) indices of the images to classify. If None, all are classified.
            batch_size: How many images are classified at a time. If None, as many as have PIXELS
                pixels together, and 256 at most.
        """
        refuse_after_fork()
        if batch_size is None:
            batch_size = min(256, max(1, PIXELS // (images.shape[1] * images.shape[2])))
        indices = np.arange(len(images)) if indices is None else indices
        rows = [
            self._batch_probabilities(images[indices[start : start + batch_size]])
            for start in range(0, len(indices), batch_size)
        ]
        return np.concatenate(rows) if rows else np.empty((0, len(self.class_names)), np.float32)

    def _batch_probabilities(self, images: ImageArray) -> NDArray[np.float32]:
        """Return the probabilities of a batch.

        TensorFlow multiplies a single row with other instructions than several, and so rounds
        otherwise. An image alone is therefore computed twice, so that its probabilities do not
        depend on how many others are asked about with it.
        """
        if len(images) == 1:
            return np.asarray(self.model.predict_on_batch(np.repeat(images, 2, axis=0)))[:1]
        return np.asarray(self.model.predict_on_batch(images))

    def save(self, path: str | Path) -> None:
        """Write the classifier to a file, in float32.

        An existing file stays whole until the new one is complete.

        Raises:
            StorageError: If the file cannot be written, for example because the disk is full.
        """
        model = self.model
        if any(layer.compute_dtype in ("bfloat16", "float16") for layer in all_layers(model)):
            model = with_precision(model, "float32")
        facts: dict[str, Any] = {
            "class_names": list(self.class_names),
            "preprocessing": self.preprocessing.to_dict(),
            "provenance": self.provenance,
            "threshold": self.threshold,
        }
        if self.examples is not None:
            outputs = keras.ops.convert_to_numpy(model(self.examples, training=False))
            facts["examples"] = pack_examples(self.examples, outputs)
        write_archive(Path(path), model, facts)

    def export(  # noqa: PLR0913 - the public entry point; all but two have defaults
        self,
        to: str,
        out: str | Path,
        *,
        precision: str = "float32",
        any_size: bool = False,
        images: ImageArray | None = None,
        labels: Sequence[int] | NDArray[np.integer] | None = None,
        training: ImageArray | None = None,
        accept_loss: bool = False,
    ) -> None:
        """Write the classifier into a new folder that works without convlens; see docs/export.md.

        Args:
            to: The format: "onnx", "openvino", "litert", "saved_model" or "web".
            out: The folder, which must not exist.
            precision: The precision of the network: "float32", "float16" or "int8".
            any_size: Whether the network takes images of any size and resizes them itself, which
                "onnx" and "openvino" can.
            images: (n, height, width, channels) uint8 images, as the network takes them, on which
                the exported network is compared with this one, besides generated examples.
            labels: (n,) the classes of these images, with which a lower precision is judged.
            training: Training images in the same form, which int8 needs; some 300 are enough.
            accept_loss: Whether to write the folder even if a lower precision costs accuracy.

        Raises:
            ConfigError: If the format or its precision is unknown, if the format has no networks of
                any size, if the folder exists, or if int8 has no training images.
            DataError: If there are not as many labels as images.
            BackendError: If a package that the format needs is missing.
            ExportError: If the network cannot be converted, computes something else afterwards, or
                costs too much accuracy.
        """
        from convlens.export.export import export_classifier
        from convlens.export.samples import given_samples
        from convlens.export.target import Target

        target = Target(to, precision, any_size, accept_loss)
        samples = given_samples(self, images, labels, training)
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / f"{self.model.name}.keras"
            self.save(path)
            export_classifier(path, target, Path(out), samples=samples)

    def explain(
        self,
        image: ImageLike,
        label: str | None = None,
        against: str | None = None,
        methods: Sequence[str] | None = None,
    ) -> "Explanation":
        """Say why the network gave its answer for an image, with the evidence; see docs/explain.md.

        Args:
            image: The image, of any size and kind.
            label: The class to explain; by default the predicted one.
            against: The class against which it is explained: the map is that of the difference.
            methods: Some of "exact", "occlusion", "rise", "gradient" and "grad-cam"; by default the
                exact map where the network has one, else occlusion.

        Raises:
            ImageError: If the image cannot be read.
            ConfigError: If there is no such class or method, or if both classes are the same.
            ModelError: If the network cannot be explained, or has not got a method.

        Example:
            >>> found = classifier.explain("photo.jpg")  # doctest: +SKIP
            >>> found.maps[0].drawn, found.maps[0].map.peak  # doctest: +SKIP
            (True, (2, 5))
        """
        from convlens.maps.explainer import explainer_of

        return explainer_of(self).explain(image, label, against, methods)

    @classmethod
    def load(cls, path: str | Path, *, precision: str = "float32") -> "Classifier":
        """Open a classifier file, check that it is whole, and replay its examples.

        Args:
            path: A file that `save` wrote, or a run folder that contains one.
            precision: The precision in which the network computes: "float32", "bfloat16" or "auto".

        Raises:
            ClassifierError: If the file is missing, cut, changed, not a classifier, or made by a
                newer convlens, or if its examples get other probabilities than the recorded ones.
            ConfigError: If the precision is unknown.
        """
        refuse_after_fork()
        precision = resolve_precision(precision)
        path = Path(path)
        if path.is_dir():
            path = path / "classifier.keras"
        model, facts = read_archive(path)
        if precision == "bfloat16":
            model = with_precision(model, "mixed_bfloat16")
        classifier = cls(
            model,
            tuple(facts["class_names"]),
            Preprocessing.from_dict(facts["preprocessing"]),
            facts["provenance"],
            threshold=facts.get("threshold"),  # files from before calibration have none
        )
        if "examples" in facts:
            examples, recorded = unpack_examples(facts["examples"], classifier.preprocessing.shape)
            classifier.examples = examples
            check_examples(
                path,
                # A single image is computed as two, too, so that it is not traced again.
                classifier.probabilities(examples, batch_size=2),
                recorded,
                precision,
                classifier.temperature,
            )
        return classifier
