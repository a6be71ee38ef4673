"""Worksheet: an opened cell as a sheet for students with blanks, and its answer sheet, two pages of A4 to print.

Students reckon with the numbers as they are printed, and so does the answer sheet; the network's own value
stands below.
"""

from collections.abc import Callable
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages

from convlens.charts.fonts import drawable
from convlens.charts.style import GREY, Chart, shorten, style
from convlens.explain.arithmetic.activation import FUNCTIONS
from convlens.explain.microscope.exercise import Exercise, make_exercise
from convlens.explain.microscope.layer import Layer
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.microscope.value import OpenedCell
from convlens.explain.pages.map_figures import draw_image, draw_map
from convlens.explain.pages.worksheet_paper import EDGE, HEIGHT, WIDTH, Paper, Part
from convlens.explain.pages.worksheet_words import WORDS


def write_worksheet(
    path: Path, microscope: Microscope, layer: Layer, cell: OpenedCell, name: str, language: str
) -> None:
    """Write a PDF of two pages: with blanks, and with answers.

    Args:
        path: of the PDF.
        microscope: what was computed.
        layer: of the cell.
        cell: that is opened.
        name: of the image.
        language: "zh" or "en".

    Raises:
        ConfigError: see `make_exercise`.
    """
    exercise = make_exercise(layer, cell)
    with PdfPages(
        path, metadata={"Title": f"convlens: {layer.name}", "CreationDate": None}
    ) as pages:
        for answers in (False, True):
            pages.savefig(
                draw_worksheet(microscope, layer, cell, exercise, (name, language), answers=answers)
            )


