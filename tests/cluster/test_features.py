"""A cluster computes the features that one computer does, and they are kept where it keeps them."""

import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from convlens.cluster import asking, features
from convlens.cluster.connection import connect
from convlens.cluster.features import on_cluster
from convlens.config import Config
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from convlens.transfer.features import open_features
from convlens.transfer.wanted import Wanted, compute_missing, computed_by
from tests.cluster.conftest import CPUS, STORE, begun, wait_for
from tests.cluster.slow import SlowFeatures

ROOT = Path(__file__).parents[2]


def features_of(shapes) -> Wanted:
    """Return features of a small network with random weights."""
    prepared = prepare_data(load_data(str(shapes)), Config())
    keras.utils.set_random_seed(0)
    inputs = keras.Input(prepared.preprocessing.shape, dtype="uint8")
    x = layers.Conv2D(8, 3, strides=4, activation="relu")(layers.Rescaling(1 / 255)(inputs))
    body = keras.Model(inputs, layers.GlobalAveragePooling2D()(x), name="body")
    compiled, cache = open_features(body, prepared, "float32")
    return Wanted(body, compiled, cache, prepared, np.arange(len(prepared.dataset)))


@pytest.fixture
def wanted(shapes, tmp_path, monkeypatch):
    """Features of which none are kept yet."""
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    found = features_of(shapes)
    assert len(found.cache.missing(found.prepared.store, found.indices)) > 100
    return found


def computed_here(wanted) -> np.ndarray:
    images = wanted.prepared.store.images
    return np.concatenate([wanted.compiled(images[i : i + 1]) for i in wanted.indices])


def test_the_features_are_the_same(connected, wanted, tmp_path):
    store = wanted.prepared.store
    expected = computed_here(wanted)
    told = []
    with connect(connected) as cluster, computed_by(on_cluster(cluster, tmp_path / "answers")):
        compute_missing(wanted, lambda done, total: told.append((done, total)))
        assert not len(wanted.cache.missing(store, wanted.indices))
        compute_missing(wanted)  # which has nothing to do
    assert wanted.cache.gather(store, wanted.indices).tobytes() == expected.tobytes()
    assert told[-1] == (1, 1)  # parts


def shards(folder: Path) -> list[Path]:
    return list(folder.glob("shards/[!.]*.parquet"))


def compute_slowly(address: str, shapes: Path, folder: Path) -> None:
    """Let a cluster compute the features in small parts, each of which takes its time."""
    asking.PART = 8
    features._Features = SlowFeatures
    with connect(address) as cluster, computed_by(on_cluster(cluster, folder)):
        compute_missing(features_of(shapes))


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["node", "driver"])
def test_features_are_computed_once_whatever_is_killed(
    two_nodes, shapes, wanted, killed, tmp_path, monkeypatch
):
    words = [sys.executable, "-m", __name__, two_nodes.address, shapes, tmp_path / "answers"]
    if killed == "node":
        node = two_nodes.add_node(num_cpus=CPUS, object_store_memory=STORE, include_dashboard=False)
    process = subprocess.Popen(list(map(str, words)), cwd=ROOT)
    if killed == "node":
        wait_for(lambda: begun("MapWorker", node) and shards(tmp_path / "answers"), process)
        two_nodes.remove_node(node, allow_graceful=False)
    else:
        wait_for(lambda: len(shards(tmp_path / "answers")) > 2, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = {path: path.stat().st_mtime_ns for path in shards(tmp_path / "answers")}
        process = subprocess.Popen(list(map(str, words)), cwd=ROOT)
    assert process.wait() == 0
    store = wanted.prepared.store
    assert not len(wanted.cache.missing(store, wanted.indices))
    found = wanted.cache.gather(store, wanted.indices)
    assert found.tobytes() == computed_here(wanted).tobytes()
    assert len(shards(tmp_path / "answers")) == 15
    if killed == "driver":
        assert 2 < len(kept) < 15
        assert kept == {path: path.stat().st_mtime_ns for path in kept}  # not written again


if __name__ == "__main__":
    compute_slowly(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
