"""`convlens data` as a user types it."""

import shutil

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


def test_data_writes_a_sheet(shapes, here, capsys):
    assert run("data", shapes) == 0
    said = capsys.readouterr().out
    assert "a folder per class" in said
    assert "120 in 2 classes" in said
    with Image.open(here / f"{shapes.name}-sheet.png") as sheet:
        assert sheet.width > 600
