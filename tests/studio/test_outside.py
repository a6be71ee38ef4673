"""Nothing that was uploaded is executed, and no file outside the workspace is read or written."""

import io
import json

import pytest
from PIL import Image

from tests.studio.conftest import opened, picture


def test_what_is_no_image_is_not_kept(own):
    script = b"<script>alert(1)</script>"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    postscript = io.BytesIO()
    Image.new("RGB", (8, 8)).save(postscript, "EPS")  # Ghostscript would run it
    for name, data in (
        ("a.html", script),
        ("a.svg", svg),
        ("a.png", svg),
        ("a.jpg", postscript.getvalue()),
        ("a.png", b""),
    ):
        found = own.post(f"/api/classes/{own.classes()['cat']}/images?name={name}", data)
        assert found.status_code == 422
        assert found.json()["message"].startswith(name)
    assert own.state()["total"] == 5


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_an_image_that_is_cut_off_is_not_kept(own, kind):
    whole = picture(8, kind, (300, 200))
    path = f"/api/classes/{own.classes()['cat']}/images?name=a.{kind.lower()}"
    found = own.post(path, whole[: len(whole) * 2 // 3])
    assert found.status_code == 422
    assert found.json()["message"].startswith(f"a.{kind.lower()}:")
    assert own.state()["total"] == 5
    assert own.post(path, whole).status_code == 201


def test_no_byte_of_an_upload_reaches_a_page(own):
    script = b"<script>alert('uploaded')</script>"
    hiding = picture(8, "JPEG", (300, 200)) + script
    added = own.add(own.classes()["cat"], "a.html", hiding)
    for kind in ("thumb", "thumb?size=256", "full"):
        found = own.image(f"/images/{added['image']['id']}/{kind}")
        assert found.status_code == 200
        assert found.headers["content-type"] in ("image/jpeg", "image/png")
        assert found.headers["x-content-type-options"] == "nosniff"
        assert script not in found.content
    for path in ("/images/cat/a.html.jpg", "/page/../images/cat/a.html.jpg", "/cat/a.html.jpg"):
        assert own.image(path).status_code in (404, 409)


@pytest.mark.parametrize(
    "path",
    [
        "/page/../app.py",
        "/page/%2e%2e/app.py",
        "/page/..%2fapp.py",
        "/page/..%2f..%2faudit%2faudit.js",
        "/page//etc/passwd",
        "/page/%2Fetc%2Fpasswd",
        "/vendor/..%2f..%2fvendor%2f__init__.py",
        "/vendor/package.json",
        "/images/..%2f..%2f..%2fetc%2fpasswd/full",
        "/images/%2Fetc%2Fpasswd/thumb",
    ],
)
def test_no_path_leads_out(own, path):
    found = own.image(path)
    assert found.status_code in (404, 409)
    assert "message" in found.json()


def test_a_table_of_an_import_reads_no_other_file(own, tmp_path):
    secret = tmp_path / "private.png"
    secret.write_bytes(picture(50))
    (tmp_path / "other.png").write_bytes(picture(51))
    rows = f"path,label\n{secret},a\n../../../../../other.png,b\nmine.png,b\n"
    name = own.post("/api/imports").json()["id"]
    assert own.post(f"/api/imports/{name}/files?path=t.csv", rows.encode()).json()["kept"]
    assert own.post(f"/api/imports/{name}/files?path=mine.png", picture(52)).json()["kept"]
    for step in ("look", "finish"):
        found = own.post(f"/api/imports/{name}/{step}")
        assert found.status_code == 422
        assert "lies elsewhere" in found.json()["message"]
    assert own.state()["total"] == 5


def test_opened_images_are_never_changed(photos, snapshot, tmp_path, monkeypatch):
    monkeypatch.chdir(photos)  # even if the studio is started among them
    before = snapshot(photos)
    with opened(".") as page:
        rows = page.rows()
        ids = [row["id"] for row in rows.values()]
        cat = page.classes()["cat"]
        assert page.post("/api/relabel", {"images": ids[:3], "class": cat}).status_code == 200
        assert page.post("/api/exclude", {"images": ids[3:5]}).status_code == 200
        assert page.image(f"/images/{ids[0]}/thumb").status_code == 200
        for path, content in (
            ("/api/remove", {"images": ids[:1]}),
            ("/api/classes", {"name": "bird"}),
            ("/api/imports", {}),
            (f"/api/classes/{cat}/images?name=a.png", picture(1)),
        ):
            found = page.post(path, content)
            assert found.status_code == 409
            assert "never changes" in found.json()["message"]
        assert page.client.delete(f"/api/classes/{cat}", headers=page.headers).status_code == 409
        places = page.studio.workspace.places
        assert places.root == tmp_path / "photos-studio"
    assert snapshot(photos) == before


def test_links_out_of_the_workspace_are_not_followed(own, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "private.png").write_bytes(picture(50))
    images = own.studio.workspace.places.images
    (images / "cat" / "link.png").symlink_to(outside / "private.png")
    (images / "away").symlink_to(outside)
    own.studio.workspace.rescan()
    for name in ("cat/link.png", "away/private.png"):
        row = own.rows()[name]
        for kind in ("thumb", "full"):
            found = own.image(f"/images/{row['id']}/{kind}")
            assert found.status_code == 422
            assert "leads out of the workspace" in found.json()["message"]
        assert "leads out" in own.get(f"/api/images/{row['id']}").json()["problem"]
    found = own.post(f"/api/classes/{own.classes()['away']}/images?name=a.png", picture(51))
    assert found.status_code == 409
    name = own.post("/api/imports").json()["id"]
    own.post(f"/api/imports/{name}/files?path=away/2.png", picture(52))
    assert own.post(f"/api/imports/{name}/finish").status_code == 409
    assert [path.name for path in outside.iterdir()] == ["private.png"]


def test_nothing_is_moved_out_of_a_folder_that_is_a_link(own, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "original.png").write_bytes(picture(50))
    images = own.studio.workspace.places.images
    (images / "away").symlink_to(outside)
    (images / "empty").mkdir()
    own.studio.workspace.rescan()
    one = own.rows()["away/original.png"]["id"]
    undo = own.state()["undo"]
    for path, content in (
        ("/api/remove", {"images": [one]}),
        ("/api/relabel", {"images": [one], "class": own.classes()["empty"]}),
    ):
        found = own.post(path, content)
        assert found.status_code == 409
        assert "lies outside the workspace" in found.json()["message"]
    assert [path.name for path in outside.iterdir()] == ["original.png"]
    assert own.state()["undo"] == undo


@pytest.mark.parametrize("way", ["../private.png", "{folder}/private.png", "images/../../x/a.png"])
def test_a_history_that_somebody_else_has_written_moves_nothing_out(tmp_path, way):
    private = tmp_path / "private.png"
    private.write_bytes(picture(50))
    before = sorted(tmp_path.iterdir())
    root = tmp_path / "pets"
    with opened(root) as page:
        page.add(page.make("cat"), "1.png", picture(1))
    file = root / ".studio" / "history.json"
    history = json.loads(file.read_text())
    outside = way.format(folder=tmp_path)
    history["done"][-1]["moves"] = [
        [outside, "images/cat/2.png"],
        ["images/cat/1.png", outside.replace("private", "written")],
    ]
    file.write_text(json.dumps(history))
    with opened(root) as page:
        found = page.post("/api/undo")
        assert found.status_code == 409
        assert "lies outside the workspace" in found.json()["message"]
        assert list(page.rows()) == ["cat/1.png"]
    assert sorted(tmp_path.iterdir()) == sorted([*before, root])
