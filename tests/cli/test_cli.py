"""The command line as a whole: exit codes, and one line for each mistake."""

import errno
import importlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from convlens.cli import main
from convlens.cli.commands import COMMANDS
from convlens.errors import StorageError
from tests.cli.commands import run


def test_models_lists_the_default(capsys):
    assert run("models") == 0
    assert "small_resnet" in capsys.readouterr().out


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
        (["train", "SHAPES", "--resume", "--run", "none", "--epochs", "3"], 2,
         "keeps its configuration"),
        (["train", "SHAPES", "--config", "none.toml"], 2, "none.toml"),
        (["train", "SHAPES", "--find-learning-rate", "--learning-rate", "0.1"], 2,
         "exclude each other"),
        (["train", "SHAPES", "--from", "none.keras"], 6, "no classifier file here"),
        (["train", "SHAPES", "--from", "TRAINED", "--size", "64"], 2,
         "--from and --size exclude each other. The classifier that --from names"),
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


def test_the_listed_help_is_that_of_the_function():
    for path, text in COMMANDS.values():
        module, name = path.split(":")
        function = getattr(importlib.import_module(module), name)
        if name not in ("cache", "runs", "show"):  # groups of commands
            assert text.splitlines()[0] == function.__doc__.splitlines()[0]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            ValueError("a [bold] number"),
            1,
            "a fault of convlens: ValueError: a [bold] number; --debug",
        ),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_what_nobody_expected_gets_one_line_too(error, code, said, monkeypatch, capsys):
    def fail(path, config):
        raise error

    monkeypatch.setattr("convlens.cli.demo.open_images", fail)
    assert run("demo") == code
    assert said in capsys.readouterr().err


def test_a_reader_that_has_gone_is_no_error(monkeypatch):
    def fail(path, config):
        raise BrokenPipeError

    monkeypatch.setattr("convlens.cli.demo.open_images", fail)
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    assert run("demo") == 0
    assert errors.closed


def finished(words, **options):
    """Run `convlens` in a process of its own, and return its exit code and its messages."""
    command = [sys.executable, "-m", "convlens", *words]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, **options)
    return done.returncode, done.stderr


def test_a_reader_that_goes_early_ends_the_command_quietly():
    reading, writing = os.pipe()
    os.close(reading)
    assert finished(["models"], stdout=writing) == (0, "")
    os.close(writing)


@pytest.mark.slow
def test_a_full_disk_below_the_standard_output_is_a_storage_error():
    with Path("/dev/full").open("w") as full:
        code, said = finished(["models"], stdout=full)
    assert code == 9
    assert said.splitlines()[0].startswith("error  the standard output")
    assert "No space left on device" in said
    assert "fault of convlens" not in said
    assert "Exception ignored" not in said


def test_a_closed_standard_output_is_a_storage_error():
    code, said = finished(["models"], preexec_fn=lambda: os.close(1))
    assert (code, "Bad file descriptor" in said) == (9, True)


def test_a_closed_standard_input_is_empty(trained):
    words = ["predict", str(trained), "-"]
    code, said = finished(words, stdout=subprocess.DEVNULL, preexec_fn=lambda: os.close(0))
    assert code == 3
    assert "fault of convlens" not in said


@pytest.mark.parametrize(
    ("words", "before"),
    [
        (["train", ""], "train"),
        (["train", "photos", "--run", ""], "--run"),
        (["train", "photos", "--run="], "--run="),
        (["predict", "run", "a.png", "", "b.png"], "a.png"),
        ([""], "convlens"),
    ],
)
def test_an_empty_word_is_refused_as_that_of_a_variable_that_is_not_set(words, before, capsys):
    assert run(*words) == 2
    said = capsys.readouterr().err
    assert said.startswith("error  a name, a path and a value need at least one character")
    assert f"after {before}. If" in said


def test_debug_shows_where_an_error_comes_from(monkeypatch):
    def fail(path, config):
        raise ValueError("here")

    monkeypatch.setattr("convlens.cli.demo.open_images", fail)
    with pytest.raises(ValueError, match="here"):
        main(["demo", "--debug"])


def test_a_warning_is_a_note_without_the_code_it_comes_from(monkeypatch, capsys):
    import warnings

    from convlens import cli

    def warn(*_, **__):
        warnings.warn("no font has [🐶]", stacklevel=1)
        return 0

    monkeypatch.setattr(cli, "_run", warn)
    with pytest.raises(SystemExit) as stop:
        cli.main(["models"])
    assert stop.value.code == 0
    assert capsys.readouterr().err == "note  no font has [🐶]\n"


@pytest.mark.parametrize("words", [["--language", "zh"], ["--language=zh_TW.UTF-8"]])
def test_the_language_is_a_flag_of_every_command(words, capsys, monkeypatch):
    monkeypatch.setenv("CONVLENS_LANG", "en")
    with pytest.raises(SystemExit) as stop:
        main([*words, "data", "--language", "fr"])
    assert stop.value.code == 2
    assert "found 'fr'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*words, "--version"])
    assert os.environ["CONVLENS_LANG"] == "zh"


def test_a_place_that_the_system_refuses_gets_one_line(here, monkeypatch, capsys):
    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied", "locked/convlens.json")

    (here / "photos" / "locked").mkdir(parents=True)
    monkeypatch.setattr("convlens.inventory.is_run", refuse)
    assert run("run", "list", "photos") == StorageError.exit_code
    said = capsys.readouterr().err
    assert "locked/convlens.json: the system does not let this be used; Permission denied." in said
    assert run("run", "list", "photos", "--language", "zh") == StorageError.exit_code
    assert "權限不足" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EROFS, "Read-only file system", "locked"), "Give another place"),
        (OSError(errno.ENOSPC, "No space left on device"), "Free some space on the disk, or write"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error. Write to another place."),
    ],
)
def test_what_is_advised_follows_from_the_reason(error, said, here, monkeypatch, capsys):
    def refuse(*_args, **_options):
        raise error

    monkeypatch.setattr("convlens.inventory.is_run", refuse)
    (here / "photos" / "some").mkdir(parents=True)
    assert run("run", "list", "photos") == StorageError.exit_code
    assert said in capsys.readouterr().err
