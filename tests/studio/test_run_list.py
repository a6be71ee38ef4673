"""The trainings of a workspace: what the page is told of them, and which folders it may name."""

import json

import pytest

from convlens.config import Config
from convlens.lock import locked
from convlens.run_folder import SETTINGS
from tests.studio.conftest import opened


@pytest.fixture
def page(tmp_path):
    with opened(tmp_path / "pets") as found:
        found.studio.runs._looked = -1e9
        yield found


def begin(page, name):
    folder = page.studio.workspace.places.runs / name
    (folder / "state").mkdir(parents=True)
    (folder / SETTINGS).write_text(Config().to_toml(), encoding="utf-8")
    began = {"began": "2026-01-02T03:04:05+00:00", "images": 12}
    (folder / "data.json").write_text(json.dumps(began), encoding="utf-8")
    return folder


def runs(page):
    return page.get("/api/runs").json()["runs"]


def test_a_run_of_the_command_line_is_shown_and_changes_are_told(page, monkeypatch):
    monkeypatch.setattr("convlens.studio.run_list.LOOK_AGAIN", 0)
    assert runs(page) == []
    before = page.state()["told"]
    folder = begin(page, "first")
    (row,) = runs(page)
    assert (row["name"], row["state"], row["images"]) == ("first", "resumable", 12)
    assert row["has_classifier"] is False
    told = page.state()["told"]
    assert told > before
    with locked(folder):
        assert page.get(f"/api/changes?since={page.state()['version']}&told={told}").json()
        assert runs(page)[0]["state"] == "training"
    assert page.state()["told"] > told


def test_a_run_has_the_name_of_a_folder_of_the_workspace(page, tmp_path):
    begin(page, "first")
    (tmp_path / "other" / "state").mkdir(parents=True)
    (page.studio.runs.folder / "linked").symlink_to(tmp_path / "other")
    assert page.studio.runs.find("first").name == "first"
    for name in ("", ".", "..", "../runs/first", "first/", "linked", "nothing", None, 3):
        with pytest.raises(Exception, match="has no run"):
            page.studio.runs.find(name)
    with pytest.raises(Exception, match="no classifier yet"):
        page.studio.runs.find_classifier("first")
