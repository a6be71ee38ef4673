"""`convlens predict` and `convlens evaluate` as a user types them."""

import csv
import io
import json
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.classifier.classifier import Classifier
from convlens.cli.predict import find_images
from convlens.errors import ConfigError, DataError
from tests.cli.commands import run


def test_predict_in_three_formats(trained, shapes, here, capsys):
    images = sorted((shapes / "disc").glob("1*.png"))[:3]
    assert run("predict", trained, *images, "--format", "json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["image"] for row in rows] == [str(path) for path in images]
    assert all(sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-5) for row in rows)
    assert (
        run("predict", trained, shapes / "disc" / "1[0-2].png", "--format", "csv", "--top", "1")
        == 0
    )
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(table[0]) == ["image", "label", "probability", "known"]
    assert len(table) == 3
    assert run("predict", trained / "classifier.keras", shapes / "bar") == 0
    said = capsys.readouterr().out
    assert f"in {shapes / 'bar'}" in said
    assert "12.png" in said


def test_an_image_below_the_threshold_is_none_of_these(trained, shapes, here, capsys):
    sure = Classifier.load(trained).recalibrated(1.0, 1.1)  # no image is as sure as that
    sure.save("sure.keras")
    image = shapes / "disc" / "1.png"
    assert run("predict", "sure.keras", image, "--top", "1") == 0
    answer = sure.predict(image)[0]
    row = capsys.readouterr().out.splitlines()[1]
    assert row.split("none of these")[1].split() == [
        answer.label,
        f"{100 * answer.probability:.1f}",
        "%",
    ]
    assert run("predict", "sure.keras", image, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)[0]["known"] is False
    assert run("predict", "sure.keras", image, "--format", "csv") == 0
    assert next(csv.DictReader(io.StringIO(capsys.readouterr().out)))["known"] == "false"


def test_predict_names_what_it_cannot_read_and_goes_on(trained, shapes, here, capsys):
    (here / "bad.png").write_bytes(b"nothing")
    assert run("predict", trained, "bad.png", shapes / "bar" / "1.png") == 3
    out, err = capsys.readouterr()
    assert "skipped" in err
    assert "bad.png" in err
    assert "1.png" in out
    assert run("predict", trained, "bad.png") == 3
    assert "none of the 1 images" in capsys.readouterr().err


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


@pytest.fixture
def copied_run(trained, tmp_path):
    """Return a copy of the run, as evaluating counts in its report."""
    return shutil.copytree(trained, tmp_path / "copied")


@pytest.mark.usefixtures("no_charts")
def test_evaluate_again_counts_and_equals_the_report(copied_run, capsys):
    before = json.loads((copied_run / "report.json").read_text())
    assert run("evaluate", copied_run, "--format", "json") == 0
    after = json.loads(capsys.readouterr().out)
    assert after["metrics"] == before["metrics"]
    assert after["test_evaluations"] == before["test_evaluations"] + 1


@pytest.mark.usefixtures("no_charts")
def test_evaluate_on_other_images(copied_run, shapes, here, capsys):
    shutil.copytree(shapes, here / "others")
    shutil.rmtree(here / "others" / "bar")
    (here / "others" / "bar").mkdir()
    for number in range(2):
        shutil.copy(shapes / "bar" / f"{number}.png", here / "others" / "bar")
    assert run("evaluate", copied_run, "--data", "others") == 0
    assert "62" in capsys.readouterr().out
    report = json.loads((copied_run / "evaluations" / "others" / "report.json").read_text())
    assert report["n"] == 62
    (here / "others" / "cat").mkdir()
    for number in range(2):
        shutil.copy(shapes / "bar" / f"{number}.png", here / "others" / "cat")
    assert run("evaluate", copied_run, "--data", "others") == 3
    assert "found cat, too" in capsys.readouterr().err


def test_predict_reads_the_standard_input_and_pipes(trained, shapes, here, capsys, monkeypatch):
    image = shapes / "disc" / "1.png"
    content = image.read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    os.mkfifo(here / "pipe")
    writer = threading.Thread(target=lambda: (here / "pipe").write_bytes(content))
    writer.start()
    assert run("predict", trained, "-", here / "pipe", image, "--format", "json") == 0
    writer.join()
    rows = json.loads(capsys.readouterr().out)
    assert [row["image"] for row in rows] == ["-", str(here / "pipe"), str(image)]
    assert rows[0]["probabilities"] == rows[1]["probabilities"] == rows[2]["probabilities"]
    assert run("predict", trained, image, "--tpo", "3") == 2
    assert "unknown option: --tpo" in capsys.readouterr().err


def test_predict_says_what_it_makes_of_deep_and_animated_images(trained, shapes, here, capsys):
    images = [Image.open(path) for path in sorted((shapes / "disc").glob("1*.png"))[:2]]
    images[0].save(here / "animated.gif", save_all=True, append_images=images[1:])
    deep = np.asarray(images[0].convert("L")).astype(np.uint16) * 4
    Image.fromarray(deep).save(here / "deep.png")
    assert run("predict", trained, "animated.gif", "deep.png") == 0
    said = capsys.readouterr().err
    assert "several pages or frames, of which the first is used: 1" in said
    assert "1023 and above white" in said
