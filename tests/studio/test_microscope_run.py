"""Images under the microscope: the product's page, in a frame that can reach nothing."""

import base64
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from convlens.explain.time_machine.machine import TimeMachine
from convlens.pipeline import train
from convlens.run import Run
from tests.conftest import without_charts
from tests.studio.conftest import opened, picture
from tests.trainings import CONFIG, QUIET

SETTINGS = CONFIG.replace(epochs=2, limit=200, snapshots=6, learning_rate=0.01)


@pytest.fixture(scope="module")
def page(digits, tmp_path_factory):
    """Return the page of a workspace with a run that has kept states, and one that has not."""
    folder = tmp_path_factory.mktemp("microscope") / "pets"
    with opened(folder) as found:
        for name, snapshots in (("kept", 6), ("plain", 0)):
            with without_charts():
                config = SETTINGS.replace(snapshots=snapshots)
                train(digits, config, run=folder / "runs" / name, screen=QUIET)
        identifier = found.make("cat")
        found.add(identifier, "1.png", picture(1))
        yield found


def put(page, name="a.png", content=None):
    """Put an image under the microscope, and return its identifier."""
    content = content or picture(3, size=(8, 8))
    found = page.post(f"/api/microscope/images?name={name}", content)
    assert found.status_code == 201, found.text
    return found.json()["id"]


def test_the_page_of_an_image_is_that_of_the_product(page):
    image = put(page, "three.png")
    found = page.post("/api/microscope/page", {"run": "kept", "image": image})
    assert found.status_code == 200, found.text
    shown = page.image(f"/images/microscope/page/{found.json()['page']}")
    assert "<h1>three.png</h1>" in shown.text
    assert '"block1_conv1"' in shown.text
    before = page.studio.told
    again = page.post("/api/microscope/page", {"run": "kept", "image": image})
    assert again.json() == found.json()
    assert page.studio.looking.told == before - page.studio.runs.told  # nothing was computed


def test_the_frame_runs_scripts_and_can_reach_nothing(page):
    image = put(page)
    key = page.post("/api/microscope/page", {"run": "kept", "image": image}).json()["page"]
    shown = page.image(f"/images/microscope/page/{key}")
    policy = shown.headers["content-security-policy"]
    for rule in ("sandbox allow-scripts;", "default-src 'none'", "frame-ancestors 'self'"):
        assert rule in policy
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy
    assert page.token not in shown.text
    assert page.client.get(f"/images/microscope/page/{key}").status_code == 401
    other = page.get("/api/state").headers["content-security-policy"]
    assert "unsafe" not in other
    for name in ("../page", "..%2f..%2ftoken", "x" * 16, key + "."):
        assert page.image(f"/images/microscope/page/{name}").status_code in (404, 409)


def test_an_image_of_the_workspace_stays_when_its_file_changes(page):
    (row,) = page.rows().values()
    found = page.post(f"/api/microscope/images/{row['id']}").json()
    assert found["name"] == "1.png"
    shown = page.image(f"/images/microscope/{found['id']}")
    assert shown.headers["content-type"].startswith("image/")
    assert page.client.get(f"/images/microscope/{found['id']}").status_code == 401


def test_what_is_no_image_or_not_there_is_refused(page):
    assert page.post("/api/microscope/images?name=a.png", b"GIF89a nothing").status_code == 422
    image = put(page)
    for run, status in (("../kept", 404), ("none", 404), (None, 404)):
        found = page.post("/api/microscope/page", {"run": run, "image": image})
        assert found.status_code == status
        assert found.json()["field"] == "run"
    for name in ("../token", "*", "?" * 20, None, "0" * 20):
        found = page.post("/api/microscope/page", {"run": "kept", "image": name})
        assert (found.status_code, found.json()["field"]) == (409, "image")


