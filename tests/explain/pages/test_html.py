"""Pages as HTML: cells that open, marks, curves, and no opening where there are too many cells."""

import re

import numpy as np

from convlens.explain.arithmetic import convolve, pool
from convlens.explain.pages.html import MOST, render_html
from convlens.explain.pages.map_views import convolution_page, pooling_page
from convlens.explain.pages.page import Curve, Grid, Lines, Page, Row, Table


def test_every_cell_of_a_map_has_its_calculation():
    text = render_html(lambda: pooling_page(pool(np.arange(16).reshape(4, 4), 2)))
    cells = re.findall(r'<template data-cell="(.*?)" data-mark="(.*?)">', text)
    in_english, in_chinese = cells[:4], cells[4:]
    assert in_english == in_chinese
    assert in_english == [
        ("0,0", "0,2,0,2"),
        ("0,1", "0,2,2,4"),
        ("1,0", "2,4,0,2"),
        ("1,1", "2,4,2,4"),
    ]
    assert "max of 10, 11, 14, 15 = 15" in text
    assert 'class="grid opens"' in text
    assert 'class="grid source"' in text
    assert "Click a number of a map" in text


def test_a_page_of_too_many_cells_opens_none():
    side = int(MOST**0.5) + 1
    text = render_html(lambda: pooling_page(pool(np.zeros((side, side)), 1)))
    assert "<template" not in text
    assert "Click a number" not in text
    assert "data-cell" not in text


def test_borders_marks_and_colours_are_in_the_cells():
    done = convolve(np.array([[1, 2], [3, 4]]), np.ones((3, 3), int), padding="same")
    text = render_html(lambda: convolution_page(done, ["ones"], (0, 0)))
    assert '<td class="border marked">0</td>' in text
    assert '<td class="marked" style="background:#' in text


def test_texts_are_escaped_and_blocks_have_their_elements():
    blocks = (
        Lines((("a <b>", "1 < 2"),), "lines"),
        Table(("name", "count"), (("x", "5"),)),
        Curve("", "time", "error", (np.arange(3), np.arange(3))),
        Row((Grid(np.ones((1, 1)), "grid"), "+")),
    )
    text = render_html(lambda: Page("貓 & dog", (), blocks))
    assert "<title>貓 &amp; dog</title>" in text
    assert "<dt>a &lt;b&gt;</dt><dd>1 &lt; 2</dd>" in text
    assert '<td class="r">5</td>' in text
    assert 'src="data:image/svg+xml;base64,' in text
    assert 'alt="error against time"' in text
    assert '<span class="sign">+</span>' in text
    assert "font/woff" in text  # of the Chinese character
