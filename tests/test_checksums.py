"""SHA256SUMS, as the program sha256sum writes and checks it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from convlens import checksums
from convlens.checksums import (
    SUMS,
    complete_files,
    digest,
    read_sums,
    resealed,
    seal,
    unseal,
)

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of no bytes, FIPS 180


def test_names_of_all_kinds_are_written_and_read(tmp_path):
    names = ["a.txt", "state/b c.npz", "two\nlines", "back\\slash", os.fsdecode(b"gr\xf6n")]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    seal(tmp_path, [tmp_path / name for name in names])
    found = read_sums(tmp_path)
    assert {path.as_posix() for path in found} == set(names)
    assert set(found.values()) == {EMPTY}


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is a program of GNU")
def test_sha256sum_agrees(tmp_path):
    names = ["a.txt", "two\nlines", "back\\slash"]
    for name in names:
        (tmp_path / name).write_text(name)
    seal(tmp_path, [tmp_path / name for name in names])
    check = ["sha256sum", "--check", "--strict", SUMS]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "a.txt").write_text("changed")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_an_unsealed_folder_has_no_checksums(tmp_path):
    (tmp_path / "a").write_text("")
    seal(tmp_path, [tmp_path / "a"])
    unseal(tmp_path)
    unseal(tmp_path)
    assert read_sums(tmp_path) == {}


def test_no_power_cut_brings_checksums_back_that_were_removed(tmp_path, monkeypatch):
    there = []
    sums = tmp_path / "SHA256SUMS"
    sums.write_text("")
    monkeypatch.setattr(checksums, "sync_folder", lambda folder: there.append(sums.exists()))
    unseal(tmp_path)
    assert there == [False]


def test_what_a_block_does_not_write_keeps_its_checksum(tmp_path):
    for name in ("written", "changed", "removed", "whole"):
        (tmp_path / name).write_text("before")
    seal(tmp_path)
    before = read_sums(tmp_path)
    (tmp_path / "changed").write_text("after")
    (tmp_path / "removed").unlink()
    with resealed(tmp_path):
        assert not (tmp_path / SUMS).exists()
        (tmp_path / "written").write_text("after")
        (tmp_path / "new").write_text("after")
    after = digest(tmp_path / "written")
    assert read_sums(tmp_path) == before | {Path("written"): after, Path("new"): after}


def test_a_damaged_list_is_told(tmp_path):
    (tmp_path / SUMS).write_text(f"{EMPTY}  a\n{EMPTY[:20]}")
    with pytest.raises(ValueError, match=EMPTY[:20]):
        read_sums(tmp_path)


def test_parts_that_are_runs_and_what_changes_later_have_no_sum_here(tmp_path):
    kept = ["run.toml", "state/state.npz", "head/history.csv"]
    others = ["fold-1/run.toml", "fold-1/x", "tensorboard/events", "state/lock", ".1.state", SUMS]
    for name in (*kept, *others):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = {path.relative_to(tmp_path).as_posix() for path in complete_files(tmp_path)}
    assert found == set(kept)
