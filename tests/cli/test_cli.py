"""The commands as a user types them: what they print, what they leave, what they say of mistakes."""

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.classifier.classifier import Classifier
from convlens.cli import main
from convlens.cli.flags import options_page
from convlens.config import all_settings
from convlens.errors import ConfigError
from tests.conftest import without_charts

QUICK = (
    "--model",
    "custom_cnn",
    "--filters",
    "8,16",
    "--dense",
    "16",
    "--batch-size",
    "16",
    "--learning-rate",
    "0.01",
)


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(word) for word in words])
    return int(stopped.value.code or 0)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


@pytest.fixture(scope="module")
def trained(shapes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "shapes"
    with without_charts():
        assert run("train", shapes, *QUICK, "--size", "32", "--epochs", "6", "--run", folder) == 0
    return folder


def test_train_announces_shows_epochs_and_scores(shapes, here, capsys):
    assert run("train", shapes, *QUICK, "--size", "32", "--epochs", "2", "--run", "mine") == 0
    said = capsys.readouterr().out
    for words in (
        "120 from", "a folder per class", "76 train, 20 validation, 24 test", "32 x 32 RGB", "custom_cnn", "2 epochs",
        "flip", "measured", "val_accuracy", "best", "95 % interval", "Accuracy", "report.html", "convlens predict mine",
    ):  # fmt: skip
        assert words in said, words
    assert (here / "runs" / "mine" / "classifier.keras").exists()


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


@pytest.mark.usefixtures("no_charts")
def test_evaluate_again_counts_and_equals_the_report(trained, capsys):
    before = json.loads((trained / "report.json").read_text())
    assert run("evaluate", trained, "--format", "json") == 0
    after = json.loads(capsys.readouterr().out)
    assert after["metrics"] == before["metrics"]
    assert after["test_evaluations"] == before["test_evaluations"] + 1


@pytest.mark.usefixtures("no_charts")
def test_evaluate_on_other_images(trained, shapes, here, capsys):
    shutil.copytree(shapes, here / "others")
    shutil.rmtree(here / "others" / "bar")
    (here / "others" / "bar").mkdir()
    for number in range(2):
        shutil.copy(shapes / "bar" / f"{number}.png", here / "others" / "bar")
    assert run("evaluate", trained, "--data", "others") == 0
    assert "62" in capsys.readouterr().out
    report = json.loads((trained / "evaluations" / "others" / "report.json").read_text())
    assert report["n"] == 62
    (here / "others" / "cat").mkdir()
    for number in range(2):
        shutil.copy(shapes / "bar" / f"{number}.png", here / "others" / "cat")
    assert run("evaluate", trained, "--data", "others") == 3
    assert "found cat too" in capsys.readouterr().err


@pytest.mark.slow
def test_from_takes_a_runs_name(shapes, here):
    assert run("train", shapes, *QUICK, "--size", "32", "--epochs", "1", "--run", "first") == 0
    assert run("train", shapes, "--from", "first", "--epochs", "1", "--run", "second") == 0


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


def test_models_lists_the_default(capsys):
    assert run("models") == 0
    assert "small_resnet" in capsys.readouterr().out


def test_help_has_every_setting(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert run("train", "--help") == 0
    said = capsys.readouterr().out
    for _, item in all_settings():
        assert f"--{item.name.replace('_', '-')}" in said


def test_the_options_page_is_fresh():
    page = Path(__file__).parents[2] / "docs" / "options.md"
    assert page.read_text(encoding="utf-8") == options_page(), "run `make docs`"


@pytest.mark.usefixtures("no_charts")
def test_a_configuration_file_and_a_flag_on_top(shapes, here, capsys):
    Path("my.toml").write_text(
        '[model]\nmodel = "custom_cnn"\nfilters = [4]\n[training]\nepochs = 5\n[data]\nsize = "16"\n'
    )
    assert run("train", shapes, "--config", "my.toml", "--epochs", "1", "--run", "x") == 0
    assert "1 epoch," in capsys.readouterr().out
    written = Path("runs/x/run.toml").read_text()
    assert "epochs = 1" in written
    assert "    4,\n" in written


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["train", "nowhere"], 3, "there is no such file or folder"),
        (["train", "EMPTY"], 3, "EMPTY"),
        (["train", "SHAPES", "--epochs", "0"], 2, "--epochs must be at least 1; found 0"),
        (["train", "SHAPES", "--epochs", "many"], 2, "epochs"),
        (["train", "SHAPES", "--model", "small_resnt"], 4, "did you mean small_resnet"),
        (["train", "SHAPES", "--model", "mnist_tanh", "--size", "4"], 4, "least"),
        (["train", "SHAPES", "--size", "0"], 2, "--size must be"),
        (["train", "SHAPES", "--filters", "a,b"], 2, "whole numbers with commas"),
        (["train", "SHAPES", "--folds", "1"], 2, "--folds must be at least 2"),
        (["train"], 2, "say what to train on"),
        (["train", "--resume"], 5, "name the run"),
        (["train", "--resume", "--run", "none"], 5, "a run is a folder"),
        (["train", "SHAPES", "--resume", "--run", "none", "--epochs", "3"], 2, "keeps its configuration"),
        (["train", "SHAPES", "--config", "none.toml"], 2, "none.toml"),
        (["train", "SHAPES", "--find-learning-rate", "--learning-rate", "0.1"], 2, "exclude each other"),
        (["train", "SHAPES", "--from", "none.keras"], 6, "no classifier file here"),
        (["train", "SHAPES", "--from", "TRAINED", "--size", "64"], 2, "--from and --size exclude each other. It is given by the classifier"),
        (["train", "SHAPES", "--folds", "3", "--find-learning-rate"], 2, "exclude each other"),
        (["train", "SHAPES", "--run", "TRAINED"], 5, "does not exist yet"),
        (["train", "SHAPES", "--bogus"], 2, "bogus"),
        (["evaluate", "none"], 5, "a run is a folder"),
        (["predict", "none", "x.png"], 5, "a run is a folder"),
        (["predict", "TRAINED"], 2, "say which images"),
        (["predict", "TRAINED", "none.png"], 3, "no such file"),
        (["predict", "TRAINED", "EMPTY"], 3, "has no image"),
        (["predict", "TRAINED", "x.png", "--top", "0"], 2, "--top must be at least 1"),
        (["data", "nowhere"], 3, "nowhere"),
    ],
)  # fmt: skip
def test_mistakes_get_one_line_and_an_exit_code(words, code, said, shapes, trained, here, capsys):
    (here / "EMPTY").mkdir()
    places = {"SHAPES": str(shapes), "TRAINED": str(trained)}
    assert run(*[places.get(word, word) for word in words]) == code
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in out + err
    assert len([line for line in err.splitlines() if line.startswith("error")]) == 1
    assert not (here / "runs").exists()


