"""Pages in another language: in a language of signs only, no word of a page is left in English."""

import gettext
import io
import json
import re

import pytest
from rich.console import Console

from convlens import language
from convlens.cli import main
from convlens.explain.microscope.exercise import make_exercise
from convlens.explain.microscope.gradient import differentiate
from convlens.explain.microscope.microscope import open_cell
from convlens.explain.pages.gradient_views import gradient_page
from convlens.explain.pages.map_figures import cell_figure, layer_figure, strip_figure
from convlens.explain.pages.microscope_html import render_microscope
from convlens.explain.pages.microscope_views import cell_page, layers_table
from convlens.explain.pages.page import Page
from convlens.explain.pages.terminal import print_page
from convlens.explain.pages.worksheet import draw_worksheet
from convlens.explain.why.terminal import print_trust
from convlens.language_choice import using
from tests.explain.networks import exercises, look_at

WORD = re.compile(r"[A-Za-z]{3,}")
FIELD = re.compile(r"(\{[^{}]*\})")
# Names of functions and variables in formulas, and names that a user types.
NAMES = {"relu", "sigmoid", "tanh", "softmax", "max", "min", "ReLU", "Softmax", "gamma", "beta"}
NAMES |= {"epsilon", "dout", "dsum", "dLoss", "dOutput", "dWeight", "RGB", "erf"}
NAMES |= {"left", "right", "diagonal", "cross", "squared", "half", "absolute", "root", "mean"}
NAMES |= {"square", "binary", "categorical", "crossentropy", "lenet", "five", "conv", "pool"}
NAMES |= {"flatten", "dense", "same"}


class Signs(gettext.NullTranslations):
    """A language in which each word is one sign."""

    def gettext(self, message):
        return "".join(
            part if FIELD.fullmatch(part) else WORD.sub("字", part) for part in FIELD.split(message)
        )

    def ngettext(self, singular, plural, n):
        return self.gettext(singular if n == 1 else plural)


@pytest.fixture(autouse=True)
def signs(monkeypatch):
    known = {"zh": Signs(), "en": gettext.NullTranslations()}
    monkeypatch.setattr(language, "_translations", known.__getitem__)
    with using("zh"):
        yield


@pytest.fixture(scope="module")
def microscope():
    return look_at(exercises, (16, 16, 3), 3)


def words_left(text, microscope=None):
    """Return the words of a text that are neither names nor signs."""
    names = set(NAMES)
    for layer in microscope.layers if microscope else ():
        names |= {*WORD.findall(layer.name), *WORD.findall(layer.kind), "class"}
    return set(WORD.findall(text)) - names


@pytest.mark.parametrize(
    "words",
    [
        "convolution --at 0,0 --padding same --mean --bias 1",
        "convolution --strides 2,1 --filter cross --filter plus",
        "pooling --at 0,0 --kind average",
        "pooling --padding partial --size 3",
        "pooling --kind global-average",
        "recognition",
        "join --kind concatenate",
        "join",
        "flatten",
        "activation",
        "softmax",
        "loss",
        "dense --activation relu",
        "dropout",
        "batchnorm",
        "batchnorm --inference",
        "sizes",
        "sizes --layers five --against two-threes",
        "network --steps 20",
        "network --until 0.1",
    ],
)
def test_what_show_prints(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["show", *words.split()])
    assert not stop.value.code
    shown = capsys.readouterr().out
    assert "字" in shown
    assert not words_left(shown) - {"plus", "two", "threes"}


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("conv", (0, 3, 2)),
        ("pool", (1, 2, 0)),
        ("mean", (0, 1, 2)),
        ("depthwise", (1, 1, 0)),
        ("logits", (2,)),
        ("large", (8, 8, 1)),
        ("norm", (4, 5, 2)),
        ("probabilities", (1,)),
    ],
)
def test_an_opened_value_and_its_worksheet(microscope, name, index):
    layer = microscope.layer(name)
    cell = open_cell(layer, index)
    page = cell_page(layer, cell)
    file = io.StringIO()
    print_page(page, Console(file=file, width=120))
    exercise = make_exercise(layer, cell)
    sheets = [
        draw_worksheet(microscope, layer, cell, exercise, "7", answers=answers)
        for answers in (False, True)
    ]
    figure = cell_figure(microscope, layer, cell, page)
    for text in (file.getvalue(), *map(text_of, (figure, *sheets))):
        assert "字" in text
        assert not words_left(text, microscope)


def text_of(chart):
    """Return all texts of a chart in one."""
    return "\n".join(text.get_text() for axes in chart.axes for text in axes.texts)


def test_the_gradient_the_layers_and_their_maps(microscope):
    layer = microscope.layer("conv")
    file = io.StringIO()
    console = Console(file=file, width=120)
    print_page(gradient_page(layer, differentiate(microscope, layer, 1)), console)
    print_page(Page("", (), (layers_table(microscope),)), console)
    for text in (
        file.getvalue(),
        text_of(strip_figure(microscope, "7")),
        text_of(layer_figure(layer, "7")),
    ):
        assert "字" in text
        assert not words_left(text, microscope)


def test_the_page_for_a_browser(microscope):
    page, _ = render_microscope(microscope, "7")
    content = json.loads(re.search(r'id="content">(.*?)</script>', page, re.DOTALL)[1])
    words = content["words"]["zh-Hant-TW"]
    head = re.search(r'<div class="said" lang="zh-Hant-TW">(.*?)</div>', page, re.DOTALL)[1]
    for text in (*map(FIELD.sub, [""] * len(words), words.values()), re.sub("<[^>]*>", "", head)):
        assert not words_left(text)


def test_the_checks_of_explanations_and_their_legend(capsys):
    print_trust([], {}, [], 10)
    assert not set(WORD.findall(capsys.readouterr().out)) - NAMES
