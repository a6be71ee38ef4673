"""Walk: which files of a folder are images, in which order, and what is left out."""

import os
import unicodedata

import pytest
from PIL import Image

from convlens.data.walk import LOOPS, OTHERS, SYSTEM, as_spelled, entries, holds_images, walk
from tests.data.test_sources import image

SYSTEM_PATHS = (
    "@eaDir/1.png/SYNOPHOTO_THUMB_M.png",
    "@Recycle/1.png",
    "#recycle/1.png",
    "$RECYCLE.BIN/1.png",
    "System Volume Information/1.png",
    "__MACOSX/1.png",
    ".ipynb_checkpoints/1-checkpoint.png",
    ".git/1.png",
    ".@__thumb/1.png",
    "Catalog Previews.lrdata/1.png",
    "lost+found/1.png",
    "._1.png",
    "SYNOPHOTO_THUMB_XL.png",
    "Thumbs.db",
    "desktop.ini",
    "1.png:Zone.Identifier",
)


def names(folder):
    return [str(path.relative_to(folder)) for path in walk(folder).images]


def test_what_systems_and_programs_leave_behind_is_counted_not_taken(tmp_path):
    for path in ("10.png", "9.png", "b/@home/1.png", *SYSTEM_PATHS):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        image(tmp_path / "x.png").rename(target)
    assert names(tmp_path) == ["9.png", "10.png", "b/@home/1.png"]
    assert walk(tmp_path).ignored == {SYSTEM: len(SYSTEM_PATHS)}
    assert names(tmp_path / "@eaDir") == []
    assert names(tmp_path / ".git") == ["1.png"]  # named by the user


def test_folders_with_names_of_files_and_files_that_are_none(tmp_path):
    image(tmp_path / "album.png" / "1.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "none.png")
    found = walk(tmp_path)
    assert names(tmp_path) == ["nowhere.png", "album.png/1.png"]
    assert found.ignored == {OTHERS: 1}


def test_links_are_followed_but_not_back(tmp_path):
    image(tmp_path / "elsewhere" / "in" / "1.png")
    image(tmp_path / "root" / "dogs" / "2.png")
    cats = tmp_path / "root" / "cats"
    cats.mkdir()
    (cats / "in").symlink_to(tmp_path / "elsewhere")
    (cats / "again").symlink_to(tmp_path / "elsewhere" / "in")
    (cats / "up").symlink_to(tmp_path / "root")
    (tmp_path / "elsewhere" / "far").symlink_to(tmp_path / "root")
    found = walk(cats)
    assert len(found.images) == 1
    assert found.ignored == {LOOPS: 2}
    (tmp_path / "linked").symlink_to(cats)
    assert len(walk(tmp_path / "linked").images) == 1
    assert holds_images(cats)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.jfif", "JPEG"),
        ("a.JPE", "JPEG"),
        ("a.ppm", "PPM"),
        ("a.jp2", "JPEG2000"),
        ("hash", "PNG"),
        ("a.jpg_large", "JPEG"),
        ("img.0001", "WEBP"),
    ],
)
def test_images_with_other_endings_or_none(tmp_path, name, form):
    Image.new("RGB", (8, 8)).save(tmp_path / name, form)
    (tmp_path / "README").write_text("BM and more")
    (tmp_path / "empty").touch()
    (tmp_path / "a.heic").touch()
    found = entries(tmp_path)
    assert [path.name for path in found.images] == [name]
    assert found.ignored == {"without a suffix": 2, ".heic": 1}


def test_paths_are_found_in_either_composition(tmp_path):
    composed = "école/über.png"
    decomposed = unicodedata.normalize("NFD", composed)
    image(tmp_path / decomposed)
    assert as_spelled(tmp_path / composed) == tmp_path / decomposed
    assert as_spelled(tmp_path / decomposed) == tmp_path / decomposed
    mixed = unicodedata.normalize("NFD", "école") + "/über.png"
    assert as_spelled(tmp_path / mixed) == tmp_path / decomposed
    assert as_spelled(tmp_path / "none.png") == tmp_path / "none.png"


def test_links_that_the_system_cannot_follow_are_kept_as_damaged_images(tmp_path):
    image(tmp_path / "cats" / "1.png")
    (tmp_path / "cats" / "circle.png").symlink_to("circle.png")
    (tmp_path / "circle").symlink_to("circle")
    assert names(tmp_path) == ["cats/1.png", "cats/circle.png"]
    (tmp_path / "cats" / "1.png").unlink()
    assert holds_images(tmp_path / "cats")
