"""Averaged weights: what they are, which statistics belong to them, and where they end up."""

import keras
import numpy as np
import pytest

from convlens.config import Config, TrainingConfig
from convlens.data.batches import Batches
from convlens.errors import ConfigError, Interrupted
from convlens.pipeline import train
from convlens.training import fit as fit_module
from convlens.training.averages import LATE, Averages
from convlens.training.micro_batch import SLOTS, estimate
from convlens.training.optimization import Multiplier, compile_for_training
from tests.trainings import CONFIG, QUIET, columns, press_ctrl_c, same_weights

pytestmark = pytest.mark.usefixtures("no_charts")

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (24, 8, 8, 3), np.uint8)
LABELS = np.arange(24) % 3
FAST = Config().replace(recipe="fast", epochs=2, batch_size=64, limit=400, seed=3)


def network() -> keras.Model:
    """Return a network with what has a state: batch normalisation and dropout."""
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.Conv2D(4, 3, name="conv")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Dropout(0.5, seed=1)(keras.layers.ReLU()(x))
    return keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(x)))


def batches(**options) -> Batches:
    return Batches(IMAGES, LABELS, np.arange(24), num_classes=3, batch_size=8, seed=0, **options)


def by_hand(steps: list[list[np.ndarray]]) -> list[np.ndarray]:
    """Return the mean of the weights after each step, weighed as their source says.

    The weight of step s among t is the share that it enters with, times what later steps leave.
    """
    shares = [(LATE + 1) / (step + LATE) for step in range(1, len(steps) + 1)]
    left = [share * np.prod(1 - np.array(shares[i + 1 :])) for i, share in enumerate(shares)]
    assert sum(left) == pytest.approx(1)
    return [
        sum(weight * one.astype(np.float64) for weight, one in zip(left, variable, strict=True))
        for variable in zip(*steps, strict=True)
    ]


