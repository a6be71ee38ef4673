"""Tests of `convlens summary`: the layers and stages of a network, as a table and as a figure.

The network is given by its name, by a run or by a file.
"""

import errno
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from convlens.classifier.assembly import assemble
from convlens.classifier.classifier import Classifier
from convlens.cli import main
from convlens.preprocess import Preprocessing
from convlens.zoo.create import build


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def summary(here, capsys, monkeypatch):
    def run(*words, columns=100, code=0):
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as stopped:
            main(["summary", *map(str, words)])
        out, err = capsys.readouterr()
        assert int(stopped.value.code or 0) == code, err
        return err if code else out

    return run


def save(path):
    network = lambda x: build("mnist_2conv", x, 3)  # noqa: E731
    model = assemble(network, Preprocessing(12, 12, 1), 3, "mine")
    classifier = Classifier.from_logits(model, ("ant", "[bee]", "cat"), Preprocessing(12, 12, 1))
    classifier.examples = np.zeros((1, 12, 12, 1), np.uint8)
    classifier.save(path)


def test_the_table_of_a_lecture_network(summary):
    lines = summary("cifar_4conv").splitlines()
    assert lines[0] == "cifar_4conv  2019  Lecture 000: the layers of mnist_4conv for CIFAR-10."
    assert lines[2].split() == [
        "layer",
        "kind",
        "output",
        "parameters",
        "%",
        "mult-adds",
        "%",
        "sees",
        "stride",
    ]
    rows = {line.split()[0]: line.split()[1:] for line in lines[3:] if line}
    assert rows["conv4"] == ["Conv2D", "16x16x64", "36,928", "1.7", "9.44", "M", "35.5", "14", "2"]
    assert rows["dropout1"] == ["Dropout", "16x16x32", "6", "2"]
    assert rows["dense1"] == ["Dense", "512", "2,097,664", "96.7", "2.10", "M", "7.9", "all"]
    assert "parameters     2,168,362: 2,168,362 trainable, 0 not" in lines
    assert "multiply-adds  26,579,968 on an image (26.6 M)" in lines
    assert "sees           a value of the last map, 8x8x64, depends on 16 x 16 pixels" in lines
    assert "weights        8.7 MB in float32" in lines


def test_moving_statistics_are_not_trainable(summary):
    assert "266,346: 265,418 trainable, 928 not" in summary("small_resnet")


def test_stages(summary):
    said = summary("cifar_4conv", "--brief")
    assert "16x16x64  max pool 2x2 /2" in said
    assert "          2 × conv 3x3 64" in said
    assert "2,168,362 trainable" in said


def test_other_images_and_classes(summary):
    rows = json.loads(
        summary(
            "cifar_4conv",
            "--size",
            "48x64",
            "--channels",
            "grey",
            "--classes",
            "3",
            "--format",
            "json",
        )
    )
    assert rows[0]["output"] == "48x64x1"
    assert rows[-1]["output"] == "3"
    assert (
        sum(row["parameters"] for row in rows)
        == 9 * 32 + 32 + 9_248 + 18_496 + 36_928 + 12 * 16 * 64 * 512 + 512 + 1539
    )


@pytest.mark.slow
def test_the_small_stem(summary):
    paper, small = (
        json.loads(summary("resnet18", "--size", "32", "--stem", stem, "--format", "json"))
        for stem in ("paper", "small")
    )
    assert {"1x1x512"} == {row["output"] for row in paper[-10:-2]}
    assert {"4x4x512"} == {row["output"] for row in small[-10:-2]}
    assert [row["parameters"] for row in small] == [row["parameters"] for row in paper]


def test_like_keras(summary):
    said = summary("lenet_sigmoid", "--like-keras")
    assert "conv1 (Conv2D)" in said
    assert "Total params: 155,606" in said


def test_figures(summary, here):
    assert "small_resnet-architecture.png" in summary("small_resnet", "--plot")
    with Image.open(here / "small_resnet-architecture.png") as image:
        assert image.width > image.height > 500
    summary("small_resnet", "--plot", "drawn.svg")
    assert "<svg" in (here / "drawn.svg").read_text()


def test_a_figure_that_cannot_be_written_leaves_the_former_one(summary, here, monkeypatch):
    def half(figure, path, **_):
        Path(path).write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    (here / "drawn.png").write_text("whole")
    monkeypatch.setattr(Figure, "savefig", half)
    said = summary("small_resnet", "--plot", "drawn.png", code=9, columns=200)
    assert "the figure cannot be written; No space left on device" in said
    assert (here / "drawn.png").read_text() == "whole"


def test_a_run_and_a_file_of_ones_own(summary, here):
    (here / "runs" / "mine").mkdir(parents=True)
    save(here / "runs" / "mine" / "classifier.keras")
    for name in ("mine", "runs/mine", here / "runs" / "mine" / "classifier.keras"):
        said = summary(name)
        assert said.startswith("mine  a classifier of 3 classes: ant, [bee], cat")
        assert "12x12x16" in said
        assert "12x12x1" in said
    assert "--size is given by the classifier; leave it out" in summary(
        "mine", "--size", "32", code=2
    )
    summary("mine", "--plot", "mine.png")


@pytest.mark.slow
def test_auxiliary_heads_are_left_out_of_the_figure(summary):
    rows = json.loads(summary("googlenet_auxiliary", "--format", "json"))
    stages = json.loads(summary("googlenet_auxiliary", "--brief", "--format", "json"))
    assert sum(row["parameters"] for row in rows) == 13_378_280
    assert sum(stage["parameters"] for stage in stages) == 6_998_552
    assert "here without its auxiliary heads" in summary("googlenet_auxiliary", "--brief")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["cifar_4con"], 4, "there is no model 'cifar_4con'; did you mean cifar_4conv"),
        (["lenet_sigmoid", "--size", "15"], 4, "at least 16 x 16 pixels; found 15 x 15"),
        (["lenet_sigmoid", "--size", "big"], 2, "--size must be a side such as 64"),
        (
            ["lenet_sigmoid", "--classes", "1"],
            2,
            "--classes must be at least 2; found 1",
        ),
        (
            ["lenet_sigmoid", "--stem", "small"],
            4,
            "the small stem is for networks that are made for images of 128",
        ),
        (["lenet_sigmoid", "--channels", "blue"], 2, "blue"),
        (
            ["lenet_sigmoid", "--plot", "a.jpg"],
            2,
            "--plot must name a .png or .svg file; found a.jpg",
        ),
        (
            ["lenet_sigmoid", "--plot", "a.png", "b.png"],
            2,
            "--plot takes one file; found a.png, b.png",
        ),
        (["lenet_sigmoid", "--plot", "plain.keras/a.png"], 9, "the figure cannot be written"),
        (["none.keras"], 6, "none.keras: there is no classifier file here"),
        (["plain.keras"], 6, "plain.keras: a classifier file must contain convlens.json"),
        ([], 2, "NAME is missing. (convlens summary --help)"),
    ],
)
def test_mistakes_get_one_line(words, code, said, summary, here):
    keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)]).save(here / "plain.keras")
    error = summary(*words, code=code, columns=200)
    assert said in error
    assert "Traceback" not in error
