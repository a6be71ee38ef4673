"""Help: in the chosen language, in terminals of several widths, and put together from texts."""

import re

import pytest
from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions
from rich.text import Text

from convlens.cli.app import COMMANDS
from convlens.cli.help import Wrapped
from convlens.cli.show import COMMANDS as SHOWN
from tests.cli.commands import run

ALL = [
    "",
    *COMMANDS,
    "cache list",
    "cache trim",
    *(f"show {name}" for commands in SHOWN.values() for name in commands),
]


def helped(capsys, *words: str) -> str:
    """Return the help of a command."""
    assert run(*words, "--help") == 0
    return capsys.readouterr().out


@pytest.fixture(params=[40, 80, 120])
def width(request, monkeypatch) -> int:
    """Set the width of the terminal."""
    monkeypatch.setattr(Console, "width", request.param)
    monkeypatch.setattr(Console, "size", ConsoleDimensions(request.param, 25))
    return request.param


@pytest.mark.parametrize("command", ALL)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_help_fits_the_terminal(command, language, width, capsys):
    lines = helped(capsys, *command.split(), "--language", language).splitlines()
    assert max(map(cell_len, lines)) <= width
    boxes = {cell_len(line) for line in lines if line.startswith(("│", "╭", "╰"))}
    assert boxes <= {width}
    # No line begins with a sign that closes.
    assert [line for line in lines if re.match(r"[│\s]*[，。；：、）」]", line)] == []


def test_help_has_its_paragraphs_its_choices_and_its_defaults(capsys):
    said = helped(capsys, "predict")
    assert said.startswith("Usage: convlens predict [OPTIONS] [ARGS...]\n\nPredict the classes")
    assert "\n\nThe classifier is a run" in said
    assert "[choices: table, csv, json] [default: table]" in " ".join(said.replace("│", "").split())
    assert "[required]" in helped(capsys, "data")
    assert "--language zh" in said
    assert "--debug" in said


def test_chinese_is_wrapped_between_characters():
    console = Console(width=8, color_system=None)
    with console.capture() as caught:
        console.print(Wrapped(Text("共 5 張影像，\n\n分成 cat")))
    assert caught.get() == "共 5 張\n影像，\n\n分成 cat\n"
