import dataclasses
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from convlens.assembly import assemble
from convlens.classifier import Classifier
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.sources import load_data
from convlens.errors import ConfigError, Interrupted
from convlens.preprocess import Preprocessing
from convlens.training import allot, measure
from convlens.training import trainer as trainer_module
from convlens.training.allot import train_within
from convlens.training.backbone import body_of, choose_backbone
from convlens.training.budget import Clock, Costs, Plan, measure_costs
from convlens.training.choice import (
    MOST_PASSES,
    Measured,
    choose,
    choose_tuning,
    unlike_photographs,
    upper_layers,
)
from convlens.training.course import Deadline, epochs_to_the_end, train_until
from convlens.training.network import choose_network
from convlens.training.screen import Screen
from convlens.training.train import train
from convlens.training.trainer import Trainer
from convlens.zoo.registry import build

QUIET = Screen(quiet=True)
SMALL = Config().replace(model="custom_cnn", filters=(6, 8), dense=(8,), limit=240, precision="float32")


@pytest.fixture(scope="module")
def digits():
    return load_data("digits")


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """A classifier of three other classes with random weights."""
    keras.utils.set_random_seed(0)
    seen = Preprocessing(8, 8, 1)
    model = assemble(lambda x: build("custom_cnn", x, 3, config=SMALL.model), seen, 3, "custom_cnn")
    path = tmp_path_factory.mktemp("backbone") / "trained.keras"
    Classifier.from_logits(model, ("a", "b", "c"), seen).save(path)
    return path


@pytest.fixture
def quick(monkeypatch, tmp_path):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(trainer_module, "report_run", lambda *_: None)
    monkeypatch.setattr(measure, "write_evaluation", lambda *_: None)
    monkeypatch.setattr(measure, "SPENT", 0.05)
    monkeypatch.setattr(allot, "MOST_TIMED", 0.2)


# 4,000 pictures: 8 s to decode, at 224 each 10 ms of features, 10 s for the rest: 58 s; at 96 25.3 s
PHOTOS = Measured(pictures=4000, decode=0.002, wanted=4000, feature=0.01, rest=10.0)


@pytest.mark.parametrize(
    ("seconds", "side"), [(600, 224), (62, 224), (60, 192), (45, 160), (36, 128), (27, 96), (26, None), (1, None)]
)
def test_the_largest_side_that_fits(seconds, side):
    choice = choose(PHOTOS, seconds)
    assert choice.side == side
    if side is None:
        assert choice.seconds == pytest.approx(18 + 40 * (96 / 224) ** 2)
        assert f"{seconds} s are left" in choice.reason
    else:
        assert choice.seconds == pytest.approx(18 + 40 * (side / 224) ** 2)
        assert choice.seconds <= 0.95 * seconds
        assert "4,000 pictures x" in choice.reason


def test_what_earlier_runs_have_kept_takes_no_time_at_the_own_side():
    kept = dataclasses.replace(PHOTOS, stored=True, missing=0)
    assert choose(kept, 11).side == 224
    assert "kept from an earlier run" in choose(kept, 11).reason
    assert kept.seconds() == 10
    assert kept.seconds((192 / 224) ** 2) == PHOTOS.seconds((192 / 224) ** 2)
    half = dataclasses.replace(PHOTOS, stored=True, missing=2000)
    assert half.seconds() == pytest.approx(30)


def test_a_single_side_is_taken_or_not():
    assert choose(PHOTOS, 62, [224]).side == 224
    assert choose(PHOTOS, 60, [224]).side is None


STEPS = 50  # of a pass


def test_all_layers_learn_where_that_makes_three_passes_else_the_upper_ones():
    both = [("all", Costs(1.0, 2.0, 1.0)), ("9", Costs(0.4, 2.0, 1.0))]
    found = choose_tuning(both, 600, STEPS)
    assert found.unfreeze == "all"
    assert 9 < found.plan.epochs * found.plan.steps_per_epoch / STEPS < 12
    assert "all layers" in found.reason
    found = choose_tuning(both, 130, STEPS)
    assert found.unfreeze == "9"
    assert found.plan.seconds < 130
    assert "the last 9 layers (all would make 2." in found.reason
    found = choose_tuning(both, 60, STEPS)
    assert found.plan is None
    assert "one takes 23 s, and 1 min 00 s are left" in found.reason
    assert choose_tuning(both[1:], 60, STEPS, least=1).unfreeze == "9"
    assert choose_tuning([("all", Costs(1.0, start=700.0))], 600, STEPS).plan is None


