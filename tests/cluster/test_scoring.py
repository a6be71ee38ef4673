"""`convlens evaluate --data --cluster` writes the report that one computer writes."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from convlens.evaluation.calibration import ROUNDING
from tests.cli.commands import run

pytestmark = pytest.mark.usefixtures("no_charts")


@pytest.fixture(scope="module")
def photographed(digits, tmp_path_factory):
    """Digits as files in colour, in a folder for each class; one is damaged."""
    folder = tmp_path_factory.mktemp("digits")
    for number in range(0, len(digits), 7):
        place = folder / digits.class_names[digits.labels[number]]
        place.mkdir(exist_ok=True)
        pixels = np.repeat(np.asarray(digits.images[number]).reshape(8, 8, 1), 3, axis=2)
        Image.fromarray(pixels).save(place / f"{number:04d}.png")
    next(folder.rglob("*.png")).write_bytes(b"no image")
    return folder


def predictions(folder):
    """Return the rows of the predictions, with their numbers as such."""
    with (folder / "predictions.csv").open(encoding="utf-8-sig", newline="") as file:
        heading, *rows = csv.reader(file)
    return [heading, *([*row[:3], *map(float, row[3:])] for row in rows)]


def is_near(one, other):
    """Return whether two contents are equal but for the rounding of batches of another size."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_near(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(is_near, one, other))
    return one == (pytest.approx(other, abs=10 * ROUNDING) if isinstance(one, float) else other)


def test_the_report_is_the_same(connected, finished_run, photographed, tmp_path, capsys):
    words = ("evaluate", finished_run.folder, "--data", photographed, "--format", "json")
    assert run(*words) == 0
    folder = finished_run.folder / "evaluations" / photographed.name
    alone = predictions(folder)
    report = json.loads(capsys.readouterr().out)
    (folder / "predictions.csv").unlink()
    assert run(*words, "--cluster", connected, "--answers", tmp_path) == 0
    assert is_near(predictions(folder), alone)
    again = json.loads(capsys.readouterr().out)
    assert is_near(again | {"written": report["written"]}, report)  # but for the time
    assert report["n"] > 50


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--cluster", "local", "--answers", "a"], "--cluster needs --data"),
        (["--data", "photos", "--cluster", "local"], "--cluster needs --answers"),
        (
            ["--data", "photos", "--cluster", "local", "--answers", "a", "--leak-free"],
            "--cluster and --leak-free exclude each other",
        ),
    ],
)
def test_what_a_cluster_scores_must_be_whole(finished_run, words, rule, capsys):
    assert run("evaluate", finished_run.folder, *words) == 2
    assert rule in capsys.readouterr().err
