"""The loss and the accuracy with auxiliary heads, the optimizers, and the learning rate."""

import keras
import numpy as np
import pytest

import convlens
from convlens.config import LEARNING_RATES, TrainingConfig
from convlens.training.optimization import (
    FirstHeadAccuracy,
    HeadsCrossentropy,
    Multiplier,
    join_heads,
    make_optimizer,
    make_schedule,
)
from convlens.zoo import registry
from convlens.zoo.create import build
from convlens.zoo.registry import register_model


@pytest.fixture
def three_heads(monkeypatch):
    registry.list_models()
    monkeypatch.setattr(registry, "_registry", dict(registry._registry))

    @register_model(
        summary="Three heads.",
        year=2014,
        input_shape=(8, 8, 1),
        num_params=1,
        multiply_adds=0,
        least_side=1,
        num_classes=10,
    )
    def three_heads(inputs, num_classes):
        """Return three heads."""
        x = keras.layers.Flatten()(inputs)
        return [
            keras.layers.Dense(num_classes, name=name)(x) for name in ("answer", "first", "second")
        ]

    return "three_heads"


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_counts_each_head(smoothing):
    rng = np.random.default_rng(0)
    labels = np.eye(4, dtype=np.float32)[rng.integers(4, size=5)]
    logits = rng.normal(size=(5, 12)).astype(np.float32)
    one = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    parts = [float(one(labels, logits[:, start : start + 4])) for start in (0, 4, 8)]
    found = float(HeadsCrossentropy(3, smoothing)(labels, logits))
    assert found == pytest.approx(parts[0] + 0.3 * (parts[1] + parts[2]), rel=1e-6)
    assert float(HeadsCrossentropy(1, smoothing)(labels, logits[:, :4])) == pytest.approx(
        parts[0], rel=1e-6
    )


def test_accuracy_is_of_the_first_head():
    labels = np.eye(2, dtype=np.float32)[[0, 1, 1]]
    own, other = np.array([[2, 0], [0, 1], [1, 0]]), np.array([[0, 2], [0, 1], [0, 1]])
    accuracy = FirstHeadAccuracy()
    accuracy.update_state(labels, np.concatenate([own, other], axis=1).astype(np.float32))
    assert float(accuracy.result()) == pytest.approx(2 / 3)


def test_join_leaves_one_head_alone():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    assert join_heads(model) is model


@pytest.mark.parametrize("precision", [pytest.param("float32", marks=pytest.mark.slow), "bfloat16"])
def test_heads_train_and_are_removed(three_heads, tmp_path, precision, no_charts):
    assert len(build(three_heads, keras.Input((8, 8, 1)), 10)) == 3
    config = convlens.Config().replace(
        model=three_heads, epochs=4, learning_rate=0.02, precision=precision
    )
    run = convlens.train(convlens.load_data("digits"), config, run=tmp_path / "run")
    model = run.classifier().model
    assert run.report["parameters"] == model.count_params() == 64 * 10 + 10  # those of one head
    assert model.output_shape == (None, 10)
    assert "answer" in [layer.name for layer in model.layers]
    assert "first" not in [layer.name for layer in model.layers]
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    assert run.history[-1]["val_accuracy"] > 0.5


def rates(schedule: str, steps: int = 100, **options: float) -> list[float]:
    config = TrainingConfig(epochs=10, schedule=schedule, learning_rate=0.1, **options)
    made = make_schedule(config, steps // 10)
    return [float(made if isinstance(made, float) else made(step)) for step in range(steps + 1)]


def test_constant_stays():
    assert rates("constant") == [0.1] * 101


def test_one_cycle_rises_a_quarter_and_falls_to_nearly_nothing():
    found = rates("one_cycle")
    assert found[0] == pytest.approx(0.1 / 25)
    assert int(np.argmax(found)) == 25
    assert found[25] == pytest.approx(0.1)
    assert found[-1] == pytest.approx(0.1 * 1e-3, rel=1e-4)
    assert np.all(np.diff(found[:25]) > 0)
    assert np.all(np.diff(found[25:]) < 0)


def test_linear_falls_to_nothing():
    assert rates("linear") == pytest.approx([0.1 * (1 - step / 100) for step in range(101)])


def test_cosine_warms_up_for_its_epochs_and_is_half_way_in_the_middle():
    found = rates("cosine", warmup_epochs=2)
    assert found[0] == 0
    assert int(np.argmax(found)) == 20
    assert found[60] == pytest.approx(0.05, rel=0.01)


def test_cosine_of_one_epoch_still_falls():
    made = make_schedule(TrainingConfig(epochs=1, schedule="cosine", learning_rate=0.1), 40)
    found = [float(made(step)) for step in range(41)]
    assert int(np.argmax(found)) == 10
    assert found[-1] < 1e-3


def test_cosine_without_warm_up_starts_at_its_height():
    assert rates("cosine", warmup_epochs=0)[0] == pytest.approx(0.1)


@pytest.mark.parametrize("name", list(LEARNING_RATES))
def test_every_optimizer_is_made(name):
    optimizer = make_optimizer(TrainingConfig(optimizer=name), LEARNING_RATES[name])
    assert type(optimizer).__name__.lower() == {"momentum": "sgd"}.get(name, name)
    assert float(optimizer.learning_rate) == pytest.approx(LEARNING_RATES[name])
    if name == "momentum":
        assert optimizer.nesterov
        assert optimizer.momentum == 0.9


def test_adadelta_takes_whole_steps():
    """R Keras' default was 1.0; with Keras 3's 0.001 the lecture's network hardly moves."""
    assert LEARNING_RATES["adadelta"] == 1.0


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
