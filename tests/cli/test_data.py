"""`convlens data` as a user types it."""

import shutil

import numpy as np
from PIL import Image

from tests.cli.commands import run


def test_data_names_a_truncated_image(here, shapes, capsys):
    shutil.copytree(shapes, here / "some")
    whole = (here / "some" / "disc" / "1.png").read_bytes()
    (here / "some" / "disc" / "1.png").write_bytes(whole[: len(whole) // 2])
    assert run("data", "some") == 0
    said = capsys.readouterr().out
    assert "1 of the images cannot be read" in said
    assert "1.png: the image is damaged" in said


def test_data_says_what_training_would_refuse(here, shapes, capsys):
    shutil.copytree(shapes / "disc", here / "one" / "disc")
    assert run("data", "one") == 0
    assert "training would refuse this" in capsys.readouterr().out


def test_sheets_of_data_sets_of_one_name_are_kept_apart(here, shapes):
    for name in ("one", "two"):
        shutil.copytree(shapes, here / name / "test")
    Image.new("L", (3, 3)).save(here / "mine-sheet.png")
    shutil.copytree(shapes, here / "mine")
    for path in ("one/test", "two/test", "one/test", "mine", "two/test"):
        assert run("data", path) == 0
    sheets = {"test-sheet.png", "test-sheet-2.png", "mine-sheet.png", "mine-sheet-2.png"}
    assert {path.name for path in here.glob("*.png")} == sheets
    assert Image.open(here / "mine-sheet.png").size == (3, 3)


def test_the_name_of_a_sheet_keeps_its_dots(here, shapes):
    for name in ("hospital.A", "hospital.B", "sheet.PNG"):
        assert run("data", shapes, "--sheet", here / name) == 0
    assert {path.name for path in here.glob("*")} == {
        "hospital.A.png",
        "hospital.B.png",
        "sheet.PNG",
    }


def test_data_names_what_the_audit_finds_as_train_does(here, shapes, capsys):
    shutil.copytree(shapes, here / "some")
    shutil.copy(here / "some" / "disc" / "1.png", here / "some" / "disc" / "again.png")
    shutil.copy(here / "some" / "disc" / "2.png", here / "some" / "bar" / "other.png")
    assert run("data", "some") == 0
    said = capsys.readouterr().out
    assert "exact copies: 1 finding, 2 images (disc/1.png = disc/again.png)" in said
    assert "one image under two labels: 1 finding, 2 images (bar/other.png = disc/2.png)" in said
    assert "to see all of it, with advice: convlens audit some" in said
    one, other = np.random.default_rng(0).integers(0, 256, (2, 8, 8), np.uint8)
    images = np.stack([one, *[other] * 5])
    np.savez(here / "images.npz", x=images, y=[0, 0, 0, 1, 1, 1])
    assert run("data", "images.npz") == 0
    expected = "one image under two labels: 1 finding, 5 images (1 = 3 and 3 more files)"
    assert expected in capsys.readouterr().out


def test_data_writes_a_sheet(shapes, here, capsys):
    assert run("data", shapes) == 0
    said = capsys.readouterr().out
    assert "a folder per class" in said
    assert "120 in 2 classes" in said
    with Image.open(here / f"{shapes.name}-sheet.png") as sheet:
        assert sheet.width > 600


def test_sizes_are_said_as_height_x_width(here, capsys):
    for number, (height, width) in enumerate([(10, 20), (12, 24), (14, 40)] * 4):
        folder = here / "wide" / ("a" if number % 2 else "b")
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.full((height, width), number * 9, np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        Image.fromarray(pixels[:10, :20]).save(here / f"{number}.png")
    assert run("data", "wide") == 0
    assert "height 10 to 14, width 20 to 40, median 12 x 24" in capsys.readouterr().out
    for kind in ("a", "b"):
        shutil.rmtree(here / "wide" / kind)
        (here / "wide" / kind).mkdir()
        for number in range(6):
            shutil.copy(here / f"{number}.png", here / "wide" / kind)
    assert run("data", "wide") == 0
    said = capsys.readouterr().out
    assert "size        10 x 20\n" in said
    np.savez(here / "scaled.npz", x=np.linspace(0, 1, 384).reshape(6, 8, 8), y=[0, 1] * 3)
    assert run("data", "scaled.npz") == 0
    assert "values      " in capsys.readouterr().out
