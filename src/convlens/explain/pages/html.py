"""HTML: a page of a calculation as one file that needs no server; a click opens the sum of a cell.

The templates `page.html` and `microscope.html` share `base.html`. Both hold every language.
"""

from collections.abc import Callable

from convlens.charts.html import data_uri, draw, render_page
from convlens.explain.pages.drawing import draw_page
from convlens.explain.pages.page import Block, Curve, Grid, Page, Row

MOST = 1600  # cells of a page that can be opened; they take about two megabytes in each language


def render_html(build: Callable[[], Page]) -> str:
    """Return a page as HTML.

    Args:
        build: Returns the page in the chosen language. It is called in every language.
    """
    rows = [block for block in build().blocks if isinstance(block, Row)]
    opening = [
        item.values.size
        for row in rows
        for item in row.items
        if isinstance(item, Grid) and item.opens is not None
    ]
    values = {
        "build": build,
        "kind": _kind,
        "chart": _chart,
        "can_open": 0 < sum(opening) <= MOST,
    }
    return render_page("convlens.explain.pages", "page.html", values)


def _kind(block: Block | Grid | str) -> str:
    return "str" if isinstance(block, str) else type(block).__name__.lower()


def _chart(curve: Curve) -> str:
    """Return a curve as the source of an image."""
    return data_uri(draw(draw_page(Page("", (), (curve,))), "svg"), "svg+xml")
