"""The stages of a training run in order; the trainer keeps the best epoch and ends at Ctrl-C."""

import os
import signal

import numpy as np
import pytest

from convlens.config import Config
from convlens.errors import Interrupted
from convlens.pipeline import open_trainer, prepare_images, train
from convlens.run import Run
from convlens.training import fit as fit_module
from convlens.training import step_time
from convlens.training import trainer as trainer_module
from convlens.training.checkpoint import State
from convlens.training.network import choose_network
from convlens.training.trainer import Training
from tests.trainings import CONFIG, QUIET, columns, recording, same_weights

pytestmark = pytest.mark.usefixtures("no_charts")


def test_the_classifier_is_the_best_epoch(finished_run, digits):
    best = max(finished_run.history, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    assert finished_run.classifier().provenance["best"]["epoch"] == best["epoch"]
    val = np.array(finished_run.data["splits"]["val"])
    predicted = (
        finished_run.classifier().probabilities(digits.images[..., None], indices=val).argmax(1)
    )
    assert (predicted == digits.labels[val]).mean() == pytest.approx(best["val_accuracy"], abs=1e-6)


def test_one_seed_gives_the_same_bits(finished_run, digits, tmp_path):
    again = train(digits, CONFIG, run=tmp_path / "again", screen=QUIET)
    assert columns(again) == columns(finished_run)
    assert same_weights(again, finished_run)


def test_ctrl_c_keeps_the_best_and_says_how_to_go_on(digits, tmp_path, monkeypatch):
    real = fit_module._Checkpoint.on_train_batch_end

    def press(self, batch, logs=None):
        if self.state.epoch == 1 and batch == 2:
            os.kill(os.getpid(), signal.SIGINT)
        real(self, batch, logs)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", press)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match=r"in epoch 2 after step 3 of .*holds the best.*--resume"):
        train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)
    assert signal.getsignal(signal.SIGINT) is before
    assert len(Run(tmp_path / "run").history) == 1
    Run(tmp_path / "run").classifier()


@pytest.mark.slow
def test_small_resnet_in_bfloat16_repeats_its_bits(digits, tmp_path):
    config = Config().replace(epochs=2, limit=300, precision="bfloat16")
    one, two = (train(digits, config, run=tmp_path / name, screen=QUIET) for name in ("one", "two"))
    assert one.report["precision"] == "bfloat16"
    assert columns(one) == columns(two)
    assert same_weights(one, two)
    assert {layer.dtype_policy.name for layer in one.classifier().model.layers} == {"float32"}


def test_no_more_steps_are_measured_than_asked_for(digits, monkeypatch):
    real = step_time._Clock.on_train_batch_end
    ends = []

    def note(self, batch, logs=None):
        real(self, batch, logs)
        ends.append(batch)

    monkeypatch.setattr(step_time._Clock, "on_train_batch_end", note)
    monkeypatch.setattr(trainer_module, "FEWEST_MEASURED", 3)
    prepared = prepare_images(choose_network(CONFIG), digits, CONFIG, QUIET)
    trainer = open_trainer(prepared, CONFIG, QUIET)
    before = trainer.model.get_weights()
    step_time.step_seconds(trainer.model, trainer.train, budget=1e9, most=2)
    assert ends == [0, 1, 2]  # the first one compiles
    ends.clear()
    trainer.costs()
    assert len(ends) <= 4 < trainer.train.steps
    assert all(map(np.array_equal, before, trainer.model.get_weights()))


def test_an_epoch_of_one_step_is_not_measured_while_the_engine_compiles(digits, monkeypatch):
    clocks = []
    real = step_time._Clock

    def note(*limits):
        clocks.append(real(*limits))
        return clocks[-1]

    monkeypatch.setattr(step_time, "_Clock", note)
    config = CONFIG.replace(batch_size=len(digits.labels))
    prepared = prepare_images(choose_network(config), digits, config, QUIET)
    trainer = open_trainer(prepared, config, QUIET)
    assert trainer.train.steps == 1
    found = step_time.step_seconds(trainer.model, trainer.train)
    first, second = clocks[0].seconds
    assert found == second < first


class Stage:
    """A stage that notes what it is asked."""

    def __init__(self, name, log):
        self.name = name
        self.log = log

    def facts(self):
        return {"recipe": self.name}

    def costs(self):
        return [("time", f"an hour for {self.name}")]

    def run(self, run):
        self.log.append((self.name, run))
        return State(epoch=len(self.log))

    def prepare_scores(self, run):
        self.log.append((self.name, "scores"))
        return f"scores of {self.name}"


class Setup:
    prepared = "images"

    def facts(self):
        return {"images": "9 digits", "recipe": "of the setup"}

    def notes(self):
        return ["a note"]


@pytest.fixture
def log():
    return []


@pytest.fixture
def training(log):
    return Training(Setup(), [Stage("head", log), Stage("layers", log)], QUIET)


def test_the_facts_of_a_stage_replace_those_of_the_setup(training, tmp_path):
    screen, text = recording()
    training.announce(Run(tmp_path), screen=screen)
    lines = [line.split(maxsplit=1) for line in text.getvalue().splitlines() if line.strip()]
    assert lines[:4] == [
        ["images", "9 digits"],
        ["recipe", "layers"],
        ["time", "an hour for head"],
        ["time", "an hour for layers"],
    ]
    assert lines[4] == ["run", str(tmp_path)]
    assert "a note" in text.getvalue()


def test_given_costs_are_not_measured(training, tmp_path):
    screen, text = recording()
    training.announce(Run(tmp_path), costs=[("time", "a minute")], screen=screen)
    assert "a minute" in text.getvalue()
    assert "an hour" not in text.getvalue()


def test_the_stages_run_in_order_and_the_last_state_counts(training, log, tmp_path):
    run = Run(tmp_path)
    state = training.run(run)
    assert log == [("head", run), ("layers", run)]
    assert state.epoch == 2


def test_the_last_stage_scores(training, log, tmp_path, monkeypatch):
    def finish(*args, predict, explain):
        assert explain
        return (*args, predict), "the scores"

    monkeypatch.setattr(trainer_module, "finish", finish)
    run = Run(tmp_path)
    assert training.finish(run) == (run, "images", QUIET, "scores of layers")
    assert log == [("layers", "scores")]
