"""Curves over epochs or any other quantity, and scores with their intervals."""

import csv
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from convlens.charts.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PERCENT,
    RED,
    new_chart,
    whiskers,
)
from convlens.evaluation.scores import Score
from convlens.language import _

COLORS = (BLUE, ORANGE, GREEN, RED, GREY)
# Different dashes keep equal lines visible.
DASHES: tuple[Any, ...] = (
    "-",
    (0, (4, 2)),
    (0, (1.2, 1.2)),
    (0, (6, 2, 1.2, 2)),
    (0, (8, 3)),
)
COLUMNS = 2  # panels beside each other
HISTORY = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")

# x, and y or scores with their intervals
Line = tuple[Sequence[float], Sequence[float] | Sequence[Score]]
Floats = NDArray[np.float64]


def show_history(
    history: Sequence[Mapping[str, Any]] | str | PathLike[str], *, best: int | None = None
) -> Figure:
    """Show the loss, the accuracy and the learning rate of every epoch.

    Training and validation are drawn together, and the best epoch is marked.

    Args:
        history: A row for each epoch (epoch, loss, accuracy, val_loss, val_accuracy,
            learning_rate), or a CSV file of such rows.
        best: The epoch that was kept. If None, the epoch of the highest validation accuracy.
    """
    if isinstance(history, str | PathLike):
        with Path(history).open(newline="", encoding="utf-8") as file:
            history = list(csv.DictReader(file))
    rows = list(history)
    columns = {name: np.array([_number(row.get(name)) for row in rows]) for name in HISTORY}
    epochs = np.where(np.isnan(columns["epoch"]), np.arange(1, len(rows) + 1), columns["epoch"])
    rates = columns["learning_rate"]
    at = _best_row(columns["val_accuracy"], epochs, best)
    with new_chart((9, 4)) as figure:
        grid = figure.add_gridspec(2, 2, height_ratios=(5, 1))
        for place, (name, title) in enumerate((("loss", _("Loss")), ("accuracy", _("Accuracy")))):
            axes = figure.add_subplot(grid[0, place], title=title)
            _draw_curves(axes, epochs, columns[name], columns[f"val_{name}"], at)
        axes.yaxis.set_major_formatter(PERCENT)
        losses = np.concatenate([columns["loss"], columns["val_loss"]])
        highest = np.max(losses, initial=0, where=np.isfinite(losses))
        figure.axes[0].set_ylim(0, 1.1 * highest or None)
        below = figure.add_subplot(grid[1, :], xlabel=_("epoch"))
        below.plot(epochs, rates, color=GREY, linewidth=1.5, marker="." if len(rows) == 1 else None)
        below.set_title(_("Learning rate"), fontsize=9, color=GREY)
        below.set_ylim(0, 1.2 * np.nanmax(rates, initial=0) or None)
        below.tick_params(labelsize=8)
        below.yaxis.set_major_locator(MaxNLocator(2))
        for axes in figure.axes:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure


def _number(value: Any) -> float:
    return float("nan") if value in (None, "") else float(value)


def _best_row(accuracies: Floats, epochs: Floats, best: int | None) -> int | None:
    """Return the row of the best epoch, or None if it is unknown."""
    if best is not None:
        return next(iter(np.flatnonzero(epochs == best).tolist()), None)
    return None if np.isnan(accuracies).all() else int(np.nanargmax(accuracies))


