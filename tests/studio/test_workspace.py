"""A workspace: ordinary files that `train` takes, and changes that can be undone."""

import os
import shlex
import shutil
from pathlib import Path

import pytest

from convlens.data.correction_lists import Correction, read_list
from convlens.studio import history
from tests.cli.commands import QUICK, run
from tests.studio.conftest import opened, picture
from tests.studio.labels import labels_of, labels_of_training


def test_what_the_page_shows_is_what_train_takes(own):
    rows = own.rows()
    dog = own.classes()["dog"]
    first, second, third = (rows[f"cat/{number}.png"]["id"] for number in (1, 2, 3))
    assert own.post("/api/relabel", {"images": [first], "class": dog}).json()["changed"] == 1
    done = own.post("/api/exclude", {"images": [second], "code": "blank", "note": "a\nb"}).json()
    assert done["undo"] == {"text": "1 image left out"}
    expected = {
        "cat/1.png": "dog", "cat/3.png": "cat", "dog/4.png": "dog", "dog/5.png": "dog",
    }  # fmt: skip
    assert labels_of(own) == labels_of_training(own) == expected
    row = read_list(own.studio.workspace.places.list).corrections[1]
    assert (row.action, row.code, row.note) == ("exclude", "blank", "a b")
    own.post("/api/restore", {"images": [first, second]})
    assert own.rows()["cat/1.png"]["label"] == 0
    assert own.state()["excluded"] == own.state()["relabelled"] == 0
    own.post("/api/exclude", {"images": [third]})
    own.post("/api/relabel", {"images": [third], "class": dog})
    assert labels_of(own)["cat/3.png"] == labels_of_training(own)["cat/3.png"] == "dog"


def test_a_training_obeys_the_list(own, capsys):
    for seed in range(20, 36):
        own.add(own.classes()[("cat", "dog")[seed % 2]], f"{seed}.png", picture(seed))
    row = own.rows()["cat/20.png"]
    own.post("/api/exclude", {"images": [row["id"]]})
    own.post("/api/relabel", {"images": [own.rows()["cat/22.png"]["id"]],
                              "class": own.classes()["dog"]})  # fmt: skip
    words = shlex.split(own.state()["command"])[1:]
    run_folder = own.studio.workspace.places.root / "runs" / "first"
    assert run(*words, "--epochs", 1, "--size", 16, "--run", run_folder, *QUICK) == 0
    out, err = capsys.readouterr()
    assert "left out: 1; that have another label: 1" in out + err


def test_images_that_were_moved_are_known_by_the_ids_that_a_page_still_shows(own):
    ids = [own.rows()[f"cat/{number}.png"]["id"] for number in (1, 2)]
    bird = own.make("bird")
    own.post("/api/relabel", {"images": ids, "class": bird})  # which moves them into its folder
    assert "bird/1.png" in own.rows()
    assert own.post("/api/exclude", {"images": ids}).json()["changed"] == 2
    shown = [own.rows()[f"bird/{number}.png"]["id"] for number in (1, 2)]
    own.rename("bird", "owl")
    assert "owl/1.png" in own.rows()
    assert own.post("/api/restore", {"images": shown}).json()["changed"] == 2
    assert own.post("/api/exclude", {"images": ids}).json()["changed"] == 2  # after two moves
    for _ in range(3):  # until the name is the former one
        own.post("/api/undo")
    assert own.post("/api/restore", {"images": shown}).json()["changed"] == 2


def test_everything_can_be_undone_and_done_again(own):
    before = own.state()["classes"], own.rows()
    rows = own.rows()
    ids = [rows[name]["id"] for name in ("cat/1.png", "dog/4.png")]
    bird = own.make("bird")
    own.post("/api/relabel", {"images": ids[:1], "class": own.classes()["dog"]})
    own.post("/api/exclude", {"images": ids[1:]})
    own.post("/api/remove", {"images": [rows["cat/2.png"]["id"]]})
    own.rename("cat", "貓")
    own.client.delete(f"/api/classes/{bird}", headers=own.headers)
    own.add(own.classes()["貓"], "9.png", picture(9), group="drop")
    own.add(own.classes()["貓"], "10.png", picture(10), group="drop")
    after = own.state()["classes"], own.rows()
    assert after[0] != before[0]
    texts = []
    while own.state()["undo"]:
        texts.append(own.post("/api/undo").json()["text"])
        if len(texts) == 7:
            assert (own.state()["classes"], own.rows()) == before
    assert texts[0] == "undone: 2 images added"
    assert own.state()["total"] == 0
    for _step in texts:
        assert own.post("/api/redo").status_code == 200
    assert (own.state()["classes"], own.rows()) == after
    assert own.post("/api/redo").json()["message"] == "there is nothing to do again."


