import time
from dataclasses import asdict

import numpy as np
import pytest

from convlens.budget import measure
from convlens.budget import train_within as allot
from convlens.budget.choose import MOST_PASSES
from convlens.budget.plan import Clock, Costs, measure_costs
from convlens.budget.train_within import train_within
from convlens.classifier.classifier import Classifier
from convlens.config import LEARNING_RATES, Config
from convlens.data.sources import load_data
from convlens.errors import ConfigError, Interrupted
from convlens.pipeline import train
from convlens.screen import Screen
from convlens.training import trainer as trainer_module
from convlens.training.network import choose_network
from convlens.training.trainer import Trainer
from convlens.transfer.features import FeatureCache
from convlens.transfer.stages import LOWER

QUIET = Screen(quiet=True)
SMALL = Config().replace(
    model="custom_cnn", filters=(6, 8), dense=(8,), limit=240, precision="float32"
)
MODEL = frozenset({"model"})


@pytest.fixture
def quick(monkeypatch, tmp_path):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(trainer_module, "report_run", lambda *_: None)
    monkeypatch.setattr(measure, "write_evaluation", lambda *_: None)
    monkeypatch.setattr(measure, "SPENT", 0.05)
    monkeypatch.setattr(allot, "MOST_TIMED", 0.2)


def test_a_clock_says_how_much_time_is_needed():
    clock = Clock(20.0, began=time.time() - 15)
    assert clock.left == pytest.approx(5, abs=0.5)
    clock.require(4.0, "that")
    with pytest.raises(
        ConfigError,
        match=r"about 1 min 10 s at least for one pass: 15 s .* 50 s from .* found 20 s",
    ):
        clock.require(50.0, "one pass")


def test_measuring_leaves_the_network_as_it_was(digits):
    origin = choose_network(SMALL)
    trainer = Trainer(origin.prepare(digits, SMALL, None), SMALL, origin, QUIET)
    before, steps = trainer.model.get_weights(), trainer.train.steps
    costs = measure_costs(trainer, 0.1)
    assert costs.start > 0
    assert trainer.train.steps == steps
    assert all(
        np.array_equal(a, b) for a, b in zip(before, trainer.model.get_weights(), strict=True)
    )


def test_from_scratch_as_planned(digits, tmp_path, monkeypatch, quick):
    """Costs that are not true make a plan that can be checked by hand: 95 % of what is left are two passes."""
    monkeypatch.setattr(allot, "measure_costs", lambda *_: Costs(100.0))
    monkeypatch.setattr(allot, "rehearse_ending", lambda *_: (5.0, 0.1))
    run = train_within(digits, SMALL, 640.0, given=MODEL, run=tmp_path / "run", screen=QUIET)
    assert len(run.history) == run.config.training.epochs == 2
    assert run.config.training.steps_per_epoch == 3
    assert run.data["budget"] == 640.0


def test_a_time_too_short_names_the_least(digits, backbone, tmp_path, monkeypatch, quick):
    monkeypatch.setattr(allot, "measure_costs", lambda *_: Costs(10.0, 6.0))
    monkeypatch.setattr(allot, "rehearse_ending", lambda *_: (5.0, 0.1))
    with pytest.raises(
        ConfigError, match=r"--budget must be about 4\d s at least for one pass .* found 20 s"
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

    monkeypatch.setattr(allot, "measure_costs", pressed)
    with pytest.raises(Interrupted, match="Nothing was trained yet"):
        train_within(digits, SMALL, 60.0, given=MODEL, run=tmp_path / "run", screen=QUIET)


def test_a_backbone_learns_on_in_what_is_left(digits, backbone, tmp_path, quick):
    config = SMALL.replace(backbone=str(backbone), pooling="none")
    began = time.monotonic()
    run = train_within(digits, config, 300.0, run=tmp_path / "run", screen=QUIET)
    assert time.monotonic() - began < 150  # thirty passes take seconds: more would bring little
    settings = run.config
    assert settings.transfer.unfreeze == "all"
    assert settings.training.epochs * settings.training.steps_per_epoch <= 5 * MOST_PASSES
    assert len(run.history) == settings.training.epochs
    assert (run.folder / "regularisation.csv").exists()
    assert run.classifier_path.exists()


def test_a_frozen_backbone_can_be_resumed_where_it_was_stopped_before_fine_tuning(
    digits, backbone, tmp_path, monkeypatch, quick
):
    monkeypatch.setattr(allot, "rehearse_ending", pressed)
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
    assert settings.training.learning_rate == LOWER * LEARNING_RATES["adamw"]


def test_layers_that_do_not_fit_into_the_time_are_frozen_in_the_run_too(
    digits, backbone, tmp_path, monkeypatch, quick
):
    monkeypatch.setattr(allot, "measure_costs", lambda *_: Costs(1e6))
    config = SMALL.replace(backbone=str(backbone), pooling="none", unfreeze="all")
    run = train_within(digits, config, 300.0, run=tmp_path / "run", screen=QUIET)
    assert run.config.transfer.unfreeze is None
    assert run.history == []


def test_what_the_user_has_set_is_kept_where_layers_learn(digits, backbone):
    config = SMALL.replace(backbone=str(backbone), augment="none", batch_size=64)
    frozen = config.replace(backbone=str(backbone))

    def thawed(*given):
        return allot._Allotment(digits, config, Clock(60), QUIET, frozenset(given))._thawed(
            frozen, "2"
        )

    assert thawed("augment", "batch_size", "limit").augment.augment == "none"
    assert thawed("augment", "batch_size", "limit").training.batch_size == 64
    assert (thawed().augment.augment, thawed().training.batch_size) == ("light", 32)
    assert thawed("batch_size").augment.augment == "light"
    assert thawed().transfer.unfreeze == "2"


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


@pytest.mark.slow
def test_twenty_seconds_are_kept_to(tmp_path):
    began = time.time()
    config = Config().replace(model="custom_cnn")
    run = train_within(
        load_data("mnist5k"),
        config,
        20.0,
        given=MODEL,
        run=tmp_path / "run",
        screen=QUIET,
        began=began,
    )
    assert time.time() - began == pytest.approx(20.0, rel=0.1)
    assert run.report["metrics"]["accuracy"]["value"] > 0.9
