"""The studio lets nobody in: a test for each sentence that says so."""

import base64
import hashlib
import io
import json
import re
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from convlens.studio import content, imports, joining, unzip, workspace
from convlens.studio.names import class_name
from convlens.studio.problem import Problem
from convlens.studio.unzip import unpack
from tests.studio.conftest import HOST, opened, picture

CHANGES = [
    ("POST", "/api/classes", b'{"name": "bird"}'),
    ("POST", "/api/undo", b""),
    ("POST", "/api/audit", b""),
    ("POST", "/api/imports", b""),
    ("POST", "/api/trash/empty", b""),
]


# The address carries a token that the page keeps.


@pytest.mark.parametrize("path", ["/api/state", "/api/images", "/api/findings", "/api/changes"])
@pytest.mark.parametrize("token", [None, "", "x" * 48, "é"])
def test_nothing_is_told_without_the_token(own, path, token):
    headers = {} if token is None else {"X-Convlens-Token": token.encode()}
    found = own.client.get(path, headers=headers)
    assert found.status_code == 401
    assert found.json()["message"].startswith("this needs the token of the studio")


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_nothing_is_changed_without_the_token(own, method, path, body):
    before = own.state()
    # Neither where images have their key, nor with the key of the images.
    for headers in ({}, {"X-Convlens-Token": own.key}, {"Cookie": f"token={own.token}"}):
        found = own.client.request(
            method, f"{path}?token={own.token}&key={own.token}", content=body, headers=headers
        )
        assert found.status_code == 401
    after = own.state()
    assert {name: after[name] for name in ("version", "classes", "undo")} == {
        name: before[name] for name in ("version", "classes", "undo")
    }


def test_images_need_their_key_which_opens_nothing_else(own):
    row = own.rows()["cat/1.png"]
    path = f"/images/{row['id']}/thumb"
    assert own.client.get(path).status_code == 401
    assert own.client.get(f"{path}?key=x").status_code == 401
    assert own.client.get(f"{path}?key={own.token}").status_code == 401
    assert own.client.get(f"{path}?key={own.key}").status_code == 200
    assert own.get("/api/state", **{"X-Convlens-Token": own.key}).status_code == 401


def test_what_is_open_to_all_does_not_hold_the_token(own):
    for path in ("/", "/page/main.js", "/texts.json", "/vendor/preact.mjs"):
        found = own.client.get(path)
        assert found.status_code == 200
        assert own.token not in found.text
        assert own.key not in found.text
        assert "set-cookie" not in found.headers


def test_the_token_is_the_users_alone(own):
    path = own.studio.workspace.places.hidden / "token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(own.token) == 48
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


# Host and Origin are checked (DNS rebinding, cross-site posts).


@pytest.mark.parametrize(
    "host",
    ["evil.example:8765", "127.0.0.1.evil.example:8765", "127.0.0.1", "127.0.0.1:80", "", "[::1]"],
)
@pytest.mark.parametrize("path", ["/", "/api/state", "/texts.json"])
def test_a_name_that_somebody_lets_point_here_opens_nothing(own, host, path):
    found = own.get(path, Host=host)
    assert found.status_code == 403
    assert "own address" in found.json()["message"]


@pytest.mark.parametrize("host", [HOST, "localhost:8765", "LOCALHOST:8765", "[::1]:8765"])
def test_the_names_of_this_computer_are_answered(own, host):
    assert own.get("/api/state", Host=host).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8765"]
)
@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_another_site_changes_nothing_even_with_the_token(own, origin, method, path, body):
    version = own.state()["version"]
    headers = own.headers | {"Origin": origin}
    found = own.client.request(method, path, content=body, headers=headers)
    assert found.status_code == 403
    assert "another site" in found.json()["message"]
    assert own.state()["version"] == version


