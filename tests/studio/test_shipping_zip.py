"""A workspace as one zip: it comes back byte for byte, and an evil zip does no harm."""

import io
import json
import os
import stat
import zipfile

import pytest

from convlens.lock import locked
from convlens.studio import unzip
from convlens.studio.shipping.archive import plan_workspace
from convlens.studio.shipping.unpack import holds_workspace, unpack_workspace
from tests.studio.conftest import opened, picture

NAMES = ("cat", "黑貓 no. 2", "🐈 cats", "a'b?")


def contents(root):
    """Return what a workspace holds besides what only its studio needs."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
        if not path.relative_to(root).as_posix().startswith(".studio")
    }


@pytest.fixture
def pets(tmp_path):
    """Return the page of a workspace with odd names, a list, a run, and an export."""
    with opened(tmp_path / "my 寵物 🐾") as page:
        root = page.studio.workspace.places.root
        for number, name in enumerate(NAMES):
            folder = root / "images" / name
            folder.mkdir()
            (folder / f"{name} 1.png").write_bytes(picture(number))
        (root / "images" / "empty").mkdir()
        (root / "runs" / "first" / "state").mkdir(parents=True)
        (root / "runs" / "first" / "run.toml").write_text("[data]\n", encoding="utf-8")
        (root / "exports" / "first-onnx").mkdir(parents=True)
        (root / "exports" / "first-onnx" / "model.onnx").write_bytes(os.urandom(3 * 2**20))
        (root / "notes.txt").write_text("mine", encoding="utf-8")
        page.studio.workspace.rescan()
        rows = page.rows()
        page.post("/api/exclude", {"images": [rows["cat/cat 1.png"]["id"]]})
        yield page


def downloaded(page):
    """Return the archive of a workspace, as a browser saves it."""
    offered = page.post("/api/ship/workspace/zip")
    assert offered.status_code == 201
    found = page.client.get(offered.json()["url"], headers={"Sec-Fetch-Site": "same-origin"})
    assert found.status_code == 200
    assert int(found.headers["content-length"]) == len(found.content) == offered.json()["bytes"]
    return found


def test_a_workspace_comes_back_byte_for_byte(pets, tmp_path):
    root = pets.studio.workspace.places.root
    found = downloaded(pets)
    assert found.headers["content-type"] == "application/zip"
    assert found.headers["content-disposition"].startswith("attachment; filename*=UTF-8''my%20")
    with zipfile.ZipFile(io.BytesIO(found.content)) as saved:
        assert saved.testzip() is None
        assert {one.compress_type for one in saved.infolist()} == {zipfile.ZIP_STORED}
        hidden = [name for name in saved.namelist() if "/.studio/" in name]
        assert hidden == [f"{root.name}/.studio/studio.json"]
    assert pets.token.encode() not in found.content
    file = tmp_path / "saved.zip"
    file.write_bytes(found.content)
    assert holds_workspace(file)
    again = unpack_workspace(file, tmp_path, file.name)
    assert again == tmp_path / "saved"
    assert contents(again) == contents(root)
    with opened(again) as page:
        assert page.state()["excluded"] == 1
        assert sorted(page.classes()) == sorted([*NAMES, "empty"])
        assert page.token != pets.token
        # Its earlier runs were trained on images that came along; the original is still there.
        scores = page.studio.scores
        assert scores.is_of_workspace({"path": str(root / "images")})
        assert not scores.is_of_workspace({"path": str(tmp_path)})
    with opened(again) as page:  # as it was left
        assert page.studio.scores.is_of_workspace({"path": str(root / "images")})
        assert page.studio.scores.is_of_workspace({"path": str(again / "images")})
    assert not pets.studio.scores.is_of_workspace({"path": str(again / "images")})
    # The name is taken now.
    assert unpack_workspace(file, tmp_path, "saved.ZIP") == tmp_path / "saved-2"


def test_a_page_opens_a_zip_beside_its_workspace(pets, tmp_path):
    content = downloaded(pets).content
    found = pets.post("/api/ship/open?name=..%2F..%2Fother.zip", content)
    assert found.status_code == 201, found.text
    assert found.json()["folder"] == str(tmp_path / "other")
    assert found.json()["command"].startswith("convlens studio ")
    assert contents(tmp_path / "other") == contents(pets.studio.workspace.places.root)
    broken = pets.post("/api/ship/open?name=other.zip", content[:-4000])
    assert broken.status_code == 422
    assert "no zip archive, or it is damaged" in broken.json()["message"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my 寵物 🐾", "other"]


def test_a_download_is_opened_once(pets):
    url = pets.post("/api/ship/workspace/zip").json()["url"]
    assert pets.client.get(url, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    headers = pets.client.head(url).headers  # as download managers ask first
    assert int(headers["content-length"]) == len(pets.client.get(url).content)
    again = pets.client.get(url)
    assert again.status_code == 404
    assert "a minute has passed" in again.json()["message"]
    assert pets.client.get("/download/x/pets.zip").status_code == 404


def test_what_stays_out_is_named(pets, tmp_path):
    root = pets.studio.workspace.places.root
    (tmp_path / "private.txt").write_text("private", encoding="utf-8")
    (root / "link.txt").symlink_to(tmp_path / "private.txt")
    (root / "runs" / "away").symlink_to(tmp_path)
    with locked(root / "runs" / "first"):
        plan = plan_workspace(pets.studio.workspace.places)
    said = "\n".join(plan.left_out)
    assert "first, which is being trained" in said
    assert "link.txt, which is a link" in said
    assert "runs/away, which is a link" in said
    assert not [
        entry for entry in plan.entries if "private" in entry.name or "first/" in entry.name
    ]


def test_images_that_lie_elsewhere_are_not_in_it(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with opened(str(photos)) as page:
        plan = page.get("/api/ship/workspace").json()
        assert any(str(photos) in line for line in plan["left_out"])
        file = tmp_path / "saved.zip"
        file.write_bytes(downloaded(page).content)
    again = unpack_workspace(file, tmp_path, file.name)
    with opened(again) as page:
        assert page.state()["source"] == str(photos)


FACTS = ("w/.studio/studio.json", json.dumps({"format": 1, "source": None}))


def archive(path, *entries, **named):
    with zipfile.ZipFile(path, "w", **named) as made:
        for name, content in entries:
            made.writestr(name, content)
    return path


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (("w/../../private.txt", "x"), "must lie inside its folder"),
        (("/etc/cron.d/x", "x"), "must lie inside its folder"),
        (("C:/x.txt", "x"), "must lie inside its folder"),
        (("w/..\\..\\x.txt", "x"), "must lie inside its folder"),
        ((link("w/images"), "/etc"), "must lie inside its folder"),
        (("w/" + "a/" * 40 + "x", "x"), "must lie inside its folder"),
        (("w/corrections.csv/x", "x"), "same path"),
    ],
)
def test_a_zip_that_leads_elsewhere_is_refused(own, tmp_path, entry, said):
    before = sorted(tmp_path.rglob("*"))
    file = archive(tmp_path / "evil.zip", FACTS, ("w/corrections.csv", ""), entry)
    content = file.read_bytes()
    file.unlink()
    found = own.post("/api/ship/open?name=evil.zip", content)
    assert found.status_code == 422, found.text
    assert said in found.json()["message"]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_bomb_an_encrypted_zip_and_one_without_a_workspace_are_refused(own, tmp_path):
    bomb = archive(
        tmp_path / "b.zip", FACTS, ("w/zeros", bytes(150 * 10**6)), compression=zipfile.ZIP_DEFLATED
    )
    found = own.post("/api/ship/open?name=b.zip", bomb.read_bytes())
    assert found.status_code == 413
    assert "50 times its size" in found.json()["message"]
    none = archive(tmp_path / "c.zip", ("cat/1.png", picture(1)))
    found = own.post("/api/ship/open?name=c.zip", none.read_bytes())
    assert found.status_code == 422
    assert "no workspace of the studio" in found.json()["message"]
    later = archive(tmp_path / "d.zip", (FACTS[0], '{"format": 99}'))
    found = own.post("/api/ship/open?name=d.zip", later.read_bytes())
    assert "a later convlens" in found.json()["message"]
    locked_one = bytearray(archive(tmp_path / "e.zip", FACTS, ("w/a", "x")).read_bytes())
    place = locked_one.rindex(b"PK\x01\x02")
    locked_one[place + 8] |= 1
    found = own.post("/api/ship/open?name=e.zip", bytes(locked_one))
    assert "without a password" in found.json()["message"]
    assert not [path for path in tmp_path.iterdir() if path.is_dir() and path.name != "pets"]


def test_hidden_files_of_a_zip_stay_out(tmp_path):
    file = archive(
        tmp_path / "w.zip",
        FACTS,
        ("w/.studio/token", "x" * 48),
        ("w/.studio/history.json", "{}"),
        ("w/images/cat/1.png", picture(1)),
        ("w/images/.hidden/1.png", picture(1)),
        ("elsewhere/x.txt", "x"),
    )
    found = unpack_workspace(file, tmp_path, "w.zip")
    names = {path.relative_to(found).as_posix() for path in found.rglob("*") if path.is_file()}
    assert names == {".studio/studio.json", "images/cat/1.png"}


def test_a_list_of_files_that_fills_the_memory_is_not_read(tmp_path, monkeypatch):
    file = archive(tmp_path / "w.zip", FACTS, *[(f"w/{i}.txt", "") for i in range(40)])
    assert holds_workspace(file)
    monkeypatch.setattr(unzip, "MOST_DIRECTORY", 1000)
    monkeypatch.setattr(zipfile, "ZipFile", None)  # which would read it
    assert not holds_workspace(file)
