"""SHA256SUMS, as the program sha256sum writes and checks it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from convlens import checksums
from convlens.checksums import (
    SUMS,
    altered,
    complete_files,
    digest,
    read_sums,
    refuse_altered,
    resealed,
    seal,
    seal_begun,
    unseal,
)
from convlens.errors import RunError

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


def test_settings_and_splits_that_were_changed_since_are_told(tmp_path):
    for name in ("run.toml", "asked.toml", "data.json", "history.csv"):
        (tmp_path / name).write_text(name)
    assert altered(tmp_path) == []  # without checksums nothing is known
    seal(tmp_path)
    refuse_altered(tmp_path)
    for name in ("history.csv", "run.toml"):
        (tmp_path / name).write_text("changed")
    (said,) = altered(tmp_path)
    assert said.startswith(f"{tmp_path / 'run.toml'}: the settings and the split of a run must")
    with pytest.raises(RunError, match=r"run\.toml: .* Restore the file"):
        refuse_altered(tmp_path)
    (tmp_path / "asked.toml").write_text("changed")
    assert len(altered(tmp_path)) == 2  # it decides how folds and draws go on
    (tmp_path / "run.toml").unlink()
    (tmp_path / SUMS).write_text("damaged")
    assert altered(tmp_path) == []


def test_changed_settings_of_searches_comparisons_and_parts_are_told(tmp_path):
    names = ("search.json", "compare.json", "network/run.toml", "network/data.json")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    for folder in (tmp_path, tmp_path / "network"):
        seal_begun(folder)
    assert altered(tmp_path) == []
    for name in names:
        (tmp_path / name).write_text("changed")
    assert [said.partition(":")[0] for said in altered(tmp_path)] == [
        str(tmp_path / name)
        for name in ("compare.json", "search.json", "network/data.json", "network/run.toml")
    ]


@pytest.mark.parametrize("done", ["report.json", "trained.json", "state/scored.npz"])
def test_parts_that_are_done_are_not_read_again(tmp_path, done):
    (tmp_path / "compare.json").write_text("{}")
    for name in ("first", "second"):
        (tmp_path / name / "state").mkdir(parents=True)
        (tmp_path / name / "run.toml").write_text(name)
        seal_begun(tmp_path / name)
        (tmp_path / name / "run.toml").write_text("changed")
    (tmp_path / "first" / done).write_text("{}")
    (said,) = altered(tmp_path)
    assert said.startswith(str(tmp_path / "second"))
    (tmp_path / "compare.json").write_text('{"ranking": []}')
    assert altered(tmp_path) == []


def test_trials_that_have_ended_are_not_read_again(tmp_path):
    (tmp_path / "search.json").write_text("{}")
    for number in range(2):
        part = tmp_path / f"trial-{number:03d}"
        part.mkdir()
        (part / "run.toml").touch()
        seal_begun(part)
        (part / "run.toml").write_text("changed")
    (tmp_path / "trials.csv").write_text("trial,state\n0,pruned\n")
    (said,) = altered(tmp_path)
    assert said.startswith(str(tmp_path / "trial-001"))
    (tmp_path / "trials.csv").write_bytes(b"trial,state\n\xff")
    assert len(altered(tmp_path)) == 2


@pytest.mark.parametrize("name", ["search.json", "compare.json"])
def test_advice_for_searches_and_comparisons_names_no_flag_that_they_lack(tmp_path, name):
    (tmp_path / name).write_text("{}")
    (tmp_path / "run.toml").write_text("")
    seal_begun(tmp_path)
    (tmp_path / name).write_text('{"trials": 3}')
    (said,) = altered(tmp_path)
    assert said.endswith("begin a new search or comparison under another --run name.")


def test_settings_that_cannot_be_read_are_not_said_to_be_changed(tmp_path, monkeypatch):
    (tmp_path / "run.toml").write_text("")
    seal(tmp_path)

    def refuse(path):
        raise PermissionError(path)

    monkeypatch.setattr(checksums, "digest", refuse)
    assert altered(tmp_path) == []


def test_parts_that_are_runs_and_what_changes_later_have_no_sum_here(tmp_path):
    kept = ["run.toml", "state/state.npz", "head/history.csv"]
    others = ["fold-1/run.toml", "fold-1/x", "tensorboard/events", "state/lock", ".1.state", SUMS]
    for name in (*kept, *others):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = {path.relative_to(tmp_path).as_posix() for path in complete_files(tmp_path)}
    assert found == set(kept)
