"""Figures of heat maps over images: all on one signed scale of colours, with its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from convlens.charts.fonts import drawable
from convlens.charts.style import BLUE, GREY, ORANGE, Chart, new_chart, shorten
from convlens.preprocess import ImageArray
from convlens.text import wrapped

# Orange speaks against the class and blue for it, as on the pages of calculations.
SIGNED = LinearSegmentedColormap.from_list("signed", [ORANGE, "#FFFFFF", BLUE])
OPACITY = 0.65  # of a map over its image
SIDE = 2.6  # inches of a panel
TITLE = 34  # halves of a Chinese character in a title
LINE_WIDTH = 40  # the same, of a text in the place of a map


@dataclass(frozen=True, eq=False)
class Panel:
    """A map over an image, or a text in its place.

    Attributes:
        title: What stands above it.
        values: (height, width) the map, enlarged to the size of the image; None to draw no map.
        text: What stands in the place of a map that is not drawn.
    """

    title: str
    values: NDArray[np.float64] | None = None
    text: str = ""


def draw_heat(
    rows: Sequence[tuple[ImageArray, str, Sequence[Panel]]], largest: float, unit: str
) -> Chart:
    """Return a figure with a row for each image: the image alone, then its maps.

    Args:
        rows: For each image its pixels (height, width, channels) uint8, its title and its panels.
        largest: The absolute value with the deepest colour, the same for all maps.
        unit: What the numbers of the scale are.
    """
    columns = 1 + max(len(row[2]) for row in rows)
    titles = drawable([row[1] for row in rows])
    size = (SIDE * columns + 0.9, (SIDE + 0.5) * len(rows))
    with new_chart(size, titles) as figure:
        grid = figure.subplots(len(rows), columns, squeeze=False)
        shown = None
        for line, title, (pixels, _, panels) in zip(grid, titles, rows, strict=True):
            for axes in line:
                axes.axis("off")
            _draw_image(line[0], pixels, title)
            for axes, panel in zip(line[1:], panels, strict=False):
                if panel.values is None:
                    _write(axes, panel)
                    continue
                _draw_image(axes, pixels, panel.title, faded=True)
                shown = axes.imshow(
                    panel.values, SIGNED, vmin=-largest, vmax=largest, alpha=OPACITY
                )
        if shown is not None:
            bar = figure.colorbar(shown, ax=grid.ravel().tolist(), fraction=0.03, pad=0.02)
            bar.set_label(unit)
    return figure


def _draw_image(axes: Axes, pixels: ImageArray, title: str, *, faded: bool = False) -> None:
    """Draw an image, in grey below a map, so that the colours are those of the map."""
    image = pixels.mean(axis=2) if faded or pixels.shape[2] == 1 else pixels
    axes.imshow(image, cmap="gray", vmin=0, vmax=255)
    axes.set_title(shorten(title, TITLE), fontsize=9)


def _write(axes: Axes, panel: Panel) -> None:
    """Write why a map is not drawn, in its place."""
    axes.set_title(shorten(panel.title, TITLE), fontsize=9)
    text = "\n".join(wrapped(panel.text, LINE_WIDTH))
    axes.text(0, 1, text, va="top", fontsize=7, color=GREY, transform=axes.transAxes)
