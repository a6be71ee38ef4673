"""Whether the files of a run are whole."""

import shutil

import pytest

from convlens.errors import RunError
from convlens.run_check import (
    CHANGED,
    DAMAGED,
    MISSING,
    SOUND,
    UNKNOWN,
    WHOLE,
    check_files,
)


@pytest.fixture
def copy(finished_run, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished_run.folder, folder)
    return folder


def verdicts(folder) -> dict[str, str]:
    return {one.name: one.verdict for one in check_files(folder)}


def flip_a_bit(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_every_file_of_a_finished_run_has_a_checksum(copy):
    found = verdicts(copy)
    assert set(found.values()) == {WHOLE}
    assert {"run.toml", "data.json", "history.csv", "classifier.keras", "report.html"} <= set(found)


@pytest.mark.parametrize("name", ["classifier.keras", "report.html", "history.csv"])
def test_one_bit_is_found(name, copy):
    flip_a_bit(copy / name)
    found = verdicts(copy)
    assert found.pop(name) == CHANGED
    assert set(found.values()) == {WHOLE}


def test_a_missing_file_and_one_that_was_added(copy):
    (copy / "report.html").unlink()
    (copy / "notes.txt").write_text("mine")
    found = verdicts(copy)
    assert found["report.html"] == MISSING
    assert found["notes.txt"] == UNKNOWN


def test_an_earlier_run_is_checked_by_its_content(copy):
    (copy / "SHA256SUMS").unlink()
    found = verdicts(copy)
    assert {found[name] for name in ("run.toml", "data.json", "classifier.keras")} == {SOUND}
    assert found["report.html"] == UNKNOWN
    flip_a_bit(copy / "classifier.keras")
    (copy / "data.json").write_text("{")
    found = verdicts(copy)
    assert (found["classifier.keras"], found["data.json"]) == (DAMAGED, DAMAGED)


def test_a_damaged_list_of_checksums_is_told(copy):
    (copy / "SHA256SUMS").write_text("no sums")
    with pytest.raises(RunError, match="the list of checksums is damaged"):
        check_files(copy)
