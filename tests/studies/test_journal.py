"""The folder of a search, Optuna's journal in it, and the draws.

What is drawn follows from the seed, the trial and the name of the setting.
"""

import json
import os

import optuna
import pytest
from optuna.trial import TrialState

from convlens.config import LEARNING_RATES, Config
from convlens.errors import RunError
from convlens.studies.journal import (
    JOURNAL,
    RATES,
    Search,
    SeededSampler,
    rate_follows_optimizer,
    suggest,
    varied_fields,
)
from convlens.studies.space import Choices, default_space


def search_of(folder, *values, seconds=1.0):
    """Return a search whose trials have these values; None is a trial that failed."""
    found = Search.open(folder, seed=0)
    for value in values:
        trial = found.study.ask()
        trial.set_user_attr("seconds", seconds)
        if value is None:
            found.study.tell(trial, state=TrialState.FAIL)
        else:
            trial.report(value, 1)
            found.study.tell(trial, value)
    return found


def test_trials_are_ranked_by_value_and_number(tmp_path):
    found = search_of(tmp_path, 0.5, None, 0.7, 0.5)
    assert [trial.number for trial in found.ranked] == [2, 0, 3]
    assert found.best.folder == tmp_path / "trial-002"
    assert found.seconds == 4.0


def test_the_chart_shows_each_trial_at_its_number(tmp_path):
    """A trial that failed has no score, and those after it keep their places."""
    axes = search_of(tmp_path, 0.5, None, 0.7, 0.6).chart().axes[0]
    assert axes.collections[0].get_offsets().tolist() == [[0, 0.5], [2, 0.7], [3, 0.6]]
    assert axes.lines[0].get_xdata().tolist() == [0, 2, 3]


def test_the_journal_needs_no_symbolic_links(tmp_path, monkeypatch):
    """Windows allows them in its developer mode only."""

    def refuse(*_, **__):
        raise OSError("symbolic links need a privilege")

    monkeypatch.setattr(os, "symlink", refuse)
    search_of(tmp_path, 0.5)
    assert [trial.value for trial in Search.open(tmp_path, seed=0).trials] == [0.5]


def test_a_line_that_was_cut_off_is_dropped(tmp_path):
    search_of(tmp_path, 0.5, 0.6)
    journal = tmp_path / JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    ends = [number for number, line in enumerate(lines) if json.loads(line)["op_code"] == 6]
    journal.write_bytes(b"".join(lines[: ends[-1]]) + lines[ends[-1]][:9])  # the end of trial 1
    found = Search.open(tmp_path, seed=0)
    assert [(trial.state.name, trial.value) for trial in found.trials] == [
        ("COMPLETE", 0.5),
        ("RUNNING", None),
    ]
    assert journal.read_bytes().startswith(b"".join(lines[: ends[-1]]) + b"{")


def test_a_damaged_line_is_named(tmp_path):
    search_of(tmp_path, 0.5)
    journal = tmp_path / JOURNAL
    journal.write_bytes(b"{oops\n" + journal.read_bytes())
    with pytest.raises(
        RunError, match=r"journal.log, line 1: the journal of the search is damaged"
    ):
        Search.open(tmp_path, seed=0)


def study(seed=0):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(sampler=SeededSampler(seed, 3), direction="maximize")


def test_suggestions_are_configurations():
    base = Config().replace(model="custom_cnn", epochs=3)
    rates = {}
    asked = study()
    for number in range(12):
        trial = asked.ask()
        config = suggest(trial, default_space("custom_cnn"), base)
        assert config.training.epochs == 3
        usual = LEARNING_RATES[config.training.optimizer]
        assert RATES[0] <= config.training.learning_rate / usual <= RATES[1]
        assert isinstance(config.model.filters, tuple)
        rates[config.training.optimizer] = usual
        asked.tell(trial, number)
        frozen = asked.trials[-1]
        assert varied_fields(frozen)["learning_rate"] == config.training.learning_rate
    assert len(rates) > 1


def test_draws_follow_from_seed_and_trial():
    def draw(seed, forget):
        asked = study(seed)
        found = []
        for number in range(8):
            if forget:  # a new process has a new sampler
                asked.sampler = SeededSampler(seed, 3)
            trial = asked.ask()
            found.append(suggest(trial, default_space("custom_cnn"), Config()))
            asked.tell(trial, (number * 7) % 5)
        return found

    assert draw(0, forget=False) == draw(0, forget=True)
    assert draw(0, forget=False) != draw(1, forget=False)
    assert len(set(draw(0, forget=False))) > 4


def test_the_learning_rate_follows_the_optimizer_unless_it_is_varied_itself():
    optimizer = Choices(("adam", "sgd"))
    assert rate_follows_optimizer({"optimizer": optimizer})
    assert not rate_follows_optimizer({"optimizer": optimizer, "learning_rate": Choices((1, 2))})
    assert not rate_follows_optimizer({"batch_size": Choices((32, 64))})