def test_more_than_thirty_passes_are_not_made():
    found = choose_tuning([("all", Costs(0.01, 0.1))], 3600, STEPS)
    passes = found.plan.epochs * found.plan.steps_per_epoch / STEPS
    assert passes == MOST_PASSES
    assert found.plan.seconds == pytest.approx(30 * 0.5 + found.plan.epochs * 0.1)
    assert "more time would bring little" in found.reason


def test_epochs_follow_the_speed():
    deadline = Deadline(0.0, slack=3.0, late=2.0, restart=1.0)
    assert epochs_to_the_end(4, 20, 2.0, 34.0, deadline) == 20  # 2 s too many are no matter
    assert epochs_to_the_end(4, 20, 1.0, 32.0, deadline) == 36
    assert epochs_to_the_end(4, 20, 4.0, 32.0, deadline) == 12
    assert epochs_to_the_end(4, 20, 100.0, 32.0, deadline) == 5  # which the limit will stop
    assert epochs_to_the_end(4, 20, 1.0, 32.0, dataclasses.replace(deadline, most=24)) == 24
    assert epochs_to_the_end(1, 3, 17.0, 30.0, deadline) == 3  # one epoch would miss the end by more than two


class FakeTrainer:
    """Takes given seconds a step; asks whether to stop as `fit` does; ends its epochs in a history."""

    def __init__(self, step, folder):
        self.step, self.screen, self.history, self.lengths = step, QUIET, [], []
        folder.mkdir()
        self.path = folder / "classifier.keras"

    def set_length(self, epochs, steps):
        self.epochs, self.steps = epochs, steps
        self.lengths.append(epochs)

    def run(self, run, stop):
        while len(self.history) < self.epochs:
            for number in range(self.steps):
                time.sleep(self.step(len(self.history)))
                if number == self.steps - 1:
                    self.history.append({})
                    self.path.touch()
                if stop() and len(self.history) < self.epochs:
                    raise Interrupted("stopped")


def until(tmp_path, step, *, plan, seconds, slack=0.05):
    trainer = FakeTrainer(step, tmp_path / "run")
    run = SimpleNamespace(history=trainer.history, classifier_path=trainer.path)
    began = time.monotonic()
    note = train_until(trainer, run, plan, Deadline(began + seconds, slack, 0.1), lambda: None)
    return trainer, note, time.monotonic() - began


def test_a_training_as_quick_as_measured_is_not_planned_anew(tmp_path):
    trainer, note, _ = until(tmp_path, lambda _: 0.01, plan=Plan(10, 5, 0.5), seconds=0.54, slack=0.4)
    assert trainer.lengths == [10]
    assert note == ""


@pytest.mark.parametrize(("step", "fewer"), [(0.02, True), (0.005, False)])
def test_a_training_that_turns_out_slower_or_quicker_ends_in_time(tmp_path, step, fewer):
    trainer, note, seconds = until(tmp_path, lambda _: step, plan=Plan(20, 5, 1.0), seconds=1.0)
    assert len(trainer.lengths) > 1
    assert (len(trainer.history) < 20) == fewer
    assert note == ""
    assert seconds == pytest.approx(1.0, abs=0.2)


def test_a_training_that_is_late_is_stopped(tmp_path):
    _, note, seconds = until(tmp_path, lambda done: 0.01 if done < 3 else 0.1, plan=Plan(4, 5, 0.2), seconds=0.2)
    assert "stopped after 3 of 4 epochs" in note
    assert 0.3 <= seconds < 0.6


def test_ctrl_c_goes_through(tmp_path):
    def step(done):
        if done == 2:
            raise Interrupted("by the user")
        return 0.001

    with pytest.raises(Interrupted, match="by the user"):
        until(tmp_path, step, plan=Plan(10, 2, 1.0), seconds=1.0)


def pictures(shape) -> Dataset:
    return Dataset("made", "an array", np.zeros(shape, np.uint8), np.zeros(shape[0], np.int64), ("a",))


@pytest.mark.parametrize(
    ("shape", "knobs", "why"),
    [
        ((2, 100, 120, 3), {}, ""),
        ((2, 100, 120), {}, "grey"),
        ((2, 100, 120), {"channels": "rgb"}, ""),
        ((2, 100, 120, 3), {"channels": "grey"}, "grey"),
        ((2, 32, 32, 3), {}, "32 x 32 are too small"),
        ((2, 100, 120, 3), {"size": "64"}, "--size 64"),
    ],
)
def test_which_pictures_a_backbone_is_for(shape, knobs, why):
    found = unlike_photographs(pictures(shape), Config().replace(**knobs))
    assert (why in found) if why else found == ""


