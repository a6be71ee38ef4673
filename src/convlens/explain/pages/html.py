"""HTML: a page of a calculation as one file that opens without a server; a click on a cell opens its sum."""

from convlens.charts.html import data_uri, draw, render_page
from convlens.explain.pages.drawing import draw_page
from convlens.explain.pages.page import Block, Curve, Grid, Opened, Page, Row

MOST = 1600  # cells of a page that can be opened, about two megabytes


def render_html(page: Page) -> str:
    """Return a page as HTML."""
    grids = [
        item
        for block in page.blocks
        if isinstance(block, Row)
        for item in block.items
        if isinstance(item, Grid)
    ]
    opening = [grid for grid in grids if grid.opens is not None]
    can_open = sum(grid.values.size for grid in opening) <= MOST
    values = {
        "page": page,
        "kind": _kind,
        "cells": _cells,
        "opened": _opened if can_open else _none,
        "chart": _chart,
        "can_open": can_open and bool(opening),
    }
    return render_page("convlens.explain.pages", "page.html", values)


def _kind(block: Block | Grid | str) -> str:
    return type(block).__name__.lower()


def _cells(grid: Grid) -> list[list[tuple[str, str, str]]]:
    """Return (text, colour, classes) of each cell."""
    top, bottom, left, right = grid.mark or (0, 0, 0, 0)
    return [
        [
            (text, color, _classes(grid, r, c, top <= r < bottom and left <= c < right))
            for c, (text, color) in enumerate(zip(texts, colors, strict=True))
        ]
        for r, (texts, colors) in enumerate(zip(grid.texts(), grid.colors(), strict=True))
    ]


def _classes(grid: Grid, row: int, column: int, marked: bool) -> str:
    return " ".join(
        name for name, yes in (("border", grid.is_border(row, column)), ("marked", marked)) if yes
    )


def _opened(grid: Grid) -> list[tuple[int, int, Opened]]:
    if grid.opens is None:
        return []
    rows, columns = grid.values.shape
    return [(r, c, grid.opens(r, c)) for r in range(rows) for c in range(columns)]


def _none(grid: Grid) -> list[tuple[int, int, Opened]]:
    return []


def _chart(curve: Curve) -> str:
    """Return a curve as an SVG in a data URI."""
    return data_uri(draw(draw_page(Page("", (), (curve,))), "svg"), "svg+xml")
