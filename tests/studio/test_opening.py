"""Opening: new workspaces, those that were left, and images of all layouts."""

import pytest

from convlens.errors import DataError
from convlens.studio.opening import open_places
from tests.studio.conftest import opened, picture
from tests.studio.labels import labels_of, labels_of_training


def test_a_workspace_is_opened_as_it_was_left(tmp_path):
    with opened(tmp_path / "pets") as page:
        cat = page.make("cat")
        page.make("dog")
        page.add(cat, "1.png", picture(1))
        page.post("/api/exclude", {"images": [page.rows()["cat/1.png"]["id"]]})
        state, token = page.state(), page.token
    with opened(tmp_path / "pets") as page:
        assert page.token == token
        again = page.state()
        assert again["session"] != state["session"]
        for name in ("classes", "excluded", "undo", "workspace"):
            assert again[name] == state[name]
        page.post("/api/undo")
        assert page.state()["excluded"] == 0


def test_a_new_workspace_can_be_trained_when_it_has_enough(tmp_path):
    with opened(tmp_path / "pets") as page:
        assert page.state()["command"] is None
        assert "no image to train on" in page.state()["command_missing"]
        for name in ("train", "test"):
            identifier = page.make(name)
            page.add(identifier, "1.png", picture(len(name)))
            assert page.state()["command"] is None
            page.add(identifier, "2.png", picture(len(name) + 10))
        state = page.state()
        assert state["command_missing"] == ""
        assert state["command"].endswith("images --layout classes")
        page.post("/api/exclude", {"images": [one["id"] for one in page.rows().values()]})
        state = page.state()
        assert state["command"] is None
        assert "take back what is left out" in state["command_missing"]


@pytest.mark.parametrize("kind", ["splits", "table", "names", "array"])
def test_every_layout_is_opened(kind, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = photos
    if kind == "table":
        source = photos / "labels.csv"
        source.write_text("path,label\ntrain/cat/1.png,a\ntrain/dog/2.png,b\ntest/cat/11.png,a\n")
    elif kind == "names":
        source = tmp_path / "named"
        source.mkdir()
        for number in range(4):
            (source / f"{'ab'[number % 2]}.{number}.png").write_bytes(picture(number))
    elif kind == "array":
        source = "mnist5k"
    with opened(source) as page:
        state = page.state()
        assert state["kind"] == "opened"
        assert not state["may_add"]
        assert state["total"] == {"splits": 12, "table": 3, "names": 4, "array": 5000}[kind]
        name, row = next(iter(page.rows("limit=3").items()))
        assert page.image(f"/images/{row['id']}/thumb").status_code == 200
        other = state["classes"][1]
        page.post("/api/relabel", {"images": [row["id"]], "class": other["id"]})
        page.post("/api/exclude", {"images": [list(page.rows("limit=3").values())[1]["id"]]})
        assert labels_of_training(page)[name] == other["name"]
        if kind != "array":
            assert labels_of(page) == labels_of_training(page)
        root = page.studio.workspace.places.root
    with opened(source) as page:
        assert page.studio.workspace.places.root == root
        assert page.state()["excluded"] == 1
    with opened(root) as page:
        assert page.state()["excluded"] == 1


@pytest.mark.parametrize("file", ["run.toml", "compare.json", "state"])
def test_a_run_is_not_opened_as_images(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "runs" / "p30"
    (run / "plots").mkdir(parents=True)
    if file == "state":  # of a run that was killed before it had anything else
        (run / file).mkdir()
    else:
        (run / file).touch()
    (run / "plots" / "history.png").write_bytes(picture(1))
    with pytest.raises(DataError, match=r"this folder is a run.*convlens run show"):
        open_places("runs/p30")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
