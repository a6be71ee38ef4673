"""The last feature map of every network, as it enters the pooling or flattening."""

from functools import partial

import keras
import pytest
from keras import layers

from convlens.anatomy.graph import parents
from convlens.classifier.assembly import assemble
from convlens.maps.ending import NoEnding, last_map
from convlens.maps.network import OpenedNetwork
from convlens.preprocess import Preprocessing
from convlens.zoo.create import build
from convlens.zoo.registry import list_models, model_info

QUICK = (
    "densenet121", "fast_cnn", "lenet5", "mnist_2conv", "mobilenet_v3_small", "nin_cifar",
    "resnet50", "small_resnet", "xception",
)  # fmt: skip
ACTIVATIONS = (layers.Activation, layers.ReLU, layers.LeakyReLU)


def opened(name):
    info = model_info(name)
    preprocessing = Preprocessing(*info.input_shape, scale=info.scale)
    model = assemble(partial(build, name, num_classes=10), preprocessing, 10, name)
    # Without auxiliary heads, as a classifier has it.
    model = keras.Model(model.input, model.outputs[0], name=name)
    return OpenedNetwork(model).model  # without nested models


def check_last_map(model):
    """Assert that no activation follows the last map of a model before its positions are joined."""
    last = last_map(model)
    followers = [one for one in model.operations if any(last is x for x in inputs_of(one))]
    assert followers
    assert not any(isinstance(one, ACTIVATIONS) for one in followers)
    ending = OpenedNetwork(model).ending
    if not isinstance(ending, NoEnding):
        assert ending.map is last


def inputs_of(operation):
    first = keras.tree.flatten(operation.output)[0]
    return [] if isinstance(operation, layers.InputLayer) else parents(first)


@pytest.mark.parametrize("name", QUICK)
def test_last_map_is_what_enters_the_pooling(name):
    check_last_map(opened(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", [one for one in list_models() if one not in QUICK])
def test_last_map_of_all_networks_is_what_enters_the_pooling(name):
    model = opened(name)
    try:
        last_map(model)
    except NoEnding:
        assert not any(isinstance(one, layers.Conv2D) for one in model.layers)
    else:
        check_last_map(model)
