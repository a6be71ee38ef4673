"""Trained weights in Keras' cache folder: found, downloaded, or missing."""

import dataclasses
import hashlib
import shutil
import socket

import numpy as np
import pytest

from convlens.errors import ModelError
from convlens.zoo import keras_cache, registry
from convlens.zoo.create import create_model
from convlens.zoo.keras_cache import cache_folder
from convlens.zoo.registry import WeightsFile, model_info
from convlens.zoo.weights import load_weights
from tests.zoo.weight_files import NETWORK, assert_same, keras_network, write

HEAD = ["conv_2", "logits"]
WHOLE, BODY = (file.name for file in model_info(NETWORK).weights.source)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(keras_cache, "URL", (tmp_path / "nowhere").as_uri())
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
    monkeypatch.setattr(keras_cache, "URL", "https://localhost:1")
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
