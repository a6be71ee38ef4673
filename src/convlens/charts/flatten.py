"""The chart of flatten: a small feature map whose cells become a vector, in their order."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from convlens.charts.sketch import HUES, Color, draw_cell, ink_on, mixed, sketch, text_width, write
from convlens.charts.style import GREY
from convlens.errors import ConfigError
from convlens.language import _

# Lengths are inches.
CELL = 0.52  # the side of a cell of a map, and the height of one of the vector
WIDEST = 12.0  # the whole vector
NARROW = 0.42  # a cell of the vector that is narrower has its number upright
APART = 0.6  # from map to map
DROP = 1.15  # from the maps to the vector
MOST = 64  # values

Array = NDArray[np.float64]
Place = tuple[int, ...]  # row, column, channel


def show_flatten(maps: ArrayLike, *, channel_by_channel: bool = False, digits: int = 2) -> Figure:
    """Show how a small feature map becomes a vector.

    Each channel has a colour, which is the darker the larger the value is. Lines lead from the
    cells to their places in the vector. Below, the indices say which cells stand together.

    Args:
        maps: The feature map, (height, width, channels) or (height, width), with at most 64 values.
        channel_by_channel: Whether one channel follows the other, as they are often drawn. Keras
            goes through the rows, the columns of each row, and the channels of each place.
        digits: The most significant digits of every number.

    Raises:
        ConfigError: If it is no feature map, or if it has more than 64 values.

    Example:
        >>> figure = show_flatten(np.arange(8).reshape(2, 2, 2))
        >>> [text.get_text() for text in figure.axes[0].texts][-1]
        '[1, 1, :]'
    """
    values = np.asarray(maps, dtype=np.float64)
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or not 0 < values.size <= MOST:
        raise ConfigError(
            _(
                "a feature map to flatten must have the shape (height, width, channels) and at "
                "most {most} values; found {shape}."
            ).format(most=MOST, shape=np.shape(maps))
        )
    order = list(np.ndindex(values.shape))
    if channel_by_channel:
        order.sort(key=lambda place: place[2])
    return _draw(values, order, digits)


def _draw(values: Array, order: Sequence[Place], digits: int) -> Figure:
    """Draw the feature map above, and its cells below in an order."""
    height, width, channels = values.shape
    cell = min(CELL, WIDEST / values.size)
    row = CELL * width * channels + APART * (channels - 1)
    whole = max(row, cell * values.size)
    start = (whole - cell * values.size) / 2
    with sketch(0, -DROP - CELL - 0.5, whole, CELL * height + 0.3) as (figure, axes):
        for number, (y, x, channel) in enumerate(order):
            color = _color(values, (y, x, channel))
            text = f"{values[y, x, channel]:.{digits}g}"
            left = (whole - row) / 2 + channel * (CELL * width + APART) + CELL * x
            bottom = CELL * (height - 1 - y)
            draw_cell(axes, (left, bottom), (CELL, CELL), color, text)
            place = start + cell * number
            size = (cell, CELL)
            upright = 90 if cell < NARROW else 0
            draw_cell(axes, (place, -DROP - CELL), size, color)
            middle = (place + cell / 2, -DROP - CELL / 2)
            write(axes, middle, text, rotation=upright, color=ink_on(color), zorder=3)
            axes.plot(
                [left + CELL / 2, place + cell / 2],
                [bottom + CELL / 2, -DROP],
                color=HUES[channel % len(HUES)],
                linewidth=0.9,
                alpha=0.6,
                zorder=1,
            )
        for channel in range(channels):
            middle = (whole - row) / 2 + channel * (CELL * width + APART) + CELL * width / 2
            title = _("channel {number}").format(number=channel)
            color = HUES[channel % len(HUES)]
            write(axes, (middle, CELL * height + 0.2), title, fontsize=10, color=color)
        by_channel = list(order) != sorted(order)
        _write_indices(axes, values.shape, by_channel, (start, cell))
    return figure


def _color(values: Array, place: Place) -> Color:
    """Return the colour of a cell: the hue of its channel, the darker the larger the value is."""
    least = values.min()
    share = (values[place] - least) / max(values.max() - least, 1e-9)
    return mixed(HUES[place[2] % len(HUES)], 0.08 + 0.8 * share)


def _write_indices(
    axes: Axes, shape: tuple[int, ...], by_channel: bool, vector: tuple[float, float]
) -> None:
    """Write below the vector, (start, width of a cell), which cells stand together."""
    start, cell = vector
    height, width, channels = shape
    rest = ", :" if channels > 1 else ""
    texts = [f"[{y}, {x}{rest}]" for y in range(height) for x in range(width)]
    count = channels
    if by_channel:
        texts = [f"[:, :, {channel}]" for channel in range(channels)]
        count = height * width
    y = -DROP - CELL - 0.1
    for number, text in enumerate(texts):
        left = start + cell * count * number
        right = left + cell * count
        axes.plot([left + 0.03, right - 0.03], [y, y], color=GREY, linewidth=1)
        is_narrow = cell * count < text_width([text], 9)
        write(
            axes,
            ((left + right) / 2, y - 0.08),
            text,
            color=GREY,
            va="top",
            rotation=90 if is_narrow else 0,
        )
