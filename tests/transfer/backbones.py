"""Backbones, images and trainings that the tests of this package share."""

from pathlib import Path

import keras
import numpy as np
from keras import layers

from convlens.classifier.assembly import assemble
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.pipeline import open_training
from convlens.preprocess import Preprocessing
from convlens.run import Run
from convlens.transfer.origin import choose_backbone, choose_origin
from convlens.zoo.create import build
from tests.trainings import QUIET

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (24, 12, 12, 3), np.uint8)
DATA = Dataset("memory", "arrays", IMAGES, np.arange(24) % 3, ("x", "y", "z"))
SEEN = Preprocessing(12, 12, 3)
CNN = Config().replace(model="custom_cnn", filters=(4, 6), dense=(8,), dropout=0.5).model
NUMBER = 240  # digits in all


def saved(path, network=None, preprocessing=SEEN, temperature=1.0):
    """Save a classifier of four other classes, whose `network` maps pixels to logits."""
    keras.utils.set_random_seed(0)
    network = network or (lambda x: build("custom_cnn", x, 4, config=CNN))
    model = assemble(network, preprocessing, 4, "custom_cnn")
    Classifier.from_logits(model, ("a", "b", "c", "d"), preprocessing, temperature).save(path)
    return path


def assembled(path, data=DATA, **settings):
    config = Config().replace(backbone=str(path), **settings)
    origin = choose_backbone(config)
    return origin.assemble(origin.prepare(data, config, None), config)


def own(end=lambda x: x):
    """Return a network of the user, with a model nested in a model."""
    inner = keras.Sequential(
        [layers.Input((10, 10, 5)), layers.Conv2D(6, 3, name="deep"), layers.BatchNormalization()]
    )
    inputs = keras.Input((12, 12, 3))
    x = inner(layers.Conv2D(5, 3, activation="relu", name="first")(inputs))
    return keras.Model(inputs, layers.Dense(4)(layers.GlobalAveragePooling2D()(end(x))), name="own")


def config_of(backbone: Path, **settings: object) -> Config:
    return Config().replace(
        **{"backbone": str(backbone), "limit": 240, "pooling": "none", "precision": "float32"}
        | settings
    )


def training_of(digits, config, folder, screen=QUIET):
    origin = choose_origin(config)
    training = open_training(origin.prepare(digits, config, None), config, origin, screen)
    run = Run.create(folder, "")
    training.setup.describe(run)
    return training, run
