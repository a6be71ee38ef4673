"""`convlens show` as a user types it: what it prints, the PNG and HTML it writes, what it says of mistakes."""

import re

import pytest
from PIL import Image

from convlens.cli import main

COMMANDS = ["convolution", "pooling", "recognition", "activation", "softmax", "loss", "dense", "dropout", "batchnorm",
            "join", "flatten", "sizes", "network"]  # fmt: skip


def show(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["show", *map(str, words)])
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")


def test_deck_004_convolution_with_a_cell_opened(capsys):
    code, out, _ = show(
        capsys,
        "convolution",
        "--image",
        "x9",
        "--filter",
        "left-diagonal",
        "--mean",
        "--at",
        "0,0",
    )
    assert code == 0
    assert "-1/9   1/9   1/3   5/9  -1/9   1/3" in out
    assert "[ 7/9]" in out
    assert "sum   -1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 = 7" in out
    assert "mean  7 / 9 = 7/9" in out


def test_deck_001_convolution(capsys):
    _, out, _ = show(
        capsys, "convolution", "--image", "seven", "--filter", "plus", "--padding", "same"
    )
    assert re.search(r"  7 +11 +12 +6 +4 +4 +3$", out, re.MULTILINE)
    assert "of zeros, 1 on every side" in out


def test_the_former_spelling_of_image_still_works(capsys):
    for command in ("convolution", "pooling", "recognition", "flatten"):
        code, out, _ = show(capsys, command, "--image", "seven")
        assert code == 0
        assert show(capsys, command, "--picture", "seven") == (0, out, "")
    _, _, err = show(capsys, "pooling", "--picture", "nothing")
    assert "--image must be one of x9, seven" in err
    _, out, _ = show(capsys, "pooling", "--help")
    assert "--image" in out


def test_own_numbers_several_filters_and_channels(capsys):
    code, out, _ = show(
        capsys, "convolution", "--image", "-1 2; 3 4 | 1 1; 1 1", "--filter", "1 0; 0 1 | 1 1; 1 1", "--filter",
        "-1 0; 0 1 | 0 0; 0 1/2", "--bias", "1 -1", "--at", "0,0",
    )  # fmt: skip
    assert code == 0
    assert "-1 + 0 + 0 + 4 + 1 + 1 + 1 + 1 = 7" in out
    assert "bias  7 + 1 = 8" in out
    assert "bias  11/2 - 1 = 9/2" in out
    code, out, _ = show(
        capsys,
        "convolution",
        "--image",
        "1 2; 3 4 | 1 1; 1 1",
        "--filter",
        "1 | 2",
        "--groups",
        "2",
    )
    assert code == 0
    assert "2 groups" in out


def test_an_even_filter_with_same_says_how_the_border_falls(capsys):
    code, out, _ = show(capsys, "convolution", "--filter", "1 1; 1 1", "--padding", "same")
    assert code == 0
    assert "0 above, 1 below, 0 left, 1 right (an even filter has no middle" in out


def test_pooling(capsys):
    _, out, _ = show(capsys, "pooling", "--at", "1,0")
    assert "max of 8, 5, 4, 2 = 8" in out
    _, out, _ = show(capsys, "pooling", "--image", "seven", "--padding", "partial")
    assert "⌈(7 - 2) / 2⌉ + 1 = 4" in out
    _, out, _ = show(capsys, "pooling", "--kind", "global-average")
    assert "= 61/16" in out


def test_recognition_ends_in_the_decks_twelve_numbers(capsys):
    _, out, _ = show(capsys, "recognition")
    assert "1  5/9  5/9    1    1  5/9  5/9  5/9  5/9    1    1  5/9" in out


def test_sizes_compared(capsys):
    _, out, _ = show(capsys, "sizes", "--layers", "standard", "--against", "separable")
    assert "27 + 6 = 33" in out
    assert "33 / 54 = 61.11 %" in out
    _, out, _ = show(capsys, "sizes", "--layers", "five", "--against", "two-threes")
    assert "9 + 9 = 18" in out
    assert "18 / 25 = 72 %" in out


def test_printed_sums_add_up_or_say_so(capsys):
    _, out, _ = show(capsys, "dense", "--values", "0.3000004 0.3000004", "--weights", "1; 1")
    sums = [line for line in out.splitlines() if " + " in line]
    assert sums
    for line in sums:
        left, sign, right = re.match(r"unit 1 +(.*) (=|≈) (\S+)", line).groups()
        assert (sign == "=") == (abs(sum(map(float, left.split(" + "))) - float(right)) < 1e-12)
        assert sign == "≈"
    _, out, _ = show(capsys, "convolution", "--at", "0,0")
    assert "≈" not in out


def test_cross_entropy_says_that_it_clips(capsys):
    _, out, _ = show(
        capsys, "loss", "--name", "binary-crossentropy", "--target", "0 1", "--predicted", "0 1"
    )
    assert "kept 0.0000001 away from 0 and 1, as Keras does" in out
    assert "0.9999999" in out
    _, out, _ = show(capsys, "loss", "--name", "squared")
    assert "Keras" not in out


def test_channels_stand_apart(capsys):
    for words in (("flatten",), ("join", "pool-001", "pool-004", "--kind", "concatenate")):
        _, out, _ = show(capsys, *words)
        assert re.search(r"channel 0 {3,}channel 1", out)


def test_network_to_the_bound(capsys):
    _, out, _ = show(capsys, "network", "--until", "1e-3")
    for words in ("0.593269992", "0.298371109", "0.741365070   0.186815602   0.593269992    0.082167041",
                  "0.561370121", "dE/db = 0.018725609, left as it is", "below 0.001 after 1,088 steps"):  # fmt: skip
        assert words in out, words
    _, out, _ = show(capsys, "network", "--steps", "10", "--until", "1e-9", "--move-biases")
    assert "is not yet below 1e-09" in out
    assert "left as it is" not in out


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


def test_every_cell_of_a_map_opens_in_the_html(capsys, tmp_path):
    show(capsys, "convolution", "--html", tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert page.count("<template") == 49
    assert 'data-cell="6,6" data-mark="6,9,6,9"' in page


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


def test_a_file_that_cannot_be_written(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = show(capsys, "softmax", "--png", tmp_path / "file" / "p.png")
    assert code == 9
    assert "cannot be written" in err
