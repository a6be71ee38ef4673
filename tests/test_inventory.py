"""What the folders of runs hold, and what can be resumed."""

import json
import shutil

import pytest

from convlens import inventory
from convlens.errors import RunError
from convlens.inventory import (
    COMPARISON,
    DAMAGED,
    FEW,
    FINISHED,
    FOLDS,
    IN_TRAINING,
    NOT_BEGUN,
    RESUMABLE,
    SEARCH,
    TRAINING,
    find_runs,
    look,
)
from convlens.run import Run
from tests.trainings import CONFIG


@pytest.fixture
def stopped(finished_run, tmp_path):
    """Return a copy of a run as it is before it is finished."""
    folder = tmp_path / "stopped"
    shutil.copytree(finished_run.folder, folder)
    (folder / "report.json").unlink()
    (folder / "SHA256SUMS").unlink()
    return folder


def test_a_finished_run(finished_run):
    found = look(finished_run.folder)
    assert (found.kind, found.state, found.problems) == (TRAINING, FINISHED, ())
    assert (found.done, found.asked, found.progress) == (3, 3, "epochs 3 of 3")
    assert found.network == "custom_cnn"
    used = sum(len(split) for split in finished_run.data["splits"].values())
    assert 380 < used < 420  # of all images, by --limit
    assert (found.images, found.used) == (1797, used)
    assert found.score == finished_run.report["metrics"]["accuracy"]["value"]
    assert found.scored == "test"
    assert found.resume == ""
    assert found.size == sum(
        path.stat().st_size for path in finished_run.folder.rglob("*") if path.is_file()
    )
    assert found.began.isoformat() == finished_run.data["began"]
    assert json.loads(json.dumps(found.to_dict()))["folder"] == str(finished_run.folder)


def test_a_run_that_was_stopped_can_be_resumed_by_its_command(stopped, finished_run):
    found = look(stopped)
    assert found.state == RESUMABLE
    assert found.resume == f"convlens train --run {stopped} --resume"
    assert found.score == max(row["val_accuracy"] for row in finished_run.history)
    assert found.scored == "validation"


def test_a_logistic_regression_has_no_epochs_whether_it_is_finished_or_not(stopped, finished_run):
    config = Run(stopped).config.replace(backbone="vgg16")
    (stopped / "run.toml").write_text(config.to_toml())
    (stopped / "history.csv").unlink()
    assert (look(stopped).state, look(stopped).progress) == (RESUMABLE, "logistic regression")
    assert look(stopped).score is None
    tried = "strength,val_log_loss,val_accuracy\n0.1,0.5,0.9\n1,0.25,0.875\n10,0.75,0.8\n"
    (stopped / "regularisation.csv").write_text(tried)  # the least loss is that of the head
    assert (look(stopped).score, look(stopped).scored) == (0.875, "validation")
    shutil.copy(finished_run.folder / "report.json", stopped)
    assert (look(stopped).state, look(stopped).progress) == (FINISHED, "logistic regression")
    (stopped / "run.toml").write_text(config.replace(head=(64,)).to_toml())
    assert look(stopped).progress == "epochs 0 of 3"
    (stopped / "run.toml").unlink()
    assert look(stopped).progress == "-"


def test_a_run_of_an_earlier_version_has_the_time_of_its_settings(stopped):
    data = Run(stopped).data
    del data["began"]
    (stopped / "data.json").write_text(json.dumps(data))
    assert look(stopped).began.timestamp() == pytest.approx((stopped / "run.toml").stat().st_mtime)


def test_a_locked_run_is_in_training_whatever_its_files_say(stopped):
    (stopped / "data.json").write_text("{")
    with Run(stopped).locked():
        assert look(stopped).state == IN_TRAINING