def test_the_way_of_an_image_is_that_of_the_time_machine(page, monkeypatch):
    image = put(page, "way.png")
    asked = {"run": "kept", "image": image, "do": "way"}
    way = page.post("/api/microscope/time", asked).json()
    machine = TimeMachine.open(Run(page.studio.runs.find("kept")))
    expected = machine.way(page.studio.looking.pictures.find(image))
    np.testing.assert_allclose(way["probabilities"], expected.probabilities, atol=1e-6)
    assert [one["step"] for one in way["moments"]] == [one.step for one in machine.moments]
    asked |= {"do": "layer", "layer": "block1_conv1"}
    layer = page.post("/api/microscope/time", asked).json()
    count = len(machine.moments)
    assert layer["maps"]["shape"] == [count, 8, 8, 4]
    assert layer["filters"]["shape"][:2] == [count, 4]
    kernels = np.frombuffer(base64.b64decode(layer["filters"]["data"]), "<f4")
    kept = machine.filters(page.studio.looking.pictures.find(image), "block1_conv1", 2)
    np.testing.assert_allclose(kernels.reshape(layer["filters"]["shape"])[:, 2], kept, rtol=1e-6)
    asked |= {"do": "weight", "unit": 1, "place": [0, 1, 0]}
    rows = page.post("/api/microscope/time", asked).json()["rows"]
    for row in rows:
        total = sum(term["product"] for term in row["terms"]) + row["others"]
        assert total == pytest.approx(row["derivative"], abs=1e-9)
    assert rows[0]["update"]["agrees"] is True
    assert rows[0]["update"]["steps"][-1]["value"] == pytest.approx(rows[1]["value"], rel=1e-5)
    # What was asked for once is kept, also for a studio that has no process any more.
    page.studio.looking.stop()
    monkeypatch.setattr(page.studio.looking, "_ask", None)
    assert page.post("/api/microscope/time", asked).json() == {"rows": rows}


def test_what_two_tabs_ask_for_at_once_is_computed_once(page, monkeypatch):
    looking = page.studio.looking
    run = page.studio.runs.find_classifier("kept")
    image = put(page, "twice.png")
    asked = []

    def compute(_run, request, _stops):
        asked.append(request)
        time.sleep(0.3)  # in which the other one asks, too
        return {"rows": []}

    monkeypatch.setattr(looking, "_ask", compute)
    with ThreadPoolExecutor(2) as tabs:
        answers = [tabs.submit(looking.time, run, image, {"do": "way"}) for _tab in range(2)]
    assert [one.result() for one in answers] == [{"rows": []}] * 2
    assert len(asked) == 1


def test_a_run_without_states_says_how_to_keep_them(page):
    asked = {"run": "plain", "image": put(page), "do": "way"}
    found = page.post("/api/microscope/time", asked)
    assert found.status_code == 422
    assert "--snapshots" in found.json()["message"]
    page.studio.runs.refresh()
    rows = {row["name"]: row for row in page.get("/api/runs").json()["runs"]}
    assert {name: row["has_states"] for name, row in rows.items()} == {"kept": True, "plain": False}


def test_what_cannot_be_asked_of_the_states_is_refused(page):
    asked = {"run": "kept", "image": put(page)}
    for more, field in (
        ({"do": "page"}, "do"),
        ({"do": "weight", "unit": -1}, "unit"),
        ({"do": "weight", "place": "../bias"}, "place"),
        ({"do": "weight", "place": [1, 2, 3, 4]}, "place"),
        ({"do": "weight", "layer": "block1_conv1", "place": [9, 9, 9]}, None),
        ({"do": "layer", "layer": "nothing"}, None),
    ):
        found = page.post("/api/microscope/time", {**asked, **more})
        assert (found.status_code, found.json()["field"]) == (422, field), found.text


def test_a_process_that_was_killed_is_said_and_begins_again(page):
    looking = page.studio.looking
    image = put(page, "killed.png")
    asked = {"run": "kept", "image": image, "do": "way"}
    assert page.post("/api/microscope/time", asked).status_code == 200
    os.kill(looking._worker.number, signal.SIGKILL)
    while looking._worker.is_alive:
        time.sleep(0.01)
    asked = {"run": "kept", "image": put(page, "next.png"), "do": "way"}
    assert page.post("/api/microscope/time", asked).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/microscope/images?name=a.png"),
        ("POST", "/api/microscope/images/0123456789abcdef"),
        ("POST", "/api/microscope/page"),
        ("POST", "/api/microscope/time"),
        ("GET", "/api/microscope"),
        ("DELETE", "/api/microscope"),
    ],
)
def test_nothing_is_done_without_the_token(page, method, path):
    assert page.client.request(method, path).status_code == 401
