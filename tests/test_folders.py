"""Folders reach the disk, and lose what killed processes have left."""

import errno
import os

import pytest

from convlens import folders
from convlens.folders import make_folder, remove_temporaries, sync_folder


def test_each_folder_that_is_made_is_named_on_the_disk(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(folders, "sync_folder", synced.append)
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert set(synced) == {tmp_path, tmp_path / "a"}


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(OSError, match="a"):
        make_folder(tmp_path / "a")


@pytest.mark.parametrize(("number", "is_raised"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_file_system_that_cannot_sync_folders_is_no_error(
    tmp_path, monkeypatch, number, is_raised
):
    def fail(file: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    raised = False
    try:
        sync_folder(tmp_path)
    except OSError:
        raised = True
    assert raised == is_raised


def test_only_what_is_being_written_is_removed(tmp_path):
    kept = [tmp_path / "a.txt", tmp_path / ".hidden", tmp_path / "sub" / ".0123456"]
    left = [tmp_path / ".01234567.a.txt", tmp_path / "sub" / ".89abcdef.b" / "c"]
    for path in (*kept, *left):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    remove_temporaries(tmp_path)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in left)
    assert not left[1].parent.exists()


def test_what_others_may_be_writing_is_not_removed(tmp_path):
    kept = [tmp_path / ".out.0a1b-2-3-x" / ".01234567.a", tmp_path / "others" / ".01234567.a"]
    for path in kept:
        path.parent.mkdir()
        path.touch()
    remove_temporaries(tmp_path, ["others"])
    assert all(path.exists() for path in kept)
