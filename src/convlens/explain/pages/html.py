"""HTML: a page of a calculation as one file that needs no server; a click opens the sum of a cell.

The templates `page.html` and `microscope.html` share `base.html`.
"""

from convlens.charts.html import data_uri, draw, render_page
from convlens.explain.pages.drawing import draw_page
from convlens.explain.pages.page import Block, Curve, Grid, Page, Row

MOST = 1600  # cells of a page that can be opened; they take about two megabytes


def render_html(page: Page) -> str:
    """Return a page as HTML."""
    rows = [block for block in page.blocks if isinstance(block, Row)]
    opening = [
        item.values.size
        for row in rows
        for item in row.items
        if isinstance(item, Grid) and item.opens is not None
    ]
    values = {
        "page": page,
        "language": "en",
        "kind": _kind,
        "chart": _chart,
        "can_open": 0 < sum(opening) <= MOST,
    }
    return render_page("convlens.explain.pages", "page.html", values)


def _kind(block: Block | Grid | str) -> str:
    return type(block).__name__.lower()


def _chart(curve: Curve) -> str:
    """Return a curve as the source of an image."""
    return data_uri(draw(draw_page(Page("", (), (curve,))), "svg"), "svg+xml")
