"""`convlens run compare` as a user types it."""

import json

import pytest

from tests.cli.commands import run
from tests.scored import predicted, write_run

LABELS = [number % 2 for number in range(40)]
FILES = [f"{number}.png" for number in range(40)]


@pytest.fixture
def runs(here):
    """Return runs/ with two versions; the second is better and was tested on fewer images."""
    folder = here / "runs"
    wrong = [1 - label if number < 14 else label for number, label in enumerate(LABELS)]
    write_run(folder / "old", predicted(LABELS, wrong, ("cat", "dog")), FILES)
    some = predicted(LABELS[:36], LABELS[:36], ("cat", "dog"))
    write_run(folder / "new", some, FILES[:36], second=1, epochs=9)
    return folder


def test_the_verdict_its_images_and_what_differs_are_printed(runs, capsys):
    assert run("run", "compare", "new", "old") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "new is better than old (p = 0.00012)" in said
    assert "only new classifies 14 of 36 images correctly, only old 0" in said
    assert "The test images differ (old 40, new 36). Of each two" in said
    assert "accuracy on common images images old 61.1 % new 100.0 % 36" in said
    assert "run test, 95 % images in all lists" in said  # the interval is that of fewer images
    assert "setting old new epochs 4 9" in said


def test_json_has_every_number(runs, capsys):
    assert run("run", "compare", "runs/old", "runs/new", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pairs"][0]["second_only"] == 14
    assert [one["name"] for one in found["versions"]] == ["old", "new"]


def test_one_run_is_not_enough(runs, capsys):
    assert run("run", "compare", "old") == 2
    assert "compare 2 to 8 runs; found 1." in capsys.readouterr().err
    assert run("run", "compare", "old", "nothing") != 0
