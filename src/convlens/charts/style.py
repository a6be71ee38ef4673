"""The look of every chart: colours, lines, fonts, and a figure that needs no pyplot.

The colours are close to Okabe and Ito's (2008), told apart with every kind of colour vision.
"""

import io
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from convlens.charts.fonts import font_families

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E08A00", "#00805C", "#C4450C"
INK, GREY, LINE = "#222222", "#6B6B6B", "#DDDDDD"

STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": LINE,
    "axes.grid": True,
    "axes.labelcolor": GREY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "figure.constrained_layout.h_pad": 0.09,
    "figure.constrained_layout.w_pad": 0.09,
    "figure.dpi": 110,
    "font.size": 10,
    "grid.color": "#ECECEC",
    "legend.frameon": False,
    "lines.linewidth": 2,
    "text.color": INK,
    "text.parse_math": False,  # a class may be called $5
    "xtick.color": LINE,
    "xtick.labelcolor": GREY,
    "ytick.color": LINE,
    "ytick.labelcolor": GREY,
}


class Chart(Figure):
    """A figure that a notebook shows, also where pyplot was never imported."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=110)
        return file.getvalue()


@contextmanager
def style(texts: Iterable[str] = ()) -> Iterator[None]:
    """Draw inside with this look, in fonts that have the glyphs of `texts`; matplotlib's settings return afterwards."""
    with mpl.rc_context({**STYLE, "font.family": font_families(texts)}):
        yield


def percent(share: float) -> str:
    """Return a share for the eye, never rounded up to certainty.

    >>> percent(0.973), percent(0.9996), percent(0.0004)
    ('97 %', '> 99 %', '< 1 %')
    """
    if 0.995 <= share < 1:
        return "> 99 %"
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def width(text: str) -> int:
    """Return the width of a text in halves of a Chinese character."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def shorten(text: str, most: int) -> str:
    """Return a text no wider than `most`, its end replaced by an ellipsis where it was."""
    if width(text) <= most:
        return text
    while width(text) > most - 1:
        text = text[:-1]
    return text + "…"
