"""The chart of a 1x1 convolution: the channels at one place and the weights give one number."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from convlens.charts.sketch import HUES, Color, Point, draw_arrow, draw_cell, mixed, sketch, write
from convlens.charts.style import GREY, INK
from convlens.errors import ConfigError
from convlens.language import _

# Lengths are inches.
CELL = 0.5
SPACE = 0.32  # between the factors, and between maps
FURTHER = 0.75  # from the maps to the factors, and from the products to the output
MOST = 6  # the most rows, columns and channels
OUTPUT = "#3F3F3F"  # the hue of the output

Array = NDArray[np.float64]


def show_pointwise(
    maps: ArrayLike,
    weights: ArrayLike,
    *,
    at: tuple[int, int] = (0, 0),
    filter_number: int = 0,
    bias: float = 0.0,
) -> Figure:
    """Show how a 1x1 convolution computes one value of its output.

    Each channel of the feature map has a row: its value at the place, times the weight of the
    channel, gives a product. The sum of the products and the bias is the value of the output at
    the same place. The other values of the output are computed in the same way.

    Args:
        maps: The feature map, (height, width, channels), with at most 6 of each.
        weights: The kernel, (1, 1, channels, filters) as in Keras, or (channels, filters).
        at: The (row, column) of the place, counted from 0.
        filter_number: The filter that is drawn, counted from 0.
        bias: The bias of that filter.

    Raises:
        ConfigError: If the shapes do not fit, or if there is no such place or filter.

    Example:
        >>> figure = show_pointwise([[[1, 0], [0, 2]]], [[1, 2], [1, 0]], at=(0, 1))
        >>> [text.get_text() for text in figure.axes[0].texts][-1]
        '0 + 2 = 2'
    """
    values = np.asarray(maps, dtype=np.float64)
    kernel = np.asarray(weights, dtype=np.float64)
    kernel = kernel.reshape(kernel.shape[-2:]) if kernel.ndim == 4 else kernel
    _check(values, kernel, (*at, filter_number))
    column = kernel[:, filter_number]
    return _draw(values, column, at, bias, filter_number)


def _check(values: Array, kernel: Array, wanted: tuple[int, int, int]) -> None:
    if values.ndim != 3 or not 0 < max(values.shape) <= MOST or 0 in values.shape:
        raise ConfigError(
            _(
                "a feature map to draw must have the shape (height, width, channels), each at most "
                "{most}; found {shape}."
            ).format(most=MOST, shape=values.shape)
        )
    if kernel.ndim != 2 or len(kernel) != values.shape[2]:
        raise ConfigError(
            _(
                "the weights must have the shape (channels, filters) with {channels} channels; "
                "found {shape}."
            ).format(channels=values.shape[2], shape=kernel.shape)
        )
    limits = (*values.shape[:2], kernel.shape[1])
    if not all(0 <= one < limit for one, limit in zip(wanted, limits, strict=True)):
        raise ConfigError(
            _(
                "row, column and filter must be at least 0 and below {limits}; found {found}."
            ).format(limits=limits, found=wanted)
        )


def _draw(
    values: Array, column: Array, at: tuple[int, int], bias: float, filter_number: int
) -> Figure:
    height, width, channels = values.shape
    down = CELL * height + SPACE + 0.2
    middle = -down * (channels - 1) / 2 - CELL * height / 2
    begin = CELL * width + FURTHER
    # Where the value, the weight and the product of each channel stand.
    places = [begin + number * (CELL + SPACE) for number in range(3)]
    output = places[2] + CELL + FURTHER + 0.2
    products = values[at] * column
    right = max(output + CELL * width, output + 1.4)
    with sketch(0, -down * channels - 0.1, right, 0.3) as (figure, axes):
        titles = (f"[{at[0]}, {at[1]}, :]", _("weights"), _("products"))
        for x, title in zip(places, titles, strict=True):
            write(axes, (x + CELL / 2, (CELL - CELL * height) / 2 + 0.2), title, color=GREY)
        for channel in range(channels):
            top = -down * channel
            hue = HUES[channel % len(HUES)]
            write(axes, (CELL * width / 2, top + 0.13), _channel(channel), color=hue)
            _draw_grid(axes, (0, top), values[..., channel], hue, at)
            y = top - CELL * height / 2
            draw_arrow(axes, (CELL * width + 0.1, y), (begin - 0.1, y), hue)
            numbers = (values[at][channel], column[channel], products[channel])
            for x, number, sign in zip(places, numbers, ("", "×", "="), strict=True):
                write(axes, (x - SPACE / 2, y), sign, fontsize=11)
                color = mixed(hue, 0.2) if sign != "×" else "white"
                draw_cell(axes, (x, y - CELL / 2), (CELL, CELL), color, _number(number))
            axes.plot([places[2] + CELL, output - 0.1], [y, middle], color=hue, linewidth=1.1)
        title = _("output of filter {number}").format(number=filter_number)
        grid = (output, middle + CELL * height / 2)
        write(axes, (output + CELL * width / 2, grid[1] + 0.18), title)
        _draw_grid(axes, grid, values @ column + bias, OUTPUT, at)
        axes.plot([output - 0.1, output - 0.02], [middle] * 2, color=GREY, linewidth=1.1)
        place = (right / 2, -down * channels + 0.05)
        write(axes, place, _equation(products, bias), fontsize=11)
    return figure


def _channel(number: int) -> str:
    return _("channel {number}").format(number=number)


def _draw_grid(axes: Axes, corner: Point, values: Array, hue: Color, at: tuple[int, int]) -> None:
    """Draw a map from its upper left corner on, with a frame around the place."""
    least = values.min()
    span = max(values.max() - least, 1e-9)
    for (row, column), value in np.ndenumerate(values):
        place = (corner[0] + CELL * column, corner[1] - CELL * (row + 1))
        color = mixed(hue, 0.06 + 0.5 * (value - least) / span)
        draw_cell(axes, place, (CELL, CELL), color, _number(value))
        if (row, column) == at:
            axes.add_patch(
                Rectangle(place, CELL, CELL, fill=False, edgecolor=INK, linewidth=2.2, zorder=4)
            )


def _number(value: float) -> str:
    return f"{value + 0.0:.3g}"


def _equation(products: Array, bias: float) -> str:
    """Return the sum of the products, and the bias if it is not 0."""
    terms = [*products.tolist(), *([bias] if bias else [])]
    written = [f"({_number(term)})" if term < 0 else _number(term) for term in terms]
    return " + ".join(written) + f" = {_number(sum(terms))}"
