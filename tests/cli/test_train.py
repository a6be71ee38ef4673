"""`convlens train` as a user types it, and what the commands that train do first."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens import backend
from convlens.cli import starting
from convlens.cli.starting import open_images
from convlens.config import Config
from convlens.errors import BackendError, ConfigError, ModelError
from convlens.run import Run
from tests.cli.commands import QUICK, run


@pytest.mark.usefixtures("no_charts")
def test_train_announces_shows_epochs_and_scores(shapes, here, capsys):
    assert run("train", shapes, *QUICK, "--size", "32", "--epochs", "2", "--run", "mine") == 0
    said = capsys.readouterr().out
    for words in (
        "120 from", "a folder per class", "76 train, 20 validation, 24 test", "32 x 32 RGB",
        "custom_cnn", "2 epochs", "flip", "measured", "val_accuracy", "best", "95 % interval",
        "Accuracy", "report.html", "convlens predict mine",
    ):  # fmt: skip
        assert words in said, words
    assert (here / "runs" / "mine" / "classifier.keras").exists()


@pytest.mark.usefixtures("no_charts")
def test_who_asks_for_no_network_gets_the_recipe_for_few_passes(shapes, here, capsys):
    assert run("train", shapes, "--size", "16", "--epochs", "1", "--run", "mine") == 0
    said = capsys.readouterr().out
    assert "fast_cnn, " in said
    assert "1 epoch, batch 128, muon, learning rate 0.1 (linear)" in said
    written = Path("runs/mine/run.toml").read_text()
    assert 'recipe = "fast"' in written
    assert 'augment = "shift"' in written


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--batch-size", "32", "--optimizer", "sgd"], "because of --batch-size and --optimizer,"),
        (["--batch-size", "32", "--recipe", "fast"], ""),
        (["--batch-size", "32", "--model", "lenet5"], ""),
        (["--epochs", "3"], ""),
    ],
)
def test_a_part_of_a_training_brings_the_standard_recipe_which_is_said(
    shapes, here, capsys, monkeypatch, flags, told
):
    def stop(*_args, **_options):
        raise ConfigError("far enough")

    monkeypatch.setattr("convlens.pipeline.train", stop)
    assert run("train", shapes, *flags) == ConfigError.exit_code
    out = capsys.readouterr().out
    assert told in out
    assert ("this is --recipe standard with small_resnet" in out) is bool(told)


def test_missing_weights_are_told_before_the_images_are_looked_for(here, capsys):
    for words in (("--model", "vgg16"), ("--backbone", "vgg16")):
        assert run("train", "nowhere", *words, "--weights", "none.h5") == ModelError.exit_code
        assert "there is none at none.h5" in capsys.readouterr().err


@pytest.mark.usefixtures("no_charts")
def test_lists_are_obeyed_by_the_training_and_by_what_follows_it(shapes, here, capsys):
    Path("one.csv").write_text("file,action\ndisc/0.png,exclude\n")
    Path("two.csv").write_text("file;action;value\nbar/1.png;group;a\nbar/2.png;group;a\n")
    words = (*QUICK, "--size", "16", "--epochs", "1", "--run", "mine")
    assert run("train", shapes, *words, "--using", "one.csv", "--using", "two.csv") == 0
    assert "one.csv: images that are left out: 1" in capsys.readouterr().out
    Path("one.csv").unlink()
    folder = Path("runs/mine")
    data = json.loads((folder / "data.json").read_text())
    assert data["images"] == 119
    assert [one["file"] for one in data["lists"]] == ["lists/1-one.csv", "lists/2-two.csv"]
    assert (folder / "lists" / "1-one.csv").read_text().endswith("disc/0.png,exclude\n")
    report = json.loads((folder / "report.json").read_text())
    assert run("evaluate", "mine") == 0
    again = json.loads((folder / "report.json").read_text())
    assert again["metrics"]["accuracy"] == report["metrics"]["accuracy"]


@pytest.mark.slow
def test_from_takes_a_runs_name(shapes, here):
    assert run("train", shapes, *QUICK, "--size", "32", "--epochs", "1", "--run", "first") == 0
    assert run("train", shapes, "--from", "first", "--epochs", "1", "--run", "second") == 0
    assert 'recipe = "standard"' in Path("runs/second/run.toml").read_text()


@pytest.mark.usefixtures("no_charts")
def test_a_configuration_file_and_a_flag_on_top(shapes, here, capsys):
    Path("my.toml").write_text(
        '[model]\nmodel = "custom_cnn"\nfilters = [4]\n'
        '[training]\nepochs = 5\n[data]\nsize = "16"\n'
    )
    assert run("train", shapes, "--config", "my.toml", "--epochs", "1", "--run", "x") == 0
    assert "1 epoch," in capsys.readouterr().out
    written = Path("runs/x/run.toml").read_text()
    assert "epochs = 1" in written
    assert "    4,\n" in written


@pytest.mark.slow
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


@pytest.mark.slow
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
    ("side", "flags", "told"),
    [(80, (), True), (40, (), False), (80, ("--model", "lenet5"), False)],
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


def test_images_are_loaded_with_the_pattern_of_the_configuration(here, shapes):
    assert open_images(str(shapes), Config()).class_names == ("bar", "disc")
    with pytest.raises(ConfigError, match="--pattern must have a group"):
        open_images(str(shapes), Config().replace(pattern="no group"))


def test_another_engine_than_the_running_one_is_refused_before_the_images():
    other = next(name for name in backend.ENGINES if name != backend.engine())
    with pytest.raises(BackendError, match=f"{other} was asked for"):
        open_images("nowhere", Config().replace(backend=other))


def test_training_goes_on_from_a_run_beside_a_folder_of_images_of_its_name(here):
    (here / "pets" / "cat").mkdir(parents=True)
    Run.create("pets", "").write("run.toml", "")
    config = Config()
    assert starting._prepare_start(None, config, "pets", None) == str(Path("runs") / "pets")
    assert starting._prepare_start(None, config, "no.keras", None) == "no.keras"
