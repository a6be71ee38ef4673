"""What tests of trainings share: digits, and a tiny backbone that knows other classes."""

import keras
import pytest

from convlens.classifier.assembly import assemble
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.data.sources import load_data
from convlens.preprocess import Preprocessing
from convlens.zoo.registry import build

TINY = Config().replace(model="custom_cnn", filters=(6, 8), dense=(8,))


@pytest.fixture(scope="session")
def digits():
    return load_data("digits")


@pytest.fixture(scope="session")
def backbone(tmp_path_factory):
    """A classifier of three other classes with random weights: a convolution on 8 x 8, one on 4 x 4."""
    keras.utils.set_random_seed(0)
    seen = Preprocessing(8, 8, 1)
    model = assemble(lambda x: build("custom_cnn", x, 3, config=TINY.model), seen, 3, "custom_cnn")
    path = tmp_path_factory.mktemp("backbone") / "trained.keras"
    Classifier.from_logits(model, ("a", "b", "c"), seen).save(path)
    return path
