"""Worksheet: an opened cell as a sheet for students with blanks, and its answer sheet, two pages of A4 to print.

Students reckon with two or three decimals, and so does the answer sheet; the network's own value stands below.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from convlens.evaluation.fonts import drawable
from convlens.evaluation.style import GREY, INK, RED, Chart, shorten, style, width
from convlens.explain.exercise import Exercise, make_exercise
from convlens.explain.map_figures import draw_map, draw_picture
from convlens.explain.microscope import Layer, Microscope
from convlens.explain.microscope_views import strongest
from convlens.explain.opened import Floats, OpenedCell
from convlens.explain.pointwise import ACTIVATIONS
from convlens.explain.worksheet_words import WORDS

__all__ = ["draw_worksheet", "write_worksheet"]

WIDTH, HEIGHT, EDGE = 8.27, 11.69, 0.75  # inches: A4
HALF = 0.085  # inches of half a Chinese character at 11.5 points
CHARACTER = 0.0074  # inches of a digit at one point
Words = dict[str, str]


def write_worksheet(
    path: Path, microscope: Microscope, layer: Layer, cell: OpenedCell, name: str, language: str
) -> None:
    """Write a PDF of two pages: with blanks, and with answers.

    Args:
        path: of the PDF.
        microscope: what was computed.
        layer: of the cell.
        cell: that is opened.
        name: of the picture.
        language: "zh" or "en".

    Raises:
        ConfigError: see `make_exercise`.
    """
    exercise = make_exercise(layer, cell)
    with PdfPages(path, metadata={"Title": f"convlens: {layer.name}", "CreationDate": None}) as pages:
        for answers in (False, True):
            pages.savefig(draw_worksheet(microscope, layer, cell, exercise, (name, language), answers=answers))


def draw_worksheet(
    microscope: Microscope, layer: Layer, cell: OpenedCell, exercise: Exercise, named: tuple[str, str], *,
    answers: bool,
) -> Figure:  # fmt: skip
    """Return one page; `named` is the picture's name and the language."""
    words = WORDS[named[1]]
    name, label, *_ = drawable([named[0], microscope.prediction.label])
    with style([*words.values(), name, label, layer.name, exercise.title[0]]):
        figure = Chart(figsize=(WIDTH, HEIGHT), facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
        axes.axis("off")
        paper = _Paper(axes, words, EDGE, answers, exercise.decimals)
        title = words["answers"] if answers else words["title"]
        axes.text(EDGE, EDGE + 0.1, title, fontsize=17, va="center")
        if not answers:
            axes.text(WIDTH - EDGE, EDGE + 0.1, words["student"], fontsize=10.5, va="center", ha="right")
        paper.y = EDGE + 0.5
        _head(paper, microscope, layer, cell, (name, label))
        if exercise.kind == "weighted":
            _multiply(paper, exercise)
        else:
            _pool(paper, exercise)
        _end(paper, exercise)
    return figure


@dataclass
class _Paper:
    """A page being written from top to bottom; `y` is where the next line goes."""

    axes: Axes
    words: Words
    y: float
    answers: bool
    decimals: int

    def line(self, text: str, *, color: str = INK, size: float = 11, x: float = EDGE) -> None:
        """Write a line."""
        self.axes.text(x, self.y, text, fontsize=size, color=color, va="center")
        self.y += 0.3

    def write(self, value: float) -> str:
        """Return a number."""
        return f"{value + 0.0:.{self.decimals}f}"

    def blank(self, before: str, answer: str, after: str = "") -> None:
        """Write a line with a blank, or with its answer."""
        self.axes.text(EDGE, self.y, before, fontsize=11.5, va="center")
        x = EDGE + width(before) * HALF + 0.15
        self.axes.plot([x, x + 1.3], [self.y + 0.12] * 2, color=INK, linewidth=0.8)
        if self.answers:
            self.axes.text(x + 0.65, self.y, answer, fontsize=11.5, color=RED, va="center", ha="center")
        self.axes.text(x + 1.4, self.y, after, fontsize=11.5, va="center")
        self.y += 0.45


def _head(paper: _Paper, microscope: Microscope, layer: Layer, cell: OpenedCell, named: tuple[str, str]) -> None:
    """Draw the picture, what the layer looked at and its map, and say which value is meant."""
    words, side = paper.words, 1.75
    maps: list[tuple[str, Callable[[tuple[float, float]], None]]] = [
        (shorten(named[0], 24), lambda corner: draw_picture(paper.axes, microscope.pixels, corner, side)),
    ]
    source, window = layer.inputs[0], cell.windows[0]
    if source.values.ndim == 4:
        channel = (
            window.spans[2][0] if not cell.products else cell.products[0].channels[strongest(cell.products[0], 1)[0]]
        )
        values = source.values[0, ..., channel]
        spans = (window.spans[0], window.spans[1])
        maps.append((words["seen"], lambda corner: draw_map(paper.axes, values, corner, side, None, spans)))
    if layer.output.ndim == 3:
        row, column, unit = cell.index
        own, at = layer.output[..., unit], ((row, row + 1), (column, column + 1))
        maps.append((words["map"], lambda corner: draw_map(paper.axes, own, corner, side, None, at)))
    for number, (title, draw) in enumerate(maps):
        x = EDGE + number * (side + 0.4)
        paper.axes.text(x, paper.y, title, fontsize=9, color=GREY, va="center")
        draw((x, paper.y + 0.15))
    paper.y += side + 0.5
    paper.line(words["said"].format(label=named[1], share=f"{microscope.prediction.probability * 100:.1f}"))
    kind = words.get(layer.kind, layer.kind)
    shape = " × ".join(map(str, layer.shape))
    paper.line(words["layer"].format(name=layer.name, kind=kind, shape=shape))
    place = words["place" if len(cell.index) == 3 else "unit"]
    numbers = dict(zip(("row", "column"), cell.index[:-1], strict=False))
    paper.line(place.format(filter=cell.index[-1], **numbers))
    paper.line(words["rounding"].format(decimals=paper.decimals), color=GREY, size=9.5)
    paper.y += 0.1


def _multiply(paper: _Paper, exercise: Exercise) -> None:
    assert exercise.weights is not None
    words = paper.words
    source, channel = exercise.title
    title = f"{source}, {words['channel'].format(channel=channel)}" if channel is not None else source
    paper.line(f"1.  {words['multiply']}", size=11.5)
    parts = ((title, exercise.numbers, True), (words["kernel"], exercise.weights, True),
             (words["products"], exercise.products, paper.answers))  # fmt: skip
    _grids(paper, parts)
    count, rest = exercise.others
    paper.line(f"2.  {words['sum']}", size=11.5)
    paper.blank(f"{words['total']} =", paper.write(exercise.total))
    step = 3
    if count:
        key = "others" if channel is not None else "other_numbers"
        paper.line(words[key].format(count=f"{count:,}", rest=paper.write(rest)))
    if exercise.bias is not None or count:
        paper.line(f"{step}.  {words['bias' if exercise.bias is not None else 'add']}", size=11.5)
        terms = [words["total"], *([words["rest"]] if count else [])]
        terms += [f"{words['bias_word']} ({paper.write(exercise.bias)})"] if exercise.bias is not None else []
        paper.blank(" + ".join(terms) + " =", paper.write(exercise.before))
        step += 1
    if exercise.activation:
        formula = ACTIVATIONS.get(exercise.activation, (exercise.activation,))[0]
        paper.line(f"{step}.  {words['activate'].format(name=exercise.activation, formula=formula)}", size=11.5)
        paper.blank(f"{words['value']} =", paper.write(exercise.value))


def _pool(paper: _Paper, exercise: Exercise) -> None:
    words = paper.words
    source, channel = exercise.title
    title = f"{source}, {words['channel'].format(channel=channel)}"
    paper.line(f"1.  {words[exercise.kind]}", size=11.5)
    _grids(paper, ((title, exercise.numbers, True),))
    if exercise.kind == "mean":
        paper.blank(f"{words['total']} =", paper.write(exercise.total))
        paper.blank(f"{words['total']} / {exercise.numbers.size} =", paper.write(exercise.value))
    else:
        paper.blank(f"{words['value']} =", paper.write(exercise.value))


def _grids(paper: _Paper, parts: tuple[tuple[str, Floats, bool], ...]) -> None:
    """Draw grids beside each other with × and = between, or below each other where they are wide."""
    rows, columns = parts[0][1].shape
    below = columns > 7
    across = 1 if below else len(parts)
    cell = min(0.52, (WIDTH - 2 * EDGE - 0.4 * (across - 1)) / (across * columns))
    longest = max(len(paper.write(one)) for _, values, _ in parts for one in values.flat)
    size = min(10.5, (cell - 0.06) / (longest * CHARACTER))
    x = EDGE
    for number, (title, values, filled) in enumerate(parts):
        sign = ("", "×", "=")[number]
        if below:
            title = f"{sign} {title}" if sign else title
        elif sign:
            paper.axes.text(x - 0.2, paper.y + 0.1 + rows * cell / 2, sign, fontsize=14, ha="center", va="center")
        paper.axes.text(x, paper.y, title, fontsize=9, color=GREY, va="center")
        color = RED if number == 2 else INK
        texts = [[paper.write(one) if filled else "" for one in row] for row in values.tolist()]
        _grid(paper.axes, texts, (x, paper.y + 0.14), (cell, size), color)
        if below:
            paper.y += rows * cell + 0.4
        else:
            x += columns * cell + 0.4
    paper.y += 0.1 if below else rows * cell + 0.45


def _grid(
    axes: Axes, texts: list[list[str]], corner: tuple[float, float], sizes: tuple[float, float], color: str
) -> None:
    """Draw texts in squares; `sizes` are those of a square in inches and of the text in points."""
    cell, size = sizes
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            x, y = corner[0] + column * cell, corner[1] + row * cell
            axes.add_patch(Rectangle((x, y), cell, cell, fill=False, edgecolor="#999999", linewidth=0.7))
            axes.text(x + cell / 2, y + cell / 2, text, color=color, fontsize=size, ha="center", va="center_baseline")


def _end(paper: _Paper, exercise: Exercise) -> None:
    words = paper.words
    paper.y += 0.1
    if paper.answers:
        paper.line(words["network"].format(value=f"{exercise.network:.6f}"))
    else:
        paper.line(words["think"], size=11.5)
        for _ in range(3):
            if paper.y < HEIGHT - EDGE - 0.3:
                paper.y += 0.15
                paper.axes.plot([EDGE, WIDTH - EDGE], [paper.y + 0.1] * 2, color="#BBBBBB", linewidth=0.7)
                paper.y += 0.25
