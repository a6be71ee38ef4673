"""Decoded images outlive a stop: what was decoded is kept, and the decoding goes on from there."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from convlens.data import growing as module
from convlens.data.growing import Files, growing
from convlens.data.looks import LOOK
from convlens.data.sealed import read_sealed
from convlens.errors import DataError, StorageError

SHAPE = (5, 2, 3, 1)
PIXELS = np.arange(30, dtype=np.uint8).reshape(SHAPE)
LOOKS = np.zeros(5, LOOK)
LOOKS["width"] = np.arange(5)


@pytest.fixture
def files(tmp_path):
    return Files(*(tmp_path / name for name in ("a.npy", "a.json", "looks/a.npy")))


def add(grown, first, last):
    grown.append(PIXELS[first:last], LOOKS[first:last], lambda: {"last": last})


def names(files):
    return {path.name for path in files.array.parent.iterdir() if path.is_file()}


def write_until(files, last, error):
    with growing(files, SHAPE) as grown:
        add(grown, 0, last)
        raise error


def stopped_after(files, last, error):
    with pytest.raises(error):
        write_until(files, last, error)


def is_complete(files):
    np.testing.assert_array_equal(np.load(files.array), PIXELS)
    np.testing.assert_array_equal(np.load(files.looks).view(LOOK), LOOKS)
    assert json.loads(read_sealed(files.facts)) == {"last": 5}
    return names(files) == {"a.npy", "a.json"}


def test_files_appear_when_they_are_complete(files):
    with growing(files, SHAPE) as grown:
        add(grown, 0, 2)
        assert not files.array.exists()
        add(grown, 2, 5)
    assert is_complete(files)


@pytest.mark.parametrize("error", [KeyboardInterrupt, StorageError])
def test_a_stop_keeps_what_is_complete(files, error):
    stopped_after(files, 3, error)
    assert not files.array.exists()
    with growing(files, SHAPE) as grown:
        assert (grown.done, grown.facts()) == (3, {"last": 3})
        add(grown, 3, 5)
    assert is_complete(files)


def test_a_killed_process_leaves_what_its_last_record_says(files, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SAVE_SECONDS", -1)
    left = tmp_path / "left"
    left.mkdir()
    with growing(files, SHAPE) as grown:
        add(grown, 0, 2)
        monkeypatch.setattr(module, "SAVE_SECONDS", 100)
        add(grown, 2, 4)
        for stream in (part.stream for part in grown._parts):
            stream.flush()
        for path in tmp_path.glob("*.part-*"):
            shutil.copy(path, left)
        add(grown, 4, 5)
    found = Files(left / "a.npy", left / "a.json", left / "looks" / "a.npy")
    with growing(found, SHAPE) as grown:
        assert (grown.done, grown.facts()) == (2, {"last": 2})
        add(grown, 2, 5)
    assert is_complete(found)


@pytest.mark.parametrize("name", Files._fields)
def test_a_kill_before_a_file_gets_its_name_loses_nothing(files, monkeypatch, name):
    real = Path.replace

    def replace(path, target):
        if target == getattr(files, name):
            raise KeyboardInterrupt
        return real(path, target)

    def write_all():
        with growing(files, SHAPE) as grown:
            add(grown, 0, 5)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            write_all()
    with growing(files, SHAPE) as grown:
        assert grown.done == 5
    assert is_complete(files)


@pytest.mark.parametrize("damage", ["record", "pixels", "looks", "header"])
def test_what_is_damaged_is_not_used(files, damage):
    stopped_after(files, 3, KeyboardInterrupt)
    paths = module._parts(files.array)
    if damage == "record":
        paths.record.write_text(json.dumps({"done": 3}))
    elif damage == "header":
        paths.pixels.write_bytes(b"?" + paths.pixels.read_bytes()[1:])
    else:
        path = getattr(paths, damage)
        path.write_bytes(path.read_bytes()[:-1])
    with growing(files, SHAPE) as grown:
        assert (grown.done, grown.facts()) == (0, {})
        add(grown, 0, 5)
    assert is_complete(files)


def test_images_that_are_others_by_now_leave_nothing(files):
    stopped_after(files, 3, DataError)
    assert names(files) == set()


def test_a_stop_before_the_first_images_leaves_nothing(files):
    stopped_after(files, 0, KeyboardInterrupt)
    assert names(files) == set()


def test_two_processes_do_not_write_into_the_same_files(files):
    with growing(files, SHAPE) as first:
        add(first, 0, 2)
        with growing(files, SHAPE) as second:
            assert second.done == 0
            add(second, 0, 5)
        np.testing.assert_array_equal(np.load(files.array), PIXELS)
        add(first, 2, 5)
    assert is_complete(files)


def test_a_full_disk_is_named(files, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        write_until(files, 3, KeyboardInterrupt)
