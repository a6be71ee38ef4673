"""What may be asked for in a training of the studio, and what is known of it before it begins."""

import json
import subprocess
import sys

import pytest

from convlens.studio.training import entry as states
from convlens.studio.training import process, ways
from convlens.studio.training.entry import Entry
from tests.studio.conftest import opened, picture
from tests.studio.trainings import QUICK, add, of_pets, planned, trainings


@pytest.fixture
def page(tmp_path):
    with of_pets(tmp_path / "pets") as found:
        yield found


def test_a_package_that_is_missing_says_nothing_of_the_images(page, monkeypatch):
    # What is said of the images is kept until they change: the package is missing from the start.
    monkeypatch.setattr(ways, "PACKAGE", "no_such_package")
    found = page.get("/api/trainings").json()
    assert "too small for one that knows photographs" in found["unlike"]
    assert found["lacking"] == "pip install 'convlens[pretrained]'"
    monkeypatch.setattr(ways, "PACKAGE", "json")  # which is always installed
    assert page.get("/api/trainings").json()["lacking"] == ""


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


def test_two_pages_do_not_queue_the_same_training_of_the_same_images(page, monkeypatch):
    queue = page.studio.queue
    monkeypatch.setattr(queue, "look", lambda: None)  # nothing need be trained
    add(page, QUICK)
    again = page.post("/api/trainings", QUICK)
    assert again.status_code == 409
    assert "the same training of the same images" in again.json()["message"]
    assert "Wait until it ends, or choose other settings" in again.json()["message"]
    add(page, QUICK | {"epochs": 3})
    page.add(page.classes()["cat"], "another.png", picture(77))  # which the first will read, too
    assert page.post("/api/trainings", QUICK).status_code == 409
    queue._note_begin(queue.entries[0])
    queue.entries = [Entry.read(one.to_dict()) for one in queue.entries]  # of the next studio
    assert page.post("/api/trainings", QUICK).status_code == 409
    page.add(page.classes()["cat"], "third.png", picture(78))
    assert add(page, QUICK)["run"] == "small_resnet-3"


def test_a_training_that_goes_on_keeps_the_images_that_it_has(page, monkeypatch):
    queue = page.studio.queue
    monkeypatch.setattr(queue, "look", lambda: None)  # nothing need be trained
    one = queue.find(add(page, QUICK)["id"])
    queue._note_begin(one)
    one.state = states.STOPPED
    folder = queue.folder(one)
    folder.mkdir()
    (folder / "run.toml").touch()
    page.add(page.classes()["cat"], "another.png", picture(77))
    queue.go_on(one.id)
    queue._note_begin(one)
    assert add(page, QUICK)["run"] == "small_resnet-2"


def test_nothing_is_trained_of_one_class_only(tmp_path):
    with opened(tmp_path / "pets") as page:
        identifier = page.make("cat")
        page.add(identifier, "1.png", picture(1))
        missing = page.get("/api/trainings").json()["missing"]
        found = page.post("/api/trainings", QUICK)
        assert found.status_code == 422
        assert found.json()["message"] == missing != ""


def test_no_plan_is_made_beside_a_training(page):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        mark = process.mark_of(child.pid)
        one = states.Entry("x", QUICK, state=states.RUNNING, pid=child.pid, mark=mark)
        page.studio.queue.entries.append(one)
        plan = page.post("/api/trainings/plan", QUICK | {"begin": True}).json()["plan"]
        child.kill()
    assert plan == {"state": "later"}
    assert page.studio.planning.is_free
