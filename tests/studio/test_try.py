"""The server's side of the room in which a classifier is tried: answers, maps, near images."""

import io
import json
import os
import shutil
import signal
import time

import pytest
from PIL import Image

from convlens.studio.trying import trying
from tests.studio.conftest import opened, picture
from tests.studio.trying import (  # noqa: F401 - a fixture
    EACH,
    asked_of_stopped,
    shape,
    trained,
    workspace_of,
)


@pytest.fixture(scope="module")
def page(trained, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("try") / "shapes"
    with opened(workspace_of(trained, folder, strict=1.0)) as found:
        yield found


@pytest.fixture
def run(page):
    """Return the folder of the run that is tried."""
    page.post("/api/try/open", {"run": "first", "insist": True})  # whatever was tried before
    return page.studio.workspace.places.runs / "first"


def status_of(page, name="first"):
    return page.get(f"/api/try/status?run={name}").json()


def worker_of(page, name="first"):
    return page.studio.trying._tried[page.studio.runs.find(name)].worker


def ask(page, content, name="first", what=""):
    return page.post(f"/api/try{what}{'&' if '?' in what else '?'}run={name}", content)


def test_numbers_are_those_of_predict(page, run):
    from convlens.classifier.classifier import Classifier

    classifier = Classifier.load(run)
    for kind, seed in (("bar", 1), ("disc", 2), ("bar", 3)):
        content = shape(kind, seed)
        (expected,) = classifier.predict(content)
        found = ask(page, content)
        assert found.status_code == 200, found.text
        said = found.json()
        shares = dict(zip(classifier.class_names, expected.probabilities.tolist(), strict=True))
        assert said["label"] == expected.label
        assert said["known"] == expected.known
        assert dict(said["probabilities"]) == pytest.approx(shares, abs=1e-5)
        assert said["probabilities"][0][0] == expected.label
        assert said["threshold"] == classifier.threshold
        assert said["seen_as"] == [32, 32]
    status = status_of(page)
    assert (status["run"], status["state"]) == ("first", "ready")
    assert status["class_names"] == ["bar", "disc"]


def test_why_is_what_explain_says(page, run):
    from convlens.classifier.classifier import Classifier

    content = shape()
    classifier = Classifier.load(run)
    expected = classifier.explain(content)
    found = ask(page, content, what="/why").json()
    assert found["label"] == expected.label
    (map_,) = found["maps"]
    (checked,) = expected.maps
    assert map_["drawn"] == checked.drawn
    assert [one["passed"] for one in map_["checks"]] == [one.passed for one in checked.checks]
    assert ("source" in map_) == checked.drawn
    assert map_["refusal"] == checked.refusal
    other = "bar" if expected.label == "disc" else "disc"
    against = ask(page, content, what=f"/why?against={other}").json()
    assert [one["subject"] for one in against["maps"]] == [
        f"{expected.label} against {other}",
        expected.label,
        other,
    ]
    unknown = ask(page, content, what="/why?class=moon")
    assert unknown.status_code == 422
    assert "'moon'" in unknown.json()["message"]


def test_near_images_are_named_and_can_be_opened_also_when_the_images_have_changed(page, run):
    content = (page.studio.workspace.places.images / "disc" / "3.png").read_bytes()
    rows = page.rows()
    found = ask(page, content, what="/neighbours?count=30").json()
    assert not found["changed"]
    assert found["compared"] == len(found["rows"]) < 2 * EACH  # only those of training
    found = found["rows"]
    near = [one["similarity"] for one in found]
    assert near == sorted(near, reverse=True)
    assert all(one["id"] == rows[one["name"]]["id"] for one in found)
    assert {one["label"] for one in found} == {"bar", "disc"}
    path = run / "data.json"
    text = path.read_text(encoding="utf-8")
    data = json.loads(text)
    path.write_text(json.dumps(data | {"path": "/gone/images"}), encoding="utf-8")
    (run / "SHA256SUMS").unlink()  # or the run would count as one whose split was changed
    page.studio.trying.open(run, again=True)  # which forgets what it has compared with
    moved = ask(page, content, what="/neighbours?count=30").json()
    assert (moved["rows"], moved["changed"]) == (found, False)
    path.write_text(text, encoding="utf-8")
    page.add(page.classes()["disc"], "new.png", content)
    page.studio.trying.open(run, again=True)  # which forgets what it has compared with
    changed = ask(page, content, what="/neighbours").json()
    assert changed["changed"]
    assert changed["compared"] == 2 * EACH + 1
    first, second, *_others = changed["rows"]
    assert {first["name"], second["name"]} == {"disc/3.png", "disc/new.png"}
    assert first["similarity"] == pytest.approx(1, abs=1e-4)
    assert first["said"] == "as near as training images usually are to one another"


def test_two_runs_are_tried_at_a_time_and_a_third_one_waits(page, run, monkeypatch):
    monkeypatch.setattr(trying, "UNUSED", 1000.0)
    assert ask(page, shape()).status_code == 200
    found = ask(page, picture(7), "strict").json()
    assert (found["known"], found["threshold"]) == (False, 1.0)
    # The answer has named the threshold, which the maps do not name again.
    notes = ask(page, picture(7), "strict", "/why").json()["notes"]
    assert not any("threshold" in note for note in notes)
    assert found["label"] in ("bar", "disc")
    processes = {name: worker_of(page, name).number for name in ("first", "strict")}
    third = run.parent / "third"
    shutil.copytree(run, third)
    for refused in (ask(page, shape(), "third"), page.post("/api/try/open", {"run": "third"})):
        assert (refused.status_code, refused.json()["field"]) == (409, "other")
        assert "other pages try these: first, strict." in refused.json()["message"]
    assert ask(page, shape()).status_code == 200
    assert {name: worker_of(page, name).number for name in processes} == processes
    # The one that was used least recently goes, as soon as nobody asks it any more.
    monkeypatch.setattr(trying, "UNUSED", 0.0)
    assert ask(page, shape(), "third").status_code == 200
    assert status_of(page, "strict")["state"] == "none"
    assert worker_of(page, "first").number == processes["first"]
    # Or if somebody insists.
    monkeypatch.setattr(trying, "UNUSED", 1000.0)
    assert page.post("/api/try/open", {"run": "strict"}).status_code == 409
    assert page.post("/api/try/open", {"run": "strict", "insist": True}).status_code == 200
    assert status_of(page)["state"] == "none"
    assert ask(page, shape(), "strict").status_code == 200
    shutil.rmtree(third)
    assert ask(page, shape(), "third").status_code == 404


def test_who_waits_while_another_run_takes_the_place_is_answered(page, run, monkeypatch):
    """Formerly this was told as a process that has ended by itself."""
    assert ask(page, shape()).status_code == 200
    process = worker_of(page)
    answer = asked_of_stopped(process, lambda: ask(page, shape(), what="/why"))
    page.studio.trying.open(run, again=True)
    found = answer.result(240)
    assert found.status_code == 200, found.text
    assert found.json()["maps"]


def test_a_process_that_was_killed_is_said_and_started_again(page, run):
    assert ask(page, shape()).status_code == 200
    process = worker_of(page)
    told = page.state()["told"]
    answer = asked_of_stopped(process, lambda: ask(page, shape()))
    os.kill(process.number, signal.SIGKILL)
    found = answer.result(240)
    assert found.status_code == 503
    assert "started again" in found.json()["message"]
    assert ask(page, shape()).status_code == 200
    assert worker_of(page) is not process
    assert page.state()["told"] > told


@pytest.mark.parametrize("what", ["", "/why", "/neighbours"])
def test_bad_images_are_refused_with_a_line(page, run, what):
    for content in (b"", b"no image", picture(1)[:60], b"%!PS-Adobe-3.0 EPSF-3.0\n"):
        found = ask(page, content, what=what)
        assert found.status_code == 422, found.text
        assert found.json()["message"].startswith(("image: ", "image.png: "))
    damaged = bytearray(picture(1, size=(200, 200)))
    damaged[len(damaged) // 2 :] = bytes(len(damaged) - len(damaged) // 2)
    found = ask(page, bytes(damaged), what=what)
    assert found.status_code == 422, found.text


def test_images_are_limited_in_bytes_and_pixels(page, run, monkeypatch):
    monkeypatch.setattr("convlens.studio.trying.api.MOST_BYTES", 100)
    assert ask(page, picture(1)).status_code == 413
    monkeypatch.undo()
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    found = ask(page, file.getvalue())
    assert found.status_code == 422
    assert "pixels" in found.json()["message"]


@pytest.mark.parametrize("name", ["../first", "first/../first", ".", "", "moon", "%00", "/etc"])
@pytest.mark.parametrize("what", ["", "/why", "/neighbours"])
def test_only_runs_of_the_workspace_are_opened(page, run, name, what):
    assert ask(page, shape(), name, what).status_code == 404
    assert page.post("/api/try/open", {"run": name}).status_code == 404


def test_a_classifier_that_has_changed_is_loaded_anew(page, run):
    before = ask(page, shape()).json()["stamp"]
    os.utime(run / "classifier.keras", ns=(1, time.time_ns()))
    assert status_of(page)["is_newer"]
    after = ask(page, shape()).json()["stamp"]
    assert after != before
    assert not status_of(page)["is_newer"]


def test_what_is_damaged_or_removed_is_said(page, run):
    strict = run.parent / "strict"
    (strict / "classifier.keras").write_bytes(b"no archive")
    page.post("/api/try/open", {"run": "strict"})
    for _time in range(2):  # it is not tried again and again
        found = ask(page, shape(), "strict")
        assert (found.status_code, found.json()["field"]) == (422, "run")
        assert "classifier.keras" in found.json()["message"]
    assert status_of(page, "strict")["state"] == "failed"
    (strict / "classifier.keras").unlink()
    found = ask(page, shape(), "strict")
    assert (found.status_code, found.json()["field"]) == (409, "run")