def _draw_curves(axes: Axes, epochs: Floats, train: Floats, val: Floats, at: int | None) -> None:
    marker = "o" if len(epochs) == 1 else None
    axes.margins(y=0.12)
    axes.plot(epochs, train, color=BLUE, label=_("train"), marker=marker)
    if not np.isnan(val).all():
        axes.plot(
            epochs, val, color=ORANGE, linestyle=DASHES[1], label=_("validation"), marker=marker
        )
    if at is not None and not np.isnan(val[at]):
        axes.axvline(epochs[at], color=GREY, linewidth=1, linestyle=(0, (2, 3)))
        axes.plot(
            epochs[at],
            val[at],
            "o",
            color=ORANGE,
            markeredgecolor="white",
            markersize=8,
            clip_on=False,  # also where the loss is almost 0
            zorder=5,
            label=_("best epoch: {epoch:.0f}").format(epoch=epochs[at]),
        )
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
        panels: The lines of each panel by its title: name -> (x, y). If y is a sequence of scores,
            their intervals are drawn as well.
        across: The label of the horizontal axis.
        up: The label of the vertical axis.
        percent: Whether y is a share, to be shown in percent.
        log: Whether the vertical axis is logarithmic.
    """
    columns = max(1, min(COLUMNS, len(panels)))
    rows = -(-len(panels) // columns)
    texts = [across, up, *panels, *(name for lines in panels.values() for name in lines)]
    width = 4.6 * columns if columns > 1 else 6.4
    with new_chart((width, 3.1 * rows + 0.3), texts) as figure:
        for index, (title, lines) in enumerate(panels.items()):
            axes = figure.add_subplot(rows, columns, index + 1, title=title, xlabel=across)
            for place, (name, line) in enumerate(lines.items()):
                _draw_line(axes, name, line, place)
            if index % columns == 0:
                axes.set_ylabel(up)
            if log:
                axes.set_yscale("log")
            if percent:
                axes.yaxis.set_major_formatter(PERCENT)
            if all(float(x).is_integer() for line in lines.values() for x in line[0]):
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            if index == 0 or list(lines) != list(next(iter(panels.values()))):
                # A legend leaves out names that begin with an underscore, unless it is given lines.
                named = [line for line in axes.get_lines() if line.get_label()]
                look = {"frameon": True, "framealpha": 0.85, "edgecolor": "none"}
                axes.legend(handles=named, handlelength=2.6, **look)
    return figure


def _draw_line(axes: Axes, name: str, line: Line, place: int) -> None:
    """Draw the line with the number `place`. Its dashes let the lines below it show through."""
    x, y = line
    color = COLORS[place % len(COLORS)]
    axes.plot(
        x,
        [one.value if isinstance(one, Score) else one for one in y],
        color=color,
        linestyle=DASHES[place % len(DASHES)],
        label=name,
        marker="o" if len(x) < 20 else None,
        markersize=max(7 - 2 * place, 3),
    )
    scores = [one for one in y if isinstance(one, Score)]
    if scores:
        axes.fill_between(
            x, [one.low for one in scores], [one.high for one in scores], color=color, alpha=0.15
        )


def show_metrics(history: Mapping[str, Sequence[float]]) -> Figure:
    """Show any metrics over the epochs, each in a panel with its training and validation values.

    `show_history` shows what `convlens.train` wrote, with the learning rate and the best epoch.

    Args:
        history: The value of each metric in every epoch, as in `model.fit(...).history` of Keras:
            validation metrics have names that begin with "val_".

    Example:
        >>> figure = show_metrics({"loss": [0.9, 0.4], "val_loss": [0.8, 0.5]})
        >>> figure.savefig("loss.png")  # doctest: +SKIP
    """
    panels: dict[str, dict[str, Line]] = {}
    for key, values in history.items():
        name = key.removeprefix("val_")
        line = _("train") if name == key else _("validation")
        panels.setdefault(name, {})[line] = (range(1, len(values) + 1), values)
    figure = show_lines(panels, across=_("epoch"), up="")
    for axes, name in zip(figure.axes, panels, strict=True):
        if "accuracy" in name:
            axes.yaxis.set_major_formatter(PERCENT)
    return figure


def show_scores(panels: Mapping[str, Mapping[str, Score]], *, across: str = "accuracy") -> Figure:
    """Show scores with their 95 % intervals, a row for each, in panels beside each other.

    Args:
        panels: The scores of each panel by its title: name -> score.
        across: What is scored; the label of the horizontal axis.
    """
    texts = [across, *panels, *(name for rows in panels.values() for name in rows)]
    most = max(len(rows) for rows in panels.values())
    with new_chart((4.8 * len(panels) + 0.4, 0.42 * most + 1.1), texts) as figure:
        for index, (title, rows) in enumerate(panels.items()):
            axes = figure.add_subplot(1, len(panels), index + 1, title=title, xlabel=across)
            for row, score in enumerate(rows.values()):
                axes.errorbar(
                    score.value,
                    row,
                    xerr=whiskers([score]),
                    fmt="o",
                    color=COLORS[row % len(COLORS)],
                    capsize=3,
                )
            axes.set_yticks(range(len(rows)), list(rows))
            axes.set_ylim(len(rows) - 0.5, -0.5)
            axes.xaxis.set_major_formatter(PERCENT)
    return figure
