"""`convlens show` of layers of a few numbers, losses and small networks: the printed numbers."""

import re

import pytest

from tests.cli.commands import show


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")


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


def test_dropout_and_batch_normalisation_take_their_settings(capsys):
    _, out, _ = show(capsys, "dropout", "--values", "2 3", "--rate", "1/3", "--mask", "1 0")
    assert "1/3: 1 of 2 dropped here" in out
    assert "1 / (1 - 1/3) = 3/2, so that the expected sum stays" in out
    _, out, _ = show(capsys, "batchnorm", "--values", "1; 3", "--inference", "--mean", "1")
    assert "Batch normalisation, inference" in out
    assert "kept from training" in out
    assert "1.999" in out  # (3 - 1) / √(1 + 0.001)


def test_an_activation_of_rows_shows_both_grids(capsys):
    _, out, _ = show(capsys, "activation", "--name", "relu", "--values", "1 -2; 3 4")
    assert "relu(z) = max(0, z)" in out
    assert re.search(r"^ +1 +-2 +1 +0$", out, re.MULTILINE)


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
