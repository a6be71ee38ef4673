"""`convlens show` of layers of a few numbers and of losses: the numbers that it prints."""

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
