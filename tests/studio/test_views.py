"""What pages see: orders, details, changes of other pages and of others, languages."""

import threading

from convlens.files import write_atomically
from tests.studio.conftest import picture


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
    waiting.join(60)
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


def test_a_list_may_name_a_class_that_has_no_folder_any_more(own, monkeypatch):
    monkeypatch.setattr("convlens.studio.workspace.LOOK_AGAIN", 0)
    list_file = own.studio.workspace.places.list
    list_file.write_text("file,action,value\ncat/1.png,relabel,wolf\ncat/2.png,relabel,dog\n")
    found = own.get("/api/state")
    assert found.status_code == 200, found.text
    assert found.json()["command"] is not None
    names = [one["name"] for one in found.json()["classes"]]
    rows = own.rows()
    assert names[rows["cat/1.png"]["label"]] == "cat"
    assert names[rows["cat/2.png"]["label"]] == "dog"


def test_messages_and_steps_come_in_the_language_of_the_page(own):
    own.post("/api/exclude", {"images": [own.rows()["cat/1.png"]["id"]]})
    chinese = {"Accept-Language": "zh-TW"}
    assert "影像" in own.get("/api/state", **chinese).json()["undo"]["text"]
    assert own.get("/api/state").json()["undo"]["text"] == "1 image left out"
    assert "類別" in own.post("/api/classes", {"name": ""}, **chinese).json()["message"]
    texts = own.client.get("/texts.json").json()
    assert texts["en"].keys() == texts["zh"].keys()
