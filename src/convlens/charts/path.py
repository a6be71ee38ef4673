"""The chart of the way of an image through a network: a row of sheets, and then of vectors.

A sheet is a feature map. Its sides follow those of the map, and there are the more sheets the more
channels the layer has. If an image is given, the sheets show its feature maps.
"""

import itertools
import math
from collections.abc import Sequence

import keras
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from numpy.typing import ArrayLike

from convlens.charts.architecture import FACES
from convlens.charts.fonts import drawable
from convlens.charts.layer_texts import layer_detail, layer_title, shape_text
from convlens.charts.sketch import Color, draw_arrow, mixed, sketch, text_width, write
from convlens.charts.stops import Array, Stop, find_stops
from convlens.charts.style import GREY, INK, LINE, percent, shorten

# All lengths are inches.
TALLEST = 2.1  # the longer side of the largest map
LEAST = 0.3  # the shortest side that is drawn
BEHIND = 0.11  # how far a sheet is right of and above the one before it
STRIP = 0.24  # the width of a vector
CELL = 0.21  # the height of a value of a short vector
SHORT = 16  # the most values that are drawn one by one
GAP = 0.45  # between the layers
NAME = 14  # the width of the name of a class, in characters


def show_path(
    model: keras.Model,
    image: ArrayLike | None = None,
    *,
    class_names: Sequence[str] = (),
) -> Figure:
    """Show the way of an image through a network, from the image to the last layer.

    The sides of a sheet are proportional to those of the feature map, unless it is very small. Each
    doubling of the channels adds a sheet. With an image, the sheets show the feature maps that
    differ most from place to place, each from its least value (black) to its largest (white), and
    the values of the last layer are written beside it. Layers that only normalise, activate or
    drop values are drawn as one with the layer before them; in a deep network, only the last layer
    on feature maps of each size is drawn.

    Args:
        model: A functional or sequential Keras model with one input.
        image: What the model is given: (height, width, channels), or (height, width) if there is
            one channel.
        class_names: The names of the values of the last layer. If empty, they are numbered.

    Raises:
        ConfigError: If the image does not have the shape of the input.
        ModelError: If the model cannot be summarised, see `convlens.anatomy.summary.steps`.

    Example:
        >>> model = create_model("mnist_3conv")  # doctest: +SKIP
        >>> show_path(model, x_test[0] / 255)  # doctest: +SKIP
    """
    stops = find_stops(model, image)
    sides = [max(stop.shape[:2]) for stop in stops if stop.is_map]
    scale = TALLEST / max(sides, default=1)
    names = [shorten(name, NAME) for name in drawable(class_names)]
    widths = [_width(stop, scale, names) for stop in stops]
    top = max(_height(stop, scale) for stop in stops) / 2
    right = sum(widths) + GAP * (len(stops) - 1)
    with sketch(0, -top - 0.7, right, top) as (figure, axes):
        left = 0.0
        ends: list[Array] = []
        for stop, width in zip(stops, widths, strict=True):
            middle = left + width / 2
            ends.append(_draw_stop(axes, stop, middle, scale, names))
            texts = [shape_text(stop.shape), *_texts(stop)]
            for row, text in enumerate(text for text in texts if text):
                color = INK if row == 0 else GREY
                place = (middle, -top - 0.25 - 0.2 * row)
                write(axes, place, text, fontsize=10 if row == 0 else 9, color=color)
            left += width + GAP
        for (begin, end), stop in zip(itertools.pairwise(ends), stops[1:], strict=True):
            _connect(axes, begin, end, stop.is_map)
    return figure


def _sides(stop: Stop, scale: float) -> tuple[float, float]:
    """Return the (width, height) of a sheet."""
    height, width = stop.shape[:2]
    factor = max(scale, LEAST / min(height, width))
    return factor * width, factor * height


def _width(stop: Stop, scale: float, names: Sequence[str]) -> float:
    """Return the width that a layer takes with its texts."""
    shape = text_width([shape_text(stop.shape)], 10)
    texts = max(shape, text_width(_texts(stop), 9))
    if stop.is_map:
        return max(texts, _sides(stop, scale)[0] + BEHIND * (_sheets(stop) - 1))
    beside = STRIP
    if stop.shape[-1] <= SHORT:
        value = "" if stop.values is None else "  > 99 %"
        beside += 2 * (0.1 + text_width([name + value for name in names or ["00"]], 9))
    return max(texts, beside)


def _height(stop: Stop, scale: float) -> float:
    if stop.is_map:
        return _sides(stop, scale)[1] + BEHIND * (_sheets(stop) - 1)
    units = math.prod(stop.shape)
    return CELL * units if units <= SHORT else min(1.2 + 0.13 * math.log2(units), 1.3 * TALLEST)


def _draw_stop(axes: Axes, stop: Stop, x: float, scale: float, names: Sequence[str]) -> Array:
    """Draw a layer around x, and return its upper left, lower left, upper right, lower right."""
    if stop.is_map:
        return _draw_sheets(axes, stop, x, scale)
    height = _height(stop, scale)
    left = x - STRIP / 2
    _draw_strip(axes, stop, (left, left + STRIP, -height / 2, height / 2))
    if stop.shape[-1] <= SHORT:
        _write_values(axes, stop, left + STRIP + 0.08, names)
    corners = [(left, height / 2), (left, -height / 2)]
    return np.array([*corners, *((right + STRIP, y) for right, y in corners)], np.float32)


