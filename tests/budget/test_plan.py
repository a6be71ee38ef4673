import time

import numpy as np
import pytest

from convlens.budget.plan import (
    AIM,
    EPOCHS,
    LIMIT,
    OVERHEAD,
    Costs,
    Plan,
    least_seconds,
    measure_costs,
    parse_duration,
    plan,
    seconds_trained,
    train_for,
)
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.data.sources import load_data
from convlens.errors import ConfigError, Interrupted, TrainingError
from convlens.run import Run
from convlens.screen import Screen
from convlens.training import fit as fit_module
from convlens.training.network import choose_network
from convlens.training.trainer import Trainer

QUIET = Screen(quiet=True)
CONFIG = Config().replace(
    model="custom_cnn",
    filters=(4,),
    dense=(8,),
    batch_size=32,
    augment="light",
    limit=400,
    seed=3,
    precision="float32",
)


def make(**options) -> Trainer:
    config = CONFIG.replace(**options)
    origin = choose_network(config)
    return Trainer(origin.prepare(load_data("digits"), config, None), config, origin, QUIET)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("10 min", 600),
        ("2H", 7200),
        ("1h30m", 5400),
        ("1m 30s", 90),
        ("0.5m", 30),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "m", "ten minutes", "-5m", "5m1h", "1e3s", "1.5.2m", "10x", "0s", "0m0s"]
)
def test_what_is_no_duration(text):
    with pytest.raises(ConfigError, match="a duration must be"):
        parse_duration(text)


def random_costs(count: int):
    rng = np.random.default_rng(0)
    for _ in range(count):
        step, validation, keep = (
            10 ** rng.uniform(-3, 1),
            10 ** rng.uniform(-2, 1.5),
            10 ** rng.uniform(-1.5, 0.8),
        )
        yield (
            10 ** rng.uniform(0.5, 4),
            Costs(step, validation, keep),
            int(10 ** rng.uniform(0, 3.5)),
        )


def test_a_plan_ends_within_a_tenth_of_the_time_unless_a_step_is_longer_than_that():
    tried = 0
    for seconds, costs, steps_per_pass in random_costs(2000):
        if seconds < least_seconds(costs):
            with pytest.raises(ConfigError, match="must be at least"):
                plan(seconds, costs, steps_per_pass)
            continue
        found = plan(seconds, costs, steps_per_pass)
        assert found.epochs >= 1
        assert found.steps_per_epoch >= 1
        assert found.seconds == pytest.approx(
            found.epochs * (found.steps_per_epoch * costs.step + costs.overhead)
        )
        assert found.seconds <= AIM * seconds * (1 + 1e-9)
        lost_steps = found.epochs * costs.step  # an epoch has whole steps
        assert found.seconds >= AIM * seconds - lost_steps
        if lost_steps < 0.05 * seconds:
            tried += 1
            assert 0.9 * seconds <= found.seconds <= seconds
    assert tried > 1000


def test_validating_takes_a_tenth_of_the_time_at_most_where_that_leaves_enough_epochs():
    for seconds, costs, steps_per_pass in random_costs(2000):
        if seconds < least_seconds(costs):
            continue
        found = plan(seconds, costs, steps_per_pass)
        if (
            found.epochs * costs.overhead > 1.3 * OVERHEAD * found.seconds
        ):  # rounding to whole passes and steps aside
            assert found.epochs <= 2 * EPOCHS or found.steps_per_epoch <= 1.5 * steps_per_pass


def test_plans_to_check_by_hand():
    # 57 s for 0.1 s a step: five epochs of 104 steps and 1 s are 57 s; five whole passes would be 55 s
    assert plan(60, Costs(0.1, 1.0), 100) == Plan(5, 104, pytest.approx(57.0))
    # not one pass fits: 95 s are 18 steps of 5 s and 5 s of validation
    assert plan(100, Costs(5.0, 5.0), 400) == Plan(1, 18, pytest.approx(95.0))
    # a pass of 0.1 s and 0.1 s to validate: nine passes an epoch make that a tenth
    assert plan(100, Costs(0.01, 0.1), 10).steps_per_epoch == pytest.approx(90, abs=1)


def test_a_time_too_short_for_a_step_says_how_long_it_must_be():
    with pytest.raises(
        ConfigError, match=r"at least 13 s: a step takes 2 s, and to validate and keep it 10 s"
    ):
        plan(10, Costs(2.0, 9.0, 1.0), 50)
    assert plan(least_seconds(Costs(2.0, 9.0, 1.0)), Costs(2.0, 9.0, 1.0), 50) == Plan(
        1, 1, pytest.approx(12.0)
    )


