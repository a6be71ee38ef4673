"""Networks, images and classifiers that the tests of this package share."""

import keras
import numpy as np
from keras import layers

from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.preprocess import Preprocessing
from convlens.training.network import choose_network

SHAPE = Preprocessing(12, 12, 3)
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (24, 12, 12, 3), np.uint8)
NAMES = ("a", "b", "c")
DATA = Dataset("memory", "arrays", IMAGES, np.arange(24) % 3, NAMES)
CONFIG = Config().replace(model="custom_cnn", filters=(4,), dense=(8,))


def own(end=lambda x: layers.Dense(3)(x), front=None, channels=3):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((12, 12, channels))
    x = layers.Conv2D(4, 3, activation="relu")(inputs if front is None else front(inputs))
    return keras.Model(inputs, end(layers.GlobalAveragePooling2D()(x)), name="own")


def assembled(model, data=DATA):
    origin = choose_network(CONFIG, model)
    prepared = origin.prepare(data, CONFIG, None)
    return origin.assemble(prepared, CONFIG)


def softmax(logits):
    return np.asarray(keras.ops.softmax(logits))


def chosen(name, side, **settings):
    """Origin, prepared images of that side, configuration and model of a network of the zoo."""
    images = RANDOM.integers(0, 256, (24, side, side, 1), np.uint8)
    data = Dataset("memory", "arrays", images, np.arange(24) % 3, NAMES)
    config = Config().replace(model=name, **settings)
    origin = choose_network(config)
    prepared = origin.prepare(data, config, None)
    return origin, prepared, config, origin.assemble(prepared, config)
