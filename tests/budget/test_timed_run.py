"""What every training with a time budget does."""

import pytest

from convlens.budget import timed_run
from convlens.budget.deadline import Clock
from convlens.budget.plan import Plan
from convlens.budget.timed_run import TimedRun
from convlens.errors import Interrupted
from convlens.training.network import choose_network
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer
from tests.budget.conftest import QUIET, SMALL


@pytest.fixture
def timed(digits, quick):
    return TimedRun(digits, SMALL, Clock(300.0), QUIET, frozenset())


@pytest.fixture
def trainer(digits):
    origin = choose_network(SMALL)
    return Trainer(Setup.create(origin.prepare(digits, SMALL, None), SMALL, origin), QUIET)


def test_what_a_stopped_run_has_kept(timed, trainer, tmp_path):
    assert timed.how_to_go_on() == "Nothing was trained yet; give the same command again."
    run = timed.begin(trainer.setup, tmp_path / "run")
    assert run.data["budget"] == 300.0
    assert timed.how_to_go_on().endswith(f"convlens train --run {tmp_path / 'run'} --resume")
    timed.head_alone = True
    assert timed.how_to_go_on().endswith("--resume (it ends with the head alone: whether its "
                                         "layers learn was not chosen yet)")  # fmt: skip


@pytest.mark.parametrize(("left", "seconds"), [(10.0, 2.0), (200.0, 6.0), (3600.0, 15.0)])
def test_steps_are_timed_for_a_share_of_what_is_left(timed, monkeypatch, left, seconds):
    monkeypatch.setattr(timed_run, "MOST_TIMED", 15.0)
    monkeypatch.setattr(timed_run, "measure_costs", lambda trainer, seconds: seconds)
    timed.clock.seconds = left
    assert timed.measure(None) == pytest.approx(seconds)


def test_ctrl_c_while_measuring_does_not_name_a_run_that_is_not_kept(timed, monkeypatch):
    def stopped(*_):
        raise Interrupted("To go on: a run that is not kept")

    monkeypatch.setattr(timed_run, "measure_costs", stopped)
    with pytest.raises(KeyboardInterrupt):
        timed.measure(None)


def test_a_training_has_the_planned_length_and_records_it(timed, trainer, tmp_path):
    run = timed.begin(trainer.setup, tmp_path / "run")
    timed.train(trainer, run, Plan(2, 3, 100.0), start=1.0)
    assert [row["epoch"] for row in run.history] == [1, 2]
    assert (run.config.training.epochs, run.config.training.steps_per_epoch) == (2, 3)
    assert run.data["budget"] == 300.0