def test_the_page_itself_may_send_its_origin(own):
    assert own.post("/api/classes", {"name": "x"}, Origin=f"http://{HOST}").status_code == 201


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_embeds_nothing(own, site):
    row = own.rows()["cat/1.png"]
    for path in ("/api/state", f"/images/{row['id']}/thumb?key={own.key}", "/page/main.js"):
        assert own.get(path, **{"Sec-Fetch-Site": site}).status_code == 403
    framed = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert own.get("/", **framed).status_code == 403
    clicked = framed | {"Sec-Fetch-Dest": "document"}
    assert own.get("/", **clicked).status_code == 200


def test_no_site_may_read_answers(own):
    found = own.client.options("/api/state", headers={"Origin": f"http://{HOST}"})
    assert "access-control-allow-origin" not in found.headers
    assert found.headers["cross-origin-resource-policy"] == "same-origin"


# Uploads are limited in bytes, pixels and number.


def test_an_image_has_a_limit_of_bytes(own, monkeypatch):
    monkeypatch.setattr("convlens.studio.api.MOST_BYTES", 1000)
    path = f"/api/classes/{own.classes()['cat']}/images?name=a.png"
    before = own.state()["total"]
    assert own.post(path, bytes(1001)).status_code == 413

    def without_length():
        for _part in range(3):
            yield bytes(500)

    found = own.client.post(path, content=without_length(), headers=own.headers)
    assert found.status_code == 413
    assert own.state()["total"] == before


def test_requests_of_other_kinds_have_a_limit_of_bytes(own, monkeypatch):
    monkeypatch.setattr("convlens.studio.studio.MOST_JSON", 100)
    assert own.post("/api/classes", {"name": "x" * 200}).status_code == 413


def test_an_image_has_a_limit_of_pixels(own):
    # 20,000 x 20,000 pixels in a file of 50 kB.
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    found = own.post(f"/api/classes/{own.classes()['cat']}/images?name=large.png", file.getvalue())
    assert found.status_code == 422
    assert "100 million pixels at most" in found.json()["message"]


def test_a_workspace_has_a_limit_of_images(own, monkeypatch):
    monkeypatch.setattr(workspace, "MOST_IMAGES", 5)
    found = own.post(f"/api/classes/{own.classes()['cat']}/images?name=6.png", picture(6))
    assert found.status_code == 413
    monkeypatch.setattr(joining, "MOST_IMAGES", 5)
    name = own.post("/api/imports").json()["id"]
    own.post(f"/api/imports/{name}/files?path=a/1.png", picture(7))
    found = own.post(f"/api/imports/{name}/finish", {"class_name": "bird"})
    assert found.status_code == 413
    assert own.state()["total"] == 5


def test_an_import_has_limits(own, monkeypatch):
    monkeypatch.setattr(imports, "MOST_IMAGES", 1)
    name = own.post("/api/imports").json()["id"]
    assert own.post(f"/api/imports/{name}/files?path=a/1.png", picture(7)).status_code == 201
    assert own.post(f"/api/imports/{name}/files?path=a/2.png", picture(8)).status_code == 413
    monkeypatch.setattr(imports, "MOST", 1)
    assert own.post("/api/imports").status_code == 409


# Zips cannot contain bombs, links or ways out.


def packed(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def refused(archive: Path, tmp_path: Path) -> str:
    folder = tmp_path / "unpacked"
    folder.mkdir(exist_ok=True)
    with pytest.raises(Problem) as stopped:
        unpack(archive, folder, "a.zip")
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    return str(stopped.value)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    bomb = packed(tmp_path / "a.zip", {f"{i}.png": bytes(40_000_000) for i in range(6)})
    assert bomb.stat().st_size < 1_000_000
    assert "50 times its size" in refused(bomb, tmp_path)


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path):
    bomb = packed(tmp_path / "a.zip", {"1.png": bytes(3_000_000)})
    content = bytearray(bomb.read_bytes())
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.index(signature) + place
        struct.pack_into("<I", content, start, 1000)
    bomb.write_bytes(content)
    folder = tmp_path / "unpacked"
    folder.mkdir()
    with pytest.raises(Problem, match="damaged"):
        unpack(bomb, folder, "a.zip")
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 1000


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unzip, "MOST_ENTRIES", 3)
    archive = packed(tmp_path / "a.zip", {f"{i}.txt": b"" for i in range(4)})
    assert "this one has more" in refused(archive, tmp_path)


