"""A search: what it keeps when it is stopped, what it scores, and what it refuses."""

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest

import convlens
from convlens.config import Config
from convlens.errors import ConfigError, DataError, Interrupted, RunError, TrainingError
from convlens.run_check import WHOLE, check_files
from convlens.screen import Screen
from convlens.studies import journal as journal_module
from convlens.studies import search as search_module
from convlens.studies.generations import Judge
from convlens.studies.places import Here
from convlens.studies.search import resume_search, search
from convlens.studies.space import Choices, Range
from tests.conftest import forget_threads, without_charts
from tests.trainings import recording

pytestmark = pytest.mark.usefixtures("no_charts")
SPACE = {"dropout": Range(0.0, 0.5), "filters": Choices(("4", "4,8")), "dense": Choices(("16",))}
CONFIG = Config().replace(
    model="custom_cnn",
    epochs=3,
    batch_size=256,
    augment="none",
    optimizer="momentum",
    learning_rate=0.05,
    precision="float32",
)
TRIALS = 4


@pytest.fixture(scope="module", autouse=True)
def _soon():
    """Prune from the third trial on, where a search would from the sixth: fewer are trained."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_module, "STARTUP", 2)
        yield


@pytest.fixture
def late(monkeypatch):
    """Prune from the sixth trial on."""
    monkeypatch.setattr(journal_module, "STARTUP", 5)


@pytest.fixture(scope="module")
def dataset():
    return convlens.load_data("digits")


def trials(found):
    return [(t.state, t.params, t.intermediate_values) for t in found.study.get_trials()]


def table(found):
    """Return the rows of trials.csv without the seconds."""
    with (found.folder / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: text for name, text in row.items() if name != "seconds"} for row in rows]


@pytest.fixture(scope="module")
def finished(dataset, tmp_path_factory):
    with without_charts():
        return begin(None, dataset, tmp_path_factory.mktemp("search") / "whole")


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


def test_the_parts_have_checksums_before_the_search_is_finished(
    finished, dataset, tmp_path, monkeypatch
):
    def kill(folder):
        raise KeyboardInterrupt

    folder = tmp_path / "killed"
    shutil.copytree(finished.folder, folder)
    facts = json.loads((folder / "search.json").read_text())
    begun = {name: facts[name] for name in ("path", "trials", "minutes", "generation", "space")}
    (folder / "search.json").write_text(json.dumps(begun))
    monkeypatch.setattr(search_module, "finish_search", lambda *_: {"best": 0})
    monkeypatch.setattr(search_module, "seal_parts", kill)
    with pytest.raises(KeyboardInterrupt):
        resume_search(dataset, folder, Screen(quiet=True))
    assert json.loads((folder / "search.json").read_text()) == begun


def test_the_notes_on_the_images_are_shown_once(dataset, tmp_path, monkeypatch):
    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(search_module, "_train_trials", press)
    noted = replace(dataset, notes=("a remark on the images",))
    screen, said = recording()
    with pytest.raises(Interrupted):
        search(noted, CONFIG, trials=2, space=SPACE, run=tmp_path / "search", screen=screen)
    assert said.getvalue().count("a remark on the images") == 1


def test_finished_search_is_not_resumed(finished, dataset):
    with pytest.raises(RunError, match="this search is finished"):
        resume_search(dataset, finished.folder, Screen(quiet=True))


def begin_again(finished, dataset, folder):
    """Go on from the first two trials of a finished search, which are not trained again."""
    lines = (finished.folder / "journal.log").read_bytes().splitlines(keepends=True)
    begun = [n for n, line in enumerate(lines) if json.loads(line)["op_code"] == 4]  # a trial
    cut(finished, folder, sum(map(len, lines[: begun[2]])))
    for number in (2, 3):
        shutil.rmtree(folder / f"trial-{number:03d}")
    return resume_search(dataset, folder, Screen(quiet=True))


def begin(_finished, dataset, folder):
    return search(
        dataset,
        CONFIG,
        trials=TRIALS,
        space=SPACE,
        generation=2,
        run=folder,
        screen=Screen(quiet=True),
    )


def until(epoch):
    """Return what follows a trial and presses Ctrl-C after an epoch."""
    judge = Judge.__call__

    def stop(self, row, best):
        judge(self, row, best)
        if row["epoch"] == epoch:
            raise KeyboardInterrupt

    return stop


@pytest.mark.parametrize(
    ("start", "number", "epoch"),
    [
        (begin_again, 2, 1),
        pytest.param(begin, 1, 1, marks=pytest.mark.slow),
        pytest.param(begin, 1, 2, marks=pytest.mark.slow),
    ],
)
def test_stopped_search_goes_on_as_it_would_have(
    finished, dataset, tmp_path, monkeypatch, start, number, epoch
):
    train = search_module.train_trial

    def stop(run, *others):
        if run.folder.name == f"trial-{number:03d}":
            patch.setattr(Judge, "__call__", until(epoch))
        return train(run, *others)

    with monkeypatch.context() as patch:
        patch.setattr(search_module, "train_trial", stop)
        with pytest.raises(Interrupted, match="--resume"):
            start(finished, dataset, tmp_path / "cut")
    resumed = resume_search(dataset, tmp_path / "cut", Screen(quiet=True))
    assert trials(resumed) == trials(finished)
    assert table(resumed) == table(finished)


class Backwards(Here):
    """Carries out the jobs of a generation in the opposite order, as a cluster may."""

    def each(self, work, jobs, shared, screen):
        return super().each(work, reversed(list(jobs)), shared, screen)


def test_the_order_within_a_generation_changes_nothing(finished, dataset, tmp_path, capsys):
    folder = cut(finished, tmp_path / "backwards", 0)
    for number in range(TRIALS):
        shutil.rmtree(folder / f"trial-{number:03d}")
    again = resume_search(dataset, folder, Screen(), place=Backwards())
    told = [json.loads(line) for line in (folder / "journal.log").read_bytes().splitlines()]
    ended = [one["trial_id"] for one in told if one["op_code"] == 6]
    assert ended == [1, 0, 3, 2]
    assert trials(again) == trials(finished)
    assert table(again) == table(finished)
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "%" in line]
    assert rows[:TRIALS] == ["0", "1", "2", "3"]


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


def test_other_images_are_refused(finished, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished.folder, copy)
    facts = json.loads((copy / "search.json").read_text())
    del facts["best"]
    (copy / "search.json").write_text(json.dumps(facts))
    screen, said = recording()
    with pytest.raises(RunError, match="these are not the images"):
        resume_search(convlens.load_data("mnist5k"), copy, screen)
    assert "goes on" not in said.getvalue()


def cut(finished, folder, keep):
    """Return a copy of a search as it was when its journal had `keep` bytes."""
    shutil.copytree(finished.folder, folder)
    facts = json.loads((folder / "search.json").read_text())
    (folder / "search.json").write_text(
        json.dumps({k: facts[k] for k in ("path", "trials", "minutes", "generation", "space")})
    )
    journal = folder / "journal.log"
    journal.write_bytes(journal.read_bytes()[:keep])
    return folder


@pytest.mark.slow
def test_search_killed_after_a_last_epoch_goes_on_as_it_would_have(finished, dataset, tmp_path):
    lines = (finished.folder / "journal.log").read_bytes().splitlines(keepends=True)
    told = [
        n for n, line in enumerate(lines, 1) if json.loads(line).get("op_code") == 7
    ]  # intermediate values
    last = max(n for n in told if n < len(lines))  # of the last trial, before its end was written
    folder = cut(
        finished, tmp_path / "renamed", sum(map(len, lines[:last])) + 5
    )  # and five bytes of the next line
    resumed = resume_search(dataset, folder, Screen(quiet=True))
    assert trials(resumed) == trials(finished)
    assert len(resumed.study.get_trials()) == TRIALS


@pytest.mark.slow
@pytest.mark.usefixtures("late")
def test_a_search_of_8941a94_is_resumed(dataset, tmp_path):
    fixtures = Path(__file__).parents[1] / "fixtures" / "8941a94"
    folder = tmp_path / "search"
    shutil.copytree(fixtures / "search_interrupted", folder)
    expected = json.loads((fixtures / "expected.json").read_text())
    forget_threads(folder)
    found = resume_search(dataset, folder, Screen(quiet=True))
    facts = json.loads((folder / "search.json").read_text())
    assert facts["best"] == found.ranked[0].number == expected["search"]["best"]
    assert facts["metrics"]["accuracy"]["value"] == expected["search"]["accuracy"]
    for number in (0, 1):
        wanted = expected[f"search_resumed/trial-00{number}"]["history"]
        history = found.run(found.trials[number]).history
        assert [row["epoch"] for row in history] == [row["epoch"] for row in wanted]
        for name in ("loss", "val_loss", "accuracy", "val_accuracy", "learning_rate"):
            values = [row[name] for row in history]
            assert values == pytest.approx([row[name] for row in wanted], abs=1e-4), name


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


def test_damaged_journal_is_named(finished, dataset, tmp_path):
    folder = cut(finished, tmp_path / "damaged", None)
    journal = folder / "journal.log"
    journal.write_bytes(b"{oops\n" + journal.read_bytes())
    with pytest.raises(
        RunError, match=r"journal.log, line 1: the journal of the search is damaged"
    ):
        resume_search(dataset, folder, Screen(quiet=True))
