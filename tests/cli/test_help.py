"""Help: in the chosen language, in terminals of several widths, and put together from texts."""

import itertools
import re

import pytest
from cyclopts import App
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from convlens.cli.app import app
from convlens.cli.commands import COMMANDS
from convlens.cli.help import placeholder
from convlens.cli.overview import Wrapped, composed, epilogue, translated
from convlens.cli.show import COMMANDS as SHOWN
from convlens.language import _, _message
from convlens.language_choice import using
from tests.cli.commands import run, terminal

ALL = [
    "",
    *COMMANDS,
    "cache list",
    "cache trim",
    *(f"show {name}" for commands in SHOWN.values() for name in commands),
]
# What stays English: flags and metavars, names of commands and files, values, and examples.
NAMES = re.compile(
    r"convlens( [\w./|<>,-]+)*|--?[\w-]+|[A-Z][A-Z_=,|.]+|[\w*.<>-]+\.\w+|\[[^]]*\]"
    r"|Holm|ImageNet|Inception|ResNet|DenseNet|TensorBoard|TensorFlow|Keras|Markdown|softmax"
)
READ: dict[tuple[object, ...], tuple[App, object]] = {}
ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")


def helped(capsys, *words: str) -> str:
    """Return the help of a command."""
    assert run(*words, "--help") == 0
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def flags_once(monkeypatch):
    """Let cyclopts read the flags of a command once, which takes longer than to print them."""

    def read_once(app, **options):
        key = (id(app), *options.items())
        if key not in READ:
            READ[key] = (app, read(app, **options))  # with the app, whose id is used again else
        return READ[key][1]

    read = App.assemble_argument_collection
    monkeypatch.setattr(App, "assemble_argument_collection", read_once)


@pytest.mark.parametrize("command", ALL)
def test_help_in_chinese_has_no_english_sentence(command, capsys):
    said = helped(capsys, *command.split(), "--language", "zh")
    assert said.startswith("用法：convlens")
    lines = re.sub(r"[│╭╮╰╯─]", " ", said)
    assert ENGLISH.findall(NAMES.sub("", lines)) == []


@pytest.mark.parametrize("command", ALL)
def test_help_fits_the_terminal(command, capsys, monkeypatch):
    for language, width in itertools.product(("en", "zh"), (40, 80, 120)):
        terminal(width, monkeypatch)
        lines = helped(capsys, *command.split(), "--language", language).splitlines()
        assert max(map(cell_len, lines)) <= width
        boxes = {cell_len(line) for line in lines if line.startswith(("│", "╭", "╰"))}
        assert boxes <= {width}
        # No line begins with a sign that closes.
        assert [line for line in lines if re.match(r"[│\s]*[，。；：、）」]", line)] == []


def test_help_has_its_paragraphs_its_choices_and_its_defaults(capsys, monkeypatch):
    terminal(100, monkeypatch)
    said = helped(capsys, "predict")
    assert said.startswith("Usage: convlens predict [OPTIONS] [ARGS...]\n\nPredict the classes")
    assert "\n\nThe classifier is a run" in said
    assert "[choices: table, csv, json] [default: table]" in " ".join(said.replace("│", "").split())
    assert "[required]" in helped(capsys, "data")
    assert "--language zh" in said
    assert "--debug" in said


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_overview_is_what_cyclopts_would_print(width, language, capsys, monkeypatch):
    terminal(width, monkeypatch)
    with using(language):
        monkeypatch.setenv("CONVLENS_LANG", language)
        said = helped(capsys)
        monkeypatch.setattr(app, "help_epilogue", epilogue())
        app(["--help"], result_action="return_value")
    assert said == capsys.readouterr().out
    for words in ([], ["-h"]):
        run("--language", language, *words)
        assert capsys.readouterr().out == said


def test_a_help_of_several_texts_is_said_in_each_language():
    text = _("share of the training images kept for validation")
    help_text = composed(_("{text} [{default}]").format(text=text, default=0.2))
    with using("zh"):
        said = translated(help_text)
    assert said.endswith("[0.2]")
    assert "images" not in said
    assert translated(help_text) == "share of the training images kept for validation [0.2]"
    assert translated("two\n\nparagraphs") == "two\n\nparagraphs"


def test_places_of_values_are_said_in_the_language(capsys, monkeypatch):
    words = {"[OPTIONS]": "[選項]", "[ARGS...]": "[引數...]", "COMMAND": "指令", "STR": "文字"}
    words |= {"PATH": "路徑", "INT": "整數", "CHOICE": "擇一"}
    terminal(100, monkeypatch)
    monkeypatch.setattr("convlens.cli.help._", lambda text: _message(words.get(text, text), text))
    said = helped(capsys, "predict")
    assert said.startswith("Usage: convlens predict [選項] [引數...]\n")
    assert "--model 文字" in said
    assert "--weights 路徑" in said
    assert "--top 整數" in said
    assert "--format 擇一" in said
    assert "STR" not in said
    assert helped(capsys, "cache").startswith("Usage: convlens cache 指令\n")
    assert placeholder("STR...") == "文字..."
    assert placeholder(None) is None


@pytest.mark.parametrize("command", ALL)
def test_no_flag_empties_a_list_and_each_word_has_a_help(command, capsys):
    said = helped(capsys, *command.split())
    assert "--empty-" not in said
    # The name of an argument, with or without a star and a flag, and then nothing.
    assert re.findall(r"^│ \*? *[A-Z]+(?: --[a-z-]+)? *│$", said, re.MULTILINE) == []


def test_chinese_is_wrapped_between_characters():
    console = Console(width=8, color_system=None)
    with console.capture() as caught:
        console.print(Wrapped(Text("共 5 張影像，\n\n分成 cat")))
    assert caught.get() == "共 5 張\n影像，\n\n分成 cat\n"
