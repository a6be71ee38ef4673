"""Pages in the terminal: grids beside each other, brackets, aligned tables and curves."""

import io

import numpy as np
import pytest
from rich.console import Console

from convlens.explain.pages.page import Curve, Grid, Lines, Page, Row, Table
from convlens.explain.pages.terminal import print_page


def printed(*blocks, facts=(), width=80):
    file = io.StringIO()
    print_page(Page("Title", facts, blocks), Console(file=file, width=width, highlight=False))
    return file.getvalue().splitlines()


def test_grids_stand_beside_each_other_with_the_sign_at_half_height():
    square = np.array([[1, 2], [3, 4]])
    assert printed(Row((Grid(square, "a"), "+", Grid(square * 10, "b")))) == [
        "Title",
        "",
        "a         b",
        " 1 2       10  20",
        " 3 4   +   30  40",
    ]


def test_a_narrow_terminal_puts_them_below_each_other():
    row = Row((Grid(np.ones((1, 8), int), "a"), Grid(np.ones((1, 8), int), "b")))
    assert printed(row, width=30) == ["Title", "", "a", " 1 1 1 1 1 1 1 1", "b", " 1 1 1 1 1 1 1 1"]
    assert len(printed(row, width=80)) == 4


def test_marked_cells_stand_in_brackets():
    wide = Grid(np.array([[10, 20, 30], [40, 50, 60]]), mark=(1, 2, 1, 3))
    narrow = Grid(np.array([[1, 2, 3]]), mark=(0, 1, 0, 2))
    assert printed(Row((wide,)))[3:] == [" 10  20  30", " 40 [50  60]"]
    assert printed(Row((narrow,)))[3] == "[1 2]3"


def test_lines_and_tables_are_aligned():
    table = Table(("name", "count"), (("a", "1,000"), ("bb", "5")), "counts")
    found = printed(Lines((("sum", "1 + 1"), ("x", "2"))), table, facts=(("fact", "text"),))
    assert found == [
        "Title",
        "fact  text",
        "",
        "sum  1 + 1",
        "x    2",
        "",
        "counts",
        "name   count",
        "a      1,000",
        "bb         5",
    ]


def test_a_curve_is_a_table_with_bars_unless_it_is_logarithmic():
    xs = np.arange(101)
    lines = printed(Curve("c", "x", "y", (xs, xs / 100)))
    assert lines[2:4] == ["c", "  x     y"]
    assert len(lines) == 4 + 11
    assert lines[-1] == "100     1   " + "▇" * 30
    assert lines[9] == " 50   0.5   " + "▇" * 15
    steps = [line.split()[0] for line in printed(Curve("", "x", "y", (xs, xs + 1.0), log=True))[3:]]
    assert steps == ["0", "1", "3", "10", "32", "100"]


@pytest.mark.parametrize("text", ["[bold]", "[ 7/9]"])
def test_brackets_are_no_markup(text):
    assert printed(Lines((("", text),)))[2] == text
