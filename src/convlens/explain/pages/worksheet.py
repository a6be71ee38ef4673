"""Worksheet: an opened value as a sheet for students with blanks, and its answer sheet.

Both are pages of A4 in one PDF. Students compute with the numbers as they are printed, and so does
the answer sheet; the network's own value stands below.
"""

from dataclasses import replace
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages

from convlens.charts.fonts import drawable
from convlens.charts.style import Chart, shorten, style
from convlens.explain.microscope.exercise import Exercise, make_exercise
from convlens.explain.microscope.layer import Layer, OpenedCell
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.pages.canvas import Shown, draw_shown, open_canvas, write
from convlens.explain.pages.microscope_maps import input_maps, own_map
from convlens.explain.pages.worksheet_paper import EDGE, HEIGHT, WIDTH, Paper
from convlens.explain.pages.worksheet_steps import Words, given_lines, work_steps
from convlens.explain.pages.worksheet_words import WORDS

MAP_SIDE = 1.75  # inches
MAP_GAP = 0.4  # inches
RULED_LINES = 3  # for the last question


def write_worksheet(
    path: Path, microscope: Microscope, layer: Layer, cell: OpenedCell, name: str, language: str
) -> None:
    """Write a PDF of two pages: one with blanks, and one with answers.

    Args:
        path: The file to write.
        microscope: The microscope of a network and an image.
        layer: One of its layers.
        cell: A value of the layer, opened.
        name: The name of the image.
        language: "zh" or "en".

    Raises:
        ConfigError: If the value is no exercise; see `make_exercise`.
    """
    exercise = make_exercise(layer, cell)
    metadata = {"Title": f"convlens: {layer.name}", "CreationDate": None}
    with PdfPages(path, metadata=metadata) as pages:
        for answers in (False, True):
            pages.savefig(
                draw_worksheet(microscope, layer, cell, exercise, (name, language), answers=answers)
            )


def draw_worksheet(
    microscope: Microscope,
    layer: Layer,
    cell: OpenedCell,
    exercise: Exercise,
    named: tuple[str, str],
    *,
    answers: bool,
) -> Chart:
    """Return one page.

    Args:
        microscope: The microscope of a network and an image.
        layer: One of its layers.
        cell: A value of the layer, opened.
        exercise: The exercise that was made of it.
        named: The name of the image, and the language.
        answers: Whether the answers are printed.
    """
    words = WORDS[named[1]]
    name, label, *classes = drawable([named[0], microscope.prediction.label, *layer.class_names])
    with style([*words.values(), name, label, *classes, layer.name, exercise.source]):
        figure, axes = open_canvas(WIDTH, HEIGHT)
        paper = Paper(axes, EDGE + 0.5, answers, exercise.decimals)
        top = EDGE + 0.1
        write(axes, EDGE, top, words["answers" if answers else "title"], fontsize=17)
        if not answers:
            write(axes, WIDTH - EDGE, top, words["student"], fontsize=10.5, ha="right")
        _draw_maps(paper, words, Shown(shorten(name, 24), microscope.pixels), layer, cell)
        share = f"{microscope.prediction.probability * 100:.1f}"
        paper.line(words["said"].format(label=label, share=share))
        _write_task(paper, words, layer, cell, classes)
        _write_steps(paper, words, exercise, classes)
        _write_end(paper, words, layer, exercise)
    return figure


def _draw_maps(paper: Paper, words: Words, image: Shown, layer: Layer, cell: OpenedCell) -> None:
    """Draw the image, the map that the layer looks at, and its own map."""
    seen = [replace(one, title=words["seen"]) for one in input_maps(layer, cell, 1)[:1]]
    own = [replace(one, title=words["map"]) for one in own_map(layer, cell)]
    corner = (EDGE, paper.y + 0.15)
    draw_shown(paper.axes, [image, *seen, *own], corner, MAP_SIDE, MAP_GAP)
    paper.y += MAP_SIDE + 0.5


def _write_task(
    paper: Paper, words: Words, layer: Layer, cell: OpenedCell, classes: list[str]
) -> None:
    """Say which value is meant, and how to round."""
    unit = cell.index[-1]
    kind = words.get(layer.kind, layer.kind)
    shape = " × ".join(map(str, layer.shape))
    paper.line(words["layer"].format(name=layer.name, kind=kind, shape=shape))
    if classes:
        paper.line(words["class_unit"].format(label=classes[unit], unit=unit))
    elif len(cell.index) == 3:
        row, column, _ = cell.index
        paper.line(
            words["place"].format(noun=_noun(words, layer), unit=unit, row=row, column=column)
        )
    else:
        paper.line(words["unit"].format(noun=_noun(words, layer), unit=unit))
    paper.note(words["rounding"].format(decimals=paper.decimals))
    paper.y += 0.1


def _noun(words: Words, layer: Layer) -> str:
    return words.get(f"noun_{layer.noun}", words[layer.noun])


def _write_steps(paper: Paper, words: Words, exercise: Exercise, classes: list[str]) -> None:
    for line in given_lines(exercise, words):
        paper.line(line)
    for number, step in enumerate(work_steps(exercise, words, classes), 1):
        paper.line(f"{number}.  {step.text}", size=11.5)
        if step.note:
            paper.note(step.note)
        if step.grids:
            paper.grids(*step.grids)
        if step.given:
            paper.line(step.given)
        for before, value in step.blanks:
            paper.blank(before, value)


def _write_end(paper: Paper, words: Words, layer: Layer, exercise: Exercise) -> None:
    """Write the network's own value on the answer sheet, a question to think about on the other."""
    paper.y += 0.1
    if paper.answers:
        paper.line(words["network"].format(value=f"{exercise.network:.6f}"))
        return
    kind = "dense" if layer.kind == "Dense" else exercise.kind
    paper.line(words.get(f"think_{kind}", words["think"]), size=11.5)
    paper.ruled_lines(RULED_LINES)
