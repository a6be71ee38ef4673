"""Charts of a comparison: accuracy against what it costs, and how it grew while the networks trained."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from convlens.charts.curves import PERCENT
from convlens.charts.style import BLUE, GREEN, GREY, INK, ORANGE, RED, Chart, style
from convlens.evaluation.scores import Score

COLORS = (BLUE, ORANGE, GREEN, RED, "#CC79A7", "#56B4E9", "#7A6A00")
DISTANCES = (
    6,
    14,
    24,
    36,
    50,
    66,
)  # points between a marker and its label, the nearest free one is taken
DIRECTIONS = ((1, 0), (0, 1), (0, -1), (-1, 0), (0.7, 0.7), (0.7, -0.7), (-0.7, 0.7), (-0.7, -0.7))
LEADER = 20  # points from which on a line joins the two
MARKER = 5  # pixels around a marker that stay free
LARGE = EngFormatter()  # 200 M
ORDERS = (
    60  # in which the labels are placed, each taking what is left; the best arrangement is kept
)


def show_tradeoff(
    names: Sequence[str], scores: Sequence[Score], costs: Mapping[str, Sequence[float]]
) -> Figure:
    """Show accuracies with their 95 % intervals against each cost, side by side, on logarithmic axes.

    Args:
        names: m networks.
        scores: m validation accuracies.
        costs: what an axis shows -> m values above zero, as "multiply-adds" -> numbers.
    """
    values = np.array([score.value for score in scores])
    errors = np.maximum([[s.value - s.low for s in scores], [s.high - s.value for s in scores]], 0)
    with style(names):
        figure = Chart(figsize=(5.2 * len(costs), 4.4), layout="constrained")
        panels = np.atleast_1d(figure.subplots(1, len(costs), sharey=True))
        for axes, (label, cost) in zip(panels, costs.items(), strict=True):
            axes.errorbar(cost, values, errors, color=BLUE, marker="o", markersize=6.5, linestyle="none",
                          elinewidth=1.3)  # fmt: skip
            _log_axis(axes, np.asarray(cost, np.float64), label)
        panels[0].set_ylabel("validation accuracy")
        panels[0].yaxis.set_major_formatter(PERCENT)
        panels[0].set_title(f"Accuracy and its price ({scores[0].n:,} images, 95 % intervals)")
        for axes, cost in zip(panels, costs.values(), strict=True):
            place_labels(figure, axes, np.asarray(cost, np.float64), values, names, errors)
    return figure


def show_growth(names: Sequence[str], histories: Sequence[Sequence[Mapping[str, Any]]]) -> Figure:
    """Show validation accuracy against the seconds trained; the epoch that was kept is marked.

    Args:
        names: m networks.
        histories: of each, a row an epoch with "seconds", "val_accuracy" and "val_loss".
    """
    with style(names):
        figure = Chart(figsize=(7.2, 4.4), layout="constrained")
        axes = figure.add_subplot()
        for number, (name, history) in enumerate(zip(names, histories, strict=True)):
            color, dashed = COLORS[number % len(COLORS)], number >= len(COLORS)
            seconds = np.cumsum([float(row["seconds"]) for row in history])
            values = [float(row["val_accuracy"]) for row in history]
            line = (0, (4, 2)) if dashed else "-"
            axes.plot(seconds, values, color=color, linestyle=line, linewidth=1.8, label=name)
            losses = [float(row["val_loss"]) for row in history]
            best = max(
                range(len(values)), key=lambda i: (values[i], -losses[i])
            )  # as `fit` chooses it
            axes.plot(
                seconds[best],
                values[best],
                "o",
                color=color,
                markeredgecolor="white",
                markersize=7,
                zorder=5,
            )
        axes.set(
            xlabel="seconds trained, validations included",
            ylabel="validation accuracy",
            xlim=(0, None),
        )
        axes.set_title("How the accuracy grew (dot: the epoch that was kept)")
        axes.yaxis.set_major_formatter(PERCENT)
        axes.legend(loc="best")
    return figure


def show_published(
    names: Sequence[str],
    top_1: Sequence[float],
    multiply_adds: Sequence[float],
    filled: Sequence[bool],
) -> Figure:
    """Show published ImageNet accuracies against multiply-adds.

    Args:
        names: m networks.
        top_1: m shares.
        multiply_adds: m numbers, at the input each was made for.
        filled: m; False for a figure that is not from one crop, drawn hollow.
    """
    x, y, one_crop = np.asarray(multiply_adds, np.float64), np.asarray(top_1), np.asarray(filled)
    with style(names):
        figure = Chart(figsize=(9.5, 6.6), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(
            x[one_crop], y[one_crop], "o", color=BLUE, markersize=6.5, label="one centre crop"
        )
        if not one_crop.all():
            axes.plot(x[~one_crop], y[~one_crop], "o", markerfacecolor="white", markeredgecolor=BLUE, markersize=6.5,
                      label="whole image")  # fmt: skip
        _log_axis(axes, x, "multiply-adds of one image")
        axes.set_ylabel("ImageNet top-1 accuracy, as published")
        axes.yaxis.set_major_formatter(PERCENT)
        axes.margins(y=0.07)
        axes.set_title("What others report: accuracy and operations")
        axes.legend(loc="lower right")
        place_labels(figure, axes, x, y, names)
    return figure


def _log_axis(axes: Axes, values: NDArray[np.float64], label: str) -> None:
    """Make the x axis logarithmic, with room for labels at both ends and ticks as 200 M."""
    axes.set_xscale("log")
    low, high = float(values.min()), float(values.max())
    room = max((high / low) ** 0.14, 1.6)
    axes.set_xlim(low / room, high * room)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low * room**2 < 200 else (1,)))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g}" if value < 1000 else LARGE(value))
    )
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(label)


def place_labels(
    figure: Figure,
    axes: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    names: Sequence[str],
    errors: NDArray[np.float64] | None = None,
) -> None:
    """Write names beside their points where they cover neither each other, nor points, nor error bars.

    A label far from its point is joined to it by a line.

    Args:
        figure: of the axes.
        axes: with its limits set.
        x: m places.
        y: m places.
        names: m texts.
        errors: (2, m) lengths of error bars below and above.
    """
    figure.draw_without_rendering()  # decides where the axes are
    scale = figure.dpi / 72
    points = axes.transData.transform(np.column_stack([x, y]))
    obstacles = np.hstack([points - MARKER, points + MARKER])
    if errors is not None:
        low, high = (
            axes.transData.transform(np.column_stack([x, y + ends]))
            for ends in (-errors[0], errors[1])
        )
        obstacles = np.vstack(
            [obstacles, np.hstack([np.subtract(low, (2, 0)), np.add(high, (2, 0))])]
        )
    labels = [axes.annotate(name, (i, j), xytext=(0, 0), textcoords="offset points", ha="center", va="center",
                            fontsize=9, color=INK) for name, i, j in zip(names, x, y, strict=True)]  # fmt: skip
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


Pixels = NDArray[np.float64]


def _arrange(
    points: Pixels,
    sizes: Pixels,
    obstacles: Pixels,
    frame: Pixels,
    order: NDArray[np.int64],
    scale: float,
) -> tuple[float, Pixels, NDArray[np.bool_]]:
    """Return the cost of placing labels in an order, their middles (m, 2), and which need a line to their point.

    `obstacles` are boxes (left, bottom, right, top), as is `frame`. Each label takes the place that covers least; of
    those alike, the first of DISTANCES and DIRECTIONS.
    """
    boxes, total = obstacles, 0.0
    middles, joined = points.copy(), np.zeros(len(points), bool)
    away = np.repeat(DISTANCES, len(DIRECTIONS))
    direction = np.tile(np.array(DIRECTIONS), (len(DISTANCES), 1))
    for index in order:
        half = sizes[index] / 2
        places = points[index] + direction * (away[:, None] * scale + half)
        costs = 20 * _covered(np.hstack([places - half, places + half]), boxes, frame) + np.arange(
            len(places)
        )
        for share in (0.35, 0.5, 0.65):  # along the line to its point
            spot = points[index] + share * (places - points[index])
            inside = (spot[:, None] > boxes[:, :2]) & (spot[:, None] < boxes[:, 2:])
            costs += 600.0 * (away >= LEADER) * inside.all(2).sum(1)
        best = int(costs.argmin())
        middles[index], joined[index] = places[best], away[best] >= LEADER
        boxes = np.vstack([boxes, np.hstack([places[best] - half, places[best] + half])])
        total += float(costs[best])
    return total, middles, joined


def _covered(places: Pixels, boxes: Pixels, frame: Pixels) -> Pixels:
    """Return the pixels of each place, (n, 4), that boxes, (k, 4), cover, and those outside of the frame."""

    def common(others: Pixels) -> Pixels:
        sides = np.minimum(places[:, None, 2:], others[:, 2:]) - np.maximum(
            places[:, None, :2], others[:, :2]
        )
        return np.asarray(np.maximum(sides, 0).prod(2))

    area = (places[:, 2:] - places[:, :2]).prod(1)
    return np.asarray(common(boxes).sum(1) + area - common(frame[None])[:, 0])
