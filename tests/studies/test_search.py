"""A search: what it scores, what it leaves out, and what it refuses."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import optuna
import pytest

from convlens.errors import (
    ConfigError,
    DataError,
    Interrupted,
    ModelError,
    RunError,
    StorageError,
    TrainingError,
)
from convlens.run import Run
from convlens.run_check import WHOLE, check_files
from convlens.run_images import learned_by
from convlens.screen import Screen
from convlens.studies import search as search_module
from convlens.studies.search import resume_search, search
from convlens.studies.space import Choices
from tests.studies.searches import CONFIG, SPACE, table
from tests.trainings import recording

pytestmark = pytest.mark.usefixtures("no_charts", "soon")


def test_best_trial_has_a_report_and_is_scored_once(finished):
    facts = json.loads((finished.folder / "search.json").read_text())
    best = finished.ranked[0]
    assert facts["best"] == best.number
    assert finished.run(best).report["test_evaluations"] == 1
    assert (finished.folder / "plots" / "trials.png").stat().st_size > 10_000
    assert facts["metrics"]["accuracy"]["n"] == 359
    assert facts["validation"]["value"] == pytest.approx(best.value, abs=1e-6)  # both in float32
    assert not finished.run(finished.ranked[1]).finished
    assert facts["paired_test"]["first"] == f"trial {best.number}"
    assert [t.value for t in finished.ranked] == sorted(
        [t.value for t in finished.ranked], reverse=True
    )


def test_scores_in_the_journal_are_those_of_the_runs(finished):
    for trial in finished.study.get_trials():
        reached = np.maximum.accumulate(
            [row["val_accuracy"] for row in finished.run(trial).history]
        )
        assert list(trial.intermediate_values.values()) == pytest.approx(list(reached))


def test_every_file_of_a_finished_search_has_a_checksum_those_of_all_its_trials_too(finished):
    assert {one.verdict for one in check_files(finished.folder)} == {WHOLE}


def test_the_list_of_images_is_written_once_for_all_trials(finished):
    assert [*finished.folder.rglob("images.npz")] == [finished.folder / "state" / "images.npz"]
    best = finished.run(finished.ranked[0])
    data = best.data
    learned = len(data["splits"]["train"]) + len(data["splits"]["val"])
    assert len(learned_by(best.folder)) == learned


def test_the_notes_on_the_images_are_shown_once(dataset, tmp_path, monkeypatch):
    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(search_module, "_train_trials", press)
    noted = replace(dataset, notes=("a remark on the images",))
    screen, said = recording()
    with pytest.raises(Interrupted):
        search(noted, CONFIG, trials=2, space=SPACE, run=tmp_path / "search", screen=screen)
    assert said.getvalue().count("a remark on the images") == 1


@pytest.mark.slow
@pytest.mark.usefixtures("late")
def test_weak_trials_are_stopped_early(dataset, tmp_path):
    space = {"learning_rate": Choices((0.01, 0.02, 0.03, 1e-9))}
    config = CONFIG.replace(epochs=4, filters=(8,), dense=(16,), optimizer="adamw")
    found = search(
        dataset,
        config,
        trials=12,
        space=space,
        generation=1,
        run=tmp_path / "weak",
        screen=Screen(quiet=True),
    )
    stopped = [t for t in found.study.get_trials() if t.state == optuna.trial.TrialState.PRUNED]
    assert stopped
    assert max(max(t.intermediate_values.values()) for t in stopped) < found.ranked[0].value
    assert all(len(t.intermediate_values) < 4 for t in stopped)
    assert found.ranked[0].params["learning_rate"] > 1e-9
    for trial, row in zip(found.trials, table(found), strict=True):
        if trial in stopped:
            assert row["state"] == "pruned"
            assert max(trial.intermediate_values.values()) < float(row["median"])
            assert int(row["median_of"]) >= 5


@pytest.mark.slow
def test_trial_that_cannot_be_built_is_named_and_left_out(dataset, tmp_path, capsys):
    space = {
        "filters": Choices(("4,4,4,4,4", "4")),
        "dense": Choices(("8",)),
    }  # 8 pixels cannot be halved five times
    screen = Screen()
    found = search(
        dataset,
        CONFIG.replace(epochs=1),
        trials=5,
        space=space,
        run=tmp_path / "some",
        screen=screen,
    )
    failed = [t for t in found.study.get_trials() if t.state == optuna.trial.TrialState.FAIL]
    assert failed
    assert "at least" in capsys.readouterr().out
    with pytest.raises(TrainingError, match="no trial ran to its end"):
        search(
            dataset,
            CONFIG,
            trials=2,
            space={"filters": Choices(("4,4,4,4,4",))},
            run=tmp_path / "none",
            screen=screen,
        )


def test_time_limit_begins_no_further_trial(dataset, tmp_path):
    space = ["dense=8|16"]
    config = CONFIG.replace(filters=(4,), epochs=1)
    found = search(
        dataset,
        config,
        trials=50,
        minutes=1e-4,
        space=space,
        run=tmp_path / "short",
        screen=Screen(quiet=True),
    )
    assert len(found.study.get_trials()) < 3


def test_bad_input(dataset, tmp_path):
    with pytest.raises(ConfigError, match="--trials must be at least 2; found 1"):
        search(dataset, CONFIG, trials=1)
    with pytest.raises(ConfigError, match="--generation must be at least 1; found 0"):
        search(dataset, CONFIG, trials=2, generation=0)
    with pytest.raises(ConfigError, match="--minutes must be more than 0; found -1"):
        search(dataset, CONFIG, trials=2, minutes=-1)
    with pytest.raises(DataError, match="none were set aside"):
        search(
            dataset,
            CONFIG.replace(val=0.0),
            trials=2,
            run=tmp_path / "x",
            screen=Screen(quiet=True),
        )
    assert not (tmp_path / "x").exists()
    with pytest.raises(RunError, match="a run is a folder"):
        resume_search(dataset, tmp_path / "none")


def test_a_stem_that_the_network_lacks_is_refused_before_the_first_trial(dataset, tmp_path):
    with pytest.raises(ModelError, match=r"custom_cnn is made for .* Leave --stem out"):
        search(dataset, CONFIG, trials=2, space=["stem=paper,small"], run=tmp_path / "search")
    assert not (tmp_path / "search").exists()


def test_a_search_that_cannot_begin_leaves_its_name_free(dataset, tmp_path, monkeypatch):
    def full(self, name, text):
        raise StorageError("the disk is full")

    monkeypatch.setattr(Run, "write", full)
    with pytest.raises(StorageError):
        search(dataset, CONFIG, trials=2, run=tmp_path / "search", screen=Screen(quiet=True))
    assert not (tmp_path / "search").exists()


LATE = """
import sys
from convlens import backend, cli
backend.start()
import convlens.budget.train_within
import convlens.cli.train
import convlens.pipeline
import convlens.studies.compare
import convlens.studies.cross_validation
import convlens.studies.space
print(sorted({"optuna", "tensorboard", "sqlalchemy"} & set(sys.modules)))
"""


def test_only_a_search_imports_optuna_and_tensorboard():
    done = subprocess.run([sys.executable, "-c", LATE], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
