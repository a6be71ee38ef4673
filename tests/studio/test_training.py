"""Trainings in the studio: queued, shown, stopped, killed, continued and finished."""

import os
import signal
from contextlib import suppress

import pytest

from convlens.language_choice import language, using
from convlens.studio.training import entry as states
from convlens.studio.training import process
from convlens.studio.training.entry import Entry
from convlens.studio.training.process import is_alive
from convlens.studio.training.ways import Choice
from tests.studio.conftest import opened
from tests.studio.trainings import (
    QUICK,
    add,
    end_all,
    of_pets,
    planned,
    trainings,
    until,
    until_epoch,
)

LONG = {"way": "small", "epochs": 900}


@pytest.fixture
def page(tmp_path):
    with of_pets(tmp_path / "pets") as found:
        yield found


def test_a_training_speaks_the_language_of_the_page_that_asked_for_it(page, monkeypatch):
    spoken = []

    def start(*_words):
        spoken.append(language())
        raise OSError("it need not begin")

    monkeypatch.setattr("convlens.studio.training.queue.start", start)
    queue = page.studio.queue
    with using("zh"), monkeypatch.context() as patched:
        patched.setattr(queue, "look", lambda: None)
        queue.add(Choice.of(QUICK))
    queue.entries = [Entry.read(one.to_dict()) for one in queue.entries]  # after a restart
    queue.look()  # of the thread that starts what waits
    assert spoken == ["zh"]


def test_a_training_is_planned_queued_shown_and_finished(page):
    kept = QUICK | {"snapshots": 3}
    assert page.post("/api/trainings/plan", kept).json()["plan"] == {"state": "none"}
    asked = page.post("/api/trainings/plan", kept | {"begin": True}).json()
    assert asked["plan"]["state"] == "running"
    assert "--epochs 2" in asked["command"]
    plan = planned(page, kept)
    facts = dict(plan["facts"])
    assert facts["network"].startswith("small_resnet")
    assert "2 epochs" in facts["recipe"]
    assert sum(plan["counts"]["train"]) > sum(plan["counts"]["val"]) > 0
    assert 1 < plan["seconds"] < 3600  # a machine under load takes minutes

    assert plan["snapshots"]["states"] == 3
    assert 0 < plan["snapshots"]["bytes"] < plan["snapshots"]["free"]

    first = add(page, kept)
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
    assert now["accuracy"]["value"] >= 0
    assert "small_resnet" in now["log"]
    folder = page.studio.workspace.places.runs / "small_resnet" / "snapshots"
    sizes = [path.stat().st_size for path in folder.iterdir() if path.suffix != ".json"]
    assert sum(sizes) == pytest.approx(plan["snapshots"]["bytes"], rel=0.1)
    assert until(page, "small_resnet-2", states.RUNNING, states.FINISHED)
    (row, *_others) = [
        one for one in page.get("/api/runs").json()["runs"] if one["name"] == "small_resnet"
    ]
    assert row["state"] == "finished"


def held(page):
    """Return a training that stands still, and its process; the page ends it in any case."""
    while True:
        one = add(page, QUICK | {"epochs": 40})
        until_epoch(page, one["run"])
        pid = page.studio.queue.find(one["id"]).pid
        with suppress(ProcessLookupError):  # it has ended before
            os.kill(pid, signal.SIGSTOP)
        page.studio.queue.look()
        if trainings(page)[one["run"]]["state"] == states.RUNNING:
            return one, pid


def test_stopped_and_continued_it_is_finished(page, monkeypatch):
    one, pid = held(page)  # or it might end before it is stopped
    kill, sent = os.kill, []
    monkeypatch.setattr(process.os, "kill", lambda *call: (sent.append(call[1]), kill(*call)))
    waiting = [add(page, QUICK), add(page, QUICK | {"epochs": 3})]
    assert page.post(f"/api/trainings/{waiting[1]['id']}/earlier").status_code == 200
    assert [run for run, found in trainings(page).items() if found["state"] == "waiting"] == [
        waiting[1]["run"],
        waiting[0]["run"],
    ]
    for other in waiting:
        path = f"/api/trainings/{other['id']}"
        log = page.studio.queue.logs(page.studio.queue.find(other["id"])).output
        log.write_text("left of an earlier start", encoding="utf-8")
        assert page.client.delete(path, headers=page.headers).status_code == 200
        assert not log.exists()
    for _tab in range(2):
        page.post(f"/api/trainings/{one['id']}/stop")
    kill(pid, signal.SIGCONT)
    stopped = until(page, one["run"], states.STOPPED)
    assert stopped["can_go_on"]
    assert "--resume" in stopped["command"]
    assert page.post(f"/api/trainings/{one['id']}/stop").status_code == 409
    assert sent == [signal.SIGINT]
    before = page.get(f"/api/trainings/runs/{one['run']}/now").json()["history"]
    assert page.post(f"/api/trainings/{one['id']}/continue").status_code == 200
    assert "--resume" in trainings(page)[one["run"]]["command"]
    assert until(page, one["run"], states.FINISHED)["command"] == one["command"]
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
        assert is_alive(entry.pid, entry.mark)
        os.kill(entry.pid, signal.SIGINT)  # as the studio advises when it ends
        stopped = until(other, one["run"], states.STOPPED)
        assert stopped["can_go_on"]
        assert "--resume" in stopped["command"]
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


def test_a_training_of_the_studio_keeps_its_converted_network(tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(process.subprocess, "Popen", lambda _words, **more: seen.update(more))
    process.start(["train"], *(tmp_path / name for name in ("said", "wrong", "progress")))
    assert seen["env"]["CONVLENS_KEEP_NETWORK"] == "1"
