"""Names with slashes, `..`, NUL or emoji are safe."""

import json

import pytest

from convlens.studio.names import class_name
from convlens.studio.problem import Problem
from tests.studio.conftest import picture


@pytest.mark.parametrize(
    "name",
    ["", " ", "..", ".", "a/b", "a\\b", "../../x", "/etc", "a\0b", "a\nb", ".hidden", "a.", "CON",
     "nul.txt", "a:b", "a?", "x" * 81, "貓" * 60, "\u202egnp.exe", "a\u200bb", "Thumbs.db",
     "@eaDir", 3, None, ["a"], {"name": "x"}],
)  # fmt: skip
def test_names_that_no_folder_can_have_are_refused(own, name):
    before = own.state()["classes"]
    found = own.post("/api/classes", json.dumps({"name": name}).encode())
    assert found.status_code == 422
    assert found.json()["field"] == "name"
    assert own.state()["classes"] == before


@pytest.mark.parametrize("name", ["貓", "🐈", "👩\u200d🚀", "a b", "Größe", "it's", "9%", "train"])
def test_names_in_any_script_are_folders(own, name):
    own.make(name)
    assert (own.studio.workspace.places.images / name).is_dir()


def test_classes_that_some_systems_take_for_one_are_refused():
    for one, other in (("Cat", "cat"), ("é", "e\u0301"), ("STRASSE", "straße")):
        with pytest.raises(Problem, match="already"):
            class_name(one, [other])


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../evil.png", "evil.png"),
        ("..\\..\\evil.png", "evil.png"),
        ("/etc/passwd", "passwd.png"),
        ("a\0b.png", "a_b.png"),
        ("..", "image.png"),
        (".bashrc", "bashrc.png"),
        ("🐈.png", "🐈.png"),
        ("貓.PNG", "貓.PNG"),
        ("nul.png", "_nul.png"),
        ("page.html", "page.html.png"),
        ("x" * 500 + ".png", "x" * 80 + ".png"),
        ("a%2F..%2Fb.png", "a%2F..%2Fb.png"),
        ("", "image.png"),
    ],
)
def test_names_of_files_are_made_safe(own, name, kept, tmp_path):
    before = set(tmp_path.rglob("*"))
    added = own.add(own.classes()["cat"], name, picture(77))
    assert added["image"]["name"] == f"cat/{kept}"
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    visible = [path for path in new if ".studio" not in path.parts]
    assert visible == [own.studio.workspace.places.images / "cat" / kept]


@pytest.mark.parametrize("path", ["../a.png", "/a.png", "a/../../b.png", "a\0.png", "", "C:/a.png"])
def test_paths_of_an_import_stay_inside(own, path, tmp_path):
    name = own.post("/api/imports").json()["id"]
    found = own.client.post(
        f"/api/imports/{name}/files", params={"path": path}, content=picture(1),
        headers=own.headers,
    )  # fmt: skip
    assert found.status_code == 422
    assert found.json()["field"] == "path"
    assert own.state()["imports"] == []
