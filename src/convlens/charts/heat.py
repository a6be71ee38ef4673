"""Heat maps over images, as a figure and for a page: all on one signed scale of colours."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from contourpy import LineType, contour_generator
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from convlens.charts.fonts import drawable
from convlens.charts.style import BLUE, GREY, ORANGE, Chart, new_chart, shorten
from convlens.preprocess import ImageArray
from convlens.text import wrapped

# Orange speaks against the class and blue for it, as on the pages of calculations.
COLOURS = 255  # an odd number, so that 0 is white
SIGNED = LinearSegmentedColormap.from_list("signed", [ORANGE, "#FFFFFF", BLUE], COLOURS)
FAINTEST = 0.45  # of a colour, over the darkest pixel of the image below a map
SIDE = 2.6  # inches of a panel
TITLE = 34  # halves of a Chinese character in a title
LINE_WIDTH = 40  # the same, of a text in the place of a map
STOPS = 3  # of the colours of a scale in a page, which go over into each other
LINES = 7  # between the least and the largest value of a map, at most


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
    scale = ScalarMappable(Normalize(-largest, largest), SIGNED)
    with new_chart(size, titles) as figure:
        grid = figure.subplots(len(rows), columns, squeeze=False)
        for line, title, (pixels, _, panels) in zip(grid, titles, rows, strict=True):
            for axes in line:
                axes.axis("off")
            _draw_image(line[0], pixels, title)
            for axes, panel in zip(line[1:], panels, strict=False):
                if panel.values is None:
                    _write(axes, panel)
                    continue
                _draw_map(axes, pixels, panel, scale)
        if any(panel.values is not None for row in rows for panel in row[2]):
            bar = figure.colorbar(scale, ax=grid.ravel().tolist(), fraction=0.03, pad=0.02)
            bar.set_label(unit)
    return figure


def _draw_image(axes: Axes, pixels: ImageArray, title: str) -> None:
    image = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    axes.imshow(image, cmap="gray", vmin=0, vmax=255)
    axes.set_title(shorten(title, TITLE), fontsize=9)


def _draw_map(axes: Axes, pixels: ImageArray, panel: Panel, scale: ScalarMappable) -> None:
    """Draw the colours of a map, darkened by its image in grey; white leaves the image as it is."""
    grey = FAINTEST + (1 - FAINTEST) * pixels.mean(axis=2, keepdims=True) / 255
    axes.imshow(scale.to_rgba(np.asarray(panel.values))[..., :3] * grey)
    axes.set_title(shorten(panel.title, TITLE), fontsize=9)


def _write(axes: Axes, panel: Panel) -> None:
    """Write why a map is not drawn, in its place."""
    axes.set_title(shorten(panel.title, TITLE), fontsize=9)
    text = "\n".join(wrapped(panel.text, LINE_WIDTH))
    axes.text(0, 1, text, va="top", fontsize=7, color=GREY, transform=axes.transAxes)


def heat_image(values: NDArray[np.float64], largest: float) -> bytes:
    """Return a map in the colours of the scale as a PNG file.

    It is multiplied with the image in grey, whose black is as bright as FAINTEST.

    Args:
        values: (height, width) the map, enlarged.
        largest: The absolute value with the deepest colour.
    """
    shares = np.clip(values / largest, -1, 1)
    places = np.rint((shares + 1) / 2 * (COLOURS - 1)).astype(np.uint8)
    image = Image.fromarray(places).convert("L")
    image.putpalette(_colours(COLOURS).tobytes())
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def scale_colours() -> list[str]:
    """Return colours of the scale at equal distances, from the least value to the largest."""
    return ["#{:02X}{:02X}{:02X}".format(*colour) for colour in _colours(STOPS)]


def scale_numbers(largest: float) -> list[str]:
    """Return the numbers below the scale at equal distances, from the least to the largest.

    >>> scale_numbers(8.0)
    ['-8', '-4', '0', '+4', '+8']
    """
    return [f"{share * largest:+.3g}" if share else "0" for share in (-1, -0.5, 0, 0.5, 1)]


def _colours(count: int) -> NDArray[np.uint8]:
    """Return (count, 3) colours of the scale at equal distances."""
    colours = np.asarray(SIGNED(np.linspace(0, 1, count)), np.float64)
    return np.rint(255 * colours[:, :3]).astype(np.uint8)


def contour_levels(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return round numbers between the least and the largest value, without 0, and their step."""
    locator = MaxNLocator(LINES, steps=[1, 2, 5, 10])
    levels = np.asarray(locator.tick_values(values.min(), values.max()))
    step = float(levels[1] - levels[0])
    return levels[np.abs(levels) > step / 2], step


def contour_path(
    values: NDArray[np.float64], levels: NDArray[np.float64], size: tuple[float, float]
) -> str:
    """Return the lines along which a map has one of some values, as the path of an SVG image.

    Args:
        values: (rows, columns) the map, enlarged; they stand for the middles of their cells.
        levels: The values.
        size: The (width, height) of the SVG image.
    """
    rows, columns = values.shape
    x = (np.arange(columns) + 0.5) * size[0] / columns
    y = (np.arange(rows) + 0.5) * size[1] / rows
    # Each line as an array (points, 2).
    generator = contour_generator(x, y, values, line_type=LineType.Separate)
    lines = [np.asarray(line) for level in levels for line in generator.lines(float(level))]
    return "".join("M" + " ".join(f"{a:.4g},{b:.4g}" for a, b in line) for line in lines)
