"""A training runs its stages in order and lets the last one score."""

import pytest

from convlens.run import Run
from convlens.training import training as training_module
from convlens.training.checkpoint import State
from convlens.training.training import Training
from tests.trainings import QUIET, recording


class Stage:
    """A stage that notes what it is asked."""

    def __init__(self, name, log):
        self.name = name
        self.log = log

    def facts(self):
        return {"recipe": self.name}

    def costs(self):
        return [("time", f"an hour for {self.name}")]

    def run(self, run, *, stop_requested, on_epoch):
        self.log.append((self.name, stop_requested(), on_epoch))
        return State(epoch=len(self.log))

    @property
    def predict(self):
        return f"prediction of {self.name}"

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
    def on_epoch(row, best):
        """Do nothing."""

    state = training.run(Run(tmp_path), stop_requested=lambda: True, on_epoch=on_epoch)
    assert log == [("head", True, on_epoch), ("layers", True, on_epoch)]
    assert state.epoch == 2


def test_the_last_stage_predicts_and_scores(training, log, tmp_path, monkeypatch):
    class Finished:
        def __init__(self, *args, predict):
            self.classifier = (*args, predict)

    monkeypatch.setattr(training_module, "finish", Finished)
    assert training.predict == "prediction of layers"
    run = Run(tmp_path)
    assert training.finish(run) == (run, "images", QUIET, "scores of layers")
    assert log == [("layers", "scores")]
