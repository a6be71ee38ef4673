"""Labels that are placed beside their points so that they cover nothing."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from convlens.charts.style import GREY, INK

# A label is tried at each distance (in points) and in each direction from its marker.
DISTANCES = (6, 14, 24, 36, 50, 66)
DIRECTIONS = ((1, 0), (0, 1), (0, -1), (-1, 0), (0.7, 0.7), (0.7, -0.7), (-0.7, 0.7), (-0.7, -0.7))
AWAY = np.repeat(DISTANCES, len(DIRECTIONS))
DIRECTION = np.tile(np.array(DIRECTIONS), (len(DISTANCES), 1))
LEADER = 20  # from this distance on, a line joins a label to its marker
MARKER = 5  # pixels around a marker that stay free
# In how many orders the labels are placed, each taking the room that is left. The best arrangement
# is kept.
ORDERS = 60

Pixels = NDArray[np.float64]


def place_labels(
    figure: Figure,
    axes: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    names: Sequence[str],
    errors: NDArray[np.float64] | None = None,
) -> None:
    """Write names beside their points without covering other names, points or error bars.

    A label that is far from its point is joined to it by a line.

    Args:
        figure: The figure of the axes.
        axes: The axes, whose limits must be set.
        x: The m horizontal positions of the points.
        y: The m vertical positions of the points.
        names: The m names.
        errors: (2, m) lengths of the error bars below and above.
    """
    figure.draw_without_rendering()  # decides where the axes are
    scale = figure.dpi / 72
    points = axes.transData.transform(np.column_stack([x, y]))
    obstacles = _obstacles(axes, points, x, y, errors)
    labels = [
        axes.annotate(
            name,
            point,
            xytext=(0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=9,
            color=INK,
        )
        for name, point in zip(names, zip(x, y, strict=True), strict=True)
    ]
    extents = [label.get_window_extent() for label in labels]
    sizes = np.array([[extent.width, extent.height + 2] for extent in extents])
    frame = np.array(axes.get_window_extent().extents)
    random = np.random.default_rng(0)
    orders = [np.argsort(-x, kind="stable"), *(random.permutation(len(x)) for _ in range(ORDERS))]
    tried = (_arrange(points, sizes, obstacles, frame, order, scale) for order in orders)
    _, middles, joined = min(tried, key=lambda one: one[0])
    for label, point, middle, size, far in zip(labels, points, middles, sizes, joined, strict=True):
        label.set_position((middle - point) / scale)
        label.set_in_layout(False)
        if far:
            end = np.clip(point, middle - size / 2, middle + size / 2)
            line = axes.transData.inverted().transform([point, end])
            axes.plot(*line.T, color=GREY, linewidth=0.6, zorder=1)


def _obstacles(
    axes: Axes,
    points: Pixels,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    errors: NDArray[np.float64] | None,
) -> Pixels:
    """Return the boxes of the points and of their error bars."""
    boxes = np.hstack([points - MARKER, points + MARKER])
    if errors is None:
        return boxes
    low = axes.transData.transform(np.column_stack([x, y - errors[0]]))
    high = axes.transData.transform(np.column_stack([x, y + errors[1]]))
    return np.vstack([boxes, np.hstack([np.subtract(low, (2, 0)), np.add(high, (2, 0))])])


def _arrange(
    points: Pixels,
    sizes: Pixels,
    obstacles: Pixels,
    frame: Pixels,
    order: NDArray[np.int64],
    scale: float,
) -> tuple[float, Pixels, NDArray[np.bool_]]:
    """Place the labels in an order, each where it covers least.

    Of equally good places, the first of DISTANCES and DIRECTIONS is used.

    Args:
        points: (m, 2) the markers.
        sizes: (m, 2) the widths and heights of the labels.
        obstacles: (k, 4) boxes (left, bottom, right, top) that should stay free.
        frame: (4,) the box of the axes.
        order: (m,) the order in which the labels are placed.
        scale: Pixels in a point.

    Returns:
        The cost of the arrangement, the (m, 2) middles of the labels, and (m,) whether a label
        needs a line to its point.
    """
    boxes = obstacles
    total = 0.0
    middles = points.copy()
    joined = np.zeros(len(points), bool)
    for index in order:
        half = sizes[index] / 2
        places = points[index] + DIRECTION * (AWAY[:, None] * scale + half)
        candidates = np.hstack([places - half, places + half])
        costs = 20 * _covered(candidates, boxes, frame) + np.arange(len(places))
        for share in (0.35, 0.5, 0.65):  # along the line to the point
            spot = points[index] + share * (places - points[index])
            inside = (spot[:, None] > boxes[:, :2]) & (spot[:, None] < boxes[:, 2:])
            costs += 600.0 * (AWAY >= LEADER) * inside.all(2).sum(1)
        best = int(costs.argmin())
        middles[index] = places[best]
        joined[index] = AWAY[best] >= LEADER
        boxes = np.vstack([boxes, candidates[best]])
        total += float(costs[best])
    return total, middles, joined


def _covered(places: Pixels, boxes: Pixels, frame: Pixels) -> Pixels:
    """Return how many pixels of each place, (n, 4), boxes (k, 4) cover or lie outside the frame."""

    def common(others: Pixels) -> Pixels:
        ends = np.minimum(places[:, None, 2:], others[:, 2:])
        starts = np.maximum(places[:, None, :2], others[:, :2])
        return np.asarray(np.maximum(ends - starts, 0).prod(2))

    area = (places[:, 2:] - places[:, :2]).prod(1)
    return np.asarray(common(boxes).sum(1) + area - common(frame[None])[:, 0])
