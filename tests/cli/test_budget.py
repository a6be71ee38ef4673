"""`convlens train --budget`: what it refuses."""

import pytest

from tests.cli.commands import run

GOES_WITHOUT = [
    (["--epochs", "3"], "--epochs"),
    (["--steps-per-epoch", "3"], "--steps-per-epoch"),
    (["--folds", "3"], "--folds"),
    (["--few", "3"], "--few"),
    (["--from", "runs/x"], "--from"),
    (["--resume", "--run", "x"], "--resume"),
    (["--find-learning-rate"], "--find-learning-rate"),
]


@pytest.mark.parametrize(("words", "flag"), GOES_WITHOUT, ids=[flag for _, flag in GOES_WITHOUT])
def test_flags_that_go_without_it(words, flag, capsys):
    assert run("train", "digits", "--budget", "1m", *words) == 2
    assert f"--budget and {flag} exclude each other. " in capsys.readouterr().err


def test_what_is_no_time(capsys):
    assert run("train", "digits", "--budget", "ten") == 2
    assert (
        "a duration must be a number with its unit, as 90s, 10m or 1h30m; found 'ten'"
        in capsys.readouterr().err
    )


@pytest.mark.slow
def test_a_time_that_is_over_when_the_program_has_started(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("train", "digits", "--budget", "0.01s") == 2
    said = capsys.readouterr().err
    assert "--budget must leave time after starting" in said
    assert "Give some minutes, such as --budget 5m." in said


def test_unfreezing_needs_a_backbone(capsys):
    assert run("train", "digits", "--budget", "1m", "--unfreeze", "all") == 2
    assert (
        "--unfreeze needs --backbone. It is about the layers of a trained network"
        in capsys.readouterr().err
    )