def draw_worksheet(
    microscope: Microscope, layer: Layer, cell: OpenedCell, exercise: Exercise, named: tuple[str, str], *,
    answers: bool,
) -> Chart:  # fmt: skip
    """Return one page; `named` is the image's name and the language."""
    words = WORDS[named[1]]
    name, label, *classes = drawable([named[0], microscope.prediction.label, *layer.class_names])
    with style([*words.values(), name, label, *classes, layer.name, exercise.source]):
        figure = Chart(figsize=(WIDTH, HEIGHT), facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
        axes.axis("off")
        paper = Paper(axes, words, EDGE, answers, exercise.decimals)
        title = words["answers"] if answers else words["title"]
        axes.text(EDGE, EDGE + 0.1, title, fontsize=17, va="center")
        if not answers:
            axes.text(
                WIDTH - EDGE, EDGE + 0.1, words["student"], fontsize=10.5, va="center", ha="right"
            )
        paper.y = EDGE + 0.5
        _maps(paper, microscope, layer, cell, name)
        _task(paper, microscope, layer, cell, (label, classes))
        if exercise.kind == "weighted":
            _multiply(paper, exercise)
        elif exercise.kind == "softmax":
            _share(paper, exercise, classes)
        elif exercise.kind == "normalised":
            _normalise(paper, exercise)
        else:
            _pool(paper, exercise)
        _end(paper, layer, exercise)
    return figure


def _maps(paper: Paper, microscope: Microscope, layer: Layer, cell: OpenedCell, name: str) -> None:
    """Draw the image, what the layer looked at and its map."""
    words, side = paper.words, 1.75
    maps: list[tuple[str, Callable[[tuple[float, float]], None]]] = [
        (
            shorten(name, 24),
            lambda corner: draw_image(paper.axes, microscope.pixels, corner, side),
        ),
    ]
    source, window = layer.inputs[0], cell.windows[0]
    if source.values.ndim == 4:
        channel = (
            window.spans[2][0]
            if not cell.products
            else cell.products[0].channels[cell.products[0].strongest(1)[0]]
        )
        values = source.values[0, ..., channel]
        spans = (window.spans[0], window.spans[1])
        maps.append(
            (words["seen"], lambda corner: draw_map(paper.axes, values, corner, side, None, spans))
        )
    if layer.output.ndim == 3:
        row, column, unit = cell.index
        own, at = layer.output[..., unit], ((row, row + 1), (column, column + 1))
        maps.append(
            (words["map"], lambda corner: draw_map(paper.axes, own, corner, side, None, at))
        )
    for number, (title, draw) in enumerate(maps):
        x = EDGE + number * (side + 0.4)
        paper.axes.text(x, paper.y, title, fontsize=9, color=GREY, va="center")
        draw((x, paper.y + 0.15))
    paper.y += side + 0.5


def _task(
    paper: Paper,
    microscope: Microscope,
    layer: Layer,
    cell: OpenedCell,
    labels: tuple[str, list[str]],
) -> None:
    """Say what the network answers, which value is meant, and how to round; `labels`: the answer and all classes."""
    words, unit = paper.words, cell.index[-1]
    paper.line(
        words["said"].format(
            label=labels[0], share=f"{microscope.prediction.probability * 100:.1f}"
        )
    )
    shape = " × ".join(map(str, layer.shape))
    paper.line(
        words["layer"].format(name=layer.name, kind=words.get(layer.kind, layer.kind), shape=shape)
    )
    if labels[1]:
        paper.line(words["class_unit"].format(label=labels[1][unit], unit=unit))
    else:
        noun = words[f"noun_{layer.noun}" if layer.noun in ("channel", "unit") else layer.noun]
        place = words["place" if len(cell.index) == 3 else "unit"]
        paper.line(
            place.format(
                noun=noun, unit=unit, **dict(zip(("row", "column"), cell.index[:-1], strict=False))
            )
        )
    paper.note(words["rounding"].format(decimals=paper.decimals))
    paper.y += 0.1


def _multiply(paper: Paper, exercise: Exercise) -> None:
    words = paper.words
    done = exercise.calculation
    channel = exercise.channel
    title = exercise.source
    if channel is not None:
        title = f"{exercise.source}, {words['channel'].format(channel=channel)}"
    paper.step(words["multiply"])
    left = exercise.left
    shown = len(exercise.heads)
    if left and channel is None:
        paper.note(words["some_inputs"].format(shown=shown, count=f"{left + shown:,}"))
    elif shown:
        paper.note(
            words["some_places"].format(shown=shown, count=f"{left + shown:,}", channel=channel)
        )
    elif left:
        paper.note(words["one_channel"].format(channel=channel, count=left + 1))
    weights = words["weights" if channel is None else "kernel"]
    paper.grids(
        Part(title, done.numbers, given=True, heads=exercise.heads),
        Part(weights, done.weights, given=True, sign="×"),
        Part(words["products"], done.products, given=False, sign="=", answer=True),
    )
    paper.step(words["sum"])
    paper.blank(f"{words['total']} =", done.total)
    if left:
        key = "other_numbers" if shown else "others"
        paper.line(words[key].format(count=f"{left:,}", rest=paper.write(done.rest)))
    terms = [words["total"]]
    if left:
        terms.append(words["rest"])
    if done.bias is not None:
        terms.append(f"{words['bias_word']} ({paper.write(done.bias)})")
    if len(terms) > 1:
        paper.step(words["add" if done.bias is None else "bias"])
        paper.blank(" + ".join(terms) + " =", done.value)
    if exercise.activation:
        formula = FUNCTIONS.get(exercise.activation, (exercise.activation,))[0]
        paper.step(words["activate"].format(name=exercise.activation, formula=formula))
        paper.blank(f"{words['value']} =", exercise.value)


def _pool(paper: Paper, exercise: Exercise) -> None:
    words = paper.words
    window = exercise.calculation
    title = f"{exercise.source}, {words['channel'].format(channel=exercise.channel)}"
    paper.step(words[exercise.kind])
    paper.grids(Part(title, window, given=True))
    if exercise.kind == "mean":
        paper.blank(f"{words['total']} =", window.sum())
        paper.blank(f"{words['total']} / {window.size} =", exercise.value)
    else:
        paper.blank(f"{words['value']} =", exercise.value)


def _share(paper: Paper, exercise: Exercise, classes: list[str]) -> None:
    words = paper.words
    done = exercise.calculation
    left = exercise.left
    heads = tuple(shorten(classes[one] if classes else str(one), 8) for one in exercise.shown)
    paper.step(words["shift"])
    if left:
        shown = len(exercise.shown)
        paper.note(words["some_classes"].format(shown=shown, count=f"{left + shown:,}"))
    paper.grids(
        Part(f"{exercise.source}: z", done.logits[None], given=True, heads=heads),
        Part("z - max", done.shifted[None], given=False, answer=True),
    )
    paper.step(words["power"])
    paper.grids(Part("e^(z - max)", done.exponentials[None], given=False, answer=True))
    paper.step(words["total_power"])
    if left:
        paper.line(words["other_powers"].format(count=f"{left:,}", rest=paper.write(done.rest)))
    paper.blank(f"{words['total']} =", done.total)
    own = exercise.shown[exercise.own]
    paper.step(words["share"].format(label=classes[own] if classes else own))
    paper.blank(f"{words['value']} =", exercise.value)


def _normalise(paper: Paper, exercise: Exercise) -> None:
    words = paper.words
    done = exercise.calculation
    numbers = (done.inputs, done.mean, done.variance, done.epsilon, done.gamma, done.beta)
    z, mean, variance, epsilon, gamma, beta = map(paper.write, numbers)
    paper.line(words["batchnorm"])
    given = f"z = {z},  {words['mean_word']} = {mean},  "
    paper.line(f"{words['given']}:  {given}{words['variance']} = {variance},")
    paper.line(f"epsilon = {epsilon},  gamma = {gamma},  beta = {beta}", x=EDGE + 0.3)
    paper.y += 0.1
    paper.step(words["centre"])
    paper.blank(f"z - {words['mean_word']} =", done.centred)
    paper.step(words["deviate"])
    paper.blank(f"{words['deviation']} =", done.deviation)
    paper.step(words["divide"])
    formula = f"(z - {words['mean_word']}) / {words['deviation']}"
    paper.blank(f"{words['normalised']} = {formula} =", done.normalized)
    paper.step(words["scale"])
    paper.blank(f"{words['value']} =", exercise.value)


def _end(paper: Paper, layer: Layer, exercise: Exercise) -> None:
    words = paper.words
    paper.y += 0.1
    if paper.answers:
        paper.line(words["network"].format(value=f"{exercise.network:.6f}"))
        return
    kind = "dense" if layer.kind == "Dense" else exercise.kind
    paper.line(words.get(f"think_{kind}", words["think"]), size=11.5)
    for _ in range(3):
        if paper.y < HEIGHT - EDGE - 0.3:
            paper.y += 0.15
            paper.axes.plot(
                [EDGE, WIDTH - EDGE], [paper.y + 0.1] * 2, color="#BBBBBB", linewidth=0.7
            )
            paper.y += 0.25
