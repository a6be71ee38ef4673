"""`convlens predict` and `convlens evaluate` as a user types them."""

import io
import json
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from tests.cli.commands import run


def test_predict_names_what_it_cannot_read_and_goes_on(trained, shapes, here, capsys):
    (here / "bad.png").write_bytes(b"nothing")
    assert run("predict", trained, "bad.png", shapes / "bar" / "1.png") == 3
    out, err = capsys.readouterr()
    assert "skipped" in err
    assert "bad.png" in err
    assert "1.png" in out
    assert run("predict", trained, "bad.png") == 3
    assert "the image cannot be read." in capsys.readouterr().err


# Predicts after Keras has been imported, and prints the modules that Keras had not imported.
AFTER_KERAS = """
import json, sys
import keras
before = {*sys.modules}
from convlens.cli import main
try: main(sys.argv[1:])
except SystemExit: pass
print(json.dumps(sorted({*sys.modules} - before)), file=sys.stderr)
"""
# Those of the terminal, of the settings of a run and of the cache of images.
LIGHT = {"attr", "attrs", "convlens", "cyclopts", "encodings", "platformdirs", "rich", "tomli_w"}
LIGHT |= {"PIL", "cv2", "psutil", "tomllib"}


def test_predict_imports_keras_and_hardly_more(trained, shapes, here):
    image = next(shapes.glob("*/*.png"))
    words = [sys.executable, "-c", AFTER_KERAS, "predict", str(trained), str(image)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    imported = json.loads(done.stderr.splitlines()[-1])
    packages = {name.partition(".")[0] for name in imported} - {*sys.stdlib_module_names}
    assert packages <= LIGHT
    assert image.name in done.stdout


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
    assert run("evaluate", copied_run) == 0
    assert capsys.readouterr().out.startswith("score")


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