def test_a_list_of_files_that_fills_the_memory_is_not_read(tmp_path, monkeypatch):
    archive = packed(tmp_path / "a.zip", {f"{i}.png": b"" for i in range(40)})
    monkeypatch.setattr(unzip, "MOST_DIRECTORY", 1000)
    monkeypatch.setattr(zipfile, "ZipFile", None)  # which would read it
    assert "this one has more" in refused(archive, tmp_path)


def test_links_are_left_out(tmp_path):
    (tmp_path / "secret.png").write_bytes(picture(9))
    info = zipfile.ZipInfo("cat/link.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(info, str(tmp_path / "secret.png"))
        file.writestr("cat/1.png", picture(1))
    folder = tmp_path / "unpacked"
    folder.mkdir()
    done = unpack(tmp_path / "a.zip", folder, "a.zip")
    assert done.left_out == {unzip.LINK: 1}
    assert [path.name for path in folder.rglob("*.png")] == ["1.png"]


@pytest.mark.parametrize(
    "name",
    ["../out.png", "a/../../out.png", "/etc/out.png", "..\\out.png", "C:\\out.png", "C:out.png"],
)
def test_ways_out_are_refused(tmp_path, name):
    archive = packed(tmp_path / "a.zip", {"cat/1.png": picture(1), name: picture(2)})
    assert "must stay inside its folder" in refused(archive, tmp_path)
    assert list(tmp_path.rglob("out.png")) == []


def test_encrypted_archives_and_other_files_are_one_line(tmp_path):
    archive = packed(tmp_path / "a.zip", {"1.png": picture(1)})
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    assert "without a password" in refused(archive, tmp_path)
    archive.write_bytes(b"no archive")
    assert "a.zip: this is no zip archive, or it is damaged" in refused(archive, tmp_path)
    archive.write_bytes(content[:-30])
    assert "damaged" in refused(archive, tmp_path)


# Names with slashes, `..`, NUL or emoji are safe.


@pytest.mark.parametrize(
    "name",
    ["", " ", "..", ".", "a/b", "a\\b", "../../x", "/etc", "a\0b", "a\nb", ".hidden", "a.", "CON",
     "nul.txt", "a:b", "a?", "x" * 81, "貓" * 60, "\u202egnp.exe", "a\u200bb", "Thumbs.db",
     "\ud800", "@eaDir", 3, None, ["a"], {"name": "x"}],
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


# Nothing that was uploaded is executed.


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


def test_every_answer_forbids_foreign_scripts(own):
    row = own.rows()["cat/1.png"]
    for path in ("/", "/page/main.js", "/api/state", "/nowhere", f"/images/{row['id']}/thumb"):
        found = own.get(path)
        policy = found.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["referrer-policy"] == "no-referrer"


def test_the_policy_allows_the_one_script_that_is_inside_the_page(own):
    found = own.client.get("/")
    inside = re.findall(r"<script(?![^>]*src=)[^>]*>(.*?)</script>", found.text, re.DOTALL)
    assert len(inside) == 1
    digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in found.headers["content-security-policy"]


# No file outside the workspace can be read or written.


@pytest.mark.parametrize(
    "path",
    [
        "/page/../app.py",
        "/page/%2e%2e/app.py",
        "/page/..%2fapp.py",
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


def test_limits_are_told(own):
    limits = own.state()["limits"]
    assert limits == {**content.LIMITS, "zip_bytes": unzip.MOST_ZIP}
