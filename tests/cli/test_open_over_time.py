"""`convlens open --over-time`: what it prints and draws of a training that has kept its states."""

import json

import numpy as np
import pytest
from PIL import Image

from convlens.explain.pages import time_machine_figure
from convlens.explain.pages.time_machine_figure import chosen_moments, kernel_strips
from tests.cli.commands import QUICK, run
from tests.conftest import draw_shape, without_charts

LAYER = ("--over-time", "--layer", "block1_conv1")


@pytest.fixture(scope="module")
def trained(shapes, tmp_path_factory):
    """Return the folder of a run with five states."""
    folder = tmp_path_factory.mktemp("kept") / "run"
    words = (*QUICK, "--size", "16", "--epochs", "1", "--snapshots", "5")
    with without_charts():
        assert run("train", shapes, *words, "--run", folder) == 0
    return folder


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Return the file of an image."""
    path = tmp_path_factory.mktemp("images") / "disc.png"
    draw_shape("disc", np.random.default_rng(5)).save(path)
    return path


def test_the_way_of_an_image(trained, image, capsys):
    assert run("open", trained, image, "--over-time") == 0
    said = capsys.readouterr().out
    assert "The way to the class" in said
    rows = [line.split() for line in said.splitlines() if line[:4].strip().isdecimal()]
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "5"]
    assert rows[-1][-1] == "*"
    assert (trained / "microscope" / "disc-over-time.png").exists()


def test_a_filter_and_its_map(trained, image, tmp_path, capsys):
    path = tmp_path / "filter.png"
    words = (*LAYER, "--filter", 3, "--png", path, "--format", "json")
    assert run("open", trained, image, *words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["class_names"] == ["bar", "disc"]
    np.testing.assert_allclose(np.sum(found["probabilities"], axis=1), 1, atol=1e-6)
    assert len(found["moments"]) == 5
    width, height = Image.open(path).size
    assert width > 800
    assert height > 600


def test_a_weight_with_its_updates(trained, image, capsys, monkeypatch):
    words = (*LAYER, "--gradient", "--filter", 3, "--weight", "1,1,0", "--true", "disc")
    assert run("open", trained, image, *words) == 0
    said = capsys.readouterr().out
    assert "1,1,0 of filter 3 in block1_conv1" in said
    assert "step 2: the update by the gradient of the batch" in said
    assert "was kept after the step" in said
    assert "more than" not in said
    monkeypatch.setenv("CONVLENS_LANG", "zh")
    assert run("open", trained, image, *words, "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    first, second = (one["update"] for one in found[:2])
    assert first["agrees"]
    assert second["agrees"]
    assert first["steps"][-1]["name"] == "weight after"
    assert first["before"] == found[0]["value"]
    assert len({one["value"] for one in found}) == 5
    assert all(one["agrees"] for one in found)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--over-time", "--html", "a.html"), "--over-time and --html exclude each other"),
        ((*LAYER, "--filter", "99"), "no filter 99"),
        (("--over-time", "--layer", "logits"), "logits gives no maps"),
    ],
)
def test_mistakes(trained, image, words, said, capsys):
    assert run("open", trained, image, *words) != 0
    assert said in capsys.readouterr().err


def test_a_figure_has_room_for_some_moments():
    assert chosen_moments(5) == [0, 1, 2, 3, 4]
    many = chosen_moments(100)
    assert len(many) == time_machine_figure.MOST_MOMENTS
    assert (many[0], many[-1]) == (0, 99)


def test_the_channels_that_move_most_are_drawn():
    filters = np.zeros((3, 3, 3, 8))
    filters[2, 1, 1, 5] = 1
    filters[2, 0, 0, 6] = -2
    titles = [strip.title for strip in kernel_strips("filter 1", filters)]
    assert titles[::2] == ["filter 1, channel 5", "filter 1, channel 6"]
    assert kernel_strips("unit 1", np.zeros((3, 64))) == []
    assert len(kernel_strips("filter 0", np.ones((3, 3, 3)))) == 2
