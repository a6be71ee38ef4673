"""Which layers of a backbone learn, and how fast each of them does."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.config import LEARNING_RATES, TrainingConfig, TransferConfig
from convlens.errors import ConfigError
from convlens.training.optimizers import Multiplier, make_optimizer
from convlens.transfer.unfreeze import GRADUAL_SHARE, learning_rate_multipliers, unfreeze

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(12, 8, 8, 1)).astype(np.float32)
LABELS = np.arange(12) % 3
LAYERS = ("conv1", "bn1", "conv2", "gate", "conv3")


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


def test_batch_normalisations_learn_when_asked():
    assert names("all", train_batch_norm=True) == list(LAYERS)
    assert names("bn*", train_batch_norm=True) == ["bn1"]
    with pytest.raises(ConfigError, match="Batch normalisations count with --train-batch-norm"):
        names("bn1")


@pytest.mark.parametrize(
    ("unfreeze", "said"),
    [
        ("conv9", "--unfreeze conv9 must match .* none of 4. Some of them are: conv"),
        ("conv1,gatte", "--unfreeze gatte .* gate"),
        ("Conv1", "--unfreeze Conv1 .* conv1"),
        ("xyz*", r"--unfreeze xyz\* .*: conv2, gate, conv3"),
        ("", "must match layers"),
        ("conv1,", "must match layers"),
        ("-2", "--unfreeze -2 must match"),
        ("0", "must be 1 to 4 layers, .*; found 0"),
        ("5", "must be 1 to 4 layers, .*; found 5"),
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
    model.fit(IMAGES, LABELS, batch_size=4, verbose=0)
    assert moved(before, model) == ["conv2", "head"]


def test_batch_normalisation_computes_with_its_statistics_unless_it_learns():
    for asked in (False, True):
        body, model = network()
        chosen = settings("all", train_batch_norm=asked)
        unfreeze(body, chosen)
        compiled(model, body, chosen, 3)
        assert np.allclose(body(IMAGES, training=True), body(IMAGES, training=False)) is not asked
        before = learned(model)
        model.fit(IMAGES, LABELS, batch_size=4, verbose=0)
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


@pytest.mark.parametrize("optimizer", list(LEARNING_RATES))
def test_a_group_moves_from_its_step_on_and_not_before(optimizer):
    """A variable that has not begun to learn does not decay; with Keras' own method it would."""
    variables = [keras.Variable(np.ones(3, np.float32), name="kernel") for _ in range(2)]
    training = TrainingConfig(optimizer=optimizer, weight_decay=0.5)
    made = make_optimizer(
        training, LEARNING_RATES[optimizer], [Multiplier(), Multiplier(0.5, 0.25)], 8
    )
    for step in range(4):
        before = [variable.numpy().copy() for variable in variables]
        made.apply([keras.ops.convert_to_tensor(np.array([1, -2, 4], np.float32))] * 2, variables)
        assert not np.array_equal(variables[0].numpy(), before[0])
        assert np.array_equal(variables[1].numpy(), before[1]) == (step < 2)


def test_weight_decay_is_at_the_rate_of_the_layer():
    variables = [
        keras.Variable(np.full(3, 2, np.float32), name=name)
        for name in ("kernel", "kernel", "bias")
    ]
    training = TrainingConfig(optimizer="adamw", weight_decay=0.5)
    optimizer = make_optimizer(training, 0.1, [Multiplier(), Multiplier(0.25), Multiplier()], 8)
    optimizer.apply([keras.ops.zeros(3)] * 3, variables)
    found = [float(variable.numpy()[0]) for variable in variables]
    assert found == pytest.approx([2 * (1 - 0.1 * 0.5), 2 * (1 - 0.1 * 0.5 * 0.25), 2])


def test_without_multipliers_adamw_steps_as_keras_own():
    def stepped(rows):
        variable = keras.Variable(np.array([1, -2, 4], np.float32), name="kernel")
        optimizer = make_optimizer(
            TrainingConfig(optimizer="adamw", weight_decay=0.3), 0.05, rows, 8
        )
        for _ in range(3):
            optimizer.apply(
                [keras.ops.convert_to_tensor(np.array([1, 2, 3], np.float32))], [variable]
            )
        return variable.numpy()

    assert np.allclose(stepped([]), stepped([Multiplier()]), rtol=1e-6)
