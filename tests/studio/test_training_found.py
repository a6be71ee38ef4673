"""Trainings that the studio finds when it starts, and folders of runs that it does not trust."""

import json
import os
import subprocess
import sys
import time
from math import nan

import pytest

from convlens.studio.training import entry as states
from convlens.studio.training import process
from convlens.studio.training.process import is_alive
from tests.studio.conftest import opened
from tests.studio.trainings import QUICK, of_pets, trainings


@pytest.fixture
def page(tmp_path):
    with of_pets(tmp_path / "pets") as found:
        yield found


def test_a_file_of_somebody_else_starts_nothing_but_a_training_of_these_images(tmp_path):
    with opened(tmp_path / "pets") as page:
        hidden = page.studio.workspace.places.hidden
    evil = {"run": "../../evil", "choice": QUICK, "state": "waiting"}
    words = {"run": "small", "choice": {"way": "x"}, "state": "waiting", "arguments": ["cache"]}
    pid = {"run": "x", "choice": {}, "state": "running", "pid": os.getpid(), "began": 5.0}
    outside = {"run": "a", "choice": QUICK, "id": "../../../outside"}
    unsound = [
        {"run": "", "choice": QUICK},
        {"run": "b"},
        {"run": "c", "choice": QUICK, "pid": nan},
    ]
    content = {"format": 1, "trainings": [evil, words, "x", None, outside, *unsound, pid]}
    (hidden / "trainings.json").write_text(json.dumps(content), encoding="utf-8")
    with opened(tmp_path / "pets") as page:
        end = time.monotonic() + 120
        while {one["state"] for one in trainings(page).values()} != {"failed", "killed"}:
            assert time.monotonic() < end, trainings(page)
            time.sleep(0.1)
        assert set(trainings(page)) == {"small", "x"}
        assert "trainings.damaged.json" in page.get("/api/trainings").json()["damage"]
    assert not list(tmp_path.glob("outside*"))
    kept = json.loads((hidden / "trainings.damaged.json").read_text(encoding="utf-8"))
    assert len(kept["trainings"]) == len(content["trainings"])
    (hidden / "trainings.json").write_text("{", encoding="utf-8")
    with opened(tmp_path / "pets") as page:
        assert trainings(page) == {}


def test_a_run_that_is_a_link_shows_no_other_file(page, tmp_path):
    secret = tmp_path / "other"
    (secret / "state").mkdir(parents=True)
    (secret / "state" / "live.json").write_text('{"epoch": 1, "mistakes": []}', encoding="utf-8")
    (secret / "run.toml").write_text("", encoding="utf-8")
    (page.studio.runs.folder / "linked").symlink_to(secret)
    page.studio.queue.entries.append(states.Entry("linked", QUICK, state=states.FINISHED))
    assert page.get("/api/trainings/runs/linked/now").status_code == 404
    assert page.post("/api/trainings/continue", {"run": "linked"}).status_code == 404


@pytest.mark.parametrize(
    ("said", "owner", "state"),
    [
        ("note  a library warns\nstopped after epoch 3; continue with --resume", "", "stopped"),
        ("note  a library warns", '{"pid": 1}', "killed"),
        ("", "", "killed"),
        ("error  one class only", "", "failed"),
        ("錯誤  只有一個類別", "", "failed"),
    ],
)
def test_how_a_training_ended_while_no_studio_ran(tmp_path, said, owner, state):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "lock").write_text(owner, encoding="utf-8")
    one = states.Entry("small", QUICK, state=states.RUNNING)
    one.end(tmp_path, None, said)
    assert one.state == state
    assert (one.message in ("one class only", "只有一個類別")) == (state == "failed")


def test_a_training_that_begins_as_the_studio_is_killed_is_not_started_twice(tmp_path):
    with opened(tmp_path / "pets") as page:
        hidden = page.studio.workspace.places.hidden
    one = states.Entry("small", QUICK, state=states.RUNNING)
    content = {"format": 1, "trainings": [one.to_dict()]}
    (hidden / "trainings.json").write_text(json.dumps(content), encoding="utf-8")
    progress = {"CONVLENS_PROGRESS": str(hidden / "logs" / f"{one.id}.progress")}
    words = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(words, env=os.environ | progress) as child:
        try:
            with opened(tmp_path / "pets") as page:
                page.studio.queue.look()
                (found,) = page.studio.queue.entries
                assert (found.state, found.pid) == (states.RUNNING, child.pid)
        finally:
            child.kill()


def test_what_cannot_be_continued_is_refused_and_stays(page):
    claimed = page.studio.runs.folder / "claimed"
    (claimed / "state").mkdir(parents=True)
    finished = page.studio.runs.folder / "finished"
    finished.mkdir()
    (finished / "run.toml").write_text("", encoding="utf-8")
    (finished / "report.json").write_text("{}", encoding="utf-8")
    for name in ("claimed", "finished"):
        assert page.post("/api/trainings/continue", {"run": name}).status_code == 409
    assert (claimed / "state").is_dir()
    assert trainings(page) == {}


def test_a_process_of_another_time_is_never_hurt():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        mark = process.mark_of(child.pid)
        assert is_alive(child.pid, mark)
        assert not process.interrupt(child.pid, f"{mark}0")
        assert not is_alive(4_000_000, "")
        child.kill()
        child.wait()
        assert not process.interrupt(child.pid, mark)


def test_a_workspace_that_was_moved_continues_on_its_own_images(page):
    folder = page.studio.runs.folder / "small"
    folder.mkdir()
    (folder / "run.toml").write_text("", encoding="utf-8")
    one = states.Entry("small", QUICK, state=states.STOPPED, resumes=True)
    images = str(page.studio.workspace.places.images)
    assert page.studio.queue.words(one) == ["train", images, "--run", str(folder), "--resume"]


def test_a_training_that_diverges_is_shown(page):
    folder = page.studio.runs.folder / "wild"
    (folder / "state").mkdir(parents=True)
    (folder / "run.toml").write_text("", encoding="utf-8")
    heading = "epoch,seconds,loss,accuracy,val_loss,val_accuracy,learning_rate"
    (folder / "history.csv").write_text(f"{heading}\n1,1.5,nan,0.5,nan,0.5,0.1\n", encoding="utf-8")
    (folder / "state" / "live.json").write_text('{"epoch": 1, "wrong": NaN}', encoding="utf-8")
    (folder / "report.json").write_text('{"epochs_verdict": "so"}', encoding="utf-8")
    found = page.get("/api/trainings/runs/wild/now")
    assert found.status_code == 200, found.text
    assert found.json()["history"][0]["loss"] is None
    assert found.json()["verdict"] == "so"
    (folder / "history.csv").write_text(
        f"x{heading}\n1,1.5,0.5,0.5,0.5,0.5,0.1\n", encoding="utf-8"
    )
    (folder / "state" / "live.json").write_text('{"epoch": 1, "images": 8}', encoding="utf-8")
    found = page.get("/api/trainings/runs/wild/now")
    assert found.status_code == 200, found.text
    assert found.json()["history"] == []