def test_upper_layers_lie_on_the_smallest_map(digits, backbone):
    config = SMALL.replace(backbone=str(backbone))
    origin = choose_backbone(config)
    body = body_of(origin.assemble(origin.prepare(digits, config, None), config))
    able = [layer.name for layer in body.layers if layer.weights]
    assert len(able) == 2  # a convolution on 8 x 8, one on 4 x 4
    assert upper_layers(body) == "1"


def test_a_clock_says_how_much_time_is_needed():
    clock = Clock(20.0, began=time.time() - 15)
    assert clock.left == pytest.approx(5, abs=0.5)
    clock.require(4.0, "that")
    with pytest.raises(ConfigError, match=r"about 1 min 10 s at least for one pass: 15 s .* 50 s from .* found 20 s"):
        clock.require(50.0, "one pass")


def test_measuring_leaves_the_network_as_it_was(digits):
    origin = choose_network(SMALL)
    trainer = Trainer(origin.prepare(digits, SMALL, None), SMALL, origin, QUIET)
    before, steps = trainer.model.get_weights(), trainer.train.steps
    costs = measure_costs(trainer, 0.1)
    assert costs.start > 0
    assert trainer.train.steps == steps
    assert all(np.array_equal(a, b) for a, b in zip(before, trainer.model.get_weights(), strict=True))


def test_from_scratch_as_planned(digits, tmp_path, monkeypatch, quick):
    """Costs that are not true make a plan that can be checked by hand: 95 % of what is left are two passes."""
    monkeypatch.setattr(allot, "measure_costs", lambda *_: Costs(100.0))
    monkeypatch.setattr(allot, "rehearse_ending", lambda *_: (5.0, 0.1))
    run = train_within(digits, SMALL, 640.0, chosen=True, run=tmp_path / "run", screen=QUIET)
    assert len(run.history) == run.config.training.epochs == 2
    assert run.config.training.steps_per_epoch == 3
    assert run.data["budget"] == 640.0


def test_a_time_too_short_names_the_least(digits, backbone, tmp_path, monkeypatch, quick):
    monkeypatch.setattr(allot, "measure_costs", lambda *_: Costs(10.0, 6.0))
    monkeypatch.setattr(allot, "rehearse_ending", lambda *_: (5.0, 0.1))
    with pytest.raises(ConfigError, match=r"--budget must be about 4\d s at least for one pass .* found 20 s"):
        train_within(digits, SMALL, 20.0, chosen=True, run=tmp_path / "run", screen=QUIET)
    with pytest.raises(ConfigError, match=r"--budget must be .* at least for a head on .*trained.keras: "):
        train_within(digits, SMALL.replace(backbone=str(backbone)), 0.01, run=tmp_path / "run", screen=QUIET)
    assert not (tmp_path / "run").exists()


def test_ctrl_c_while_measuring(digits, tmp_path, monkeypatch, quick):
    def pressed(*_):
        raise Interrupted("To go on: a run that is not kept")

    monkeypatch.setattr(allot, "measure_costs", pressed)
    with pytest.raises(Interrupted, match="Nothing was trained yet"):
        train_within(digits, SMALL, 60.0, chosen=True, run=tmp_path / "run", screen=QUIET)


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
    def pressed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(allot, "rehearse_ending", pressed)
    config = SMALL.replace(backbone=str(backbone), pooling="none")
    with pytest.raises(Interrupted, match=r"holds the best epoch so far. To go on: convlens train --run .* --resume"):
        train_within(digits, config, 300.0, run=tmp_path / "run", screen=QUIET)
    run = train(digits, run=tmp_path / "run", resume=True, screen=QUIET)
    assert run.config.transfer.unfreeze is None


def test_a_pattern_that_fits_no_layer_is_refused_before_anything_is_trained(digits, backbone, tmp_path, quick):
    config = SMALL.replace(backbone=str(backbone), unfreeze="block9*")
    with pytest.raises(ConfigError, match="must match layers with weights"):
        train_within(digits, config, 300.0, run=tmp_path / "run", screen=QUIET)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_twenty_seconds_are_kept_to(tmp_path):
    began = time.time()
    config = Config().replace(model="custom_cnn")
    run = train_within(load_data("mnist5k"), config, 20.0, chosen=True, run=tmp_path / "run", screen=QUIET, began=began)
    assert time.time() - began == pytest.approx(20.0, rel=0.1)
    assert run.report["metrics"]["accuracy"]["value"] > 0.9
