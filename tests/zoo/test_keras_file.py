"""Files of weights as Keras writes them, and what must not be read."""

import shutil

import h5py
import numpy as np
import pytest

from convlens.errors import ModelError
from convlens.zoo.create import create_model
from convlens.zoo.weights import load_weights
from tests.zoo.weight_files import chain, write


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


def test_no_file_of_weights(tmp_path):
    network = create_model("mnist_2conv")
    path = write(network, tmp_path / "whole.weights.h5")
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
