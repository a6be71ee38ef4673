"""Schedules of the learning rate, and the optimizers."""

import numpy as np
import pytest

from convlens.config import LEARNING_RATES, TrainingConfig
from convlens.training.optimizers import make_optimizer, make_schedule


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
