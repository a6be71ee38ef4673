"""A search that was stopped or killed goes on as it would have, in whatever order it is trained."""

import json
import shutil
import signal
from pathlib import Path

import pytest

import convlens
from convlens import pipeline
from convlens.checksums import unseal
from convlens.errors import Interrupted, RunError
from convlens.inventory import ALTERED, look
from convlens.language import recorded
from convlens.screen import Screen
from convlens.studies import search as search_module
from convlens.studies.generations import BelowMedian, Judge, Median
from convlens.studies.places import Here
from convlens.studies.search import resume_search
from tests.conftest import forget_threads
from tests.studies.searches import TRIALS, begin, cut, table, trials
from tests.trainings import recording

pytestmark = pytest.mark.usefixtures("no_charts", "soon")


def test_finished_search_is_not_resumed(finished, dataset):
    with pytest.raises(RunError, match="this search is finished"):
        resume_search(dataset, finished.folder, Screen(quiet=True))


def test_the_parts_have_checksums_before_the_search_is_finished(
    finished, dataset, tmp_path, monkeypatch
):
    def kill(folder):
        raise KeyboardInterrupt

    folder = tmp_path / "killed"
    shutil.copytree(finished.folder, folder)
    unseal(folder)
    facts = json.loads((folder / "search.json").read_text())
    begun = {name: facts[name] for name in ("path", "trials", "minutes", "generation", "space")}
    (folder / "search.json").write_text(json.dumps(begun))
    monkeypatch.setattr(search_module, "finish_search", lambda *_: {"best": 0})
    monkeypatch.setattr(search_module, "seal_parts", kill)
    with pytest.raises(KeyboardInterrupt):
        resume_search(dataset, folder, Screen(quiet=True))
    assert json.loads((folder / "search.json").read_text()) == begun


def test_a_search_whose_settings_were_changed_does_not_go_on(dataset, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(search_module, "_carry_out", lambda *_: None)
        begin(dataset, tmp_path / "begun")
    path = tmp_path / "begun" / "search.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"trials": 40}))
    assert look(tmp_path / "begun").state == ALTERED
    with pytest.raises(RunError, match=r"search\.json: .*this file was changed since"):
        resume_search(dataset, tmp_path / "begun", Screen(quiet=True))


def test_a_best_trial_whose_settings_were_changed_is_not_scored(finished, dataset, tmp_path):
    folder = cut(finished, tmp_path / "cut", None)
    path = folder / finished.best.folder.name / "run.toml"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(RunError, match=r"run\.toml: .*this file was changed since"):
        resume_search(dataset, folder, Screen(quiet=True))


def begin_again(finished, dataset, folder):
    """Go on from the first two trials of a finished search, which are not trained again."""
    lines = (finished.folder / "journal.log").read_bytes().splitlines(keepends=True)
    begun = [n for n, line in enumerate(lines) if json.loads(line)["op_code"] == 4]  # a trial
    cut(finished, folder, sum(map(len, lines[: begun[2]])))
    for number in (2, 3):
        shutil.rmtree(folder / f"trial-{number:03d}")
    return resume_search(dataset, folder, Screen(quiet=True))


def begin_anew(_finished, dataset, folder):
    return begin(dataset, folder)


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
        pytest.param(begin_anew, 1, 1, marks=pytest.mark.slow),
        pytest.param(begin_anew, 1, 2, marks=pytest.mark.slow),
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


@pytest.mark.parametrize("end", [BelowMedian(Median(1, 1.0, 2)), MemoryError()])
def test_ctrl_c_in_the_step_in_which_a_trial_falls_behind_or_fails_stops_the_search(
    finished, dataset, tmp_path, monkeypatch, end
):
    def press(self, row, best):
        signal.raise_signal(signal.SIGINT)
        raise end

    with monkeypatch.context() as patch:
        patch.setattr(Judge, "__call__", press)
        with pytest.raises(Interrupted, match="--resume"):
            begin_again(finished, dataset, tmp_path / "cut")
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


def test_other_images_are_refused(finished, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished.folder, copy)
    unseal(copy)
    facts = json.loads((copy / "search.json").read_text())
    del facts["best"]
    (copy / "search.json").write_text(json.dumps(facts))
    screen, said = recording()
    with pytest.raises(RunError, match="these are not the images"):
        resume_search(convlens.load_data("mnist5k"), copy, screen)
    assert "goes on" not in said.getvalue()


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


def test_damaged_journal_is_named(finished, dataset, tmp_path):
    folder = cut(finished, tmp_path / "damaged", None)
    journal = folder / "journal.log"
    journal.write_bytes(b"{oops\n" + journal.read_bytes())
    with pytest.raises(
        RunError, match=r"journal.log, line 1: the journal of the search is damaged"
    ):
        resume_search(dataset, folder, Screen(quiet=True))


def test_a_trial_that_was_told_and_not_recorded_is_recorded_when_the_search_goes_on(
    finished, dataset, tmp_path
):
    folder = cut(finished, tmp_path / "told", None)
    rows = (folder / "trials.csv").read_text().splitlines(keepends=True)
    (folder / "trials.csv").write_text("".join(rows[:-1]))
    shutil.rmtree(folder / "tensorboard" / f"trial-{TRIALS - 1:03d}")
    (cut_off,) = (folder / "tensorboard" / "trial-000").glob("events.*")
    cut_off.write_bytes(b"")
    resumed = resume_search(dataset, folder, Screen(quiet=True))
    assert table(resumed) == table(finished)
    for number in range(TRIALS):
        (events,) = (folder / "tensorboard" / f"trial-{number:03d}").glob("events.*")
        assert events.stat().st_size


def test_what_the_audit_has_found_is_said_again_and_not_looked_for_again(
    finished, dataset, tmp_path, monkeypatch
):
    folder = cut(finished, tmp_path / "killed", None)
    facts = json.loads((folder / "data.json").read_text())
    facts["audit"]["notes"] = [recorded("a note of the audit")]
    (folder / "data.json").write_text(json.dumps(facts))
    monkeypatch.setattr(pipeline, "check_before_training", None)
    screen, text = recording()
    resume_search(dataset, folder, screen)
    assert "a note of the audit" in text.getvalue()
