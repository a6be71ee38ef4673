"""Pages carry their figures and fonts, and figures are drawn to the same bytes."""

import base64
import io
import json
import re

import jinja2
import numpy as np
import pytest
from PIL import Image

from convlens.charts import html
from convlens.charts.curves import show_metrics
from convlens.charts.evaluation import show_confusion
from convlens.charts.html import DPI, data_uri, draw, render_page, script_data


@pytest.fixture
def template(monkeypatch):
    """Let a text be the template."""

    def use(text):
        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        compiled = environment.from_string(text)
        monkeypatch.setattr(html, "_template", lambda package, name: compiled)

    return use


def test_values_are_escaped_and_a_page_without_chinese_has_no_font(template):
    template("<p>{{ text }}</p>[{{ font }}]")
    assert render_page("p", "t", {"text": "<b>"}) == "<p>&lt;b&gt;</p>[]"


def test_a_page_with_chinese_carries_the_font(template):
    template("{{ text }}|{{ font }}")
    text, font = render_page("p", "t", {"text": "貓"}).split("|")
    assert text == "貓"
    assert base64.b64decode(font).startswith(b"wOFF")


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(jinja2.UndefinedError):
        render_page("convlens.report", "report.html", {})


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_figure_is_always_drawn_to_the_same_bytes(kind, start):
    first, second = (draw(show_metrics({"loss": [0.9, 0.4]}), kind) for _ in range(2))
    assert first.startswith(start)
    assert first == second


def test_a_figure_can_still_be_shown_after_it_was_drawn():
    figure = show_confusion(np.array([[3, 1], [0, 4]]), ["cat", "dog"])
    before = (figure.canvas, figure.dpi)
    draw(figure, "svg")
    assert (figure.canvas, figure.dpi) == before


def test_the_images_of_an_svg_have_as_many_pixels_as_those_of_a_png():
    figure = show_confusion(np.array([[3, 1], [0, 4]]), ["cat", "dog"])
    (image,) = re.findall(rb'<image [^>]*base64,\s*([^"]+)"', draw(figure, "svg"))
    inches = figure.axes[0].get_window_extent().width / figure.dpi
    pixels = Image.open(io.BytesIO(base64.b64decode(image))).width
    assert pixels == pytest.approx(inches * DPI, abs=2)


def test_a_data_uri_holds_the_file():
    kind, data = data_uri(b"abc", "svg+xml").split(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data) == b"abc"


def test_no_text_ends_a_script_or_keeps_it_from_ending():
    text = script_data({"class": "<!--<script>", "other": "</script>", "貓": 1})
    assert "<" not in text
    assert json.loads(text) == {"class": "<!--<script>", "other": "</script>", "貓": 1}
