"""Networks of keras.applications and files of their weights, for the tests of several modules."""

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from convlens.zoo.classics import APPLICATIONS

NETWORK = "mobilenet_v3_small"
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in APPLICATIONS if name != NETWORK]


def side_of(name):
    return max(32, APPLICATIONS[name].least_side)


def keras_network(name, shape, num_classes, top=True):
    """Return the network of keras.applications, on scaled pixels, with random weights."""
    builder = getattr(keras.applications, APPLICATIONS[name].builder)
    network = builder(
        weights=None,
        input_tensor=keras.Input(shape),
        classes=num_classes,
        classifier_activation=None,
        include_top=top,
    )
    generator = np.random.default_rng(0)
    for variable in network.weights:
        values = generator.normal(0, 0.5, variable.shape)
        # Deep networks stay finite.
        values /= np.sqrt(max(1, np.prod(variable.shape[:-1])))
        if variable.name in ("gamma", "moving_variance"):
            values = 1 + abs(values)
        variable.assign(values)
    return network


def chain(*units):
    """Return dense layers dense1, dense2 ... of so many units, on four numbers."""
    dense = [
        keras.layers.Dense(size, name=f"dense{number}")
        for number, size in enumerate(units, start=1)
    ]
    return keras.Sequential([keras.Input((4,)), *dense])


def write(network, path):
    """Write the weights as Keras 3 does; `old.h5` and `model.h5` as the published files were."""
    if path.name == "old.h5":
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, network)
    elif path.name.endswith(".weights.h5"):
        network.save_weights(path)
    else:
        network.save(path)
    return path


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
