"""The cache of arrays: names that follow the sources, whole files, and what is left of old ones."""

import os
import tempfile

import numpy as np
import pytest

from convlens.data import cache
from convlens.data.cache import (
    Part,
    cache_file,
    cache_folder,
    gather,
    is_whole,
    open_array,
    write_array,
)
from convlens.data.sources import load_data
from convlens.errors import DataError, StorageError
from convlens.files import keras_home
from tests.data.damage import DAMAGES, SEALED_DAMAGES

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def part(name, pixels):
    return Part(name, pixels.shape, lambda: iter([pixels[:1], pixels[1:]]))


def test_the_folder_is_created_and_a_tilde_is_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CONVLENS_CACHE", "~/one/two")
    assert cache_folder() == tmp_path / "one" / "two"
    assert cache_folder().is_dir()


def test_a_user_without_a_home_has_a_folder_among_the_temporary_files(tmp_path, monkeypatch):
    monkeypatch.delenv("CONVLENS_CACHE")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for an unknown user
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    assert cache_folder() == tmp_path / "convlens"
    assert keras_home() == tmp_path / ".keras"
    assert load_data("digits").path == "digits"


def test_cache_folder_that_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(StorageError, match=r"cache folder cannot be written.*CONVLENS_CACHE"):
        cache_folder()


def test_the_name_follows_place_and_content_of_every_source(folder, tmp_path):
    one = tmp_path / "one"
    two = tmp_path / "two"
    for path in (one, two):
        path.write_bytes(b"abc")
    known = cache_file("stem", [one, two])
    assert known.parent == folder
    assert known.name.startswith("stem-")
    assert cache_file("stem", [one, two]) == known
    assert cache_file("stem", [one]) != known
    assert cache_file("stem", [two, one]) != known
    before = two.stat()
    two.write_bytes(b"abd")
    os.utime(two, ns=(before.st_atime_ns, before.st_mtime_ns))
    later = cache_file("stem", [one, two])
    assert later != known
    assert later.name.rpartition("-")[0] == known.name.rpartition("-")[0]
    two.write_bytes(b"abc")
    assert cache_file("stem", [one, two]) == known


def test_a_rewritten_file_of_equal_size_and_time_gives_its_own_images(
    folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(cache, "IN_MEMORY", 0)
    path = tmp_path / "images.npz"
    for images in (PIXELS, PIXELS[::-1]):
        np.savez(path, x=images, y=np.arange(6) % 2)
        os.utime(path, (315532800, 315532800))
        np.testing.assert_array_equal(load_data(path).images, images)


def test_a_source_that_changes_while_it_is_unpacked_is_an_error(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "IN_MEMORY", 0)
    source = tmp_path / "source"
    source.write_bytes(b"abc")

    def chunks():
        yield PIXELS
        source.write_bytes(b"abd")

    with pytest.raises(DataError, match="source: a file must not change while it is unpacked"):
        gather([Part("x", PIXELS.shape, chunks)], [source], "stem")
    assert list(folder.iterdir()) == []


def test_rows_of_any_number_and_layout_become_one_array(tmp_path):
    chunks = [PIXELS[0], np.asfortranarray(PIXELS[1:3]), PIXELS[3:]]
    write_array(tmp_path / "a.npy", PIXELS.shape, chunks)
    found = open_array(tmp_path / "a.npy")
    assert isinstance(found, np.memmap)
    assert not found.flags.writeable
    np.testing.assert_array_equal(found, PIXELS)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), PIXELS)


def test_full_disk_is_a_storage_error_and_leaves_nothing(tmp_path):
    def chunks():
        yield PIXELS
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match=r"No space left.*CONVLENS_CACHE"):
        write_array(tmp_path / "a-b-c.npy", (12, 4, 5, 3), chunks())
    assert list(tmp_path.iterdir()) == []


def test_the_message_names_the_size(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("5 requested and 0 written")  # NumPy's words, without a system message

    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", full)
    with pytest.raises(StorageError, match="the image array of 3 MB cannot be written; 5 req"):
        write_array(tmp_path / "a.npy", (1000, 1000, 3), [])


def test_small_parts_are_gathered_in_memory_and_large_ones_on_the_disk(
    folder, tmp_path, monkeypatch
):
    (tmp_path / "source").touch()
    parts = [part("x", PIXELS), part("y", PIXELS[::-1])]
    expected = np.concatenate([PIXELS, PIXELS[::-1]])
    found = gather(parts, [tmp_path / "source"], "stem")
    assert not isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, expected)
    assert not folder.exists()
    monkeypatch.setattr(cache, "IN_MEMORY", 0)
    found = gather(parts, [tmp_path / "source"], "stem")
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_array_is_unpacked_anew(damage, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "IN_MEMORY", 0)
    (tmp_path / "source").touch()
    gather([part("x", PIXELS)], [tmp_path / "source"], "stem")
    (file,) = folder.iterdir()
    damage(file)
    found = gather([part("x", PIXELS)], [tmp_path / "source"], "stem")
    np.testing.assert_array_equal(found, PIXELS)


@pytest.mark.parametrize("damage", SEALED_DAMAGES)
def test_a_small_array_has_a_checksum(damage, folder):
    path = folder / "small.npy"
    write_array(path, PIXELS.shape, [PIXELS])
    np.testing.assert_array_equal(open_array(path), PIXELS)
    assert is_whole(path)
    damage(path)
    assert not is_whole(path)


def test_only_the_array_of_the_present_state_is_kept(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "IN_MEMORY", 0)
    source = tmp_path / "source"
    source.touch()
    other = cache_folder() / "stem-0123456789abcdef-0.npy"  # of another source
    other.touch()
    gather([part("x", PIXELS)], [source], "stem")
    (first,) = set(folder.iterdir()) - {other}
    source.write_bytes(b"another")
    gather([part("x", PIXELS)], [source], "stem")
    (second,) = set(folder.iterdir()) - {other}
    assert first != second


def test_parts_of_different_shapes_are_refused(folder, tmp_path):
    parts = [part("x_train", PIXELS), part("x_test", PIXELS[:, :3])]
    with pytest.raises(DataError, match=r"\(4, 5, 3\) in x_train and \(3, 5, 3\) in x_test"):
        gather(parts, [tmp_path / "a.npz"], "stem")


def test_a_file_of_a_very_long_name_can_be_unpacked(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "IN_MEMORY", 0)
    path = tmp_path / ("貓" * 80 + ".npz")
    np.savez(path, x=PIXELS, y=np.arange(6) % 2)
    np.testing.assert_array_equal(load_data(path).images, PIXELS)
