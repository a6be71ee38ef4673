"""The body of a trained network, a new head on it, and which layers learn how fast."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.assembly import all_layers
from convlens.classifier.classifier import Classifier
from convlens.config import LEARNING_RATES, Config, TrainingConfig, TransferConfig
from convlens.errors import ConfigError
from convlens.training.optimization import Multiplier, make_optimizer
from convlens.transfer import backbone
from convlens.transfer.backbone import (
    GRADUAL_SHARE,
    body_of,
    learning_rate_multipliers,
    unfreeze,
)
from convlens.transfer.origin import choose_backbone
from tests.transfer.backbones import DATA, IMAGES, SEEN, assembled, own, saved

MAPS = np.random.default_rng(0).normal(size=(12, 8, 8, 1)).astype(np.float32)
LABELS = np.arange(12) % 3
LAYERS = ("conv1", "bn1", "conv2", "gate", "conv3")


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


def network() -> tuple[keras.Model, keras.Model]:
    """Return a body of three map sizes, with a gate on the middle map, and the whole network."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(3, 3, padding="same", name="conv1")(inputs)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.5, name="bn1")(x))
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="conv2")(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Multiply()([x, layers.Conv2D(4, 1, activation="sigmoid", name="gate")(gate)])
    x = layers.Conv2D(5, 3, strides=2, padding="same", activation="relu", name="conv3")(x)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(inputs, x), keras.Model(inputs, layers.Dense(3, name="head")(x))


def settings(unfreeze: str | None = None, **more: object) -> TransferConfig:
    return TransferConfig(backbone="any", unfreeze=unfreeze, **more)


def names(wanted: str | None, **more: object) -> list[str]:
    body, _ = network()
    return [layer.name for layer in unfreeze(body, settings(wanted, **more))]


def learned(model: keras.Model) -> dict[str, list[np.ndarray]]:
    return {
        layer.name: [value.copy() for value in layer.get_weights()]
        for layer in model.layers
        if layer.weights
    }


def moved(before: dict[str, list[np.ndarray]], model: keras.Model) -> list[str]:
    after = learned(model)
    same = {name: all(map(np.array_equal, before[name], after[name])) for name in before}
    return [name for name in before if not same[name]]


def compiled(
    model: keras.Model, body: keras.Model, chosen: TransferConfig, steps: int, **options: object
) -> None:
    training = TrainingConfig(**{"optimizer": "sgd", "learning_rate": 0.1} | options)
    rate = training.learning_rate or LEARNING_RATES[training.optimizer]
    optimizer = make_optimizer(
        training, rate, learning_rate_multipliers(model, body, chosen), steps
    )
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))


@pytest.mark.parametrize(
    ("unfreeze", "expected"),
    [
        (None, []),
        ("conv3", ["conv3"]),
        ("conv*", ["conv1", "conv2", "conv3"]),
        ("conv3, gate", ["gate", "conv3"]),
        ("conv[12]", ["conv1", "conv2"]),
        ("1", ["conv3"]),
        ("3", ["conv2", "gate", "conv3"]),
        ("all", ["conv1", "conv2", "gate", "conv3"]),
        ("*", ["conv1", "conv2", "gate", "conv3"]),
    ],
)
def test_names_patterns_and_numbers(unfreeze, expected):
    assert names(unfreeze) == expected


def test_a_misspelt_block_gets_the_names_of_blocks_that_are_near():
    names = ["stem_conv", "stage6_block4_project_conv", "stage7_block1_project_conv", "head_conv"]
    said = backbone._no_match("stge7*", names, TransferConfig(train_batch_norm=True))
    assert "Did you mean stage7* or stage6*" in said
    assert "Did you mean stem_conv" in backbone._no_match("stm_conv", names, TransferConfig())


def test_batch_normalisations_learn_when_asked():
    assert names("all", train_batch_norm=True) == list(LAYERS)
    assert names("bn*", train_batch_norm=True) == ["bn1"]
    with pytest.raises(ConfigError, match="normalisations are among them with --train"):
        names("bn1")


