"""`convlens show` of sizes and of a network by hand: the numbers that it prints."""

import pytest

from tests.cli.commands import show


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")


def test_sizes_compared(capsys):
    _, out, _ = show(capsys, "sizes", "--layers", "standard", "--against", "separable")
    assert "27 + 6 = 33" in out
    assert "33 / 54 = 61.11 %" in out
    _, out, _ = show(capsys, "sizes", "--layers", "five", "--against", "two-threes")
    assert "9 + 9 = 18" in out
    assert "18 / 25 = 72 %" in out


def test_network_to_the_bound(capsys):
    _, out, _ = show(capsys, "network", "--until", "1e-3")
    for words in (
        "0.593269992",
        "0.298371109",
        "0.741365070   0.186815602   0.593269992    0.082167041",
        "0.561370121",
        "dE/db = 0.018725609, left as it is",
        "below 0.001 after 1,088 steps",
    ):
        assert words in out, words
    _, out, _ = show(capsys, "network", "--steps", "10", "--until", "1e-9", "--move-biases")
    assert "is not yet below 1e-09" in out
    assert "left as it is" not in out


def test_named_layers_bring_their_image_and_flags_go_first(capsys):
    _, out, _ = show(capsys, "sizes", "--layers", "separable")
    assert "5 x 5 with 3 channels; biases are not counted" in out
    _, out, _ = show(capsys, "sizes", "--layers", "separable", "--channels", "1", "--bias")
    assert "5 x 5 with 1 channel\n" in out
    code, _, err = show(capsys, "sizes", "--layers", "dense 2", "--side", "1")
    assert code == 2
    assert "flatten" in err
