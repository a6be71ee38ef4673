"""The look of charts, and texts that are short and honest."""

import matplotlib as mpl
import numpy as np

from convlens.charts.curves import show_metrics
from convlens.charts.style import new_chart, percent, shorten, style, whiskers, width
from convlens.evaluation.metrics import wilson
from convlens.evaluation.scores import Score


def test_a_figure_shows_itself_in_a_notebook_without_pyplot():
    assert show_metrics({"loss": [2, 1]})._repr_png_().startswith(b"\x89PNG")


def test_confidence_is_never_rounded_to_certainty():
    assert [percent(share) for share in (0, 0.0001, 0.5, 0.994, 0.9999, 1)] == [
        "0 %",
        "< 1 %",
        "50 %",
        "99 %",
        "> 99 %",
        "100 %",
    ]


def test_the_style_leaves_matplotlibs_settings_as_they_were():
    before = dict(mpl.rcParams)
    with style(["貓"]):
        assert mpl.rcParams["font.family"] != before["font.family"]
    assert dict(mpl.rcParams) == before


def test_a_new_chart_has_its_size_and_the_style_while_it_is_drawn():
    with new_chart((3, 2)) as figure:
        axes = figure.add_subplot()
        assert mpl.rcParams["axes.titlelocation"] == "left"
    assert tuple(figure.get_size_inches()) == (3, 2)
    assert not axes.spines["top"].get_visible()


def test_whiskers_reach_the_ends_of_the_intervals_and_are_never_negative():
    score = wilson(8, 10)
    found = whiskers([score, Score(0.5, 0.6, 0.4, 10)])
    assert found.shape == (2, 2)
    assert np.allclose(found[:, 0], [score.value - score.low, score.high - score.value])
    assert found[:, 1].tolist() == [0, 0]


def test_a_chinese_character_is_two_wide():
    assert (width("ab"), width("貓b")) == (2, 3)


def test_long_texts_end_in_an_ellipsis():
    assert shorten("臺灣藍鵲", 5) == "臺灣…"
    assert shorten("cat", 3) == "cat"