@pytest.mark.parametrize("name", ["run.toml", "data.json", "history.csv", "classifier.keras"])
def test_damaged_files_are_named(name, stopped):
    content = (stopped / name).read_bytes()
    cut = b"epoch,seconds\n1,x\n" if name == "history.csv" else content[: len(content) // 2]
    if name == "run.toml":
        cut = content[: content.rindex(b"=") + 1]  # half of its lines may be whole ones
    (stopped / name).write_bytes(cut)
    found = look(stopped)
    assert found.state == DAMAGED
    (problem,) = found.problems
    assert name in problem


def test_a_finished_run_without_its_classifier_is_damaged(finished_run, tmp_path):
    shutil.copytree(finished_run.folder, tmp_path / "run")
    (tmp_path / "run" / "classifier.keras").unlink()
    found = look(tmp_path / "run")
    assert found.state == DAMAGED
    assert found.problems == (f"{tmp_path / 'run' / 'classifier.keras'}: this file is missing.",)


def test_a_folder_that_was_only_claimed_has_not_begun(tmp_path):
    run = Run.create(tmp_path / "run", "")
    assert look(run.folder).state == NOT_BEGUN
    assert [entry.folder for entry in find_runs(tmp_path)] == [run.folder]


def study(folder, data: dict | None = None, **files: dict) -> None:
    """Write a study of a few parts, of which one is done."""
    folder.mkdir()
    (folder / "run.toml").write_text(CONFIG.to_toml())
    if data is not None:
        (folder / "data.json").write_text(json.dumps({"images": 400} | data))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


def test_the_progress_of_a_damaged_study_is_not_known(tmp_path):
    study(tmp_path / "few", {"few": 5})
    study(tmp_path / "search")
    (tmp_path / "search" / "search.json").write_text("{")
    for name in ("few", "search"):
        entry = look(tmp_path / name)
        assert (entry.state, entry.progress) == (DAMAGED, "-")


def test_studies_are_counted_in_their_parts_and_continued_as_a_whole(tmp_path):
    study(tmp_path / "folds", {"folds": 5, "began": "2026-01-05T10:00:00+00:00"})
    study(tmp_path / "few", {"few": 5, "draws": 3, "began": "2026-01-04T10:00:00+00:00"})
    study(tmp_path / "search", {"began": "2026-01-03T10:00:00+00:00"}, search={"trials": 20})
    study(tmp_path / "compare", compare={"models": ["a", "b"]})
    (tmp_path / "compare" / "run.toml").unlink()
    trials = [f"search/trial-00{number}" for number in range(4)]
    for part in ("folds/fold-1", "few/draw-1", *trials, "compare/a"):
        study(tmp_path / part, {"began": "2026-01-02T10:00:00+00:00"})
    (tmp_path / "folds" / "fold-1" / "state").mkdir()
    (tmp_path / "folds" / "fold-1" / "state" / "scored.npz").write_bytes(b"")
    (tmp_path / "few" / "draw-1" / "report.json").write_text("{}")
    (tmp_path / "compare" / "a" / "trained.json").write_text("{}")
    # Of four trials that were begun, one has ended.
    (tmp_path / "search" / "trials.csv").write_text('trial,failure\n0,"of two\nlines"\n')
    found = find_runs(tmp_path)
    assert [(entry.kind, entry.progress) for entry in found] == [
        (FOLDS, "folds 1 of 5"),
        (FEW, "draws 1 of 3"),
        (SEARCH, "trials 1 of 20"),
        (COMPARISON, "networks 1 of 2"),
    ]
    assert {entry.state for entry in found} == {RESUMABLE}
    assert {(entry.images, entry.used) for entry in found} == {(400, 400)}
    commands = [entry.resume.split()[1] for entry in found]
    assert commands == ["train", "train", "search", "compare"]
    (part,) = find_runs(tmp_path / "folds")
    assert part.resume == f"convlens train --run {tmp_path / 'folds'} --resume"
    with Run(tmp_path / "search").locked():
        assert {entry.state for entry in find_runs(tmp_path / "search")} == {IN_TRAINING}


def test_a_table_of_trials_that_cannot_be_read_hides_no_other_run(tmp_path):
    study(tmp_path / "search", search={"trials": 20})
    study(tmp_path / "other")
    for content in (b"trial\n" + b"9" * 200_000, b"trial\n\xff"):
        (tmp_path / "search" / "trials.csv").write_bytes(content)
        states = {entry.folder.name: entry.state for entry in find_runs(tmp_path)}
        assert states == {"search": DAMAGED, "other": RESUMABLE}
        (problem,) = look(tmp_path / "search").problems
        assert problem.startswith(f"{tmp_path / 'search'}: trials.csv cannot be read; ")


def test_a_file_that_is_removed_while_it_is_counted_has_no_size(stopped, monkeypatch):
    size = look(stopped).size
    files = [*inventory.files_of(stopped), stopped / ".run.toml.temporary"]
    monkeypatch.setattr(inventory, "files_of", lambda folder: files)
    assert look(stopped).size == size


def test_a_strength_without_a_loss_is_not_the_best(stopped):
    (stopped / "history.csv").unlink()
    tried = "strength,val_log_loss,val_accuracy\n0.1,,0.9\n1,0.25,0.875\n"
    (stopped / "regularisation.csv").write_text(tried)
    assert look(stopped).score == 0.875


def test_other_folders_are_no_runs(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "run.toml").write_text("")
    assert find_runs(tmp_path) == []
    with pytest.raises(RunError, match="there is none of this name"):
        find_runs(tmp_path / "nowhere")


@pytest.mark.parametrize("seen", ["test", "validation"])
def test_the_score_of_a_search_names_the_images_of_its_best_trial(tmp_path, seen):
    metrics = {"accuracy": {"value": 0.75}}
    study(tmp_path / "search", {}, search={"trials": 2, "best": 1, "metrics": metrics})
    study(tmp_path / "search" / "trial-001", {}, report={"metrics": metrics, "images_seen": seen})
    entry = look(tmp_path / "search")
    assert (entry.score, entry.scored) == (0.75, seen)
