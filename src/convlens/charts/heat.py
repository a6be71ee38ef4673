"""Heat maps over images, as a figure and for a page: all on one signed scale of colours."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from contourpy import LineType, contour_generator
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from convlens.charts.fonts import drawable
from convlens.charts.style import BLUE, GREY, INK, ORANGE, Chart, new_chart
from convlens.preprocess import ImageArray
from convlens.text import wrapped

# Orange speaks against the class and blue for it, as on the pages of calculations.
COLOURS = 255  # an odd number, so that 0 is white
SIGNED = LinearSegmentedColormap.from_list("signed", [ORANGE, "#FFFFFF", BLUE], COLOURS)
FAINTEST = 0.45  # of a colour, over the darkest pixel of the image below a map
SIDE = 2.6  # inches of a panel
GAP = 0.33  # the same, between two rows
TITLE = 34  # halves of a Chinese character in a line of a title
LINE_WIDTH = 40  # the same, of a text in the place of a map, or below it
TITLE_LINE = 0.17  # inches of a line of a title
TEXT_LINE = 0.13  # the same, of a text
STOPS = 3  # of the colours of a scale in a page, which go over into each other
LINES = 7  # between the least and the largest value of a map, at most
PALE = 1 / 3  # of the end of the scale; a map whose numbers are all nearer to 0 has lines as well


@dataclass(frozen=True, eq=False)
class Panel:
    """A map over an image, or a text in its place.

    Attributes:
        title: What stands above it.
        values: (height, width) the map, enlarged to the size of the image; None to draw no map.
        text: What stands in the place of a map that is not drawn, or below one that is.
        levels: The numbers along which lines are drawn, see `pale_levels`; None for no lines.
    """

    title: str
    values: NDArray[np.float64] | None = None
    text: str = ""
    levels: NDArray[np.float64] | None = None

    @property
    def height(self) -> float:
        """Inches that it takes, with its title and its text in lines."""
        title = TITLE_LINE * _count(self.title)
        text = TEXT_LINE * _count(self.text)
        return title + (max(SIDE, text) if self.values is None else SIDE + text)


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
    lines = [[_wrapped(one) for one in (Panel(title), *panels)] for _pixels, title, panels in rows]
    heights = [GAP + max(one.height for one in panels) for panels in lines]
    texts = [unit, *(text for panels in lines for one in panels for text in (one.title, one.text))]
    scale = ScalarMappable(Normalize(-largest, largest), SIGNED)
    with new_chart((SIDE * columns + 0.9, sum(heights)), texts) as figure:
        grid = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
        for line, panels, row in zip(grid, lines, rows, strict=True):
            for axes in line:
                axes.axis("off")
            for axes, panel in zip(line, panels, strict=False):
                axes.set_title(panel.title, fontsize=9)
            _draw_image(line[0], row[0])
            for axes, panel in zip(line[1:], panels[1:], strict=False):
                if panel.values is None:
                    axes.set_box_aspect(row[0].shape[0] / row[0].shape[1])
                else:
                    _draw_map(axes, row[0], panel, scale)
                _write(axes, panel)
        if any(panel.values is not None for panels in lines for panel in panels):
            bar = figure.colorbar(scale, ax=grid.ravel().tolist(), fraction=0.03, pad=0.02)
            bar.set_label(unit)
    return figure


def _wrapped(panel: Panel) -> Panel:
    """Return a panel with its title and its text in lines; a long name is cut into several."""
    title = _in_lines(panel.title, TITLE)
    return replace(panel, title=title, text=_in_lines(panel.text, LINE_WIDTH))


def _in_lines(text: str, width: int) -> str:
    """Return a text in lines of a width, each of its own lines for itself."""
    lines = drawable(text.splitlines())
    return "\n".join(part for line in lines for part in wrapped(line, width))


def _count(text: str) -> int:
    """Return the number of lines of a text."""
    return len(text.splitlines())


def _draw_image(axes: Axes, pixels: ImageArray) -> None:
    image = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    axes.imshow(image, cmap="gray", vmin=0, vmax=255)


def _draw_map(axes: Axes, pixels: ImageArray, panel: Panel, scale: ScalarMappable) -> None:
    """Draw the colours of a map, darkened by its image in grey; white leaves the image as it is."""
    values = np.asarray(panel.values)
    grey = FAINTEST + (1 - FAINTEST) * pixels.mean(axis=2, keepdims=True) / 255
    axes.imshow(scale.to_rgba(values)[..., :3] * grey)
    levels = np.asarray([]) if panel.levels is None else panel.levels
    inside = levels[(levels > values.min()) & (levels < values.max())]
    if len(inside):
        dashes = np.where(inside < 0, "dashed", "solid").tolist()
        axes.contour(values, inside, colors=INK, linewidths=0.8, linestyles=dashes)


def _write(axes: Axes, panel: Panel) -> None:
    """Write a text in the place of a map, or below it."""
    top = 1 if panel.values is None else -0.02
    axes.text(0, top, panel.text, va="top", fontsize=7, color=GREY, transform=axes.transAxes)


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


def pale_levels(
    values: NDArray[np.float64], largest: float
) -> tuple[NDArray[np.float64], float] | None:
    """Return the numbers along which a map gets lines, and their step, if it is pale.

    Args:
        values: The map.
        largest: The absolute value with the deepest colour.

    Returns:
        None for a map that is not pale or that has one value only.
    """
    if np.abs(values).max() >= PALE * largest or not np.ptp(values):
        return None
    return contour_levels(values)


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
