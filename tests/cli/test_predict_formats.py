"""Predictions as a table, as CSV and as JSON."""

import csv
import io
import json

import pytest

from convlens.classifier.classifier import Classifier
from convlens.classifier.views import SURE
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


def test_a_second_view_changes_only_what_is_doubtful(trained, shapes, here, capsys):
    images = sorted(shapes.glob("*/1*.png"))
    answers = []
    for views in ("one", "mirror"):
        assert run("predict", trained, *images, "--views", views, "--format", "json") == 0
        rows = json.loads(capsys.readouterr().out)
        answers.append([row["probabilities"] for row in rows])
    changed = [one != other for one, other in zip(*answers, strict=True)]
    doubted = [max(one.values()) < SURE for one in answers[0]]
    assert any(changed)
    assert all(doubt for change, doubt in zip(changed, doubted, strict=True) if change)
    cluster = ("--cluster", "local", "--answers", here / "answers")
    assert run("predict", trained, images[0], "--views", "mirror", *cluster) == 2
    assert "looks at each image once" in capsys.readouterr().err


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
