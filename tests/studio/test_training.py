"""The queue of trainings: what is chosen, planned, stopped, killed, continued and found again."""

import json
import os
import signal
import time

import pytest

from convlens.studio.training import entry as states
from convlens.studio.training.process import began_at, is_alive
from tests.studio.conftest import opened, picture

QUICK = {"way": "small", "epochs": 2}
LONG = {"way": "small", "epochs": 900}


@pytest.fixture
def page(tmp_path):
    """Return the page of a workspace with 24 images of two classes."""
    with opened(tmp_path / "pets") as found:
        for name, first in (("cat", 0), ("dog", 100)):
            identifier = found.make(name)
            for seed in range(first, first + 12):
                found.add(identifier, f"{seed}.png", picture(seed), group=name)
        yield found
        end_all(found)


def end_all(page):
    """End what a test has left, since trainings outlive the studio."""
    for one in page.studio.queue.entries:
        if one.state == states.RUNNING and is_alive(one.pid, one.began):
            os.kill(one.pid, signal.SIGKILL)


def trainings(page):
    return {one["run"]: one for one in page.get("/api/trainings").json()["trainings"]}


def add(page, choice):
    found = page.post("/api/trainings", choice)
    assert found.status_code == 201, found.text
    return found.json()["training"]


def until(page, run, *wanted, seconds=150):
    """Wait until a training is in a state."""
    end = time.monotonic() + seconds
    while (one := trainings(page)[run])["state"] not in wanted:
        assert time.monotonic() < end, one
        time.sleep(0.1)
    return one


def until_epoch(page, run):
    """Wait until a training has finished an epoch, and return what is drawn of it."""
    end = time.monotonic() + 150
    while time.monotonic() < end:
        found = page.get(f"/api/trainings/runs/{run}/now")
        if found.status_code == 200 and found.json()["history"]:
            return found.json()
        assert trainings(page)[run]["state"] == states.RUNNING, trainings(page)[run]
        time.sleep(0.1)
    raise AssertionError(trainings(page)[run])


def test_a_training_is_planned_queued_shown_and_finished(page):
    assert page.post("/api/trainings/plan", QUICK).json()["plan"] == {"state": "none"}
    asked = page.post("/api/trainings/plan", QUICK | {"begin": True}).json()
    assert asked["plan"]["state"] == "running"
    assert "--epochs 2" in asked["command"]
    end = time.monotonic() + 120
    while (plan := page.post("/api/trainings/plan", QUICK).json()["plan"])["state"] == "running":
        assert time.monotonic() < end
        time.sleep(0.2)
    assert plan["state"] == "done", plan
    facts = dict(plan["facts"])
    assert facts["network"].startswith("small_resnet")
    assert "2 epochs" in facts["recipe"]
    assert sum(plan["counts"]["train"]) > sum(plan["counts"]["val"]) > 0
    assert 1 < plan["seconds"] < 120

    first = add(page, QUICK)
    second = add(page, QUICK)
    assert (first["state"], second["state"]) == (states.RUNNING, states.WAITING)
    assert first["run"] == "small_resnet"
    assert second["run"] == "small_resnet-2"
    told = page.state()["told"]
    now = until_epoch(page, "small_resnet")
    assert page.state()["told"] > told
    assert {"loss", "val_loss", "accuracy", "val_accuracy"} <= now["history"][0].keys()
    live = page.get("/api/trainings/runs/small_resnet/now").json()["live"]
    assert live["images"] == sum(plan["counts"]["val"])
    assert len(live["mistakes"]) == min(live["wrong"], 12)
    for one in live["mistakes"]:
        assert one["id"] in {row["id"] for row in page.rows().values()}
        assert one["label"] != one["predicted"]
        assert one["of_label"] <= one["probability"]
    done = until(page, "small_resnet", states.FINISHED)
    assert done["can_go_on"] is False
    now = page.get("/api/trainings/runs/small_resnet/now").json()
    assert len(now["history"]) == 2
    assert now["report"]["metrics"]["accuracy"]["value"] >= 0
    assert "small_resnet" in now["log"]
    assert until(page, "small_resnet-2", states.RUNNING, states.FINISHED)
    (row, *_others) = [
        one for one in page.get("/api/runs").json()["runs"] if one["name"] == "small_resnet"
    ]
    assert row["state"] == "finished"


