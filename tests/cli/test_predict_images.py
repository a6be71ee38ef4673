"""Which images files, folders and globs name."""

import shutil
from pathlib import Path

import pytest

from convlens.cli.predict_cluster import _names
from convlens.cli.predict_images import find_images
from convlens.errors import ConfigError, DataError


def test_files_folders_and_globs_give_each_image_once_in_order(here):
    for name in ("b.png", "a.JPG", "sub/c.png", ".hidden.png", "notes.txt"):
        path = here / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    images, notes = find_images(["images/b.png", "images", "images/*.png"])
    assert [path.name for path in images] == ["b.png", "a.JPG", "c.png"]
    assert notes == ["images: ignored 1 hidden or of the system, 1 .txt"]
    assert find_images(["none.png"])[0][0].name == "none.png"
    with pytest.raises(DataError, match=r"images/\*\.gif: there is no such image"):
        find_images(["images/*.gif"])
    (here / "phone").mkdir()
    (here / "phone" / "a.HEIC").touch()
    with pytest.raises(DataError, match=r"found 1 \.heic\. Convert"):
        find_images(["phone"])
    with pytest.raises(ConfigError, match="say which images"):
        find_images([])


def test_the_charts_of_a_run_are_no_images_to_predict(here):
    for name in ("runs/mine/run.toml", "runs/mine/plots/curves.png", "photos/a.png"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).touch()
    for patterns in (["runs/mine"], ["photos/../runs/mine/"], ["runs/mine", "runs/mine"]):
        with pytest.raises(DataError, match=r"mine: .* this folder is a run.*convlens run show"):
            find_images(patterns)
    for pattern in ("runs", "runs/*", "runs/**/*.png"):
        with pytest.raises(DataError, match="found 1 made by a training"):
            find_images([pattern])


@pytest.mark.parametrize(
    ("patterns", "whose"),
    [
        (["data/*"], "data/*"),
        (["data/photos", "data/run"], "data/run"),  # what a shell makes of data/*
        (["data/**/*.png"], "data/**/*.png"),
    ],
)
def test_a_run_beside_images_is_left_out_and_counted(here, patterns, whose):
    for name in ("run/run.toml", "run/plots/a.png", "run/plots/b.png", "photos/a.png"):
        (here / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (here / "data" / name).touch()
    images, notes = find_images(patterns)
    assert images == [Path("data/photos/a.png")]
    assert notes == [f"{whose}: ignored 1 made by a training"]
    assert len(find_images(["data/run/plots/*.png"])[0]) == 2
    said = []  # with a cluster, the names go through another function
    assert [*_names(patterns, said)] == ["data/photos/a.png"]
    assert said == notes


def test_predict_finds_the_images_that_a_training_would(here, shapes):
    outside = here / "outside"
    outside.mkdir()
    shutil.copy(shapes / "bar" / "1.png", outside / "z.png")
    for name in (
        "9.png",
        "10.png",
        "album.png/in.png",
        "bars/@eaDir/9.png/SYNOPHOTO_THUMB_M.png",
        ".ipynb_checkpoints/9-checkpoint.png",
        "bars/1.png",
    ):
        path = here / "pets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shapes / "bar" / "1.png", path)
    (here / "pets" / "link").symlink_to(outside)
    (here / "pets" / "bars" / "loop").symlink_to(here / "pets")
    expected = ["9.png", "10.png", "album.png/in.png", "bars/1.png", "link/z.png"]
    images, _ = find_images(["pets"])
    assert [str(path.relative_to("pets")) for path in images] == expected
    assert [path.name for path in find_images(["pets/[0-9]*.png"])[0]] == ["9.png", "10.png"]
    everywhere, _ = find_images(["pets/**/*.png"])
    assert len(everywhere) == 5
    assert {path.name for path in everywhere} == {"9.png", "10.png", "in.png", "1.png", "z.png"}
    assert len(find_images(["pets/.ipynb_checkpoints"])[0]) == 1
    assert find_images(["pets/bars"])[0] == [Path("pets/bars/1.png")]
    (here / "pets" / "bars").rename(here / "pets" / "b[ar]s")
    assert find_images(["pets/b[ar]s/*.png"])[0] == [Path("pets/b[ar]s/1.png")]
    (here / "1.png").touch()
    assert find_images(["*.png"])[0] == [Path("1.png")]
