"""Fixtures of the exports: a classifier, and its folders in each format, which are made once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.assembly import assemble
from convlens.classifier.classifier import Classifier
from convlens.export import export
from convlens.export.golden import write_examples
from convlens.export.samples import Samples, given_samples
from convlens.export.target import FORMATS, Target
from convlens.preprocess import Preprocessing, prepare

SEEN = Preprocessing(24, 20, 3, fit="pad", unit=(0.0, 1023.0))
NAMES = ("貓", "dog with hat", "c")
SCORES = {
    "title": 'a "run": 3',
    "n": 40,
    "images_seen": "test",
    "data": {"source": "pets"},
    "metrics": {
        "accuracy": {"value": 0.875, "low": 0.7389, "high": 0.9454},
        "log_loss": {"value": 0.3456, "low": 0.2, "high": 0.5},
    },
}


def _network(x):
    x = layers.Conv2D(6, 3, activation="relu", name="first")(x)
    x = layers.BatchNormalization(name="normalised")(x)
    x = layers.Conv2D(8, 3, strides=2, activation="relu", name="second")(x)
    x = layers.GlobalAveragePooling2D(name="averaged")(x)
    return layers.Dense(3, name="scores")(layers.Dropout(0.3, name="dropped")(x))


@pytest.fixture(scope="session")
def classifier_file(tmp_path_factory) -> Path:
    """Return the file of a classifier with a temperature, a threshold and a unit."""
    keras.utils.set_random_seed(0)
    model = assemble(_network, SEEN, 3, "net")
    _part_classes(model, tmp_path_factory.mktemp("golden"))
    classifier = Classifier.from_logits(model, NAMES, SEEN, 0.8)
    classifier.threshold = 0.6
    path = tmp_path_factory.mktemp("classifier") / "pets.keras"
    classifier.save(path)
    return path


def _part_classes(model: keras.Model, place: Path) -> None:
    """Give the last layer weights with which different images get different classes."""
    averages = keras.Model(model.input, model.get_layer("averaged").output)
    golden = [prepare(file, SEEN) for file in write_examples(place)]
    features = averages.predict_on_batch(np.concatenate([np.stack(golden), _noise()]))
    kernel = np.random.default_rng(0).normal(size=(8, 3)) / features.std(0)[:, None]
    model.get_layer("scores").set_weights([kernel, -features.mean(0) @ kernel])


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Return prepared images of noise at several contrasts."""
    return _noise()


def _noise() -> np.ndarray:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (20, *SEEN.shape)) * rng.random((20, 1, 1, 3))
    return images.astype(np.uint8)


@pytest.fixture(scope="session")
def samples(classifier_file, images) -> Samples:
    """Return labelled images, which are also those that calibrate int8."""
    classifier = Classifier.load(classifier_file)
    labels = classifier.probabilities(images).argmax(1)
    labels[:2] = (labels[:2] + 1) % 3  # two images are misclassified
    return given_samples(classifier, images, labels, images)


@pytest.fixture(scope="session")
def exported(classifier_file, samples, tmp_path_factory) -> Callable[..., Path]:
    """Return a function that gives the exported folder of a format, which must not be changed."""
    made: dict[str, Path] = {}
    parent = tmp_path_factory.mktemp("exported")

    def get(to: str, precision: str = "float32") -> Path:
        name = f"{to}-{precision}"
        if name not in made:
            export.export_classifier(
                classifier_file,
                Target(to, precision, accept_loss=precision != "float32"),
                parent / name,
                samples=samples,
                report=SCORES,
            )
            made[name] = parent / name
        return made[name]

    return get


@pytest.fixture
def folder(exported, tmp_path) -> Path:
    """Return a copy of the folder with the network of ONNX."""
    return shutil.copytree(exported("onnx"), tmp_path / "copied")


@pytest.fixture
def quick(exported, monkeypatch) -> Path:
    """Convert in no time: every network becomes that of `exported`, whose folder is returned."""
    folder = exported("onnx")

    def convert(saved: Path, target: Target, into: Path) -> None:
        shutil.copyfile(folder / FORMATS[target.to].file, into / FORMATS[target.to].file)

    monkeypatch.setattr(export, "convert", convert)
    return folder