def _draw_sheets(axes: Axes, stop: Stop, x: float, scale: float) -> Array:
    width, height = _sides(stop, scale)
    depth = BEHIND * (_sheets(stop) - 1)
    left = x - (width + depth) / 2
    bottom = -(height + depth) / 2
    pictures = _pictures(stop)
    for sheet in reversed(range(_sheets(stop))):
        corner = (left + BEHIND * sheet, bottom + BEHIND * sheet)
        order = 3 - sheet / 100
        if pictures:
            extent = (corner[0], corner[0] + width, corner[1], corner[1] + height)
            axes.imshow(
                pictures[min(sheet, len(pictures) - 1)],
                extent=extent,
                cmap="gray",
                aspect="auto",
                interpolation="nearest",
                zorder=order,
            )
        face = "none" if pictures else mixed(_face(stop), 0.9)
        axes.add_patch(
            Rectangle(
                corner, width, height, facecolor=face, edgecolor="white" if pictures else INK,
                linewidth=0.7, zorder=order + 0.001,
            )
        )  # fmt: skip
    corners = [(left, bottom + height), (left, bottom)]
    far = [(left + width + depth, y + depth) for _, y in corners]
    return np.array([*corners, *far], np.float32)


def _pictures(stop: Stop) -> list[Array]:
    """Return what the sheets show: a colour image, or the maps that differ most; [] without one."""
    if stop.values is None:
        return []
    if stop.row.kind == "InputLayer" and stop.shape[-1] == 3:
        return [np.clip(stop.values / (255 if stop.values.max() > 1 else 1), 0, 1)]
    chosen = np.argsort(-stop.values.std(axis=(0, 1)), kind="stable")[: _sheets(stop)]
    return [stop.values[..., channel] for channel in sorted(chosen)]


def _sheets(stop: Stop) -> int:
    """Return how many sheets are drawn."""
    channels = stop.shape[-1]
    return min(channels, 1 + round(math.log2(channels)))


def _texts(stop: Stop) -> list[str]:
    """Return what is written below a layer, after its shape."""
    return [layer_title(stop.row), layer_detail(stop.row)]


def _face(stop: Stop) -> Color:
    if stop.row.kind == "InputLayer":
        return FACES["image"]
    return FACES["pooling" if "Pool" in stop.row.kind else "layers"]


def _draw_strip(axes: Axes, stop: Stop, extent: tuple[float, float, float, float]) -> None:
    """Draw a vector, the first value at the top."""
    left, right, bottom, top = extent
    if stop.values is not None:
        values = stop.values.reshape(-1, 1)
        # Probabilities are black at 0 and white at 1, other values at their least and largest.
        least, largest = (0.0, 1.0) if _are_probabilities(values) else (None, None)
        axes.imshow(
            values, "gray", aspect="auto", vmin=least, vmax=largest, extent=extent, zorder=3
        )
    face = "none" if stop.values is not None else FACES["dense"]
    size = (right - left, top - bottom)
    axes.add_patch(
        Rectangle((left, bottom), *size, facecolor=face, edgecolor=GREY, linewidth=0.8, zorder=3.1)
    )
    units = math.prod(stop.shape)
    if units <= SHORT:
        for number in range(1, units):
            y = top - (top - bottom) * number / units
            axes.plot([left, right], [y, y], color=GREY, linewidth=0.6, zorder=3.2)


def _are_probabilities(values: Array) -> bool:
    return bool(values.min() >= 0 and abs(values.sum() - 1) < 1e-3)


def _write_values(axes: Axes, stop: Stop, x: float, names: Sequence[str]) -> None:
    """Write the name and, if it is known, the value of each unit of a short vector."""
    units = stop.shape[-1]
    texts = [names[unit] if unit < len(names) else str(unit) for unit in range(units)]
    if stop.values is not None:
        values = stop.values.ravel().tolist()
        shares = _are_probabilities(stop.values)
        written = [percent(value) if shares else f"{value:.3g}" for value in values]
        texts = [f"{name}  {value}" for name, value in zip(texts, written, strict=True)]
    best = int(np.argmax(stop.values)) if stop.values is not None and units > 1 else -1
    for unit, text in enumerate(texts):
        y = CELL * ((units - 1) / 2 - unit)
        write(axes, (x, y), text, ha="left", color=INK if unit == best else GREY)


def _connect(axes: Axes, begin: Array, end: Array, is_map: bool) -> None:
    """Draw an arrow to a map, or show that every value of a vector depends on all before it."""
    if is_map:
        draw_arrow(axes, (begin[2:, 0].max() + 0.08, 0), (end[:2, 0].min() - 0.08, 0))
        return
    fan = [begin[2], begin[3], end[1], end[0]]
    axes.add_patch(Polygon(fan, facecolor=LINE, alpha=0.5, edgecolor="none", zorder=1))
