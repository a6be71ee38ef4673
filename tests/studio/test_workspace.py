"""A workspace: ordinary files that `train` takes, changes that can be undone, and two pages."""

import shlex
import threading

import pytest

from convlens.data.correction_lists import read_list
from convlens.data.sources import load_data
from convlens.files import write_atomically
from tests.cli.commands import QUICK, run
from tests.studio.conftest import opened, picture


def labels_of(page) -> dict[str, str]:
    """Return the class of each image that is used, as the page shows it."""
    names = [one["name"] for one in page.state()["classes"]]
    return {name: names[row["label"]] for name, row in page.rows("show=used").items()}


def labels_of_training(page) -> dict[str, str]:
    """Return the class of each image, as `train` takes them with the list."""
    places = page.studio.workspace.places
    source = places.source or str(places.images)
    dataset = load_data(source, for_training=False, using=[places.list])
    return {
        dataset.file_name(index): dataset.class_names[label]
        for index, label in enumerate(dataset.labels)
    }


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


def test_everything_can_be_undone_and_done_again(own):
    before = own.state()["classes"], own.rows()
    rows = own.rows()
    ids = [rows[name]["id"] for name in ("cat/1.png", "dog/4.png")]
    bird = own.make("bird")
    own.post("/api/relabel", {"images": ids[:1], "class": own.classes()["dog"]})
    own.post("/api/exclude", {"images": ids[1:]})
    own.post("/api/remove", {"images": [rows["cat/2.png"]["id"]]})
    own.client.patch(f"/api/classes/{own.classes()['cat']}", json={"name": "貓"},
                     headers=own.headers)  # fmt: skip
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


def test_renaming_a_class_takes_its_rows_along(own):
    rows = own.rows()
    own.post("/api/relabel", {"images": [rows["dog/4.png"]["id"]], "class": own.classes()["cat"]})
    own.post("/api/exclude", {"images": [rows["cat/1.png"]["id"]]})
    found = own.client.patch(
        f"/api/classes/{own.classes()['cat']}", json={"name": "lynx"}, headers=own.headers
    )
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


def test_an_image_that_is_not_on_the_disk_is_not_acknowledged(own, monkeypatch):
    def fail(*_given, **_named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    cat = own.classes()["cat"]
    found = own.post(f"/api/classes/{cat}/images?name=a.png", picture(61))
    assert found.status_code == 507
    assert "No space left on device" in found.json()["message"]
    assert own.state()["total"] == 5
    assert not [path.name for path in own.studio.workspace.places.images.rglob("*a.png")]


def test_orders_and_choices(own, monkeypatch):
    names = [f"cat/{n}.png" for n in (1, 2, 3)] + ["dog/4.png", "dog/5.png"]
    assert list(own.rows()) == names
    cat = own.add(own.classes()["cat"], "10.png", picture(62))
    assert list(own.rows()) == [*names[:3], "cat/10.png", *names[3:]]
    assert next(iter(own.rows("order=newest"))) == "cat/10.png"
    assert list(own.rows("order=oldest"))[-1] == "cat/10.png"
    assert sorted(own.rows("order=shuffled")) == sorted(own.rows())
    assert list(own.rows("order=shuffled")) == list(own.rows("order=shuffled"))
    own.post("/api/exclude", {"images": [cat["image"]["id"]]})
    assert list(own.rows("show=excluded")) == ["cat/10.png"]
    assert len(own.rows("show=used")) == 5
    assert list(own.rows(f"class={own.classes()['dog']}&search=5")) == ["dog/5.png"]
    assert list(own.rows("offset=1&limit=2")) == names[1:3]
    for query, field in (
        ("order=x", "order"), ("show=x", "show"), ("limit=-1", "limit"), ("limit=5001", "limit"),
        ("offset=٣", "offset"), ("class=x", "class"),
    ):  # fmt: skip
        found = own.get(f"/api/images?{query}")
        assert found.status_code in (409, 422)
        assert found.json()["field"] == field


def test_the_detail_of_an_image(own):
    own.add(own.classes()["cat"], "wide.jpg", picture(63, "JPEG", (40, 30)))
    row = own.rows()["cat/wide.jpg"]
    found = own.get(f"/api/images/{row['id']}").json()
    assert (found["width"], found["height"], found["format"]) == (40, 30, "JPEG")
    assert found["findings"] == []
    path = own.studio.workspace.places.images / "cat" / "wide.jpg"
    path.write_bytes(b"damaged")
    found = own.get(f"/api/images/{row['id']}").json()
    assert "not an image that can be read" in found["problem"]
    assert own.image(f"/images/{row['id']}/thumb").status_code == 422


def test_two_pages_agree(own):
    row = own.rows()["cat/1.png"]
    version = own.state()["version"]
    waited = {}

    def wait():
        waited.update(own.get(f"/api/changes?since={version}").json())

    waiting = threading.Thread(target=wait)
    waiting.start()
    own.post("/api/remove", {"images": [row["id"]]})
    waiting.join(10)
    assert waited["version"] > version
    assert waited["session"] == own.state()["session"]
    late = own.post("/api/exclude", {"images": [row["id"], own.rows()["cat/2.png"]["id"]]})
    assert late.status_code == 409
    assert late.json()["message"] == "1 of these images is not there any more; nothing was changed."
    assert own.state()["excluded"] == 0


def test_what_others_change_is_noticed(own, monkeypatch):
    monkeypatch.setattr("convlens.studio.workspace.LOOK_AGAIN", 0)
    places = own.studio.workspace.places
    version = own.state()["version"]
    assert own.state()["version"] == version
    write_atomically(places.images / "bird" / "1.png", picture(70))
    assert own.state()["version"] > version
    assert "bird/1.png" in own.rows()
    places.list.write_text("file,action,value\ncat/1.png,relabel,dog\nbird/1.png,group,7\n")
    assert own.state()["relabelled"] == 1
    own.post("/api/exclude", {"images": [own.rows()["cat/2.png"]["id"]]})
    assert "bird/1.png,group,7" in places.list.read_text()
    places.list.write_text("file,action\ncat/1.png,delete\n")
    note = own.state()["notes"][-1]
    assert "the action must be one of exclude, relabel, group, look" in note
    refused = own.post("/api/exclude", {"images": [own.rows()["cat/3.png"]["id"]]})
    assert refused.status_code == 409
    assert refused.json()["message"] == note


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
        assert "two classes or more" in page.state()["command_missing"]
        for name in ("train", "test"):
            identifier = page.make(name)
            page.add(identifier, "1.png", picture(len(name)))
            assert page.state()["command"] is None
            page.add(identifier, "2.png", picture(len(name) + 10))
        state = page.state()
        assert state["command_missing"] == ""
        assert state["command"].endswith("images --layout classes")


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


def test_messages_and_steps_come_in_the_language_of_the_page(own):
    own.post("/api/exclude", {"images": [own.rows()["cat/1.png"]["id"]]})
    chinese = {"Accept-Language": "zh-TW"}
    assert "影像" in own.get("/api/state", **chinese).json()["undo"]["text"]
    assert own.get("/api/state").json()["undo"]["text"] == "1 image left out"
    assert "類別" in own.post("/api/classes", {"name": ""}, **chinese).json()["message"]
    texts = own.client.get("/texts.json").json()
    assert texts["en"].keys() == texts["zh"].keys()
