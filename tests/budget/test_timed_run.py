"""What every training with a time budget does, and a head on a frozen backbone within it."""

from dataclasses import replace

import pytest

from convlens.budget import timed_run
from convlens.budget.choose import MOST_PASSES
from convlens.budget.deadline import Clock
from convlens.budget.plan import Costs, Plan
from convlens.budget.timed_run import TimedRun
from convlens.budget.train_within import train_within
from convlens.config import LEARNING_RATES
from convlens.errors import Interrupted
from convlens.pipeline import train
from convlens.screen import Screen
from convlens.training.network import choose_network
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer
from convlens.transfer.feature_cache import FeatureCache
from tests.budget.conftest import QUIET, SMALL
from tests.trainings import recording


@pytest.fixture
def timed(digits, quick):
    return TimedRun(digits, SMALL, Clock(300.0), QUIET)


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
    assert timed.how_to_go_on().endswith("--resume (it will train the head alone: which "
                                         "layers to fine-tune was not decided yet)")  # fmt: skip


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


def pressed(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.slow
def test_a_backbone_learns_on_in_what_is_left(digits, backbone, tmp_path, capsys, quick):
    config = SMALL.replace(backbone=str(backbone), pooling="none")
    run = train_within(digits, config, 300.0, run=tmp_path / "run", screen=Screen())
    assert "more time would bring little" in capsys.readouterr().out  # thirty passes take seconds
    settings = run.config
    assert settings.transfer.unfreeze == "all"
    assert settings.training.epochs * settings.training.steps_per_epoch <= 5 * MOST_PASSES
    assert len(run.history) == settings.training.epochs
    assert (run.folder / "regularisation.csv").exists()
    assert run.classifier_path.exists()


@pytest.mark.slow
def test_a_frozen_backbone_can_be_resumed_where_it_was_stopped_before_fine_tuning(
    digits, backbone, tmp_path, monkeypatch, quick
):
    monkeypatch.setattr(timed_run, "rehearse_ending", pressed)
    config = SMALL.replace(backbone=str(backbone), pooling="none")
    with pytest.raises(
        Interrupted,
        match=r"holds the classifier so far.* --run .* --resume \(it will train the head alone",
    ):
        train_within(digits, config, 300.0, run=tmp_path / "run", screen=QUIET)
    run = train(digits, run=tmp_path / "run", resume=True, screen=QUIET)
    assert run.config.transfer.unfreeze is None


@pytest.mark.slow
def test_layers_that_the_user_named_learn_in_a_resume_too(
    digits, backbone, tmp_path, monkeypatch, quick
):
    config = SMALL.replace(
        backbone=str(backbone), pooling="none", unfreeze="all", gradual=True, batch_size=48
    )
    with monkeypatch.context() as patch:
        patch.setattr(FeatureCache, "compute", pressed)
        with pytest.raises(Interrupted, match=r"--resume$"):
            train_within(digits, config, 300.0, run=tmp_path / "run", screen=QUIET)
    run = train(digits, run=tmp_path / "run", resume=True, screen=QUIET)
    settings = run.config
    assert (
        settings.transfer.unfreeze,
        settings.transfer.gradual,
        settings.training.batch_size,
    ) == ("all", True, 48)
    assert len(run.history) == settings.training.epochs == 5
    assert settings.training.learning_rate == 0.1 * LEARNING_RATES["momentum"]


def test_layers_that_do_not_fit_into_the_time_are_frozen_in_the_run_too(
    digits, backbone, tmp_path, monkeypatch, quick
):
    monkeypatch.setattr(timed_run, "measure_costs", lambda *_: Costs(1e6))
    config = SMALL.replace(backbone=str(backbone), pooling="none", unfreeze="all", snapshots=3)
    screen, text = recording()
    run = train_within(digits, config, 300.0, run=tmp_path / "run", screen=screen)
    assert run.config.transfer.unfreeze is None
    assert run.history == []
    assert "--snapshots has kept nothing" in text.getvalue()
    again = train(digits, run=run.folder, resume=True, screen=QUIET)  # is not refused for them
    assert again.config.training.snapshots == 0


def test_what_the_user_has_set_is_kept_where_layers_learn(digits, backbone):
    config = SMALL.replace(backbone=str(backbone), augment="none", batch_size=64)
    frozen = config.replace(backbone=str(backbone))

    def fine_tuned(*given):
        asked = replace(config, given=frozenset(given))
        timed = TimedRun(digits, asked, Clock(60), QUIET)
        return timed_run._fine_tuned(timed, frozen, "2")

    assert fine_tuned("augment", "batch_size", "limit").augment.augment == "none"
    assert fine_tuned("augment", "batch_size", "limit").training.batch_size == 64
    assert (fine_tuned().augment.augment, fine_tuned().training.batch_size) == ("light", 32)
    assert fine_tuned("batch_size").augment.augment == "light"
    assert fine_tuned().transfer.unfreeze == "2"