def test_a_step_that_cannot_be_undone_leaves_the_list(own):
    rows = own.rows()
    own.post("/api/exclude", {"images": [rows["dog/4.png"]["id"]]})
    own.post("/api/remove", {"images": [rows["cat/2.png"]["id"], rows["cat/1.png"]["id"]]})
    images = own.studio.workspace.places.images
    (images / "cat" / "2.png").write_bytes(picture(70))
    refused = own.post("/api/undo")
    assert refused.status_code == 409
    assert "2.png: something else lies here now" in refused.json()["message"]
    assert "taken off the list: 2 images removed" in refused.json()["message"]
    assert not (images / "cat" / "1.png").exists()  # nothing of the step was done
    assert own.post("/api/undo").json()["text"] == "undone: 1 image left out"


def test_a_change_that_is_refused_is_no_step(own):
    last = len(own.studio.workspace.history.done)
    (own.studio.workspace.places.images / "owl").mkdir()
    (own.studio.workspace.places.images / "owl" / "1.png").write_bytes(picture(71))
    found = own.rename("cat", "owl")
    assert found.status_code in (409, 422)
    assert len(own.studio.workspace.history.done) == last


def test_renaming_a_class_takes_its_rows_along(own):
    rows = own.rows()
    own.post("/api/relabel", {"images": [rows["dog/4.png"]["id"]], "class": own.classes()["cat"]})
    own.post("/api/exclude", {"images": [rows["cat/1.png"]["id"]]})
    found = own.rename("cat", "lynx")
    assert found.json()["class"]["name"] == "lynx"
    assert labels_of(own) == labels_of_training(own) == {
        "dog/4.png": "lynx", "dog/5.png": "dog", "lynx/2.png": "lynx", "lynx/3.png": "lynx",
    }  # fmt: skip
    own.post("/api/undo")
    assert labels_of(own) == labels_of_training(own)
    assert labels_of(own)["dog/4.png"] == "cat"


def test_a_class_with_images_is_removed_only_if_the_loss_is_known(own):
    cat = own.classes()["cat"]
    for query, lost in (("", 3), ("?images=2", 3)):
        found = own.client.delete(f"/api/classes/{cat}{query}", headers=own.headers)
        assert found.status_code == 409
        assert found.json()["images"] == lost
        assert "has 3 images, which would go to the trash" in found.json()["message"]
    assert own.client.delete(f"/api/classes/{cat}?images=3", headers=own.headers).is_success
    assert list(own.classes()) == ["dog"]
    assert own.state()["trash"] == {"images": 3}
    own.post("/api/undo")
    assert own.state()["total"] == 5


def test_a_list_that_somebody_else_has_just_changed_is_not_overwritten(own):
    rows = own.rows()
    places = own.studio.workspace.places
    own.post("/api/exclude", {"images": [rows["cat/1.png"]["id"]]})
    more = places.list.read_text(encoding="utf-8") + "cat/2.png,exclude,,,,\n"
    places.list.write_text(more, encoding="utf-8")
    asked = {"images": [rows["dog/4.png"]["id"]]}
    refused = own.post("/api/exclude", asked)
    assert refused.status_code == 409
    assert "somebody else has just changed the list" in refused.json()["message"]
    assert places.list.read_text(encoding="utf-8") == more
    assert own.post("/api/exclude", asked).json()["changed"] == 1
    assert list(own.rows("show=excluded")) == ["cat/1.png", "cat/2.png", "dog/4.png"]
    places.list.write_text(more, encoding="utf-8")
    assert own.post("/api/undo").json()["text"] == "undone: 1 image left out"
    assert list(own.rows("show=excluded")) == ["cat/1.png", "cat/2.png"]
    broken = more + "cat/3.png,burn,,,,\n"
    places.list.write_text(broken, encoding="utf-8")
    assert own.post("/api/undo").status_code == 409
    assert places.list.read_text(encoding="utf-8") == broken


def test_images_that_somebody_else_adds_while_one_is_uploaded_are_noticed(own):
    workspace = own.studio.workspace
    (workspace.places.images / "cat" / "beside.png").write_bytes(picture(80))
    own.add(own.classes()["cat"], "uploaded.png", picture(81))
    workspace._looked = -1e9
    assert own.state()["total"] == 7
    assert {"cat/beside.png", "cat/uploaded.png"} <= own.rows().keys()


