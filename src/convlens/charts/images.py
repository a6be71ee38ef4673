"""Figures of images: with their labels and predictions, and examples of each class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from convlens.charts.fonts import drawable
from convlens.charts.style import GREEN, GREY, INK, LINE, RED, new_chart, percent, shorten, width
from convlens.language import _, ngettext
from convlens.preprocess import ImageArray

FIRST = 100  # how many images are shown if nobody says how many
SMALL = 96  # an image with a shorter side is enlarged pixel by pixel


def show_images(  # noqa: PLR0913 - all but the images have defaults
    images: Sequence[ImageArray] | ImageArray,
    labels: Sequence[int] | None = None,
    *,
    predicted: Sequence[int] | None = None,
    probabilities: NDArray[np.floating] | None = None,
    class_names: Sequence[str] | None = None,
    n: int | None = None,
    columns: int = 8,
) -> Figure:
    """Show the first n images, each titled "predicted (true)" and, if known, its confidence.

    The titles of correct predictions are green, those of mistakes red.

    Args:
        images: uint8 images (height, width), (height, width, 1) or (height, width, 3).
        labels: The true classes. Without predictions they are the titles.
        predicted: The predicted classes. If None, the most probable classes.
        probabilities: (len(images), num_classes) predicted probabilities.
        class_names: The names of the classes. If None, their numbers are shown.
        n: How many images are shown. If None, all are shown, up to FIRST; a line at the bottom says
            how many were left out.
        columns: How many images stand in a row.

    Example:
        >>> rows = model.predict(x_test)  # doctest: +SKIP
        >>> show_images(x_test, y_test, probabilities=rows, n=10)  # doctest: +SKIP
    """
    left_out = max(len(images) - FIRST, 0) if n is None else 0
    images = images[: FIRST if n is None else n]
    if predicted is None and probabilities is not None:
        predicted = np.argmax(probabilities, axis=1).tolist()
    names = drawable([] if class_names is None else class_names)
    titles = _titles(len(images), labels, predicted, probabilities, names)
    columns = max(1, min(columns, len(images)))
    rows = max(1, -(-len(images) // columns))
    lines = max((title.count("\n") + 1 for title in titles), default=0)
    size = (1.3 * columns, (1.2 + 0.17 * lines) * rows)
    with new_chart(size, names, ConstrainedLayoutEngine(h_pad=0.06)) as figure:
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
            more = _("and {number:,} more; n=... sets how many are shown")
            figure.supxlabel(more.format(number=left_out), fontsize=10, color=GREY)
    return figure


def _titles(
    count: int,
    labels: Sequence[int] | None,
    predicted: Sequence[int] | None,
    probabilities: NDArray[np.floating] | None,
    names: Sequence[str],
) -> list[str]:
    """Return the titles of `count` images: "predicted (true)", and the confidence below.

    If any title is long, all take two lines for the classes. Without classes there are no titles.
    """
    given = [
        [shorten(names[int(i)] if names else str(int(i)), 20) for i in column[:count]]
        for column in (predicted, labels)
        if column is not None
    ]
    shown = list(zip(*given, strict=True))
    is_long = any(width(" ".join(row)) > 17 for row in shown)
    template = "{0}\n({1})" if is_long else "{0} ({1})"
    titles = [template.format(*row) if len(row) == 2 else row[0] for row in shown]
    if predicted is not None and probabilities is not None:
        shares = [percent(float(probabilities[i][predicted[i]])) for i in range(count)]
        titles = [f"{title}\n{share}" for title, share in zip(titles, shares, strict=True)]
    return titles


def _draw_image(axes: Axes, image: ImageArray, frame: str = LINE) -> None:
    enlarge = "nearest" if min(np.shape(image)[:2]) < SMALL else "antialiased"
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation=enlarge)
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set(visible=True, color=frame, linewidth=0.8 if frame == LINE else 1.8)


def show_sheet(
    images: Sequence[ImageArray] | ImageArray,
    labels: Sequence[int] | NDArray[np.integer],
    class_names: Sequence[str],
    *,
    counts: Sequence[int] | NDArray[np.integer] | None = None,
    per_class: int = 10,
    max_classes: int = 24,
) -> Figure:
    """Show examples of a data set, with a row for each class.

    A row holds the name of the class, its number of images, and a few of them.

    Args:
        images: n uint8 images of any sizes. The first `per_class` of each class are shown.
        labels: Their n classes.
        class_names: The names of the classes.
        counts: How many images each class has in the whole set, if `images` are a selection.
        per_class: How many images stand in a row.
        max_classes: How many rows there are at most. A line at the bottom says how many classes
            were left out.
    """
    labels = np.asarray(labels)
    names = drawable(class_names)
    totals = np.bincount(labels, minlength=len(names)) if counts is None else np.asarray(counts)
    shown = [shorten(name, 26) for name in names[:max_classes]]
    rows = len(shown)
    left_out = len(names) - rows
    name_width = max(1.1, 0.085 * max(map(width, shown)))
    widths = [name_width] + [0.95] * per_class
    layout = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    with new_chart((sum(widths) + 0.1, 0.95 * rows + 0.3), names, layout) as figure:
        grid = figure.subplots(rows, per_class + 1, squeeze=False, width_ratios=widths)
        for row, (title, *cells) in enumerate(grid):
            for axes in grid[row]:
                axes.set_axis_off()
            count = ngettext("{n:,} image", "{n:,} images", totals[row]).format(n=totals[row])
            title.text(1, 0.52, shown[row], ha="right", va="bottom", fontsize=11)
            title.text(1, 0.46, count, ha="right", va="top", fontsize=8.5, color=GREY)
            for axes, index in zip(cells, np.flatnonzero(labels == row), strict=False):
                axes.set_axis_on()
                _draw_image(axes, images[int(index)])
        if left_out:
            more = ngettext("and {n} more class", "and {n} more classes", left_out)
            figure.supxlabel(more.format(n=left_out), fontsize=10, color=GREY)
    return figure
