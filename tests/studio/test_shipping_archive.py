"""An archive has its size before it is made, and each file as it was when it was listed."""

import io
import os
import zipfile

import pytest

from convlens.errors import DataError
from convlens.studio.shipping import archive as archive_module
from convlens.studio.shipping.archive import Entry, parts, plan_folder, zip_size


@pytest.mark.parametrize("limit", [10, 10**9])
def test_the_size_is_known_before_also_where_fields_get_wider(tmp_path, monkeypatch, limit):
    for module in (archive_module, zipfile):
        monkeypatch.setattr(module, "LARGE" if module is archive_module else "ZIP64_LIMIT", limit)
        monkeypatch.setattr(
            module, "MANY" if module is archive_module else "ZIP_FILECOUNT_LIMIT", 3
        )
    entries = [Entry("a/", tmp_path, 0, 0)]
    for number, name in enumerate(("a/貓.png", "b", "🐈/c", "d")):
        file = tmp_path / str(number)
        file.write_bytes(os.urandom(7 * number))
        entries.append(Entry(name, file, 7 * number, file.stat().st_mtime_ns))
    content = b"".join(parts(entries))
    assert zip_size(entries) == len(content)
    with zipfile.ZipFile(io.BytesIO(content)) as saved:
        assert saved.namelist() == [entry.name for entry in entries]
        assert saved.testzip() is None


@pytest.mark.parametrize("content", [b"123", b"12345678", b"4321", None])
def test_a_file_that_changes_after_it_was_listed_breaks_the_download(tmp_path, content):
    """A list that gets longer would be cut in the middle of a line."""
    file = tmp_path / "pets" / "corrections.csv"
    file.parent.mkdir()
    file.write_bytes(b"1234")
    os.utime(file, (10**9, 10**9))
    plan = plan_folder(file.parent)
    assert b"".join(parts(plan.entries))
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(DataError, match=r"corrections\.csv has changed while"):
        list(parts(plan.entries))


def test_a_file_that_changes_while_it_is_read_breaks_the_download(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_module, "CHUNK", 2)
    file = tmp_path / "pets" / "corrections.csv"
    file.parent.mkdir()
    file.write_bytes(b"1234")
    os.utime(file, (10**9, 10**9))
    made = parts(plan_folder(file.parent).entries)
    next(made)
    with file.open("ab") as more:
        more.write(b"5")
    with pytest.raises(DataError, match="has changed while"):
        list(made)


@pytest.mark.parametrize(("year", "shown"), [(1970, 1980), (2020, 2020), (2200, 2107)])
def test_a_date_that_no_zip_can_name_is_the_nearest(tmp_path, year, shown):
    file = tmp_path / "pets" / "a.txt"
    file.parent.mkdir()
    file.write_bytes(b"1234")
    seconds = int((year - 1970) * 365.2425 * 86400) + 10**6
    os.utime(file, (seconds, seconds))
    content = b"".join(parts(plan_folder(file.parent).entries))
    with zipfile.ZipFile(io.BytesIO(content)) as saved:
        assert saved.infolist()[0].date_time[0] == shown


def test_names_that_are_not_utf8_are_left_out_and_end_no_download(tmp_path):
    """As a zip from Windows leaves them, whose names are unpacked as they are."""
    odd = os.fsdecode(b"\xbf\xdf")
    root = tmp_path / f"pets{odd}"
    for name in ("cat", odd, f"{odd}/inner"):
        (root / name).mkdir(parents=True)
    (root / "cat" / "1.png").write_bytes(b"1")
    (root / odd / "2.png").write_bytes(b"2")
    plan = plan_folder(root)
    assert plan.name == "pets\\udcbf\\udcdf.zip"
    content = b"".join(parts(plan.entries))
    assert plan.size == len(content)
    with zipfile.ZipFile(io.BytesIO(content)) as saved:
        assert saved.namelist() == ["pets\\udcbf\\udcdf/cat/1.png"]
    assert plan.to_dict()["left_out"] == [
        "pets\\udcbf\\udcdf/\\udcbf\\udcdf/2.png, which cannot be read"
    ]
