"""Whole numbers in one word."""

import pytest

from convlens.cli.numbers import read_whole_numbers
from convlens.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "found"), [("0,3", (0, 3)), (" 2 , 1 ", (2, 1)), ("-1 5", (-1, 5)), ("7", (7,))]
)
def test_commas_and_blanks_separate(text, found):
    assert read_whole_numbers(text, "--at", "numbers") == found


@pytest.mark.parametrize(("text", "counts"), [("1.5", ()), ("a,b", ()), ("1", (2,)), ("", (1, 2))])
def test_what_is_wrong_is_told_with_the_flag(text, counts):
    with pytest.raises(ConfigError) as told:
        read_whole_numbers(text, "--at", "ROW,COL in whole numbers", counts)
    assert str(told.value) == f"--at must be ROW,COL in whole numbers; found {text!r}."
