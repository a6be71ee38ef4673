"""The networks of the lectures: layers as printed there, activations, initialisers and names.

The last one has counts, frozen layers and the weights of Keras' own VGG16.
"""

import math
from functools import partial

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from keras.src.legacy.saving import legacy_h5_format

from convlens.classifier.assembly import assemble, with_precision
from convlens.classifier.classifier import Classifier
from convlens.classifier.pretrained import pretrained_classifier
from convlens.errors import ModelError
from convlens.preprocess import Preprocessing
from convlens.zoo.create import build, create_model
from convlens.zoo.lectures import LECTURES, TRAINED, Conv, Dense, Dropout, Flatten, Pool, stack
from convlens.zoo.registry import model_info
from convlens.zoo.weights import load_weights


def shapes(model):
    return {layer.name: layer.output.shape[1:] for layer in model.layers}


def test_the_printed_summary_of_lecture_001():
    found = shapes(create_model("mnist_3conv"))
    assert list(found.items())[1:] == [
        ("conv1", (28, 28, 16)),
        ("pool1", (14, 14, 16)),
        ("conv2", (14, 14, 16)),
        ("pool2", (7, 7, 16)),
        ("conv3", (7, 7, 36)),
        ("pool3", (3, 3, 36)),
        ("dropout1", (3, 3, 36)),
        ("flatten", (324,)),
        ("dense1", (128,)),
        ("dropout2", (128,)),
        ("logits", (10,)),
    ]


def test_rows_become_layers_that_are_numbered_by_kind():
    inputs = keras.Input((8, 8, 1))
    rows = (Conv(4, 3), Conv(2, 3, "valid"), Pool(2, "average"), Flatten(), Dense(5), Dropout(0.5))
    model = keras.Model(inputs, stack(inputs, 3, rows, activation="tanh"))
    assert [layer.name for layer in model.layers[1:]] == [
        "conv1", "conv2", "pool1", "flatten", "dense1", "dropout1", "logits",
    ]  # fmt: skip
    assert isinstance(model.get_layer("pool1"), layers.AveragePooling2D)
    assert model.get_layer("pool1").output.shape == (None, 3, 3, 2)
    assert model.get_layer("dense1").activation is keras.activations.tanh
    assert model.get_layer("logits").activation is keras.activations.linear


@pytest.mark.parametrize(
    ("name", "activation", "conv", "dense"),
    [
        ("mnist_4conv", "relu", "GlorotUniform", "GlorotUniform"),
        ("mnist_tanh", "tanh", "GlorotUniform", "RandomNormal"),
        ("lenet_sigmoid", "sigmoid", "RandomUniform", "RandomUniform"),
    ],
)
def test_activations_and_initialisers(name, activation, conv, dense):
    model = create_model(name)
    first = model.get_layer("conv1")
    assert first.activation.__name__ == activation
    assert type(first.kernel_initializer).__name__ == conv
    for layer in ("dense1", "logits"):
        assert type(model.get_layer(layer).kernel_initializer).__name__ == dense


def test_logistic_regression_is_a_weighted_sum():
    model = create_model("logistic")
    image = np.random.default_rng(0).random((1, 28, 28, 1), dtype=np.float32)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model(image), image.reshape(1, -1) @ kernel + bias, rtol=1e-5)


def test_every_row_is_registered_with_its_recipe():
    for name, row in LECTURES.items():
        info = model_info(name)
        assert (info.year, info.num_params) == (2019, row.num_params)
        assert info.summary.startswith("Lecture 00")
        assert "Recipe" in info.builder.__doc__
        assert "esult" in info.builder.__doc__
        assert info.builder.__module__ == "convlens.zoo.lectures"


NAME = "transfer_vgg16_cats_dogs"
SMALL = (32, 32, 3)
LEARNING = [*TRAINED, "dense1", "logits"]
CONVOLUTIONS = 26  # arrays of VGG16 without its top


@pytest.fixture
def network():
    keras.utils.set_random_seed(0)
    return create_model(NAME, input_shape=SMALL)


def learning(model):
    return [layer.name for layer in model.layers if layer.trainable and layer.weights]


def trainable_params(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def test_the_decks_counts():
    model = create_model(NAME)
    assert (model.count_params(), trainable_params(model)) == (27_560_769, 19_925_505)
    assert learning(model) == LEARNING
    assert [layer.name for layer in model.layers[-4:]] == [
        "block5_pool",
        "flatten",
        "dense1",
        "logits",
    ]


def test_an_epoch_moves_what_is_not_frozen_and_nothing_else(network):
    rng = np.random.default_rng(0)
    network.compile(
        keras.optimizers.RMSprop(1e-5), keras.losses.BinaryCrossentropy(from_logits=True)
    )
    before = [(weight.path, weight.numpy().copy()) for weight in network.weights]
    network.fit(rng.random((6, *SMALL), np.float32), np.arange(6) % 2, batch_size=3, verbose=0)
    for (path, old), weight in zip(before, network.weights, strict=True):
        assert np.array_equal(weight.numpy(), old) == (path.split("/")[-2] not in LEARNING), path


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_copies_and_saved_classifiers_stay_frozen(policy, tmp_path):
    preprocessing = Preprocessing(*SMALL)
    model = with_precision(
        assemble(partial(build, NAME, num_classes=2), preprocessing, 2, NAME), policy
    )
    assert learning(model) == LEARNING
    if policy == "float32":  # as classifiers are saved
        Classifier.from_logits(model, ("cat", "dog"), preprocessing).save(tmp_path / "deck.keras")
        assert learning(Classifier.load(tmp_path / "deck.keras").model) == LEARNING


@pytest.mark.parametrize(
    ("file", "top"),
    [("old.h5", False), ("model.h5", False), ("new.weights.h5", False), ("new.weights.h5", True)],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_takes_the_convolutions_of_vgg16(network, file, top, tmp_path):
    theirs = keras.applications.VGG16(weights=None, include_top=top, input_shape=SMALL, classes=5)
    path = tmp_path / file
    if file == "old.h5":
        with h5py.File(path, "w") as group:
            legacy_h5_format.save_weights_to_hdf5_group(group, theirs)
    else:
        theirs.save_weights(path) if "weights" in file else theirs.save(path)
    head = [weight.numpy() for weight in network.weights[CONVOLUTIONS:]]
    assert load_weights(network, NAME, path) == ["dense1", "logits"]
    expected = theirs.get_weights()[:CONVOLUTIONS] + head
    for weight, value in zip(network.weights, expected, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def test_takes_what_it_saved_itself(network, tmp_path):
    network.save_weights(tmp_path / "own.weights.h5")
    assert (
        load_weights(create_model(NAME, input_shape=SMALL), NAME, tmp_path / "own.weights.h5") == []
    )


def test_imagenet_is_the_file_of_vgg16(network, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("convlens.zoo.weights.URL", (tmp_path / "nowhere").as_uri())
    assert model_info(NAME).weights.source == model_info("vgg16").weights.source
    with pytest.raises(
        ModelError, match=f"weights of {NAME} are in the file vgg16_weights_.*_kernels_notop.h5"
    ):
        load_weights(network, NAME)


def test_it_is_no_classifier_of_imagenet():
    with pytest.raises(ModelError, match=f"{NAME} has no trained weights; train it") as error:
        pretrained_classifier(NAME)
    assert NAME not in str(error.value).partition("With weights:")[2]
