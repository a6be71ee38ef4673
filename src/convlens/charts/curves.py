"""Curves: what was measured over epochs, along any other quantity, and scores beside each other with their intervals.

Part of `convlens.plots`; each function takes plain data and returns a matplotlib Figure.
"""

import csv
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from convlens.charts.style import BLUE, GREEN, GREY, ORANGE, RED, Chart, style
from convlens.evaluation.scores import Score

PERCENT = FuncFormatter(lambda share, _: f"{100 * share:.4g} %")
COLORS = (BLUE, ORANGE, GREEN, RED, GREY)
DASHES: tuple[Any, ...] = (
    "-",
    (0, (4, 2)),
    (0, (1.2, 1.2)),
    (0, (6, 2, 1.2, 2)),
    (0, (8, 3)),
)  # equal lines show, too
COLUMNS = 2  # panels beside each other

Line = tuple[
    Sequence[float], Sequence[float] | Sequence[Score]
]  # x, and y or scores with intervals


def show_history(
    history: Sequence[Mapping[str, Any]] | str | PathLike[str], *, best: int | None = None
) -> Figure:
    """Show loss, accuracy and learning rate of every epoch, training and validation, with the best epoch marked.

    Args:
        history: a row an epoch (epoch, loss, accuracy, val_loss, val_accuracy, learning_rate), or a CSV file of them.
        best: the epoch that was kept; where not given, the one of the highest validation accuracy.
    """
    rows = _read_csv(history) if isinstance(history, str | PathLike) else list(history)
    columns = {
        name: np.array([_number(row.get(name)) for row in rows])
        for name in ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
    }
    epochs = np.where(np.isnan(columns["epoch"]), np.arange(1, len(rows) + 1), columns["epoch"])
    at = _best_row(columns, epochs, best)
    with style():
        figure = Chart(figsize=(9, 4), layout="constrained")
        grid = figure.add_gridspec(2, 2, height_ratios=(5, 1))
        for place, name in enumerate(("loss", "accuracy")):
            axes = figure.add_subplot(grid[0, place])
            _draw_curves(axes, epochs, columns[name], columns[f"val_{name}"], at)
            axes.set_title(name.capitalize())
        axes.yaxis.set_major_formatter(PERCENT)
        losses = np.concatenate([columns["loss"], columns["val_loss"]])
        highest = np.max(losses, initial=0, where=np.isfinite(losses))
        figure.axes[0].set_ylim(0, 1.1 * highest or None)
        rate = figure.add_subplot(grid[1, :])
        rate.plot(
            epochs,
            columns["learning_rate"],
            color=GREY,
            linewidth=1.5,
            marker="." if len(rows) == 1 else None,
        )
        rate.set_title("Learning rate", fontsize=9, color=GREY)
        rate.set_xlabel("epoch")
        rate.set_ylim(0, 1.2 * np.nanmax(columns["learning_rate"], initial=0) or None)
        rate.tick_params(labelsize=8)
        rate.yaxis.set_major_locator(MaxNLocator(2))
        for axes in figure.axes:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure


