"""The look of every chart: colours, lines, fonts, and a figure that does not need pyplot.

The colours are close to those of Okabe and Ito (2008), which can be distinguished with every kind
of colour vision.
"""

import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from convlens.charts.fonts import find_fonts
from convlens.evaluation.scores import Score

BLUE = "#0072B2"
ORANGE = "#E08A00"
GREEN = "#00805C"
RED = "#C4450C"
INK = "#222222"
GREY = "#6B6B6B"
LINE = "#DDDDDD"
# Of classes in one chart; more than these are told apart by the shape of their points.
CLASS_COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", RED, "#56B4E9", "#8A7A00", INK)
PERCENT = FuncFormatter(lambda share, _: f"{100 * share:.4g} %")

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
    """A figure that a notebook shows, even if pyplot was never imported."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=110)
        return file.getvalue()


@contextmanager
def style(texts: Iterable[str] = ()) -> Iterator[None]:
    """Draw with this look inside the context, in fonts that contain the glyphs of `texts`.

    Matplotlib's own settings are restored afterwards.
    """
    with mpl.rc_context({**STYLE, "font.family": find_fonts(texts)[0]}):
        yield


@contextmanager
def new_chart(
    size: tuple[float, float], texts: Iterable[str] = (), layout: Any = "constrained"
) -> Iterator[Chart]:
    """Yield a figure that is drawn in the style inside the context.

    Args:
        size: Its (width, height) in inches.
        texts: What is written in it, for the choice of fonts.
        layout: Its layout engine.
    """
    with style(texts):
        yield Chart(figsize=size, layout=layout)


def whiskers(scores: Sequence[Score]) -> NDArray[np.float64]:
    """Return (2, m): how far the interval of each score extends below and above its value."""
    ends = [(score.value - score.low, score.high - score.value) for score in scores]
    return np.asarray(np.maximum(np.transpose(ends), 0))


def percent(share: float) -> str:
    """Return a share in percent. It is never rounded up to certainty or down to impossibility.

    >>> percent(0.973), percent(0.9996), percent(0.0004)
    ('97 %', '> 99 %', '< 1 %')
    """
    if 0.995 <= share < 1:
        return "> 99 %"
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def width(text: str) -> int:
    """Return the width of a text, counted in halves of a Chinese character.

    >>> width("cat"), width("貓")
    (3, 2)
    """
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def shorten(text: str, most: int) -> str:
    """Return a text that is at most `most` wide; an ellipsis replaces the end of a longer one.

    >>> shorten("a very long name", 10)
    'a very lo…'
    """
    if width(text) <= most:
        return text
    while width(text) > most - 1:
        text = text[:-1]
    return text + "…"
