"""`convlens show` as a user types it: every command prints and writes, mistakes take a line."""

import importlib
import re
import subprocess
import sys
from fractions import Fraction

import pytest
from PIL import Image

from convlens.cli.show import COMMANDS as LISTED
from convlens.cli.show import read_one_or_more
from convlens.cli.show import show as app
from tests.cli.commands import show

COMMANDS = [
    "convolution",
    "pooling",
    "recognition",
    "activation",
    "softmax",
    "loss",
    "dense",
    "dropout",
    "batchnorm",
    "join",
    "flatten",
    "sizes",
    "network",
]


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")


def test_these_are_all_commands():
    assert {name for name in app if not name.startswith("-")} == set(COMMANDS)


def test_the_listed_help_is_that_of_the_function():
    for module, commands in LISTED.items():
        for name, text in commands.items():
            function = getattr(importlib.import_module(f"convlens.cli.{module}"), name)
            assert text.split("\n")[0] == function.__doc__.splitlines()[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_prints_and_writes(command, capsys, tmp_path):
    words = ["--steps", "20"] if command == "network" else []
    code, out, err = show(
        capsys, command, *words, "--png", tmp_path / "p.png", "--html", tmp_path / "p.html"
    )
    assert (code, err) == (0, "")
    assert "written" in out
    assert not [line for line in out.splitlines() if line != line.rstrip()]
    with Image.open(tmp_path / "p.png") as image:
        assert min(image.size) > 200
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)  # one file, no server


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("convolution", "--image", "1 2; 3 4"), "the filter must fit into the image"),
        (("convolution", "--image", "1 2; 3"), "every row must have as many numbers"),
        (("convolution", "--image", "1 a"), "'a' is not a number"),
        (("convolution", "--strides", "0"), "strides must be at least 1"),
        (("convolution", "--strides", "x"), "--strides must be a whole number"),
        (("convolution", "--at", "7,0"), "row 7 is outside: take 0 to 6"),
        (("convolution", "--at", "7"), "--at must be ROW,COL"),
        (
            ("convolution", "--image", "1 | 2", "--filter", "1"),
            "as many channels as the image, 2",
        ),
        (
            ("convolution", "--filter", "plus", "--filter", "1"),
            "all filters must have the same size",
        ),
        (("convolution", "--groups", "2"), "--groups must divide"),
        (("pooling", "--size", "9"), "must fit"),
        (("pooling", "--size", "0"), "the window's size must be at least 1; found 0"),
        (("convolution", "--at", "-1,0"), "row -1 is outside"),
        (("dropout", "--values", "1 2; 3 4", "--mask", "1 0"), "of the shape 2 x 2; found 1 x 2"),
        (("softmax", "--png", "a.pdf"), "--png writes a file that ends in .png; found a.pdf"),
        (("softmax", "--html", "a.png"), "--html writes a file that ends in .html"),
        (("join", "x9"), "give two maps or more"),
        (("join", "x9", "seven"), "must have one shape"),
        (("network", "--hidden", "3"), "must have 12 weights; found 8"),
        (("network", "--inputs", "1"), "must have 6 weights; found 8"),
        (("dropout", "--rate", "1"), "below 1"),
        (("loss", "--predicted", "1"), "as many predicted values"),
        (("sizes", "--layers", "conv 3"), "layers must be written as"),
        (("sizes", "--side", "0"), "must be at least 1"),
    ],
)
def test_mistakes_are_told_in_one_line(words, said, capsys):
    code, _, err = show(capsys, *words)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1


def test_every_cell_of_a_map_opens_in_the_html(capsys, tmp_path):
    show(capsys, "convolution", "--html", tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert page.count("<template") == 2 * 49  # in two languages
    assert 'data-cell="6,6" data-mark="6,9,6,9"' in page


def test_a_file_that_cannot_be_written(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = show(capsys, "softmax", "--png", tmp_path / "file" / "p.png")
    assert code == 9
    assert "cannot be written" in err


def test_one_number_stands_for_all_and_several_stay_apart():
    assert read_one_or_more("1/3", "--bias") == Fraction(1, 3)
    assert read_one_or_more("1/3", "--bias").shape == ()
    assert read_one_or_more("1 2", "--bias").tolist() == [1, 2]


def test_both_files_of_a_page_are_named(capsys, tmp_path):
    png = tmp_path / "new" / "page.png"
    html = tmp_path / "page.html"
    code, out, _ = show(capsys, "flatten", "--png", png, "--html", html)
    assert code == 0
    assert out.endswith(f"\nwritten  {png}\n\nwritten  {html}\n")
    assert "flattened" in html.read_text(encoding="utf-8")


def test_no_engine_is_loaded():
    words = "import sys; from convlens.cli import main; main(['show', 'softmax'])"
    names = ("keras", "tensorflow", "matplotlib")
    check = f"print([name for name in {names} if name in sys.modules])"
    script = f"import atexit, sys; atexit.register(lambda: {check})\n{words}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == "Softmax"
    assert done.stdout.splitlines()[-1] == "[]"