def test_stopped_and_continued_it_is_finished(page):
    one = add(page, QUICK | {"epochs": 40})
    until_epoch(page, one["run"])
    waiting = [add(page, QUICK), add(page, QUICK)]
    assert page.post(f"/api/trainings/{waiting[1]['id']}/earlier").status_code == 200
    assert [run for run, found in trainings(page).items() if found["state"] == "waiting"] == [
        "small_resnet-3",
        "small_resnet-2",
    ]
    for other in waiting:
        path = f"/api/trainings/{other['id']}"
        assert page.client.delete(path, headers=page.headers).status_code == 200
    assert page.post(f"/api/trainings/{one['id']}/stop").status_code == 200
    stopped = until(page, one["run"], states.STOPPED)
    assert stopped["can_go_on"]
    assert stopped["command"].endswith(f"{one['run']}") or "--epochs" in stopped["command"]
    assert page.post(f"/api/trainings/{one['id']}/stop").status_code == 409
    before = page.get(f"/api/trainings/runs/{one['run']}/now").json()["history"]
    assert page.post(f"/api/trainings/{one['id']}/continue").status_code == 200
    assert "--resume" in trainings(page)[one["run"]]["command"]
    until(page, one["run"], states.FINISHED)
    after = page.get(f"/api/trainings/runs/{one['run']}/now").json()["history"]
    assert len(after) == 40
    assert after[: len(before)] == before


def test_it_outlives_the_studio_and_can_be_killed_itself(page, tmp_path):
    one = add(page, LONG)
    add(page, QUICK)
    until_epoch(page, one["run"])
    page.studio.queue.close()  # as if the studio were killed
    page.studio.queue._thread.join()
    with opened(tmp_path / "pets") as other:
        found = trainings(other)[one["run"]]
        assert found["state"] == states.RUNNING
        (entry, *_rest) = other.studio.queue.entries
        assert is_alive(entry.pid, entry.began)
        os.kill(entry.pid, signal.SIGKILL)
        killed = until(other, one["run"], states.KILLED)
        assert killed["can_go_on"]
        until(other, "small_resnet-2", states.RUNNING)  # the queue goes on
        end_all(other)
        until(other, "small_resnet-2", states.KILLED)
        other.post(f"/api/trainings/{one['id']}/continue")
        until(other, one["run"], states.RUNNING)
        other.post(f"/api/trainings/{one['id']}/stop")
        assert until(other, one["run"], states.STOPPED, states.KILLED)["can_go_on"]
        end_all(other)
    page.studio.queue.entries = []


def test_the_line_of_a_training_that_fails_is_told(page):
    page.studio.queue.look = lambda: None  # nothing starts yet
    one = add(page, QUICK)
    del page.studio.queue.look
    for path in list((page.studio.workspace.places.images / "dog").iterdir()):
        path.unlink()
    failed = until(page, one["run"], states.FAILED)
    assert "one class only" in failed["message"]
    assert not failed["message"].startswith("error")


def test_what_cannot_be_is_refused_with_the_field(page):
    for choice, field in (
        ({}, "way"),
        ({"way": "best"}, "way"),
        ({"way": "budget", "seconds": 1}, "seconds"),
        ({"way": "small", "epochs": True}, "epochs"),
        ({"way": "small", "epochs": 10**9}, "epochs"),
    ):
        for path in ("/api/trainings", "/api/trainings/plan"):
            found = page.post(path, choice)
            assert (found.status_code, found.json()["field"]) == (422, field)
    for name in ("nothing", "../runs", "..", "%2e%2e"):
        assert page.get(f"/api/trainings/runs/{name}/now").status_code in (404, 405)
        assert page.post("/api/trainings/continue", {"run": name}).status_code == 404
        assert page.post(f"/api/trainings/{name}/stop").status_code in (404, 405)
    assert page.post("/api/trainings/plan/begin").status_code == 404


def test_nothing_is_trained_of_one_class_only(tmp_path):
    with opened(tmp_path / "pets") as page:
        identifier = page.make("cat")
        page.add(identifier, "1.png", picture(1))
        missing = page.get("/api/trainings").json()["missing"]
        found = page.post("/api/trainings", QUICK)
        assert found.status_code == 422
        assert found.json()["message"] == missing != ""


def test_a_file_of_somebody_else_starts_nothing_but_a_training_of_these_images(tmp_path):
    with opened(tmp_path / "pets") as page:
        hidden = page.studio.workspace.places.hidden
    evil = {"run": "../../evil", "choice": QUICK, "state": "waiting"}
    words = {"run": "small", "choice": {"way": "x"}, "state": "waiting", "arguments": ["cache"]}
    pid = {"run": "x", "choice": {}, "state": "running", "pid": os.getpid(), "began": 5.0}
    content = {"format": 1, "trainings": [evil, words, pid]}
    (hidden / "trainings.json").write_text(json.dumps(content), encoding="utf-8")
    with opened(tmp_path / "pets") as page:
        end = time.monotonic() + 20
        while {one["state"] for one in trainings(page).values()} != {"failed", "killed"}:
            assert time.monotonic() < end, trainings(page)
            time.sleep(0.1)
        assert set(trainings(page)) == {"small", "x"}
    assert began_at(os.getpid())
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