def test_what_stays_in_the_trash_is_told(own, monkeypatch):
    own.post("/api/remove", {"images": [own.rows()["cat/1.png"]["id"]]})
    monkeypatch.setattr(shutil, "rmtree", lambda *args, **how: None)  # as if it were read-only
    found = own.post("/api/trash/empty")
    assert found.status_code == 500
    assert found.json()["message"].startswith("1 image of the trash could not be deleted")


def test_the_trash_keeps_what_came_after_the_question(own):
    own.post("/api/remove", {"images": [own.rows()["cat/1.png"]["id"]]})
    found = own.post("/api/trash/empty?images=2")
    assert found.status_code == 409
    assert found.json()["message"] == "the trash has 1 image by now; nothing was deleted."
    assert own.state()["trash"] == {"images": 1}
    assert own.post("/api/trash/empty?images=1").json()["images"] == 1


def test_emptying_the_trash_is_final(own):
    row = own.rows()["cat/1.png"]
    own.post("/api/exclude", {"images": [own.rows()["dog/4.png"]["id"]]})
    own.post("/api/remove", {"images": [row["id"]]})
    assert own.post("/api/trash/empty").json()["images"] == 1
    assert own.state()["trash"] == {"images": 0}
    assert own.state()["undo"] == {"text": "1 image left out"}
    assert "cat/1.png" not in own.rows()


def test_the_first_images_of_a_class_are_moved_to_it(own):
    bird = own.make("bird")
    rows = own.rows()
    done = own.post("/api/relabel", {"images": [rows["cat/1.png"]["id"]], "class": bird}).json()
    assert (done["changed"], done["moved"]) == (1, 1)
    assert own.rows()["bird/1.png"]["label"] == 0
    done = own.post("/api/relabel", {"images": [rows["cat/2.png"]["id"]], "class": bird}).json()
    assert done["moved"] == 0
    assert labels_of(own) == labels_of_training(own)
    own.post("/api/undo")
    own.post("/api/undo")
    assert "cat/1.png" in own.rows()


def test_an_image_that_comes_twice_is_kept_once(own):
    cat = own.classes()["cat"]
    again = own.add(cat, "1.png", picture(1))
    assert again["already"]
    other = own.add(cat, "1.png", picture(60))
    assert not other["already"]
    assert other["image"]["name"] == "cat/1-2.png"
    assert own.state()["total"] == 6


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="tells files by their numbers")
def test_an_image_that_is_not_on_the_disk_is_not_acknowledged(own, monkeypatch):
    synced = os.fsync

    def fail(number):
        if Path(f"/proc/self/fd/{number}").readlink().name.endswith("a.png"):
            raise OSError(28, "No space left on device")
        synced(number)

    monkeypatch.setattr("os.fsync", fail)
    cat = own.classes()["cat"]
    found = own.post(f"/api/classes/{cat}/images?name=a.png", picture(61))
    assert found.status_code == 507
    assert "No space left on device" in found.json()["message"]
    assert own.state()["total"] == 5
    assert not [path.name for path in own.studio.workspace.places.images.rglob("*a.png")]


def test_a_workspace_that_was_removed_does_not_come_back_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "PAUSE", 600.0)
    with opened(tmp_path / "pets") as page:
        cat = page.make("cat")
        for number in (1, 2):  # the history is written after the first one, and then at the end
            page.add(cat, f"{number}.png", picture(number), group="g")
        shutil.rmtree(tmp_path / "pets")
    assert not (tmp_path / "pets").exists()


def test_a_class_whose_last_own_image_goes_keeps_those_that_the_list_gives_it(own):
    """A list cannot name a class that has no image, so that nothing could be trained."""
    rows = own.rows()
    names = ("cat/1", "cat/3", "dog/4", "dog/5")
    first, third, fourth, fifth = (rows[f"{name}.png"]["id"] for name in names)
    dog = own.classes()["dog"]
    groups = [Correction(f"cat/{number}.png", "group", "7", "", "") for number in (1, 2)]
    own.studio.workspace.marks.change({}, groups)
    own.post("/api/relabel", {"images": [first], "class": dog})
    own.post("/api/exclude", {"images": [third]})
    assert own.post("/api/remove", {"images": [fourth, fifth]}).json()["changed"] == 2
    expected = {"cat/2.png": "cat", "dog/1.png": "dog"}
    assert labels_of(own) == labels_of_training(own) == expected
    assert [row.file for row in own.studio.workspace.marks.kept] == ["dog/1.png", "cat/2.png"]
    own.post("/api/undo")
    others = {"dog/4.png": "dog", "dog/5.png": "dog"}
    expected = {"cat/1.png": "dog", "cat/2.png": "cat"} | others
    assert labels_of(own) == labels_of_training(own) == expected
    assert own.studio.workspace.marks.kept == groups
