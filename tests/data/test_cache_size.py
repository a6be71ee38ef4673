"""The size of the cache: what is listed, what is removed first, and what is never touched."""

import os
import time

import numpy as np
import pytest

from convlens.data.cache import cache_folder, open_array
from convlens.data.cache_size import cache_entries, keep_within_limit, parse_bytes, trim_cache
from convlens.errors import ConfigError

KEYS = [f"{number:032x}" for number in range(3)]
ARRAY = f"mnist-{0:016x}-{1:016x}.npy"
FOREIGN = ("keras-cifar10-pictures-1.npy", "mine.npy", "store/notes.txt", "features/a/b.txt")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a cache of 100 bytes a part, the first of which were used longest ago."""
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path))
    names = [
        f"store/{KEYS[0]}.npy",
        f"features/{KEYS[1]}/{KEYS[2]}.features",
        ARRAY,
        f"store/.01234567.{KEYS[2]}.npy",
        *FOREIGN,
    ]
    for age, name in enumerate(reversed(names), 2):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(100))
        os.utime(path, (time.time() - age * 3600,) * 2)
    return tmp_path


def kinds():
    return [entry.kind for entry in cache_entries()]


def test_what_convlens_can_make_again_is_listed_the_last_used_first(folder):
    assert kinds() == ["decoded images", "unpacked arrays", "features", "decoded images"]
    assert [entry.size for entry in cache_entries()] == [100] * 4
    (folder / "store" / f"{KEYS[0]}.json").write_bytes(bytes(10))
    (first, *_) = cache_entries()  # the facts of an array belong to it
    assert (first.name, first.size, len(first.files)) == (KEYS[0], 110, 2)


def test_what_was_used_least_recently_is_removed_first(folder):
    assert [entry.kind for entry in trim_cache(200)] == ["decoded images", "features"]
    assert kinds() == ["decoded images", "unpacked arrays"]
    assert not (folder / "features" / KEYS[1]).exists()
    trim_cache(0)
    assert kinds() == []
    assert all((folder / name).exists() for name in FOREIGN)


def test_maps_are_told_from_features(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path))
    for place in ("features", "maps"):
        (tmp_path / place / KEYS[0]).mkdir(parents=True)
        for suffix in ("features", "digests"):
            (tmp_path / place / KEYS[0] / f"{KEYS[1]}.{suffix}").touch()
    assert sorted(kinds()) == ["features", "maps of frozen layers"]
    assert [len(entry.files) for entry in cache_entries()] == [2, 2]
    (tmp_path / "maps" / KEYS[0] / f"{KEYS[1]}.features").write_bytes(bytes(100))
    trim_cache(0)
    assert not any((tmp_path / "maps").iterdir())


def test_using_an_array_keeps_it(folder):
    np.save(folder / ARRAY, np.zeros(3, np.uint8))
    os.utime(folder / ARRAY, (0, 0))
    open_array(folder / ARRAY)
    trim_cache(300)
    assert "unpacked arrays" in kinds()


def test_what_was_used_just_now_is_above_the_limit(folder, monkeypatch):
    keep_within_limit()
    assert len(kinds()) == 4
    monkeypatch.setenv("CONVLENS_CACHE_LIMIT", "0")
    os.utime(folder / ARRAY)
    keep_within_limit()
    assert kinds() == ["unpacked arrays"]


def test_a_folder_of_the_user_is_not_emptied(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path))
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a.npy").touch()
    (tmp_path / f"{KEYS[0]}.npy").touch()
    trim_cache(0)
    assert len(list(cache_folder().rglob("*.npy"))) == 2


@pytest.mark.parametrize("text", ["", "many", "-1GB", "5 GiBs", "1e3"])
def test_a_size_that_is_none(text):
    with pytest.raises(ConfigError, match="--to must be a size such as 500MB or 20GB; found"):
        parse_bytes(text, "--to")


def test_sizes_in_any_case():
    assert [parse_bytes(text, "") for text in ("2kb", "2 K", "3g", "1TB")] == [
        2000,
        2000,
        3 * 10**9,
        10**12,
    ]
