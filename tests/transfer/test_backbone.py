"""The body of a trained network, and a new head on it."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.assembly import all_layers
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.transfer.backbone import body_of
from convlens.transfer.origin import choose_backbone
from tests.transfer.backbones import DATA, IMAGES, SEEN, assembled, own, saved


@pytest.mark.parametrize(
    ("pooling", "pool"),
    [
        (None, lambda maps: maps.mean((1, 2))),
        ("avg", lambda maps: maps.mean((1, 2))),
        ("max", lambda maps: maps.max((1, 2))),
        ("none", lambda maps: maps.reshape(len(maps), -1)),
    ],
)
def test_features_are_the_pooled_last_map(file, pooling, pool):
    model = assembled(file, **({} if pooling is None else {"pooling": pooling}))
    trained = keras.models.load_model(file)
    maps = keras.Model(trained.input, trained.get_layer("block2_dropout").output)(IMAGES)
    assert np.allclose(body_of(model)(IMAGES), pool(np.asarray(maps)), atol=1e-6)
    assert model.output_shape == (None, 3)
    assert [layer.name for layer in model.layers if layer.trainable and layer.weights] == [
        "transfer_logits"
    ]


def test_a_network_without_maps_gives_the_input_of_its_last_layer(tmp_path):
    def mlp(x):
        return layers.Dense(4)(
            layers.Dense(7, activation="relu", name="hidden")(layers.Flatten()(x))
        )

    path = saved(tmp_path / "mlp.keras", mlp)
    trained = keras.models.load_model(path)
    hidden = keras.Model(trained.input, trained.get_layer("hidden").output)
    assert np.allclose(body_of(assembled(path))(IMAGES), hidden(IMAGES), atol=1e-6)


def test_a_head_has_its_dense_layers_and_a_temperature_is_left_behind(tmp_path):
    model = assembled(saved(tmp_path / "trained.keras", temperature=2.0), head=(8, 5))
    kinds = [(layer.name, layer.units) for layer in model.layers if isinstance(layer, layers.Dense)]
    assert kinds == [("transfer_dense1", 8), ("transfer_dense2", 5), ("transfer_logits", 3)]
    assert "temperature" not in [layer.name for layer in model.layers]


def test_models_nested_in_a_network_of_ones_own_are_opened(tmp_path):
    keras.utils.set_random_seed(1)
    mine = own()
    path = saved(tmp_path / "own.keras", mine)
    model = assembled(path, unfreeze="deep")
    assert not any(isinstance(layer, keras.Model) for layer in all_layers(model))
    maps = keras.Model(mine.input, mine.layers[-3].output)(IMAGES / 255.0)
    assert np.allclose(body_of(model)(IMAGES), np.asarray(maps).mean((1, 2)), atol=1e-5)
    learning = [layer.name for layer in model.layers if layer.trainable and layer.weights]
    assert learning == ["deep", "transfer_logits"]
    assert not any(
        layer.trainable for layer in model.layers if isinstance(layer, layers.BatchNormalization)
    )


def test_an_adapted_normalization_still_normalises(tmp_path):
    def network(x):
        adapted = layers.Normalization(name="adapted")
        adapted.adapt(IMAGES / 255.0)
        return layers.Dense(4)(
            layers.GlobalAveragePooling2D()(layers.Conv2D(5, 3, name="maps")(adapted(x)))
        )

    path = saved(tmp_path / "own.keras", network)
    trained = keras.models.load_model(path)
    maps = keras.Model(trained.input, trained.get_layer("maps").output)(IMAGES)
    assert np.allclose(body_of(assembled(path))(IMAGES), np.asarray(maps).mean((1, 2)), atol=1e-5)


def test_every_fold_begins_with_the_weights_of_the_file(file):
    config = Config().replace(backbone=str(file), unfreeze="all")
    origin = choose_backbone(config)
    prepared = origin.prepare(DATA, config, None)
    first = origin.assemble(prepared, config)
    before = body_of(first).get_weights()
    first.set_weights(
        [value + 1 for value in first.get_weights()]
    )  # as `keep` does with the best epoch of a fold
    assert all(
        map(np.array_equal, before, body_of(origin.assemble(prepared, config)).get_weights())
    )


def test_a_classifier_made_by_transfer_is_a_backbone_too(file, tmp_path):
    model = assembled(file, head=(8,))
    Classifier.from_logits(model, ("x", "y", "z"), SEEN).save(tmp_path / "second.keras")
    assert np.allclose(
        body_of(assembled(tmp_path / "second.keras"))(IMAGES), body_of(model)(IMAGES), atol=1e-6
    )
