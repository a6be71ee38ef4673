"""The cleaned copy: its files, its manifest, and that nothing is ever half-written."""

import csv
import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.audit import cleaned
from convlens.audit.cleaned import export_cleaned
from convlens.data.correction_lists import Correction
from convlens.data.dataset import Dataset
from convlens.data.sources import load_data
from convlens.errors import ConfigError, StorageError


def manifest(folder):
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return {row["source"]: row for row in csv.DictReader(file)}


@pytest.fixture
def folder(tmp_path):
    """Twelve images in train and test of two classes; every class has a 1.png."""
    root = tmp_path / "pets"
    rng = np.random.default_rng(3)
    for split, label in (("train", "cat"), ("train", "dog"), ("test", "cat"), ("test", "dog")):
        for number in (1, 2, 3):
            path = root / split / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (9, 7, 3), np.uint8)).save(path)
    return root


def test_the_copy_has_the_files_as_they_are_without_the_excluded_ones(folder, tmp_path):
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}
    corrections = [
        Correction("train/cat/2.png", "exclude", code="exact_copy"),
        Correction("test/dog/1.png", "relabel", "cat", code="wrong_label"),
        Correction("test/dog/2.png", "look", code="dark"),
        Correction("test/dog/3.png", "group", "g", code="near_duplicate"),
    ]
    out = tmp_path / "copy"
    result = export_cleaned(load_data(folder), out, corrections)
    assert (result.copied, result.excluded, result.relabelled, result.missing) == (11, 1, 1, ())
    assert {path: path.read_bytes() for path in folder.rglob("*.png")} == before
    rows = manifest(out)
    assert rows["train/cat/2.png"] == {
        "source": "train/cat/2.png",
        "target": "",
        "label": "cat",
        "split": "train",
        "why": "exact_copy",
    }
    # test/cat has a 1.png of its own.
    assert rows["test/dog/1.png"]["target"] == "test/cat/1-2.png"
    assert (rows["test/dog/1.png"]["label"], rows["test/dog/1.png"]["why"]) == (
        "cat",
        "wrong_label",
    )
    assert (rows["test/dog/2.png"]["target"], rows["test/dog/2.png"]["why"]) == (
        "test/dog/2.png",
        "",
    )
    for source, row in rows.items():
        if row["target"]:
            assert (out / row["target"]).read_bytes() == before[folder / source]
    found = load_data(out)
    assert found.counts("train").tolist() == [2, 3]
    assert found.counts("test").tolist() == [4, 2]


def test_arrays_are_written_as_png(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 6), np.uint8)
    dataset = Dataset("made", "array", images, np.array([0, 1, 0, 1]), ("a/b", "con"))
    result = export_cleaned(dataset, tmp_path / "out", [Correction("3", "exclude")])
    assert result.copied == 3
    rows = manifest(tmp_path / "out")
    assert [row["target"] for row in rows.values()] == ["a_b/0.png", "con_/1.png", "a_b/2.png", ""]
    assert (rows["0"]["label"], rows["3"]["why"]) == ("a/b", "exclude")
    with Image.open(tmp_path / "out" / "a_b" / "2.png") as image:
        np.testing.assert_array_equal(np.asarray(image), images[2])


def test_names_that_collide_or_are_odd_are_kept_apart(tmp_path):
    source = tmp_path / "source"
    names = ["a/x.png", "a/deep/x.png", "a/deep/er/X.PNG", "A/x.png", "b/line\nbreak 😀.png"]
    names += ["b/gr\udcf6.png"]
    for number, name in enumerate(names):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]))
    labels = np.array([0, 0, 0, 1, 2, 2])
    images = [source / name for name in names]
    dataset = Dataset(str(source), "made", images, labels, ("a", "A", "b"))
    export_cleaned(dataset, tmp_path / "out", [])
    rows = manifest(tmp_path / "out")
    targets = [row["target"] for row in rows.values()]
    assert targets[:5] == [
        "a/x.png",
        "a/x-2.png",
        "a/X-3.PNG",
        "A-2/x.png",
        "b/line_break 😀.png",
    ]
    assert list(rows)[4:] == ["b/line\nbreak 😀.png", r"b/gr\udcf6.png"]
    assert (tmp_path / "out" / "b" / "gr\udcf6.png").read_bytes() == bytes([5])
    contents = {path.read_bytes() for path in (tmp_path / "out").rglob("*.*") if path.is_file()}
    assert contents >= {bytes([number]) for number in range(6)}


def test_many_images_of_one_name_take_no_longer_than_others(tmp_path, monkeypatch):
    count = 800
    images = [tmp_path / str(number) / "1.jpg" for number in range(count)]
    dataset = Dataset(str(tmp_path / "0"), "made", images, np.zeros(count, int), ("a",))
    monkeypatch.setattr(cleaned._Copy, "_write", lambda *_: None)
    asked = []
    free = cleaned._Copy._is_free
    monkeypatch.setattr(
        cleaned._Copy, "_is_free", lambda self, path: asked.append(path) or free(self, path)
    )
    assert export_cleaned(dataset, tmp_path / "out", []).copied == count
    assert len(asked) < 2 * count


def test_a_file_that_has_vanished_is_named_and_the_others_are_copied(folder, tmp_path):
    dataset = load_data(folder)
    (folder / "train" / "dog" / "2.png").unlink()
    result = export_cleaned(dataset, tmp_path / "out", [])
    assert result.copied == 11
    assert result.missing == (str(folder / "train" / "dog" / "2.png"),)
    assert manifest(tmp_path / "out")["train/dog/2.png"]["why"] == "missing_file"


@pytest.mark.parametrize("problem", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_nothing_is_left_of_a_copy_that_fails(folder, tmp_path, monkeypatch, problem):
    copied = shutil.copyfileobj

    def fail(source, file):
        copied(source, file)
        if Path(source.name).name == "3.png":
            raise problem

    monkeypatch.setattr(cleaned.shutil, "copyfileobj", fail)
    expected = StorageError if isinstance(problem, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        export_cleaned(load_data(folder), tmp_path / "out", [])
    assert [path.name for path in tmp_path.iterdir()] == ["pets"]


def test_an_existing_folder_and_one_among_the_images_are_refused(folder, tmp_path):
    dataset = load_data(folder)
    (tmp_path / "out").mkdir()
    with pytest.raises(ConfigError, match="this folder exists"):
        export_cleaned(dataset, tmp_path / "out", [])
    with pytest.raises(ConfigError, match="must not lie in"):
        export_cleaned(dataset, folder / "cleaned", [])
    assert len(list(folder.iterdir())) == 2


def test_no_power_cut_takes_what_the_copy_has(folder, tmp_path, monkeypatch):
    """All of it is on the disk before the copy has its name."""
    synced = set()
    before = set()
    real = os.fsync
    rename = Path.rename
    out = tmp_path / "copy"

    def sync(number):
        synced.add(os.fstat(number).st_ino)
        real(number)

    def name(path, target):
        if target == out:
            before.update(synced)
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "rename", name)
    export_cleaned(load_data(folder), out, [])
    assert {path.stat().st_ino for path in (out, *out.rglob("*"))} <= before
