from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.assembly import all_layers, assemble
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.errors import ClassifierError, ConfigError, ModelError
from convlens.preprocess import Preprocessing
from convlens.run import Run
from convlens.transfer.backbone import body_of
from convlens.transfer.features import features_key
from convlens.transfer.origin import BackboneOrigin, choose_backbone
from convlens.zoo.create import build

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (24, 12, 12, 3), np.uint8)
DATA = Dataset("memory", "arrays", IMAGES, np.arange(24) % 3, ("x", "y", "z"))
SEEN = Preprocessing(12, 12, 3)
CNN = Config().replace(model="custom_cnn", filters=(4, 6), dense=(8,), dropout=0.5).model


def saved(path, network=None, preprocessing=SEEN, temperature=1.0):
    """A classifier of four classes that the new images do not have; `network` maps pixels to logits."""
    keras.utils.set_random_seed(0)
    network = network or (lambda x: build("custom_cnn", x, 4, config=CNN))
    model = assemble(network, preprocessing, 4, "custom_cnn")
    Classifier.from_logits(model, ("a", "b", "c", "d"), preprocessing, temperature).save(path)
    return path


def assembled(path, data=DATA, **settings):
    config = Config().replace(backbone=str(path), **settings)
    origin = choose_backbone(config)
    return origin.assemble(origin.prepare(data, config, None), config)


def own(end=lambda x: x):
    """A network of one's own, with a model nested in a model."""
    inner = keras.Sequential(
        [layers.Input((10, 10, 5)), layers.Conv2D(6, 3, name="deep"), layers.BatchNormalization()]
    )
    inputs = keras.Input((12, 12, 3))
    x = inner(layers.Conv2D(5, 3, activation="relu", name="first")(inputs))
    return keras.Model(inputs, layers.Dense(4)(layers.GlobalAveragePooling2D()(end(x))), name="own")


@pytest.fixture
def file(tmp_path):
    return saved(tmp_path / "trained.keras")


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


def test_the_key_stands_for_what_is_computed_and_nothing_else(file, tmp_path):
    def key(model, preprocessing=SEEN, arithmetic="float32 on tensorflow"):
        return features_key(body_of(model), preprocessing, arithmetic)

    first = key(assembled(file))
    assert key(assembled(file)) == first
    assert key(assembled(file, unfreeze="all", head=(4,))) == first
    changed = assembled(file)
    changed.get_layer("block1_conv1").bias.assign(np.full(4, 1e-6))
    others = {
        key(changed),
        key(assembled(file, pooling="max")),
        key(assembled(file), replace(SEEN, fit="crop")),
        key(assembled(file), arithmetic="bfloat16 on tensorflow"),
    }
    assert len(others - {first}) == 4


def test_a_file_a_folder_and_the_name_of_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = Run.create("mine", "")
    saved(run.classifier_path)
    for name in ("mine", "runs/mine", str(run.classifier_path)):
        assert choose_backbone(Config().replace(backbone=name)).trained is not None


def test_a_network_of_the_zoo_goes_before_a_run_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved(Run.create("efficientnet_lite0", "").classifier_path)
    assert choose_backbone(Config().replace(backbone="efficientnet_lite0")).trained is None
    assert choose_backbone(Config().replace(backbone="runs/efficientnet_lite0")).trained is not None


def refused(error, said, **settings):
    with pytest.raises(error, match=said):
        choose_backbone(Config().replace(**settings))


def test_what_is_no_backbone(tmp_path, file):
    refused(
        ModelError,
        r"small_resnet has no weights of others\..*efficientnet_lite0",
        backbone="small_resnet",
    )
    refused(
        ModelError,
        r"No file or run is at efficientnet_lit, and there is no .*; did you mean efficientnet_lite0",
        backbone="efficientnet_lit",
    )
    refused(ClassifierError, "missing.keras", backbone=str(tmp_path / "missing.keras"))
    (tmp_path / "notes.txt").write_text("no network")
    refused(ClassifierError, "notes.txt", backbone=str(tmp_path / "notes.txt"))
    (tmp_path / "empty").mkdir()
    refused(ClassifierError, "empty", backbone=str(tmp_path / "empty"))
    own().save(tmp_path / "plain.keras")
    refused(ClassifierError, "plain.keras", backbone=str(tmp_path / "plain.keras"))
    refused(
        ConfigError,
        "--weights goes with a network of the zoo",
        backbone=str(file),
        weights="imagenet",
    )
    refused(ConfigError, "leave out --model vgg16", backbone=str(file), model="vgg16")
    refused(ConfigError, "leave out --model vgg16", backbone="efficientnet_lite0", model="vgg16")


def test_images_are_taken_as_the_classifier_takes_them(file):
    grey = Dataset(
        "memory", "arrays", IMAGES[:, :8, :8, 0].copy(), np.arange(24) % 3, ("x", "y", "z")
    )
    config = Config().replace(backbone=str(file))
    origin = choose_backbone(config)
    prepared = origin.prepare(grey, config, None)
    assert prepared.preprocessing == SEEN
    assert any("are grey" in note for note in prepared.notes)
    resolved = config.replace(size="12x12", fit="stretch", channels="rgb")  # as run.toml has them
    assert origin.prepare(grey, resolved, None).preprocessing == SEEN
    with pytest.raises(ConfigError, match=r"--size must be .*, 12x12; found 16\. Leave it out"):
        origin.prepare(grey, config.replace(size="16"), None)
    with pytest.raises(ConfigError, match=r"--channels must be .*, rgb; found grey"):
        origin.prepare(grey, config.replace(channels="grey"), None)


def test_colour_images_for_a_grey_classifier(tmp_path):
    path = saved(tmp_path / "grey.keras", preprocessing=Preprocessing(12, 12, 1))
    assert assembled(path).input_shape == (None, 12, 12, 1)


def test_small_grey_images_for_a_backbone_of_the_zoo():
    grey = Dataset("memory", "arrays", IMAGES[..., 0].copy(), np.arange(24) % 3, ("x", "y", "z"))
    config = Config().replace(backbone="efficientnet_lite0")
    origin = choose_backbone(config)
    assert isinstance(origin, BackboneOrigin)
    prepared = origin.prepare(grey, config, None)
    assert prepared.preprocessing.shape == (224, 224, 3)
    assert prepared.preprocessing.fit == "crop"
    assert any("enlarged; the least side here is 12" in note for note in prepared.notes)
    assert any("are grey" in note for note in prepared.notes)
    assert origin.prepare(grey, config.replace(size="32"), None).preprocessing.shape == (32, 32, 3)


def test_weights_of_another_network_name_the_layer(file):
    config = Config().replace(backbone="efficientnet_lite0", size="64", weights=str(file))
    origin = choose_backbone(config)
    with pytest.raises(
        ModelError,
        match=r"trained\.keras: layer stem_conv needs \(3, 3, 3, 32\); found \(3, 3, 3, 4\)",
    ):
        origin.assemble(origin.prepare(DATA, config, None), config)
