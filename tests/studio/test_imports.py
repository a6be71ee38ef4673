"""Folders and archives whose layout tells the labels."""

import io
import threading
import zipfile
from pathlib import Path

import pytest

from convlens.studio import api_imports, imports
from convlens.studio.problem import Problem
from tests.studio.conftest import opened, picture


def archive(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return file.getvalue()


def begin(page, members: dict[str, bytes]) -> str:
    """Return an import with some files, sent one by one."""
    name = page.post("/api/imports").json()["id"]
    for path, data in members.items():
        found = page.client.post(
            f"/api/imports/{name}/files", params={"path": path}, content=data, headers=page.headers
        )
        assert found.status_code == 201, found.text
    return name


def test_what_is_answered_to_an_import_is_read_under_the_lock(own, monkeypatch):
    read = api_imports.changed

    def changed(studio, more):
        assert studio.workspace.lock._is_owned()
        return read(studio, more)

    monkeypatch.setattr(api_imports, "changed", changed)
    name = begin(own, {"cat/10.png": picture(10), "bird/11.png": picture(11)})
    assert own.post(f"/api/imports/{name}/finish").json()["added"] == 2


LAYOUTS = {
    "a folder per class": {"set/cat/10.png": 10, "set/bird/11.png": 11, "set/bird/12.png": 12},
    "splits": {"train/cat/10.png": 10, "train/bird/11.png": 11, "test/bird/12.png": 12},
    "names": {"cat.10.png": 10, "bird.11.png": 11, "bird.12.png": 12},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("way", ["files", "zip"])
def test_the_layout_is_understood(own, layout, way):
    members = {path: picture(seed) for path, seed in LAYOUTS[layout].items()}
    if way == "files":
        name = begin(own, members)
    else:
        name = own.post("/api/imports").json()["id"]
        data = archive(members | {"readme.txt": b"hello", "__MACOSX/cat/10.png": b"x"})
        found = own.post(f"/api/imports/{name}/zip?name=set.zip", data)
        assert found.status_code == 201, found.text
        assert found.json()["files"] == 3
        assert found.json()["left_out"] == {".txt": 1, ".png": 1}
    assert [(one["id"], one["files"]) for one in own.state()["imports"]] == [(name, 3)]
    looked = own.post(f"/api/imports/{name}/look").json()
    assert [(one["name"], one["images"]) for one in looked["classes"]] == [("bird", 2), ("cat", 1)]
    assert own.state()["total"] == 5
    done = own.post(f"/api/imports/{name}/finish").json()
    assert (done["added"], done["already"], done["refused"]) == (3, 0, [])
    assert {one["name"]: one["images"] for one in own.state()["classes"]} == {
        "cat": 4,
        "dog": 2,
        "bird": 2,
    }
    if layout == "splits":
        assert any("come split" in note for note in done["notes"])
    assert own.state()["imports"] == []
    assert own.post("/api/undo").json()["text"] == "undone: 3 images added"
    assert own.state()["total"] == 5
    own.post("/api/redo")
    assert own.state()["total"] == 8


def test_a_table_of_labels_is_understood(own):
    rows = b"path,label\nx/10.png,owl\nx/11.png,cat\n"
    name = begin(own, {"x/10.png": picture(10), "x/11.png": picture(11), "labels.csv": rows})
    assert own.post(f"/api/imports/{name}/finish").json()["added"] == 2
    assert "owl/10.png" in own.rows()


def test_images_without_labels_go_to_one_class(own):
    name = begin(own, {"a/x.png": picture(10), "b/y.png": picture(11), "b/1.png": picture(1)})
    looked = own.post(f"/api/imports/{name}/look", {"class": own.classes()["cat"]}).json()
    assert looked["classes"] == [{"name": "cat", "images": 3}]
    found = own.post(f"/api/imports/{name}/finish", {"class": own.classes()["cat"]}).json()
    assert (found["added"], found["already"]) == (2, 1)
    name = begin(own, {"holiday.png": picture(12)})
    refused = own.post(f"/api/imports/{name}/look")
    assert refused.status_code == 422
    assert refused.json()["message"].startswith("Neither the folders nor the names")
    assert own.post(f"/api/imports/{name}/finish", {"class_name": "../x"}).status_code == 422
    assert own.post(f"/api/imports/{name}/finish", {"class_name": "sea"}).json()["added"] == 1


def test_what_is_no_image_is_said(own):
    name = own.post("/api/imports").json()["id"]
    refused = own.post(f"/api/imports/{name}/files?path=a/1.png", b"text")
    assert refused.status_code == 422
    assert refused.json()["message"].startswith("1.png: this is not an image")
    assert own.post(f"/api/imports/{name}/files?path=a/1.txt", b"text").json()["kept"] is False
    data = archive({"owl/1.png": b"text", "owl/2.png": picture(2), "cat/3.png": picture(3)})
    own.post(f"/api/imports/{name}/zip", data)
    done = own.post(f"/api/imports/{name}/finish").json()
    assert done["added"] == 1
    assert done["already"] == 1
    assert [one["name"] for one in done["refused"]] == ["owl/1.png"]
    broken = own.post("/api/imports").json()["id"]
    own.post(f"/api/imports/{broken}/zip", archive({"eel/1.png": b"text", "eel/2.png": b""}))
    done = own.post(f"/api/imports/{broken}/finish").json()
    assert (done["added"], len(done["refused"])) == (0, 2)
    assert "eel" not in own.classes()
    empty = own.post("/api/imports").json()["id"]
    looked = own.post(f"/api/imports/{empty}/look")
    assert looked.status_code == 422
    assert looked.json()["message"].startswith("There is no image among these files")
    cut = picture(5, "JPEG")[:300]
    found = own.post(f"/api/imports/{empty}/files?path=a/cut.jpg", cut)
    assert found.json()["message"] == "cut.jpg: the image is cut off or damaged."
    found = own.post(f"/api/imports/{empty}/zip?name=a.zip", archive({"a.txt": b""}))
    assert found.json()["message"] == "a.zip: there is no image in this archive."


def test_a_file_of_an_import_is_hidden_or_gets_a_name_that_windows_allows(own):
    data = archive(
        {
            "con/aux.png": picture(11),
            "cat/10.png": picture(10),
            "$RECYCLE.BIN/12.png": picture(12),
            "__MACOSX/cat/._10.png": b"x",
        }
    )
    name = own.post("/api/imports").json()["id"]
    found = own.post(f"/api/imports/{name}/zip?name=set.zip", data).json()
    assert (found["files"], found["hidden"]) == (2, ["$RECYCLE.BIN/12.png"])
    found = own.post(f"/api/imports/{name}/files?path=.hidden/13.png", picture(13)).json()
    assert (found["kept"], found["hidden"]) == (False, [".hidden/13.png"])
    looked = own.post(f"/api/imports/{name}/look").json()
    assert {one["name"] for one in looked["classes"]} == {"con_", "cat"}


def test_notes_do_not_name_the_folder_in_which_an_import_waits(own):
    members = {f"{label}/{i}.png": picture(20 + i) for label in "ab" for i in range(2)}
    name = begin(own, members | {"lost.png": picture(9)})
    looked = own.post(f"/api/imports/{name}/look").json()
    assert looked["notes"]
    done = own.post(f"/api/imports/{name}/finish").json()
    for note in (*looked["notes"], *done["notes"]):
        assert not note.startswith("files")
        assert name not in note


def test_names_of_archives_from_taiwan_are_read(own):
    data = archive({"XX/1.png": picture(80), "dog/1.png": picture(81)})
    name = own.post("/api/imports").json()["id"]
    found = own.post(f"/api/imports/{name}/zip", data.replace(b"XX", "貓".encode("cp950")))
    assert found.json()["files"] == 2
    own.post(f"/api/imports/{name}/finish")
    assert "貓/1.png" in own.rows()


def test_imports_that_a_page_left_wait_for_the_next(tmp_path):
    with opened(tmp_path / "pets") as page:
        name = begin(page, {"cat/1.png": picture(1), "dog/2.png": picture(2)})
    with opened(tmp_path / "pets") as page:
        (waiting,) = page.state()["imports"]
        assert (waiting["id"], waiting["files"]) == (name, 2)
        assert waiting["bytes"] == len(picture(1)) + len(picture(2))
        assert page.post(f"/api/imports/{name}/finish").json()["added"] == 2
        other = begin(page, {"cat/3.png": picture(3)})
        assert page.client.delete(f"/api/imports/{other}", headers=page.headers).is_success
        assert page.state()["imports"] == []
        for path in (f"/api/imports/{other}/finish", "/api/imports/../finish"):
            assert page.post(path).status_code in (404, 409)


def test_a_damaged_archive_leaves_nothing(own, tmp_path):
    name = own.post("/api/imports").json()["id"]
    data = archive({f"cat/{i}.png": picture(i + 20) for i in range(5)})
    start = data.index(picture(24)) + 50
    damaged = data[:start] + b"\0\1\2\3" + data[start + 4 :]
    found = own.post(f"/api/imports/{name}/zip?name=a.zip", damaged)
    assert found.status_code == 422
    assert "it is damaged" in found.json()["message"]
    folder = own.studio.workspace.places.imports / name
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_files_whose_safe_names_are_equal_are_both_kept(own):
    members = {"cat/a?.png": picture(20), "cat/a_.png": picture(21), "bird/1.png": picture(22)}
    name = begin(own, members)
    own.client.post(  # which a page sends again if it has got no answer
        f"/api/imports/{name}/files",
        params={"path": "cat/a?.png"},
        content=picture(20),
        headers=own.headers,
    )
    (waiting,) = own.state()["imports"]
    assert waiting["files"] == 3
    assert waiting["bytes"] == sum(map(len, members.values()))
    assert own.post(f"/api/imports/{name}/finish").json()["added"] == 3


def test_an_import_is_dropped_once_its_archive_is_unpacked(own, monkeypatch, tmp_path):
    name = own.post("/api/imports").json()["id"]
    one = own.studio.imports.of(name)
    begun = threading.Event()
    goes_on = threading.Event()
    unpack = imports.unpack

    def slowly(*args):
        begun.set()
        assert goes_on.wait(60)
        return unpack(*args)

    monkeypatch.setattr(imports, "unpack", slowly)
    path = tmp_path / "a.zip"
    path.write_bytes(archive({"cat/1.png": picture(30)}))
    done = []
    keeping = threading.Thread(
        target=lambda: done.append(imports.keep_archive(one, path, "a.zip").files)
    )
    dropping = threading.Thread(target=own.studio.imports.drop, args=(name,))
    keeping.start()
    assert begun.wait(60)
    monkeypatch.setattr(imports, "MOST", 1)
    assert own.post("/api/imports").status_code == 409  # nor is it dropped for another one
    dropping.start()
    dropping.join(0.1)
    goes_on.set()
    keeping.join(60)
    dropping.join(60)
    assert done == [1]
    for keep in (
        lambda: imports.keep_file(one, "cat/2.png", picture(31)),
        lambda: imports.keep_archive(one, path, "a.zip"),
    ):
        with pytest.raises(Problem, match="not there any more"):
            keep()
    assert list(own.studio.workspace.places.imports.iterdir()) == []


def test_what_a_killed_studio_was_receiving_is_removed(tmp_path):
    with opened(tmp_path / "pets") as page:
        name = begin(page, {"cat/1.png": picture(1)})
        empty = page.post("/api/imports").json()["id"]
    imported = tmp_path / "pets" / ".studio" / "imports"
    (imported / name / "received-0a").write_bytes(b"half an archive")
    (imported / empty / "received-0b").write_bytes(b"half an archive")
    (imported / empty / "unpacked-0c").mkdir()
    (imported / ".0d.received").write_bytes(b"half a workspace")
    (imported / ("0" * 16)).write_bytes(b"no folder")
    with opened(tmp_path / "pets") as page:
        assert [one["id"] for one in page.state()["imports"]] == [name]
        assert page.post(f"/api/imports/{name}/finish").json()["added"] == 1
    assert list(imported.iterdir()) == []


def test_a_file_that_cannot_be_read_is_named_with_the_reason(own, monkeypatch):
    name = begin(own, {"cat/10.png": picture(10), "cat/11.png": picture(11)})
    read = Path.read_bytes

    def closed(path):
        if path.name == "10.png":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", closed)
    done = own.post(f"/api/imports/{name}/finish").json()
    assert done["added"] == 1
    assert done["refused"] == [{"name": "cat/10.png", "message": "Permission denied"}]


def test_a_folder_with_the_name_of_an_image_is_in_nobody_s_way(own):
    (own.studio.workspace.places.images / "cat" / "10.png").mkdir()
    name = begin(own, {"cat/10.png": picture(10)})
    assert own.post(f"/api/imports/{name}/finish").json()["added"] == 1
    assert "cat/10-2.png" in own.rows()
