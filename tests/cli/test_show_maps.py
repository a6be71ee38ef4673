"""`convlens show` of convolutions, pooling, joins and flatten: the numbers that it prints."""

import re

import pytest

from tests.cli.commands import show


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
        capsys,
        "convolution",
        "--image",
        "-1 2; 3 4 | 1 1; 1 1",
        "--filter",
        "1 0; 0 1 | 1 1; 1 1",
        "--filter",
        "-1 0; 0 1 | 0 0; 0 1/2",
        "--bias",
        "1 -1",
        "--at",
        "0,0",
    )
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


def test_channels_stand_apart(capsys):
    for words in (("flatten",), ("join", "pool-001", "pool-004", "--kind", "concatenate")):
        _, out, _ = show(capsys, *words)
        assert re.search(r"channel 0 {3,}channel 1", out)
