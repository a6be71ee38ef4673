from dataclasses import asdict
from types import SimpleNamespace

import keras
import pytest

from convlens.budget import backbone as backbone_module
from convlens.budget import deadline, measure, timed_run
from convlens.budget import train_within as module
from convlens.budget.choose import MOST_PASSES
from convlens.budget.deadline import Clock
from convlens.budget.plan import Costs
from convlens.budget.timed_run import TimedRun
from convlens.budget.train_within import train_within
from convlens.classifier.classifier import Classifier
from convlens.config import LEARNING_RATES, Config
from convlens.errors import ConfigError, Interrupted
from convlens.pipeline import train
from convlens.report import finish
from convlens.screen import Screen
from convlens.training import fit as fit_module
from convlens.training.network import choose_network
from convlens.transfer.features import FeatureCache

QUIET = Screen(quiet=True)
SMALL = Config().replace(
    model="custom_cnn", filters=(6, 8), dense=(8,), limit=240, precision="float32"
)
MODEL = frozenset({"model"})


@pytest.fixture
def quick(monkeypatch, tmp_path):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(finish, "report_run", lambda *_: None)
    monkeypatch.setattr(measure, "write_evaluation", lambda *_: None)
    monkeypatch.setattr(measure, "SPENT", 0.05)
    monkeypatch.setattr(timed_run, "MOST_TIMED", 0.2)
    # The clock of the deadline stands still, so that what fits does not depend on the machine.
    still = SimpleNamespace(monotonic=lambda: 50.0, time=lambda: 50.0)
    monkeypatch.setattr(deadline, "time", still)


def test_from_scratch_as_planned(digits, tmp_path, monkeypatch, quick):
    """With made-up costs the plan can be checked by hand: 95 % of what is left are two passes."""
    monkeypatch.setattr(timed_run, "measure_costs", lambda *_: Costs(100.0))
    monkeypatch.setattr(module, "rehearse_ending", lambda *_: (5.0, 0.1))
    run = train_within(digits, SMALL, 640.0, given=MODEL, run=tmp_path / "run", screen=QUIET)
    assert len(run.history) == run.config.training.epochs == 2
    assert run.config.training.steps_per_epoch == 3
    assert run.data["budget"] == 640.0


def test_a_time_too_short_names_the_least(digits, backbone, tmp_path, monkeypatch, quick):
    monkeypatch.setattr(timed_run, "measure_costs", lambda *_: Costs(10.0, 6.0))
    monkeypatch.setattr(module, "rehearse_ending", lambda *_: (5.0, 0.1))
    with pytest.raises(
        ConfigError, match=r"--budget must be about 47 s at least for one pass .* found 20 s"
    ):
        train_within(digits, SMALL, 20.0, given=MODEL, run=tmp_path / "run", screen=QUIET)
    with pytest.raises(
        ConfigError, match=r"--budget must be .* at least for a head on .*trained.keras: "
    ):
        train_within(
            digits, SMALL.replace(backbone=str(backbone)), 0.01, run=tmp_path / "run", screen=QUIET
        )
    assert not (tmp_path / "run").exists()


def test_ctrl_c_while_measuring(digits, tmp_path, monkeypatch, quick):
    def pressed(*_):
        raise Interrupted("To go on: a run that is not kept")

    monkeypatch.setattr(timed_run, "measure_costs", pressed)
    with pytest.raises(Interrupted, match="Nothing was trained yet"):
        train_within(digits, SMALL, 60.0, given=MODEL, run=tmp_path / "run", screen=QUIET)


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


def test_a_frozen_backbone_can_be_resumed_where_it_was_stopped_before_fine_tuning(
    digits, backbone, tmp_path, monkeypatch, quick
):
    monkeypatch.setattr(backbone_module, "rehearse_ending", pressed)
    config = SMALL.replace(backbone=str(backbone), pooling="none")
    with pytest.raises(
        Interrupted,
        match=r"holds the best epoch .* convlens train --run .* --resume \(it ends with .* alone",
    ):
        train_within(digits, config, 300.0, run=tmp_path / "run", screen=QUIET)
    run = train(digits, run=tmp_path / "run", resume=True, screen=QUIET)
    assert run.config.transfer.unfreeze is None