def _read_csv(path: str | PathLike[str]) -> list[dict[str, Any]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _number(value: Any) -> float:
    return float("nan") if value in (None, "") else float(value)


def _best_row(
    columns: Mapping[str, NDArray[np.float64]], epochs: NDArray[np.float64], best: int | None
) -> int | None:
    if best is not None:
        found = np.flatnonzero(epochs == best)
        return int(found[0]) if len(found) else None
    watched = columns["val_accuracy"]
    return None if np.isnan(watched).all() else int(np.nanargmax(watched))


def _draw_curves(
    axes: Axes,
    epochs: NDArray[np.float64],
    train: NDArray[np.float64],
    val: NDArray[np.float64],
    at: int | None,
) -> None:
    marker = "o" if len(epochs) == 1 else None
    axes.margins(y=0.12)
    axes.plot(epochs, train, color=BLUE, label="train", marker=marker)
    if not np.isnan(val).all():
        axes.plot(epochs, val, color=ORANGE, linestyle=DASHES[1], label="validation", marker=marker)
    if at is not None and not np.isnan(val[at]):
        axes.axvline(epochs[at], color=GREY, linewidth=1, linestyle=(0, (2, 3)))
        axes.plot(epochs[at], val[at], "o", color=ORANGE, markeredgecolor="white", markersize=8, zorder=5,
                  label=f"best epoch: {epochs[at]:.0f}")  # fmt: skip
    axes.autoscale_view()
    axes.legend()


def show_lines(
    panels: Mapping[str, Mapping[str, Line]],
    *,
    across: str,
    up: str,
    percent: bool = False,
    log: bool = False,
) -> Figure:
    """Show lines in panels.

    Args:
        panels: title -> name of a line -> (x, y); scores are drawn with their intervals.
        across: what x is; the same for all panels.
        up: what y is.
        percent: whether y is a share.
        log: whether the vertical axis is logarithmic.
    """
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    texts = [across, up, *panels, *(name for lines in panels.values() for name in lines)]
    with style(texts):
        figure = Chart(
            figsize=(4.6 * columns if columns > 1 else 6.4, 3.1 * rows + 0.3), layout="constrained"
        )
        for index, (title, lines) in enumerate(panels.items()):
            axes = figure.add_subplot(rows, columns, index + 1)
            for place, (name, line) in enumerate(lines.items()):
                _draw_line(axes, name, line, place)
            axes.set_title(title)
            axes.set(xlabel=across, ylabel=up if index % columns == 0 else "")
            if log:
                axes.set_yscale("log")
            if percent:
                axes.yaxis.set_major_formatter(PERCENT)
            if all(float(x).is_integer() for line in lines.values() for x in line[0]):
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            if index == 0 or list(lines) != list(next(iter(panels.values()))):
                axes.legend(frameon=True, framealpha=0.85, edgecolor="none", handlelength=2.6)
    return figure


def _draw_line(axes: Axes, name: str, line: Line, place: int) -> None:
    """Draw the line number `place`; of lines that lie upon each other the lower ones show in the gaps of the upper."""
    x, y = line
    marker = "o" if len(x) < 20 else None
    color, dashes = COLORS[place % len(COLORS)], DASHES[place % len(DASHES)]
    values = np.array([one.value if isinstance(one, Score) else one for one in y])
    axes.plot(
        x,
        values,
        color=color,
        linestyle=dashes,
        label=name,
        marker=marker,
        markersize=max(7 - 2 * place, 3),
    )
    scores = [one for one in y if isinstance(one, Score)]
    if scores:
        axes.fill_between(
            x, [one.low for one in scores], [one.high for one in scores], color=color, alpha=0.15
        )


def show_metrics(history: Mapping[str, Sequence[float]]) -> Figure:
    """Show any metrics over the epochs, a panel each, training and validation.

    For what `convlens.train` wrote, with the learning rate and the best epoch, see `show_history`.

    Args:
        history: metric -> a value an epoch, validation under "val_..." names, as `model.fit(...).history` of Keras; a
            name that occurs only with "val_" has a panel as well.
    """
    panels: dict[str, dict[str, Line]] = {}
    for key, values in history.items():
        name = key.removeprefix("val_")
        line = "train" if name == key else "validation"
        panels.setdefault(name, {})[line] = (range(1, len(values) + 1), values)
    figure = show_lines(panels, across="epoch", up="")
    for axes, name in zip(figure.axes, panels, strict=True):
        if "accuracy" in name:
            axes.yaxis.set_major_formatter(PERCENT)
    return figure


def show_scores(panels: Mapping[str, Mapping[str, Score]], *, across: str = "accuracy") -> Figure:
    """Show scores with their 95 % intervals, a row each, in panels beside each other.

    Args:
        panels: title -> name of a row -> score.
        across: what is scored.
    """
    texts = [across, *panels, *(name for rows in panels.values() for name in rows)]
    most = max(len(rows) for rows in panels.values())
    with style(texts):
        figure = Chart(figsize=(4.8 * len(panels) + 0.4, 0.42 * most + 1.1), layout="constrained")
        for index, (title, rows) in enumerate(panels.items()):
            axes = figure.add_subplot(1, len(panels), index + 1)
            for row, score in enumerate(rows.values()):
                reach = [[score.value - score.low], [score.high - score.value]]
                axes.errorbar(
                    score.value,
                    row,
                    xerr=reach,
                    fmt="o",
                    color=COLORS[row % len(COLORS)],
                    capsize=3,
                )
            axes.set_yticks(range(len(rows)), list(rows))
            axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel=across, title=title)
            axes.xaxis.set_major_formatter(PERCENT)
    return figure