def test_measuring_times_a_step_a_validation_and_a_writing(monkeypatch):
    real = fit_module._Checkpoint.on_train_batch_end

    def slow(self, batch, logs=None):
        time.sleep(0.05)  # every step at least
        real(self, batch, logs)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", slow)
    costs = measure_costs(make(), 0.4)
    assert 0.05 < costs.step < 1
    assert 0 < costs.validation < 5
    assert 0 < costs.keep < 5
    assert measure_costs(make(val=0.0), 0.1).validation == 0


def test_a_training_that_is_slower_than_planned_ends_at_the_limit_with_its_best_epoch(tmp_path):
    trainer, run = make(epochs=100_000), Run.create(tmp_path / "run", "")
    trainer.describe_run(run)
    note = train_for(trainer, run, 1.0)
    assert "slower than measured" in note
    assert f"of {100_000} epochs" in note
    spent = seconds_trained(run)
    assert LIMIT < spent < LIMIT + 2
    best = max(run.history, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    assert run.classifier().provenance["best"]["epoch"] == best["epoch"]


def test_the_first_epoch_is_finished_however_late_it_is(tmp_path):
    trainer, run = make(epochs=3), Run.create(tmp_path / "run", "")
    trainer.describe_run(run)
    assert train_for(trainer, run, 1e-6).startswith("stopped after 1 of 3 epochs")
    assert run.classifier_path.exists()


def test_a_stopped_training_goes_on_with_the_time_that_is_left_and_the_same_bits(
    tmp_path, monkeypatch
):
    options = {"epochs": 4, "steps_per_epoch": 5}  # a pass has 8 steps

    def run_of(name: str) -> tuple[Trainer, Run]:
        trainer, run = make(**options), Run.create(tmp_path / name, "")
        trainer.describe_run(run)
        return trainer, run

    trainer, whole = run_of("whole")
    assert train_for(trainer, whole, 1000) == ""
    assert [row["epoch"] for row in whole.history] == [1, 2, 3, 4]
    trainer, stopped = run_of("stopped")
    real, steps = fit_module._Checkpoint.on_train_batch_end, iter(range(1000))

    def press(self, batch, logs=None):
        if next(steps) == 7:
            self.stop_requested = lambda: True
        real(self, batch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(fit_module._Checkpoint, "on_train_batch_end", press)
        with pytest.raises(Interrupted):
            train_for(trainer, stopped, 1000)
    first = seconds_trained(stopped)
    assert first > 0
    assert train_for(make(**options), stopped, 1000) == ""
    assert seconds_trained(stopped) > first
    pairs = zip(
        whole.classifier().model.get_weights(),
        stopped.classifier().model.get_weights(),
        strict=True,
    )
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_a_loss_that_is_not_finite_keeps_its_time(tmp_path):
    trainer, run = (
        make(epochs=2, optimizer="sgd", learning_rate=1e30),
        Run.create(tmp_path / "run", ""),
    )
    trainer.describe_run(run)
    with pytest.raises(TrainingError, match="finite"):
        train_for(trainer, run, 1000)
    assert seconds_trained(run) > 0


@pytest.mark.slow
def test_the_time_is_kept(tmp_path, monkeypatch):
    """Steps and writings that mostly sleep take the same time whatever else the machine does."""
    real, write = fit_module._Checkpoint.on_train_batch_end, Classifier.save

    def slow(self, batch, logs=None):
        time.sleep(0.2)
        real(self, batch, logs)

    def slow_save(self, path):
        time.sleep(0.1)
        write(self, path)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", slow)
    monkeypatch.setattr(Classifier, "save", slow_save)
    seconds = 20.0
    length = plan(seconds, measure_costs(make(), 2.0), make().train.steps_per_pass)
    assert length.seconds == pytest.approx(AIM * seconds, rel=0.05)
    trainer = make(epochs=length.epochs, steps_per_epoch=length.steps_per_epoch)
    run = Run.create(tmp_path / "run", "")
    trainer.describe_run(run)
    assert train_for(trainer, run, seconds) == ""
    assert 0.8 * seconds < seconds_trained(run) < LIMIT * seconds


def test_a_run_killed_after_a_resume_has_trained_for_its_epochs(tmp_path):
    run = Run.create(tmp_path / "killed", "")
    run.write("state/seconds.json", "30.0")
    row = dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"), 0.1)
    run.write_history(
        [{"epoch": epoch, "seconds": 20.0, **row} for epoch in range(1, 7)], append=False
    )
    assert seconds_trained(run) == 120
    run.write_history([], append=False)
    assert seconds_trained(run) == 30
