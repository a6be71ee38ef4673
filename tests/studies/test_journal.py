"""The folder of a search and Optuna's journal in it."""

import json
import os

import pytest
from optuna.trial import TrialState

from convlens.errors import RunError
from convlens.studies.journal import JOURNAL, Search


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
    assert found.how_to_go_on() == f"To go on: convlens search --run {tmp_path} --resume"


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
