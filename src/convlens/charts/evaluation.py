"""Charts for reports, notebooks and lectures: each function takes plain data and returns a matplotlib Figure.

No pyplot and no global state; a returned figure shows itself in a notebook and is written with `savefig`.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from convlens.charts.curves import PERCENT
from convlens.charts.fonts import drawable
from convlens.charts.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    LINE,
    RED,
    Chart,
    percent,
    shorten,
    style,
    width,
)
from convlens.evaluation.scores import Bin

NUMBERS_UP_TO = 26  # classes of a confusion matrix whose cells still have room for a number
LABELS_UP_TO = 34  # labels along one side that still have room
FIRST = 100  # images that are shown where nobody says how many
SMALL = 96  # an image with a shorter side is enlarged pixel by pixel

ImageArray = NDArray[np.uint8]


def show_images(  # noqa: PLR0913 - all but the images have defaults
    images: Sequence[ImageArray] | NDArray[np.uint8],
    labels: Sequence[int] | None = None,
    *,
    predicted: Sequence[int] | None = None,
    probabilities: NDArray[np.floating] | None = None,
    class_names: Sequence[str] | None = None,
    n: int | None = None,
    columns: int = 8,
) -> Figure:
    """Show the first n images titled "predicted (true)" with the confidence: green where right, red where wrong.

    `show_images(x_test, y_test, n=10)` shows ten with their labels; with `probabilities=model.predict(x_test)` the
    predictions stand in front, too.

    Args:
        images: images (height, width), (height, width, 1) or (height, width, 3), uint8.
        labels: their true classes; without predictions they are the titles.
        predicted: their predicted classes; where not given, the most probable ones.
        probabilities: a row of num_classes for each.
        class_names: names of the classes; their numbers where not given.
        n: how many are shown; where not given all, and of more than FIRST these, which a line below says.
        columns: images in a row.
    """
    left_out = max(len(images) - FIRST, 0) if n is None else 0
    n = FIRST if n is None else n
    images = images[:n]
    labels = None if labels is None else labels[:n]
    predicted = None if predicted is None else predicted[:n]
    probabilities = None if probabilities is None else probabilities[:n]
    if predicted is None and probabilities is not None:
        predicted = [int(row.argmax()) for row in probabilities]
    names = drawable(class_names or [])
    titles = _titles(labels, predicted, probabilities, names)
    columns = max(1, min(columns, len(images)))
    rows = max(1, -(-len(images) // columns))
    lines = max((title.count("\n") + 1 for title in titles if title), default=0)
    with style(names):
        figure = Chart(
            figsize=(1.3 * columns, (1.2 + 0.17 * lines) * rows),
            layout=ConstrainedLayoutEngine(h_pad=0.06),
        )
        for index, image in enumerate(images):
            axes = figure.add_subplot(rows, columns, index + 1)
            color = INK
            if labels is not None and predicted is not None:
                color = GREEN if predicted[index] == labels[index] else RED
            _draw_image(axes, image, LINE if color == INK else color)
            if titles:
                axes.set_title(
                    titles[index], color=color, fontsize=9, loc="center", pad=3, linespacing=1.25
                )
        if left_out:
            figure.supxlabel(
                f"and {left_out:,} more; n=... says how many are shown", fontsize=10, color=GREY
            )
    return figure


def _titles(
    labels: Sequence[int] | None,
    predicted: Sequence[int] | None,
    probabilities: NDArray[np.floating] | None,
    names: Sequence[str],
) -> list[str]:
    """Return "predicted (true)", over two lines where any of them is long, and the confidence below."""
    given = [[int(i) for i in column] for column in (predicted, labels) if column is not None]
    shown = [
        [shorten(names[i] if names else str(i), 20) for i in row]
        for row in zip(*given, strict=True)
    ]
    long = any(width(" ".join(row)) > 17 for row in shown)
    titles = [
        f"{row[0]}{chr(10) if long else ' '}({row[1]})" if len(row) == 2 else row[0]
        for row in shown
    ]
    if predicted is not None and probabilities is not None:
        sure = (
            percent(float(row[answer]))
            for row, answer in zip(probabilities, predicted, strict=True)
        )
        titles = [f"{title}\n{share}" for title, share in zip(titles, sure, strict=True)]
    return titles


def _draw_image(axes: Axes, image: ImageArray, frame: str = LINE) -> None:
    image = np.asarray(image)
    grey = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    enlarge = "nearest" if min(grey.shape[:2]) < SMALL else "antialiased"
    axes.imshow(grey, cmap="gray", vmin=0, vmax=255, interpolation=enlarge)
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set(visible=True, color=frame, linewidth=0.8 if frame == LINE else 1.8)


def show_confusion(matrix: NDArray[np.integer], class_names: Sequence[str]) -> Figure:
    """Show a confusion matrix, (num_classes, num_classes), rows the true class: counts and the share of the row.

    Right answers are blue, mistakes red, their colours growing with the share; those of mistakes faster, so that a
    rare one is seen. With many classes the numbers go first, then some of the labels.
    """
    matrix = np.asarray(matrix)
    count = len(matrix)
    names = [shorten(name, 20) for name in drawable(class_names)]
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    right = np.eye(count, dtype=bool)
    side = float(np.clip(0.62 * count, 2.6, 8.2))
    with style(names):
        figure = Chart(figsize=(side + 1.4, side + 1.0), layout="constrained")
        axes = figure.add_subplot()
        blues = colors.LinearSegmentedColormap.from_list("right", ["#F7F9FB", "#8CBFDF", BLUE])
        reds = colors.LinearSegmentedColormap.from_list("wrong", ["#FAFAFA", "#F3B295", RED])
        painted = np.where(right[..., None], blues(shares), reds(shares**0.4))
        axes.imshow(painted, interpolation="nearest")
        step = -(-count // LABELS_UP_TO)
        size = 9 if count <= NUMBERS_UP_TO else 7
        shown = range(0, count, step)
        upright = max(map(width, names)) * size < 137 * side / count
        axes.set_xticks(
            shown, [names[i] for i in shown], rotation=0 if upright else 90, fontsize=size
        )
        axes.set_yticks(shown, [names[i] for i in shown], fontsize=size)
        axes.tick_params(length=0, labelcolor=INK)
        axes.set_xlabel("predicted class")
        axes.set_ylabel("true class")
        axes.grid(False)
        axes.spines[:].set_visible(False)
        if count <= NUMBERS_UP_TO:
            axes.set_xticks(np.arange(count + 1) - 0.5, minor=True)
            axes.set_yticks(np.arange(count + 1) - 0.5, minor=True)
            axes.grid(True, which="minor", color="white", linewidth=1.5)
            axes.tick_params(which="minor", length=0)
            _write_cells(
                axes, matrix, shares, painted, size=float(np.clip(20 * side / count, 5.5, 13))
            )
    return figure


def _write_cells(
    axes: Axes,
    matrix: NDArray[np.integer],
    shares: NDArray[np.floating],
    painted: NDArray[np.floating],
    *,
    size: float,
) -> None:
    with_share = len(matrix) <= 14
    for row, column in np.argwhere(matrix):
        color = "white" if painted[row, column, :3].mean() < 0.6 else INK
        count, share = (
            f"{matrix[row, column]:,}",
            f"{100 * shares[row, column]:.1f}".removesuffix(".0") + " %",
        )
        lines = (
            ((count, size, 0.3), (share, 0.7 * size, -0.85)) if with_share else ((count, size, 0),)
        )
        for text, height, offset in lines:
            axes.annotate(text, (column, row), xytext=(0, offset * size), textcoords="offset points",
                          ha="center", va="center", color=color, fontsize=height)  # fmt: skip


def show_calibration(bins: Sequence[Bin]) -> Figure:
    """Show accuracy against confidence, with 95 % intervals, above the number of images of each confidence.

    On the dashed line a classifier is as often right as it is sure; below it, it is too sure of itself.
    """
    filled = [one for one in bins if one.accuracy.n]
    width = bins[0].high - bins[0].low
    middle = [(one.low + one.high) / 2 for one in filled]
    with style():
        figure = Chart(figsize=(5, 5.6), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        upper.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, linestyle=(0, (4, 3)))
        upper.text(0.08, 0.06, "as often right as sure", color=GREY, fontsize=9, rotation=45, rotation_mode="anchor",
                   va="top", transform_rotates_text=True)  # fmt: skip
        sure = [one.confidence for one in filled]
        values = [one.accuracy.value for one in filled]
        errors = [[s.value - s.low, s.high - s.value] for s in (one.accuracy for one in filled)]
        upper.errorbar(sure, values, np.maximum(np.transpose(errors), 0), color=BLUE, marker="o", markersize=6,
                       linestyle="none", elinewidth=1.3)  # fmt: skip
        upper.set(
            ylabel="accuracy",
            xlim=(0, 1.01),
            ylim=(0, 1.01),
            title="Is it right as often as it is sure?",
        )
        lower.bar(
            middle, [one.accuracy.n for one in filled], width=0.86 * width, color=BLUE, alpha=0.55
        )
        lower.set(xlabel="confidence", ylabel="images")
        lower.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        lower.grid(False, axis="x")
        upper.yaxis.set_major_formatter(PERCENT)
        lower.xaxis.set_major_formatter(PERCENT)
    return figure


def show_sheet(
    images: Sequence[ImageArray] | NDArray[np.uint8],
    labels: Sequence[int] | NDArray[np.integer],
    class_names: Sequence[str],
    *,
    counts: Sequence[int] | NDArray[np.integer] | None = None,
    per_class: int = 10,
    max_classes: int = 24,
) -> Figure:
    """Show examples of a data set: a row for each class with its name, its number of images and a few of them.

    Args:
        images: n images, uint8, of any sizes; the first `per_class` of each class are shown.
        labels: n classes.
        class_names: names of the classes.
        counts: images of each class in the whole set, where `images` are a choice of them.
        per_class: images in a row.
        max_classes: rows; a line says how many classes were left out.
    """
    labels = np.asarray(labels)
    names = drawable(class_names)
    totals = np.bincount(labels, minlength=len(names)) if counts is None else np.asarray(counts)
    shown = [shorten(name, 26) for name in names[:max_classes]]
    rows = len(shown)
    with style(names):
        label_width = max(1.1, 0.085 * max(width(name) for name in shown))
        layout = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
        figure = Chart(
            figsize=(label_width + 0.95 * per_class + 0.1, 0.95 * rows + 0.3), layout=layout
        )
        grid = figure.subplots(
            rows, per_class + 1, squeeze=False, width_ratios=[label_width] + [0.95] * per_class
        )
        for row in range(rows):
            for axes in grid[row]:
                axes.set_axis_off()
            grid[row, 0].text(1, 0.52, shown[row], ha="right", va="bottom", fontsize=11)
            text = f"{totals[row]:,} image{'s' if totals[row] != 1 else ''}"
            grid[row, 0].text(1, 0.46, text, ha="right", va="top", fontsize=8.5, color=GREY)
            for axes, index in zip(grid[row, 1:], np.flatnonzero(labels == row), strict=False):
                axes.set_axis_on()
                _draw_image(axes, images[int(index)])
        if rows < len(names):
            more = len(names) - rows
            figure.supxlabel(
                f"and {more} more class{'es' if more > 1 else ''}", fontsize=10, color=GREY
            )
    return figure
