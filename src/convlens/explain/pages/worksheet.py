"""Worksheet: an opened value as a sheet for students with blanks, and its answer sheet.

Both are pages of A4 in one PDF. Students compute with the numbers as they are printed, and so does
the answer sheet; the network's own value stands below.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages

from convlens.charts.fonts import drawable
from convlens.charts.style import GREY, INK, RED, Chart, shorten, style, width
from convlens.explain.microscope.exercise import Exercise, make_exercise
from convlens.explain.microscope.layer import Layer
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.microscope.opened_cell import OpenedCell
from convlens.explain.pages.canvas import (
    Point,
    Shown,
    draw_cells,
    draw_shown,
    open_canvas,
    write,
)
from convlens.explain.pages.map_figures import input_maps, own_map
from convlens.explain.pages.worksheet_steps import (
    Part,
    given_lines,
    work_steps,
    write_rounded,
)
from convlens.language import N_, _

# Inches, all of them.
WIDTH = 8.27  # of A4
HEIGHT = 11.69
EDGE = 0.75
HALF = 0.085  # half a Chinese character at 11.5 points
CHARACTER = 0.0074  # a digit at one point
GAP = 0.4  # between grids
MAP_SIDE = 1.75
MAP_GAP = 0.4  # between maps

WIDEST = 7  # columns of grids that stand beside each other
RULED_LINES = 3  # for the last question

SAID = N_("The network predicts {label} ({share} %).")
# The names of layers, by their class.
KINDS = {
    "Conv2D": N_("convolution"),
    "DepthwiseConv2D": N_("depthwise convolution"),
    "Dense": N_("dense layer"),
    "MaxPooling2D": N_("max pooling"),
    "AveragePooling2D": N_("average pooling"),
    "Softmax": N_("softmax"),
    "BatchNormalization": N_("batch normalisation"),
}
# The last question, by the kind of the exercise.
OF_A_WINDOW = N_("Which number of the window contributes most, and why?")
QUESTIONS = {
    "dense": N_("Which input contributes most, and why?"),
    "softmax": N_("How do the shares change if every z grows by 1? And if only the largest does?"),
    "normalised": N_("What would the value be if z were equal to the mean?"),
}


@dataclass
class Paper:
    """A page that is being written.

    Attributes:
        axes: The axes of a canvas of the size of A4.
        y: Where the next line goes, in inches from the top.
        answers: Whether the answers are printed.
        decimals: The number of decimals.
    """

    axes: Axes
    y: float
    answers: bool
    decimals: int

    def line(self, text: str, *, color: str = INK, size: float = 11) -> None:
        """Write a line."""
        write(self.axes, EDGE, self.y, text, fontsize=size, color=color)
        self.y += 0.3

    def note(self, text: str) -> None:
        """Write a small grey line."""
        self.line(text, color=GREY, size=9.5)

    def blank(self, before: str, value: float) -> None:
        """Write "before =" and a blank, with the value in red if answers are printed."""
        x = EDGE + width(f"{before} =") * HALF + 0.15
        write(self.axes, EDGE, self.y, f"{before} =", fontsize=11.5)
        self.axes.plot([x, x + 1.3], [self.y + 0.12] * 2, color=INK, linewidth=0.8)
        if self.answers:
            text = write_rounded(value, self.decimals)
            write(self.axes, x + 0.65, self.y, text, fontsize=11.5, color=RED, ha="center")
        self.y += 0.45

    def ruled_lines(self, count: int) -> None:
        """Draw lines to write on, as many of them as the page has room for."""
        for _line in range(count):
            if self.y < HEIGHT - EDGE - 0.3:
                ends = [EDGE, WIDTH - EDGE]
                self.axes.plot(ends, [self.y + 0.25] * 2, color="#BBBBBB", linewidth=0.7)
                self.y += 0.4

    def grids(self, *parts: Part) -> None:
        """Draw grids of one shape beside each other, or below each other if they are wide."""
        rows, columns = parts[0].values.shape
        below = columns > WIDEST or rows == 1
        across = 1 if below else len(parts)
        cell = min(0.52, (WIDTH - 2 * EDGE - GAP * (across - 1)) / (across * columns))
        longest = max(
            len(write_rounded(one, self.decimals)) for part in parts for one in part.values.flat
        )
        points = min(10.5, (cell - 0.06) / (longest * CHARACTER))
        x = EDGE
        for part in parts:
            title = part.title
            if part.sign and below:
                title = f"{part.sign} {part.title}"
            elif part.sign:
                middle = self.y + 0.1 + rows * cell / 2
                write(self.axes, x - 0.2, middle, part.sign, fontsize=14, ha="center")
            write(self.axes, x, self.y, title, fontsize=9, color=GREY)
            if part.heads:
                self.y += 0.2
            self._grid(part, (x, self.y + 0.14), cell, points)
            if below:
                self.y += rows * cell + GAP
            else:
                x += columns * cell + GAP
        self.y += 0.1 if below else rows * cell + 0.45

    def _grid(self, part: Part, corner: Point, cell: float, points: float) -> None:
        """Draw the numbers of a grid in squares with this side and this font size."""
        for column, head in enumerate(part.heads):
            x = corner[0] + (column + 0.5) * cell
            write(self.axes, x, corner[1] - 0.09, head, color=GREY, fontsize=8, ha="center")
        ink = INK if part.given else RED
        printed = part.given or self.answers
        squares = [
            [
                (write_rounded(value, self.decimals) if printed else "", ink, "white")
                for value in row
            ]
            for row in part.values.tolist()
        ]
        draw_cells(self.axes, squares, corner, (cell, cell), points, "#999999")


def write_worksheet(
    path: Path, microscope: Microscope, layer: Layer, cell: OpenedCell, name: str
) -> None:
    """Write a PDF of two pages: one with blanks, and one with answers.

    Args:
        path: The file to write.
        microscope: The microscope of a network and an image.
        layer: One of its layers.
        cell: A value of the layer, opened.
        name: The name of the image.

    Raises:
        ConfigError: If the value is no exercise; see `make_exercise`.
    """
    exercise = make_exercise(layer, cell)
    title = f"convlens: {layer.name}"
    with PdfPages(path, metadata={"Title": title, "CreationDate": None}) as pages:
        for answers in (False, True):
            pages.savefig(draw_worksheet(microscope, layer, cell, exercise, name, answers=answers))


def draw_worksheet(
    microscope: Microscope,
    layer: Layer,
    cell: OpenedCell,
    exercise: Exercise,
    name: str,
    *,
    answers: bool,
) -> Chart:
    """Return one page.

    Args:
        microscope: The microscope of a network and an image.
        layer: One of its layers.
        cell: A value of the layer, opened.
        exercise: The exercise that was made of it.
        name: The name of the image.
        answers: Whether the answers are printed.
    """
    name, label, *classes = drawable([name, microscope.prediction.label, *layer.class_names])
    with style([_(SAID), name, label, *classes, layer.name, exercise.source]):
        figure, axes = open_canvas(WIDTH, HEIGHT)
        paper = Paper(axes, EDGE + 0.5, answers, exercise.decimals)
        top = EDGE + 0.1
        write(
            axes,
            EDGE,
            top,
            _("Inside a network: answers") if answers else _("Inside a network"),
            fontsize=17,
        )
        if not answers:
            student = _("Name ____________________   Date ______________")
            write(axes, WIDTH - EDGE, top, student, fontsize=10.5, ha="right")
        _draw_maps(paper, Shown(shorten(name, 24), microscope.pixels), layer, cell)
        share = f"{microscope.prediction.probability * 100:.1f}"
        paper.line(_(SAID).format(label=label, share=share))
        _write_task(paper, layer, cell, classes)
        _write_steps(paper, exercise, classes)
        _write_end(paper, layer, exercise)
    return figure


def _draw_maps(paper: Paper, image: Shown, layer: Layer, cell: OpenedCell) -> None:
    """Draw the image, the map that the layer looks at, and its own map."""
    seen = [replace(one, title=_("what the layer sees")) for one in input_maps(layer, cell, 1)[:1]]
    own = [replace(one, title=_("its map, with the value marked")) for one in own_map(layer, cell)]
    draw_shown(paper.axes, [image, *seen, *own], (EDGE, paper.y + 0.15), MAP_SIDE, MAP_GAP)
    paper.y += MAP_SIDE + 0.5


def _write_task(paper: Paper, layer: Layer, cell: OpenedCell, classes: list[str]) -> None:
    """Say which value is meant, and how to round."""
    *place, unit = cell.index
    kind = _(KINDS[layer.kind]) if layer.kind in KINDS else layer.kind
    shape = " × ".join(map(str, layer.shape))
    paper.line(
        _("Layer {name}: {kind}, {shape} numbers.").format(name=layer.name, kind=kind, shape=shape)
    )
    if classes:
        task = _("Compute the value of class {label} (number {unit}, counted from 0).").format(
            label=classes[unit], unit=unit
        )
    elif len(place) == 2:
        task = _(
            "Compute the value of {which} in row {row}, column {column} (all counted from 0)."
        ).format(which=layer.which_one(unit), row=place[0], column=place[1])
    else:
        task = _("Compute the value of {which} (counted from 0).").format(
            which=layer.which_one(unit)
        )
    paper.line(task)
    paper.note(
        _(
            "All numbers are rounded to {decimals} decimals. Round every answer too; the answer "
            "sheet does the same."
        ).format(decimals=paper.decimals)
    )
    paper.y += 0.1


def _write_steps(paper: Paper, exercise: Exercise, classes: list[str]) -> None:
    for line in given_lines(exercise):
        paper.line(line)
    for number, step in enumerate(work_steps(exercise, classes), 1):
        paper.line(f"{number}.  {step.text}", size=11.5)
        if step.note:
            paper.note(step.note)
        if step.grids:
            paper.grids(*step.grids)
        if step.given:
            paper.line(step.given)
        for before, value in step.blanks:
            paper.blank(before, value)


def _write_end(paper: Paper, layer: Layer, exercise: Exercise) -> None:
    """Write the network's own value on the answer sheet, a question to think about on the other."""
    paper.y += 0.1
    if paper.answers:
        value = _("The network's own value, without rounding on the way: {value}")
        paper.line(value.format(value=f"{exercise.network:.6f}"))
        return
    kind = "dense" if layer.kind == "Dense" else exercise.kind
    paper.line(_(QUESTIONS.get(kind, OF_A_WINDOW)), size=11.5)
    paper.ruled_lines(RULED_LINES)