def test_chinese_names_with_spaces_go_the_whole_way(here, capsys, shapes):
    for name, kind in (("圓 形", "disc"), ("長條", "bar")):
        shutil.copytree(shapes / kind, here / "形狀" / name)
    assert run("train", "形狀", *QUICK, "--epochs", "1", "--run", "中文") == 0
    assert run("predict", "中文", "形狀/圓 形/1.png") == 0
    assert "圓 形" in capsys.readouterr().out
    assert "圓 形" in (here / "runs" / "中文" / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("no_charts")
def test_a_class_that_is_rare_weighs_more(here, shapes, capsys):
    for kind, count in (("disc", 40), ("bar", 10)):
        (here / "rare" / kind).mkdir(parents=True)
        for number in range(count):
            shutil.copy(shapes / kind / f"{number}.png", here / "rare" / kind)
    assert run("train", "rare", *QUICK, "--epochs", "1") == 0
    assert "rare classes weigh more" in capsys.readouterr().out


@pytest.mark.usefixtures("no_charts")
def test_a_grey_sixteen_bit_npz_goes_the_whole_way(here):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 80)
    images = (rng.integers(0, 20_000, (80, 24, 24)) + labels[:, None, None] * 30_000).astype(
        np.uint16
    )
    np.savez("set.npz", x_train=images, y_train=labels, class_names=["dark", "light"])
    assert run("train", "set.npz", *QUICK, "--epochs", "8", "--run", "grey") == 0
    report = json.loads(Path("runs/grey/report.json").read_text())
    assert report["metrics"]["accuracy"]["value"] == 1.0
    assert report["seen_as"]["channels"] == 1


@pytest.mark.usefixtures("no_charts")
def test_brackets_in_names_are_shown_as_they_are(here, shapes, capsys):
    for name, kind in (("[bold]", "disc"), ("[/b]", "bar")):
        shutil.copytree(shapes / kind, here / "odd [x]" / name.replace("/", "_"))
    assert (
        run("train", "odd [x]", *QUICK, "--size", "32", "--epochs", "1", "--run", "run [old]") == 0
    )
    said = capsys.readouterr().out
    assert "odd [x]" in said
    assert "run [old]" in said
    assert run("data", "odd [x]") == 0
    assert "[bold]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("side", "flags", "told"), [(80, (), True), (40, (), False), (80, ("--filters", "8"), False)]
)
def test_photographs_are_told_of_a_backbone(side, flags, told, here, capsys, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (4, side, side, 3), np.uint8)
    for number, image in enumerate(noise):
        path = here / "photographs" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)

    def stop(*args, **options):
        raise ConfigError("far enough")

    monkeypatch.setattr("convlens.pipeline.train", stop)
    assert run("train", "photographs", *flags) == ConfigError.exit_code
    assert ("--backbone efficientnet_lite0" in capsys.readouterr().out) is told
