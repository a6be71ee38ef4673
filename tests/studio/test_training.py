"""The queue of trainings: what is chosen, planned, stopped, killed, continued and found again."""

import json
import os
import signal
import subprocess
import sys
import time
from math import nan

import pytest

from convlens.language_choice import language, using
from convlens.studio.training import entry as states
from convlens.studio.training import process, ways
from convlens.studio.training.entry import Entry
from convlens.studio.training.process import is_alive
from convlens.studio.training.ways import Choice
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
        if one.state == states.RUNNING and is_alive(one.pid, one.mark):
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


def test_a_package_that_is_missing_says_nothing_of_the_images(page, monkeypatch):
    # What is said of the images is kept until they change: the package is missing from the start.
    monkeypatch.setattr(ways, "PACKAGE", "no_such_package")
    found = page.get("/api/trainings").json()
    assert "too small for one that knows photographs" in found["unlike"]
    assert found["lacking"] == "pip install 'convlens[pretrained]'"
    monkeypatch.setattr(ways, "PACKAGE", "json")  # which is always installed
    assert page.get("/api/trainings").json()["lacking"] == ""


def planned(page, choice):
    """Return the plan of a choice when it is made."""
    end = time.monotonic() + 150
    asked = choice | {"begin": True}
    while (plan := page.post("/api/trainings/plan", asked).json()["plan"])["state"] == "running":
        assert time.monotonic() < end
        time.sleep(0.2)
    assert plan["state"] == "done", plan
    return plan


def test_what_a_time_budget_must_be_is_known_before_and_said_after(page):
    plan = planned(page, {"way": "budget", "seconds": 10})
    needed = plan["needed"]
    assert 0 < needed["used"] < needed["used"] + needed["more"] < needed["seconds"]
    longer = page.post("/api/trainings/plan", {"way": "budget", "seconds": 600}).json()
    assert longer["plan"] == plan
    assert "--budget 600s" in longer["command"]
    # As the training ends if its budget was too short.
    one = Entry("budget-10s", {"way": "budget", "seconds": 10}, state=states.FAILED)
    one.message = f"{page.studio.workspace.places.images}: --budget must be longer."
    page.studio.queue.entries.append(one)
    progress = page.studio.queue.logs(one).progress
    progress.parent.mkdir(exist_ok=True)
    progress.write_text(json.dumps({"needed": needed}), encoding="utf-8")
    found = trainings(page)["budget-10s"]
    assert found["needed"] == needed
    assert found["is_begun"] is False
    assert found["message"] == "--budget must be longer."
    progress.write_text(json.dumps({"needed": {"used": "x"}}), encoding="utf-8")
    assert trainings(page)["budget-10s"]["needed"] is None


def test_states_are_kept_by_ways_that_learn_step_by_step(page):
    plan = page.post("/api/trainings/plan", QUICK | {"snapshots": 20}).json()
    assert "--snapshots 20" in plan["command"]
    head = page.post("/api/trainings/plan", {"way": "head", "snapshots": 3}).json()
    assert "--snapshots" not in head["command"]
    wrong = page.post("/api/trainings", QUICK | {"snapshots": 1001})
    assert wrong.json()["field"] == "snapshots"


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


def test_stopped_and_continued_it_is_finished(page, monkeypatch):
    kill, sent = os.kill, []
    monkeypatch.setattr(process.os, "kill", lambda *call: (sent.append(call[1]), kill(*call)))
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
        log = page.studio.queue.logs(page.studio.queue.find(other["id"])).output
        log.write_text("left of an earlier start", encoding="utf-8")
        assert page.client.delete(path, headers=page.headers).status_code == 200
        assert not log.exists()
    for _tab in range(2):
        page.post(f"/api/trainings/{one['id']}/stop")
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
    outside = {"run": "a", "choice": QUICK, "id": "../../../outside"}
    unsound = [
        {"run": "", "choice": QUICK},
        {"run": "b"},
        {"run": "c", "choice": QUICK, "pid": nan},
    ]
    content = {"format": 1, "trainings": [evil, words, "x", None, outside, *unsound, pid]}
    (hidden / "trainings.json").write_text(json.dumps(content), encoding="utf-8")
    with opened(tmp_path / "pets") as page:
        end = time.monotonic() + 20
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


def test_no_plan_is_made_beside_a_training(page):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        mark = process.mark_of(child.pid)
        one = states.Entry("x", QUICK, state=states.RUNNING, pid=child.pid, mark=mark)
        page.studio.queue.entries.append(one)
        plan = page.post("/api/trainings/plan", QUICK | {"begin": True}).json()["plan"]
        child.kill()
    assert plan == {"state": "later"}
    assert page.studio.planning.is_free


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


def test_a_training_of_the_studio_keeps_its_converted_network(tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(process.subprocess, "Popen", lambda _words, **more: seen.update(more))
    process.start(["train"], *(tmp_path / name for name in ("said", "wrong", "progress")))
    assert seen["env"]["CONVLENS_KEEP_NETWORK"] == "1"