def test_a_pattern_that_fits_no_layer_is_refused_before_anything_is_trained(
    digits, backbone, tmp_path, quick
):
    config = SMALL.replace(backbone=str(backbone), unfreeze="block9*")
    with pytest.raises(ConfigError, match="must match layers with weights"):
        train_within(digits, config, 300.0, run=tmp_path / "run", screen=QUIET)
    assert not (tmp_path / "run").exists()


def pressed(*_, **__):
    raise KeyboardInterrupt


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
    assert settings.training.learning_rate == 0.1 * LEARNING_RATES["adamw"]


def test_layers_that_do_not_fit_into_the_time_are_frozen_in_the_run_too(
    digits, backbone, tmp_path, monkeypatch, quick
):
    monkeypatch.setattr(timed_run, "measure_costs", lambda *_: Costs(1e6))
    config = SMALL.replace(backbone=str(backbone), pooling="none", unfreeze="all")
    run = train_within(digits, config, 300.0, run=tmp_path / "run", screen=QUIET)
    assert run.config.transfer.unfreeze is None
    assert run.history == []


def test_what_the_user_has_set_is_kept_where_layers_learn(digits, backbone):
    config = SMALL.replace(backbone=str(backbone), augment="none", batch_size=64)
    frozen = config.replace(backbone=str(backbone))

    def fine_tuned(*given):
        timed = TimedRun(digits, config, Clock(60), QUIET, frozenset(given))
        return backbone_module._fine_tuned(timed, frozen, "2")

    assert fine_tuned("augment", "batch_size", "limit").augment.augment == "none"
    assert fine_tuned("augment", "batch_size", "limit").training.batch_size == 64
    assert (fine_tuned().augment.augment, fine_tuned().training.batch_size) == ("light", 32)
    assert fine_tuned("batch_size").augment.augment == "light"
    assert fine_tuned().transfer.unfreeze == "2"


def test_a_backbone_that_learned_from_test_images_is_refused(digits, backbone, tmp_path, quick):
    config = SMALL.replace(backbone=str(backbone))
    own, path = Classifier.load(backbone), tmp_path / "own.keras"
    prepared = choose_network(SMALL).prepare(digits, SMALL, None)
    own.provenance = {"data": prepared.summary(), "config": asdict(config)}
    own.save(path)
    with pytest.raises(ConfigError, match="--seed must be as in the first training"):
        train_within(
            digits,
            config.replace(backbone=str(path), seed=1),
            300.0,
            run=tmp_path / "run",
            screen=QUIET,
        )
    assert not (tmp_path / "run").exists()


def test_a_head_with_hidden_layers_is_refused(digits, backbone):
    with pytest.raises(ConfigError, match="--budget and --head exclude each other"):
        train_within(digits, SMALL.replace(backbone=str(backbone), head=(16,)), 300.0, screen=QUIET)


class Made:
    """A clock that only work turns: each step, validation batch, prediction and file costs time."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        for place in (deadline, measure):
            patched = SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now)
            monkeypatch.setattr(place, "time", patched)
        work = [
            (fit_module._Checkpoint, "on_train_batch_end", lambda *_, **__: 0.05),
            (keras.Model, "evaluate", lambda _, x, steps=None, **__: 0.01 * (steps or x.steps)),
            (Classifier, "save", lambda *_, **__: 0.1),
            (
                Classifier,
                "probabilities",
                lambda _, images, indices=None, **__: (
                    0.001 * len(images if indices is None else indices)
                ),
            ),
            (measure, "write_evaluation", lambda *_: 1.0),
            (finish, "write_evaluation", lambda *_: 1.0),
        ]
        for place, name, seconds in work:
            monkeypatch.setattr(place, name, self.timed(getattr(place, name), seconds))

    def timed(self, function, seconds):
        def call(*args, **options):
            self.now += seconds(*args, **options)
            return function(*args, **options)

        return call


@pytest.mark.slow
def test_twenty_seconds_are_kept_to(digits, tmp_path, monkeypatch):
    clock = Made(monkeypatch)
    began = clock.now
    clock.now += 3  # for starting
    run = train_within(
        digits,
        Config().replace(model="custom_cnn"),
        20.0,
        given=MODEL,
        run=tmp_path / "run",
        screen=QUIET,
        began=began,
    )
    assert clock.now - began == pytest.approx(20.0, rel=0.1)
    assert run.report["metrics"]["accuracy"]["value"] > 0.9
