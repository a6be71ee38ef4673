"""Classifier: a network with its class names, its preprocessing and where it came from, in one `.keras` file.

The file is a standard Keras archive with one more entry, `convlens.json`. Its network takes the uint8 images that
`preprocess.prepare` makes and answers probabilities, so that `keras.models.load_model` alone can use it.
"""

import base64
import json
import os
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray
from PIL import Image

from convlens.backend import resolve_precision
from convlens.classifier.archive import ENTRY, FORMAT, checksum, read_facts
from convlens.classifier.assembly import all_layers, with_precision
from convlens.errors import ClassifierError, ConfigError, ImageError, StorageError
from convlens.preprocess import ImageLike, Preprocessing, prepare

PRECISIONS = ("float32", "bfloat16", "auto")
TEMPERATURE = "temperature"  # name of the layer between logits and softmax
PIXELS = (
    2**20
)  # of a batch: efficientnet_lite0 at 224x224 took 3.4 GB with 256 images, 1.0 with 20, as quickly
TOLERANCE = {"float32": 1e-4, "bfloat16": 2e-2}  # of a probability, when the examples are replayed


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a classifier says of one image.

    Attributes:
        image: its path, or its number where it came as an array.
        label: the most probable class.
        probability: of that class.
        probabilities: (num_classes,) float32, in the order of the classifier's class_names.
        known: whether the probability reaches the classifier's threshold; else the image is none of its classes.
    """

    image: str
    label: str
    probability: float
    probabilities: NDArray[np.float32]
    known: bool = True


@dataclass(eq=False)
class Classifier:
    """A trained network that answers class probabilities for images of any size and kind.

    Attributes:
        model: uint8 (batch, height, width, channels) -> float32 (batch, num_classes), rows sum to 1.
        class_names: in the order of the columns.
        preprocessing: how an image becomes the network's input.
        provenance: plain data on where it came from: data fingerprint, configuration, metrics with intervals.
        examples: (m, height, width, channels) uint8 images replayed at every load; their answers are in the file.
        threshold: the least probability with which an image is of a class; None counts every image.
    """

    model: keras.Model
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    provenance: dict[str, Any] = field(default_factory=dict)
    examples: NDArray[np.uint8] | None = None
    threshold: float | None = None

    @classmethod
    def from_logits(
        cls,
        model: keras.Model,
        class_names: tuple[str, ...],
        preprocessing: Preprocessing,
        temperature: float = 1.0,
    ) -> "Classifier":
        """Return a classifier that shares the weights of a float32 model of `assemble`, without auxiliary heads.

        The logits are divided by a temperature other than 1 before the softmax, see `evaluation.calibration`.
        """
        logits = model.outputs[0]
        if temperature != 1:
            logits = layers.Rescaling(1 / temperature, dtype="float32", name=TEMPERATURE)(logits)
        probabilities = layers.Softmax(dtype="float32", name="probabilities")(logits)
        return cls(
            keras.Model(model.input, probabilities, name=model.name), class_names, preprocessing
        )

    def recalibrated(self, temperature: float, threshold: float | None) -> "Classifier":
        """Return a classifier that shares the weights, with another temperature and threshold."""
        other = Classifier.from_logits(
            self.logits_model, self.class_names, self.preprocessing, temperature
        )
        return replace(self, model=other.model, threshold=threshold)

    @property
    def temperature(self) -> float:
        """What the logits are divided by before the softmax; 1 where they are not."""
        layer = self._scaling
        return 1.0 if layer is None else 1 / layer.scale

    @property
    def logits_model(self) -> keras.Model:
        """From uint8 images to (batch, num_classes) logits, before the temperature; shares the weights."""
        logits = (self._scaling or self.model.layers[-1]).input
        return keras.Model(self.model.input, logits, name=self.model.name)

    @property
    def _scaling(self) -> layers.Rescaling | None:
        """The layer that divides by the temperature."""
        before = self.model.layers[-1].input._keras_history.operation
        return (
            before if isinstance(before, layers.Rescaling) and before.name == TEMPERATURE else None
        )

    def predict(
        self,
        images: ImageLike | Iterable[ImageLike],
        *,
        batch_size: int = 64,
        skip: Callable[[ImageError], None] | None = None,
    ) -> list[Prediction]:
        """Classify images: files, Pillow images or uint8 arrays of any size, one or many.

        Args:
            images: one image or an iterable of them; an array (n, height, width[, channels]) counts as n.
            batch_size: images computed at a time.
            skip: called for an image that cannot be read, which is then left out; without it the error is raised.

        Raises:
            ImageError: an image cannot be read and `skip` was not given.
        """
        if isinstance(images, str | Path | Image.Image) or (
            isinstance(images, np.ndarray) and _is_one(images)
        ):
            images = [images]
        found: list[Prediction] = []
        waiting: list[tuple[str, ImageLike]] = []
        for index, image in enumerate(images):
            waiting.append(
                (str(image) if isinstance(image, str | Path) else f"image {index}", image)
            )
            if len(waiting) == batch_size:
                found += self._predict_batch(waiting, skip)
                waiting = []
        return found + (self._predict_batch(waiting, skip) if waiting else [])

    def _predict_batch(
        self, named: list[tuple[str, ImageLike]], skip: Callable[[ImageError], None] | None
    ) -> list[Prediction]:
        def read(image: ImageLike) -> NDArray[np.uint8] | ImageError:
            try:
                return prepare(image, self.preprocessing)
            except ImageError as error:
                return error

        names, arrays = [], []
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for (name, _), result in zip(
                named, pool.map(read, [image for _, image in named]), strict=True
            ):
                if isinstance(result, np.ndarray):
                    names.append(name)
                    arrays.append(result)
                elif skip is not None:
                    skip(result)
                else:
                    raise result
        if not arrays:
            return []
        rows = self.probabilities(np.stack(arrays), batch_size=len(arrays))
        return [self.prediction(name, row) for name, row in zip(names, rows, strict=True)]

    def prediction(self, image: str, row: NDArray[np.float32]) -> Prediction:
        """Return what (num_classes,) probabilities of an image say."""
        best = int(row.argmax())
        known = self.threshold is None or bool(row[best] >= self.threshold)
        return Prediction(image, self.class_names[best], float(row[best]), row, known)

    def probabilities(
        self,
        images: NDArray[np.uint8],
        *,
        indices: NDArray[np.int64] | None = None,
        batch_size: int | None = None,
    ) -> NDArray[np.float32]:
        """Return (m, num_classes) for images already prepared, a batch in memory at a time.

        Args:
            images: (n, height, width, channels) uint8, as `prepare` makes them or as a store holds them.
            indices: (m,) which of them; all where not given.
            batch_size: images computed at a time; where not given, as many as have PIXELS, 256 at most.
        """
        if batch_size is None:
            batch_size = min(256, max(1, PIXELS // (images.shape[1] * images.shape[2])))
        indices = np.arange(len(images)) if indices is None else indices
        rows = [
            np.asarray(self.model.predict_on_batch(images[indices[start : start + batch_size]]))
            for start in range(0, len(indices), batch_size)
        ]
        return np.concatenate(rows) if rows else np.empty((0, len(self.class_names)), np.float32)

    def save(self, path: str | Path) -> None:
        """Write the file, in float32; the previous one stays whole until the new one is.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        path = Path(path)
        partial = path.with_name(f".{os.getpid()}.{path.name}")
        try:
            model = _in_float32(self.model)
            model.save(partial)
            with zipfile.ZipFile(partial, "a") as archive:
                facts = self._facts(model)
                facts["checksum"] = checksum(archive, facts)
                archive.writestr(ENTRY, json.dumps(facts, ensure_ascii=False, indent=1))
            partial.replace(path)
        except OSError as error:
            raise StorageError(
                f"{path}: the classifier cannot be written; {error.strerror or error}."
            ) from error
        finally:
            partial.unlink(missing_ok=True)

    def _facts(self, model: keras.Model) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "format": FORMAT,
            "class_names": list(self.class_names),
            "preprocessing": self.preprocessing.to_dict(),
            "provenance": self.provenance,
            "threshold": self.threshold,
        }
        if self.examples is not None:
            answers = keras.ops.convert_to_numpy(model(self.examples, training=False)).astype(
                np.float64
            )
            facts["examples"] = {
                "images": base64.b64encode(np.ascontiguousarray(self.examples).tobytes()).decode(),
                "probabilities": answers.tolist(),
            }
        return facts

    @classmethod
    def load(cls, path: str | Path, *, precision: str = "float32") -> "Classifier":
        """Open a classifier file, check that it is whole, and replay its examples.

        Args:
            path: a file that `save` wrote, or a run folder with one.
            precision: arithmetic of the predictions: "float32", "bfloat16" or "auto".

        Raises:
            ClassifierError: the file is missing, cut, changed, no classifier, made by a newer convlens, or answers its
                examples differently.
            ConfigError: another precision.
        """
        if precision not in PRECISIONS:
            raise ConfigError(
                f"precision must be one of {', '.join(PRECISIONS)}; found {precision!r}."
            )
        path = Path(path)
        path = path / "classifier.keras" if path.is_dir() else path
        facts = read_facts(path)
        preprocessing = Preprocessing(**facts["preprocessing"])
        try:
            model = keras.models.load_model(path, compile=False, safe_mode=True)
        except (ValueError, TypeError, OSError, KeyError) as error:
            first = str(error).strip().splitlines()[0]
            raise ClassifierError(
                f"{path}: Keras cannot build the network of this file; {first}"
            ) from error
        precision = resolve_precision(precision)
        if precision == "bfloat16":
            model = with_precision(model, "mixed_bfloat16")
        loaded = cls(model, tuple(facts["class_names"]), preprocessing, facts["provenance"])
        loaded.threshold = facts.get("threshold")  # files of before calibration have none
        if "examples" in facts:
            raw = base64.b64decode(facts["examples"]["images"])
            loaded.examples = np.frombuffer(raw, np.uint8).reshape(-1, *preprocessing.shape)
            expected = np.asarray(facts["examples"]["probabilities"])
            difference = float(np.abs(loaded.probabilities(loaded.examples) - expected).max())
            allowed = TOLERANCE[precision] / min(
                1, loaded.temperature
            )  # which a small temperature enlarges
            if not difference <= allowed:
                raise ClassifierError(
                    f"{path}: its examples must give the recorded probabilities within {allowed:g}; "
                    f"they differ by {difference:.2g} in {precision}."
                )
        return loaded


def _is_one(array: NDArray[Any]) -> bool:
    """Return whether an array is one image, not several: two axes, or a third of 1, 3 or 4 channels."""
    return array.ndim < 3 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))


def _in_float32(model: keras.Model) -> keras.Model:
    """Return the model, or its copy in float32 where a layer computes in half of that."""
    half = any(layer.compute_dtype in ("bfloat16", "float16") for layer in all_layers(model))
    return with_precision(model, "float32") if half else model
