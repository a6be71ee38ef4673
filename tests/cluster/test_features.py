"""A cluster computes the features that one computer does, and they are kept where it keeps them."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.cluster.connection import connect
from convlens.cluster.features import on_cluster
from convlens.config import Config
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from convlens.transfer.features import open_features
from convlens.transfer.wanted import Wanted, compute_missing, computed_by


@pytest.fixture
def wanted(shapes, tmp_path, monkeypatch):
    """Features of a small network with random weights, of which none are kept yet."""
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    prepared = prepare_data(load_data(str(shapes)), Config())
    keras.utils.set_random_seed(0)
    inputs = keras.Input(prepared.preprocessing.shape, dtype="uint8")
    x = layers.Conv2D(8, 3, strides=4, activation="relu")(layers.Rescaling(1 / 255)(inputs))
    body = keras.Model(inputs, layers.GlobalAveragePooling2D()(x), name="body")
    compiled, cache = open_features(body, prepared, "float32")
    return Wanted(body, compiled, cache, prepared, np.arange(len(prepared.dataset)))


def test_the_features_are_the_same(connected, wanted, tmp_path):
    store = wanted.prepared.store
    expected = np.concatenate([wanted.compiled(store.images[i : i + 1]) for i in wanted.indices])
    assert len(wanted.cache.missing(store, wanted.indices)) > 100
    told = []
    with connect(connected) as cluster, computed_by(on_cluster(cluster, tmp_path / "answers")):
        compute_missing(wanted, lambda done, total: told.append((done, total)))
        assert not len(wanted.cache.missing(store, wanted.indices))
        compute_missing(wanted)  # which has nothing to do
    assert wanted.cache.gather(store, wanted.indices).tobytes() == expected.tobytes()
    assert told[-1] == (1, 1)  # parts
