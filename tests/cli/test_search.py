"""`convlens search` as a user types it."""

import re

import pytest

from tests.cli.commands import run


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_search_and_what_it_says(folder, capsys, no_charts):
    words = (
        "search",
        "digits",
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
    assert "next         convlens train digits --config runs/s/trial-00" in out
    assert "cannot be told apart" in out or "is better than" in out
    assert "tensorboard --logdir" in out
    assert (folder / "runs" / "s" / "plots" / "trials.png").exists()
    assert run("search", "--run", "s", "--resume") == 5
    assert "this search is finished" in capsys.readouterr().err


def test_help_shows_the_defaults_of_a_search(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert run("search", "--help") == 0
    out = capsys.readouterr().out
    assert "name of the network (`convlens models` lists them) [custom_cnn]" in out
    assert "steps [8]" in out
    assert "--backbone" not in out
    assert run("train", "--help") == 0
    out = capsys.readouterr().out
    assert "lists them) [small_resnet]" in out
    assert "--backbone" in out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("search",), 2, "say what to search on"),
        (("search", "digits", "--vary", "nothing=1,2"), 2, "must name a field"),
        (("search", "digits", "--trials", "1"), 2, "--trials must be at least 2"),
        (("search", "nowhere", "--trials", "2"), 3, "nowhere"),
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