@pytest.mark.parametrize(
    ("unfreeze", "said"),
    [
        ("conv9", "of any; found conv9, which matches none of the 4 that .* Did you mean conv"),
        ("conv1,gatte", r"found gatte, .* Did you mean gate\?"),
        ("Conv1", "found Conv1, .* Did you mean conv1 or conv"),
        ("xyz*", r"found xyz\*, .* can learn, such as conv2, gate, conv3. Batch norm"),
        ("", "must name layers of any; found '',"),
        ("conv1,", "must name layers of any; found '',"),
        ("-2", "must name layers of any; found -2,"),
        ("0", "must be 1 to 4, the number of layers of any that can learn; found 0"),
        ("5", "must be 1 to 4, the number of layers of any that can learn; found 5"),
    ],
)
def test_what_fits_no_layer(unfreeze, said):
    with pytest.raises(ConfigError, match=said):
        names(unfreeze)


@pytest.mark.parametrize(
    "optimizer",
    [
        name if name in ("sgd", "momentum", "adamw") else pytest.param(name, marks=pytest.mark.slow)
        for name in LEARNING_RATES
    ],
)
def test_frozen_layers_and_kept_statistics_are_equal_to_the_bit_after_an_epoch(optimizer):
    body, model = network()
    chosen = settings("conv2")
    unfreeze(body, chosen)
    compiled(model, body, chosen, 3, optimizer=optimizer, learning_rate=None)
    before = learned(model)
    model.fit(MAPS, LABELS, batch_size=4, verbose=0)
    assert moved(before, model) == ["conv2", "head"]


def test_batch_normalisation_computes_with_its_statistics_unless_it_learns():
    for asked in (False, True):
        body, model = network()
        chosen = settings("all", train_batch_norm=asked)
        unfreeze(body, chosen)
        compiled(model, body, chosen, 3)
        assert np.allclose(body(MAPS, training=True), body(MAPS, training=False)) is not asked
        before = learned(model)
        model.fit(MAPS, LABELS, batch_size=4, verbose=0)
        assert ("bn1" in moved(before, model)) is asked


def test_lower_layers_and_the_gates_on_them_learn_more_slowly():
    body, model = network()
    chosen = settings("all", layer_decay=0.5)
    unfreeze(body, chosen)
    rows = learning_rate_multipliers(model, body, chosen)
    found = dict(zip([v.path.split("/")[0] for v in model.trainable_variables], rows, strict=True))
    assert {name: row.rate for name, row in found.items()} == {
        "conv1": 0.25, "conv2": 0.5, "gate": 0.5, "conv3": 1, "head": 1,
    }  # fmt: skip
    assert {row.begin for row in rows} == {0}
    gradual = learning_rate_multipliers(model, body, settings("all", gradual=True))
    assert sorted({row.begin for row in gradual}) == pytest.approx(
        [0, GRADUAL_SHARE / 3, 2 * GRADUAL_SHARE / 3]
    )


def test_the_groups_begin_with_the_top_one_that_learns():
    body, model = network()
    chosen = settings("conv1,conv2", layer_decay=0.1, gradual=True)
    unfreeze(body, chosen)
    rows = learning_rate_multipliers(model, body, chosen)
    assert [row.rate for row in rows] == pytest.approx([0.1, 0.1, 1, 1, 1, 1])
    assert [row.begin for row in rows] == pytest.approx([GRADUAL_SHARE / 2] * 2 + [0] * 4)


def test_a_step_of_gradient_descent_is_rate_times_decay_times_gradient():
    variables = [keras.Variable(np.ones(3, np.float32)) for _ in range(3)]
    rows = [Multiplier(0.5**number) for number in range(3)]
    optimizer = make_optimizer(TrainingConfig(optimizer="sgd"), 0.1, rows, 10)
    gradient = np.array([1, -2, 4], np.float32)
    optimizer.apply([keras.ops.convert_to_tensor(gradient)] * 3, variables)
    for number, variable in enumerate(variables):
        assert np.allclose(variable.numpy(), 1 - 0.1 * 0.5**number * gradient, atol=1e-7)
