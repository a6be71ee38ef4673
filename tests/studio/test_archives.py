"""Zips cannot contain bombs, links or ways out."""

import stat
import struct
import zipfile
from pathlib import Path

import pytest

from convlens.studio import unzip
from convlens.studio.problem import Problem
from convlens.studio.unzip import unpack
from tests.studio.conftest import picture


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
