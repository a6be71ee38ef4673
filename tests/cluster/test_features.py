"""A cluster computes the features that one computer does, and they are kept where it keeps them."""

import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from convlens.cluster import features
from convlens.cluster.connection import connect
from convlens.cluster.features import on_cluster
from convlens.cluster.reach import refuse_unreachable
from convlens.config import Config
from convlens.data.digests import DIGEST_BYTES
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from convlens.errors import ClusterError
from convlens.run import Run
from convlens.transfer.feature_cache import FeatureCache
from convlens.transfer.features import open_features
from convlens.transfer.wanted import Wanted, compute_missing, computed_by
from tests.cli.commands import run
from tests.cluster.conftest import CPUS, STORE, begun, wait_for
from tests.cluster.slow import SlowFeatures
from tests.trainings import same_weights
from tests.transfer.backbones import saved

ROOT = Path(__file__).parents[2]


def features_of(shapes) -> Wanted:
    """Return features of a small network with random weights.

    Its layers have names, since Keras counts those of all networks of a process.
    """
    prepared = prepare_data(load_data(str(shapes)), Config())
    keras.utils.set_random_seed(0)
    inputs = keras.Input(prepared.preprocessing.shape, dtype="uint8", name="images")
    x = layers.Rescaling(1 / 255, name="scaling")(inputs)
    x = layers.Conv2D(8, 3, strides=4, activation="relu", name="convolution")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    body = keras.Model(inputs, x, name="body")
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


def test_the_features_are_the_same(connected, wanted, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "PART", 50)
    store = wanted.prepared.store
    expected = computed_here(wanted)
    told = []
    with connect(connected) as cluster, computed_by(on_cluster(cluster)):
        compute_missing(wanted, lambda done, total: told.append((done, total)))
        assert not len(wanted.cache.missing(store, wanted.indices))
        compute_missing(wanted)  # which has nothing to do
    assert wanted.cache.gather(store, wanted.indices).tobytes() == expected.tobytes()
    assert len(told) == 3
    assert told[-1] == (120, 120)


@pytest.mark.usefixtures("no_charts")
def test_a_training_finds_the_features_that_nodes_have_computed(
    connected, shapes, tmp_path, monkeypatch, capsys
):
    computed = []
    compute = FeatureCache.compute
    monkeypatch.setattr(FeatureCache, "compute", lambda *a: computed.append(compute(*a)))
    backbone = saved(tmp_path / "trained.keras")
    words = ["train", shapes, "--backbone", backbone, "--precision", "float32", "--run"]
    runs = []
    for name, more in (("alone", []), ("shared", ["--cluster", connected])):
        monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / f"cache-{name}"))
        assert run(*words, tmp_path / name, *more) == 0
        runs.append(Run.open(tmp_path / name))
    assert [number for number in computed if number] == [120]  # alone
    assert "of 120 images, on the cluster" in capsys.readouterr().out
    assert same_weights(*runs)


def test_nodes_must_reach_the_images(connected):
    with connect(connected) as cluster, pytest.raises(ClusterError, match="must reach /nowhere"):
        refuse_unreachable(cluster, "/nowhere")


def kept(wanted) -> int:
    """Return the number of features that are in the cache."""
    missing = wanted.cache.missing(wanted.prepared.store, wanted.indices)
    return len(wanted.indices) - len(missing)


def compute_slowly(address: str, shapes: Path) -> None:
    """Let a cluster compute the features in small parts, each of which takes its time."""
    features.PART = 4
    features._Features = SlowFeatures
    with connect(address) as cluster, computed_by(on_cluster(cluster)):
        compute_missing(features_of(shapes))


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["node", "driver"])
def test_features_are_computed_once_whatever_is_killed(two_nodes, shapes, wanted, killed):
    words = [sys.executable, "-m", __name__, two_nodes.address, str(shapes)]
    if killed == "node":
        node = two_nodes.add_node(num_cpus=CPUS, object_store_memory=STORE, include_dashboard=False)
    process = subprocess.Popen(words, cwd=ROOT)
    if killed == "node":
        wait_for(lambda: begun("_features_of", node) and kept(wanted), process)
        two_nodes.remove_node(node, allow_graceful=False)
    else:
        wait_for(lambda: kept(wanted) > 16, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert kept(wanted) < 120
        process = subprocess.Popen(words, cwd=ROOT)
    assert process.wait() == 0
    assert kept(wanted) == 120
    found = wanted.cache.gather(wanted.prepared.store, wanted.indices)
    assert found.tobytes() == computed_here(wanted).tobytes()
    written = sum(path.stat().st_size for path in wanted.cache.folder.glob("*.digests"))
    assert written == 120 * DIGEST_BYTES  # nothing twice


if __name__ == "__main__":
    compute_slowly(sys.argv[1], Path(sys.argv[2]))