def values(variables) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable).copy() for variable in variables]


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("multipliers", [(), [Multiplier(), Multiplier(0.5, 0.5)] * 3])
def test_the_averages_are_those_computed_by_hand(optimizer, parts, multipliers):
    """With parts of a batch, only the steps count at which the weights change."""
    model = network()
    train_batches = batches(micro_batch=8 // parts)
    config = TrainingConfig(optimizer=optimizer, epochs=4, average_weights=True)
    compile_for_training(
        model, config, train_batches.steps, multipliers=multipliers, parts=train_batches.parts
    )
    steps = []
    for call in range(4 * train_batches.steps):
        train_batches.epoch, step = divmod(call, train_batches.steps)
        model.train_on_batch(*train_batches[step])
        if (call + 1) % parts == 0:
            steps.append(values(model.trainable_variables))
    assert len(steps) == 12
    Averages(train_batches, enabled=True).put_in(model)
    found = values(model.trainable_variables)
    for one, expected, last in zip(found, by_hand(steps), steps[-1], strict=True):
        assert np.allclose(one, expected, rtol=1e-4, atol=1e-6)
        assert not np.allclose(one, last, rtol=1e-4, atol=1e-6)


def trained_for_an_epoch(*, frozen: bool = False) -> tuple[keras.Model, Batches]:
    model = network()
    model.get_layer("norm").trainable = not frozen
    train_batches = batches()
    config = TrainingConfig(optimizer="adamw", average_weights=True)
    compile_for_training(model, config, train_batches.steps)
    model.fit(train_batches, epochs=1, shuffle=False, verbose=0)
    return model, train_batches


def test_batch_normalisation_gets_the_statistics_of_the_averaged_weights():
    model, train_batches = trained_for_an_epoch()
    Averages(train_batches, enabled=True).put_in(model)
    inner = keras.Model(model.input, model.get_layer("conv").output)
    outputs = [
        keras.ops.convert_to_numpy(inner(train_batches[step][0]))
        for step in range(train_batches.steps)
    ]
    norm = model.get_layer("norm")
    means = np.mean([one.mean(axis=(0, 1, 2)) for one in outputs], axis=0)
    variances = np.mean([one.var(axis=(0, 1, 2)) for one in outputs], axis=0)
    assert np.allclose(norm.moving_mean, means, rtol=1e-4, atol=1e-6)
    assert np.allclose(norm.moving_variance, variances, rtol=1e-3)
    assert norm.momentum == 0.99


def test_a_frozen_batch_normalisation_keeps_its_statistics():
    model, train_batches = trained_for_an_epoch(frozen=True)
    before = values(model.get_layer("norm").variables)
    Averages(train_batches, enabled=True).put_in(model)
    after = values(model.get_layer("norm").variables)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_what_is_taken_out_leaves_the_training_as_it_was():
    """The state of dropout too, which draws numbers when the statistics are computed."""
    model, train_batches = trained_for_an_epoch()
    before = values(model.variables)
    averages = Averages(train_batches, enabled=True)
    averages.put_in(model)
    averages.put_in(model)
    within = values(model.variables)
    averages.take_out(model)
    assert not all(np.array_equal(a, b) for a, b in zip(before, within, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(before, values(model.variables), strict=True))


def test_the_classifier_has_the_averages_and_opens_in_plain_keras(digits, tmp_path, monkeypatch):
    real, steps = fit_module._Checkpoint.on_train_batch_end, []

    def note(self, batch, logs=None):
        steps.append(values(self.model.trainable_variables))
        real(self, batch, logs)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", note)
    config = CONFIG.replace(
        epochs=2, val=0, calibration=False, optimizer="sgd", average_weights=True
    )
    run = train(digits, config, run=tmp_path / "run", screen=QUIET)
    model = keras.models.load_model(run.classifier_path)
    found = values(model.trainable_variables)[: len(steps[0])]
    for one, expected in zip(found, by_hand(steps), strict=True):
        assert np.allclose(one, expected, rtol=1e-4, atol=1e-6)
    images = np.asarray(digits.images[:5])[..., None]
    assert np.allclose(model(images), run.classifier().probabilities(images), atol=1e-6)


@pytest.mark.parametrize(
    ("config", "stop_at"),
    [(FAST, 6), (CONFIG.replace(micro_batch=16), 19), (CONFIG.replace(val=0), 13)],
    ids=["fast", "parts", "no validation"],
)
def test_a_stopped_run_goes_on_with_the_same_bits(config, stop_at, digits, tmp_path, monkeypatch):
    config = config.replace(average_weights=True)
    whole = train(digits, config, run=tmp_path / "whole", screen=QUIET)
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, stop_at)
        with pytest.raises(Interrupted):
            train(digits, config, run=tmp_path / "stopped", screen=QUIET)
    keras.utils.set_random_seed(99)
    resumed = train(digits, run=tmp_path / "stopped", resume=True, screen=QUIET)
    assert columns(resumed) == columns(whole)
    assert same_weights(resumed, whole)


def test_the_training_itself_is_the_same_as_without_averages(finished_run, digits, tmp_path):
    averaged = train(
        digits, CONFIG.replace(average_weights=True), run=tmp_path / "run", screen=QUIET
    )
    for one, other in zip(columns(averaged), columns(finished_run), strict=True):
        assert one["loss"] == other["loss"]
        assert one["val_loss"] != other["val_loss"]
    assert not same_weights(averaged, finished_run)


def test_unfrozen_layers_are_averaged_after_the_head(digits, backbone, tmp_path, monkeypatch):
    config = Config().replace(
        backbone=str(backbone), unfreeze="all", epochs=2, limit=200, average_weights=True
    )
    whole = train(digits, config, run=tmp_path / "whole", screen=QUIET)
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, 3)
        with pytest.raises(Interrupted):
            train(digits, config, run=tmp_path / "stopped", screen=QUIET)
    resumed = train(digits, run=tmp_path / "stopped", resume=True, screen=QUIET)
    assert columns(resumed) == columns(whole)
    assert same_weights(resumed, whole)


def test_a_linear_head_alone_has_no_steps_to_average(digits, backbone, tmp_path):
    config = Config().replace(backbone=str(backbone), limit=60, average_weights=True)
    with pytest.raises(ConfigError, match="--average-weights is for weights that learn step by"):
        train(digits, config, run=tmp_path / "run", screen=QUIET)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("optimizer", SLOTS)
def test_the_memory_of_a_copy_and_of_its_saved_state_is_counted(optimizer):
    model = network()
    learned = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    needs = [
        estimate(model, TrainingConfig(optimizer=optimizer, average_weights=averaged)).fixed
        for averaged in (False, True)
    ]
    assert needs[1] - needs[0] == 2 * 4 * learned
