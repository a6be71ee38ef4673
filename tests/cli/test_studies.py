"""`convlens compare` and `convlens search` as a user types them: what they print and refuse."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from convlens.budget.plan import Costs
from convlens.studies import recipes
from tests.cli.commands import run, terminal

TWO = ("--models", "custom_cnn,fashion_mlp")
QUICK = (
    "--filters",
    "4",
    "--dense",
    "8",
    "--batch-size",
    "16",
    "--size",
    "32",
    "--learning-rate",
    "0.01",
)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def measured(monkeypatch):
    """Use made-up costs, so that a minute is 5 epochs of 5 steps on every machine."""
    monkeypatch.setattr(recipes, "measure_costs", lambda trainer, seconds: Costs(2.0, 1.0, 0.4))


@pytest.mark.slow
@pytest.mark.usefixtures("no_charts")
def test_compare_says_what_it_does_and_which_is_better(shapes, here, measured, capsys):
    assert run("compare", shapes, *TWO, *QUICK, "--minutes", "1", "--run", "mine") == 0
    said = capsys.readouterr().out
    for words in (
        "120 from", "76 train, 20 validation, 24 test", "32 x 32 RGB", "2 networks of 1 min 00 s",
        "recipe        batch 16, adamw, learning rate 0.01 (one-cycle), ", "augmentation  flip",
        "5 epochs, 5.0 pass",
        "custom_cnn, 1 of 2", "fashion_mlp, 2 of 2", "mult-adds", "95 %", "p = ",
        "ranked on 20 validation images; scored once on 24 test images",
        "tradeoff.png", "compare.json", "convlens predict runs/mine/",
    ):  # fmt: skip
        assert words in said, words
    facts = json.loads((here / "runs" / "mine" / "compare.json").read_text())
    assert [row["model"] in said for row in facts["ranking"]] == [True, True]
    with Image.open(here / "runs" / "mine" / "plots" / "tradeoff.png") as chart:
        assert chart.width > 800
    best = here / "runs" / "mine" / facts["ranking"][0]["model"]
    assert run("predict", best, shapes / "bar" / "1.png") == 0


def test_the_default_is_two_minutes(shapes, here, monkeypatch, capsys):
    monkeypatch.setattr(recipes, "measure_costs", lambda trainer, seconds: Costs(120.0))
    assert run("compare", shapes, *TWO, *QUICK) == 2
    assert "--minutes 2 is too short" in capsys.readouterr().err


def test_published_figures_with_their_sources(here, capsys):
    assert run("compare", "--published") == 0
    said = capsys.readouterr().out
    assert "keras.io/api/applications" in said
    assert "71.3 %" in said
    with Image.open(here / "imagenet-published.png") as chart:
        assert chart.width > 800


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["SHAPES", "--models", "custom_cnn,small_resnt"], 4, "did you mean small_resnet"),
        (["nowhere", "--models", "custom_cnn,small_resnt"], 4, "did you mean small_resnet"),
        (["nowhere", *TWO], 3, "there is no such file or folder"),
        (["SHAPES", "--models", "custom_cnn"], 2, "two networks or more"),
        (["SHAPES", "--models", ","], 2, "two networks or more, with commas between; found none"),
        (["SHAPES", "--models", "custom_cnn,custom_cnn"], 2, "found custom_cnn twice"),
        (["SHAPES"], 2, "which networks"),
        (TWO, 2, "on which images"),
        (["SHAPES", *TWO, "--minutes", "0"], 2, "--minutes must be more than 0"),
        (["SHAPES", *TWO, "--minutes", "soon"], 2, "minutes"),
        (["SHAPES", *TWO, "--minutes", "0.01"], 2, "is too short for custom_cnn, fashion_mlp"),
        (["SHAPES", *TWO, "--test", "0"], 3, "needs test images"),
        (["SHAPES", *TWO, "--val", "0"], 3, "needs validation images"),
        (["SHAPES", "--models", "custom_cnn,mnist_tanh", "--size", "8"], 4,
         "at least 14 x 14 pixels; found 8 x 8"),
        (["SHAPES", *TWO, "--epochs", "3"], 2, "epochs"),
        (["SHAPES", *TWO, "--unfreeze", "3"], 2,
         "--unfreeze exclude each other. Every network is trained from scratch"),
        (["SHAPES", *TWO, "--batch-size", "0"], 2, "--batch-size must be at least 1"),
        (["nowhere", "--models", "lenet5,fashion_mlp", "--filters", "8"], 2,
         "--filters has an effect only with --models custom_cnn; found lenet5, fashion_mlp."),
        (["nowhere", *TWO, "--warmup-epochs", "2"], 2,
         "--warmup-epochs has an effect only with --schedule cosine; found one_cycle."),
        (["--resume"], 5, "name the comparison"),
        (["--resume", "--run", "none"], 5, "a comparison is a folder"),
        (["--resume", "--run", "none", "--minutes", "3"], 2, "keeps its configuration"),
        (["SHAPES", "--published"], 2, "give it alone"),
    ],
)  # fmt: skip
def test_mistakes_get_one_line_and_leave_nothing(words, code, said, shapes, here, measured, capsys):
    assert run("compare", *[str(shapes) if word == "SHAPES" else word for word in words]) == code
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in out + err
    assert len([line for line in err.splitlines() if line.startswith("error")]) == 1
    assert not (here / "runs").exists()


@pytest.mark.slow
def test_a_killed_comparison_is_resumed(shapes, here):
    """The second network is killed while it trains; both end in the table, the first untouched."""
    words = ["compare", str(shapes), *TWO, *QUICK, "--minutes", "0.2", "--run", "killed"]
    process = subprocess.Popen(
        [sys.executable, "-m", "convlens", *words], stdout=subprocess.DEVNULL
    )
    folder = here / "runs" / "killed"
    history = folder / "fashion_mlp" / "history.csv"
    for _ in range(2400):
        if history.exists() and len(history.read_text().splitlines()) >= 2:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    trained = folder / "custom_cnn" / "trained.json"
    before = trained.stat().st_mtime_ns
    assert not (folder / "fashion_mlp" / "trained.json").exists()
    again = [sys.executable, "-m", "convlens", "compare", "--run", "killed", "--resume"]
    done = subprocess.run(again, check=True, capture_output=True, text=True)
    assert "custom_cnn, 1 of 2" not in done.stdout
    assert done.stderr == ""
    assert trained.stat().st_mtime_ns == before
    facts = json.loads((folder / "compare.json").read_text())
    assert {row["model"] for row in facts["ranking"]} == {"custom_cnn", "fashion_mlp"}
    assert json.loads((folder / "fashion_mlp" / "report.json").read_text())["test_evaluations"] == 1


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_search_and_what_it_says(shapes, folder, capsys, no_charts):
    (folder / "images").symlink_to(shapes)
    words = (
        "search",
        "images",
        "--trials",
        "2",
        "--epochs",
        "1",
        "--vary",
        "dropout=0..0.5",
        "--filters",
        "4",
    )
    assert run(*words, "--run", "s") == 0
    out = capsys.readouterr().out
    assert re.search(r"varied +dropout: 0 to 0.5", out)
    assert "custom_cnn" in out
    assert "next         convlens train images --config runs/s/trial-00" in out
    assert "cannot be told apart" in out or "is better than" in out
    assert "tensorboard --logdir" in out
    assert (folder / "runs" / "s" / "plots" / "trials.png").exists()
    assert run("search", "--run", "s", "--resume") == 5
    assert "this search is finished" in capsys.readouterr().err
    assert run("train", "--run", "s", "--resume") == 5
    assert "convlens search --run runs/s --resume" in capsys.readouterr().err


def test_help_shows_the_defaults_of_a_search(capsys, monkeypatch):
    terminal(200, monkeypatch)
    assert run("search", "--help") == 0
    out = capsys.readouterr().out
    assert "name of the network (`convlens models` lists them) [custom_cnn]" in out
    assert "--steps-per-epoch [8]" in out
    assert "--backbone" not in out
    assert run("train", "--help") == 0
    out = capsys.readouterr().out
    assert "lists them) [fast_cnn]" in out
    assert "[10 to 60, the more the fewer images there are]" in out
    assert "--backbone" in out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("search",), 2, "say what to search on"),
        (("search", "digits", "--vary", "nothing=1,2"), 2, "there is no setting"),
        (("search", "digits", "--trials", "1"), 2, "--trials must be at least 2"),
        (("search", "nowhere", "--trials", "2"), 3, "nowhere"),
        (("search", "nowhere", "--batch-size", "16"), 2, "--batch-size gives one value of a"),
        (("search", "nowhere", "--learning-rate", "0.1"), 2, "--learning-rate gives one value of"),
        (
            ("search", "nowhere", "--vary", "dropout=0..0.5", "--dropout", "0.3"),
            2,
            "--dropout gives one value of a setting that the search varies.",
        ),
        (
            ("search", "nowhere", "--model", "lenet5", "--filters", "8"),
            2,
            "--filters has an effect only with --model custom_cnn; found lenet5.",
        ),
        (
            ("search", "nowhere", "--vary", "warmup_epochs=1,2"),
            2,
            "--warmup-epochs has an effect only with --schedule cosine; found one_cycle.",
        ),
        (
            ("search", "nowhere", "--vary", "schedule=linear,cosine", "--warmup-epochs", "2"),
            3,
            "nowhere",
        ),
        (("search", "nowhere", "--vary", "dropout=0,0.5", "--batch-size", "16"), 3, "nowhere"),
        (("search", "nowhere", "--vary", "recipe=fast,standard"), 2, "found 'recipe'"),
        (("search", "nowhere", "--vary", "accept=0.5,0.9"), 2, "found 'accept'"),
        (
            ("search", "digits", "--backbone", "vgg16"),
            2,
            "--backbone exclude each other. Every network is trained from scratch",
        ),
        (("search", "--resume"), 5, "name the search"),
        (("search", "--run", "x", "--resume", "--trials", "3"), 2, "keeps its configuration"),
    ],
)
def test_mistakes(words, code, message, capsys):
    assert run(*words) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
