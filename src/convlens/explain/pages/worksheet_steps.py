"""Worksheet steps: what a student computes, one step after the other, for each kind of exercise."""

from dataclasses import dataclass

from convlens.charts.style import shorten
from convlens.explain.arithmetic.functions import FUNCTIONS
from convlens.explain.microscope.exercise import Exercise
from convlens.explain.microscope.layer import Floats

Words = dict[str, str]


@dataclass(frozen=True)
class Part:
    """A grid of a worksheet.

    Attributes:
        title: The title above it.
        values: The numbers (rows, columns).
        given: Whether the numbers are printed on the sheet with blanks too. If not, they are
            answers, which are printed in red.
        sign: The sign before the grid, as "×".
        heads: The texts above the columns.
    """

    title: str
    values: Floats
    given: bool
    sign: str = ""
    heads: tuple[str, ...] = ()


@dataclass(frozen=True)
class WorkStep:
    """A step of a worksheet.

    Attributes:
        text: What is to be done.
        note: A remark in small letters, or "".
        grids: The grids that are shown, or filled in.
        given: A result that the student does not compute, or "".
        blanks: What stands before each blank, and the value that belongs there.
    """

    text: str
    note: str = ""
    grids: tuple[Part, ...] = ()
    given: str = ""
    blanks: tuple[tuple[str, float], ...] = ()


def work_steps(exercise: Exercise, words: Words, classes: list[str]) -> list[WorkStep]:
    """Return the steps of an exercise.

    Args:
        exercise: The exercise.
        words: The words of the language.
        classes: The names of the classes, if the numbers of the layer stand for classes.
    """
    if exercise.kind == "softmax":
        return _share(exercise, words, classes)
    return STEPS[exercise.kind](exercise, words)


def write_rounded(value: float, decimals: int) -> str:
    """Return a number as it is printed on the sheet."""
    return f"{value + 0.0:.{decimals}f}"


def _title(exercise: Exercise, words: Words) -> str:
    if exercise.channel is None:
        return exercise.source
    return f"{exercise.source}, {words['channel'].format(channel=exercise.channel)}"


def _multiply(exercise: Exercise, words: Words) -> list[WorkStep]:
    """Multiply numbers with weights, add up, add the bias, and activate."""
    done = exercise.calculation
    left = exercise.left
    shown = len(exercise.heads)
    note = ""
    if left and exercise.channel is None:
        note = words["some_inputs"]
    elif shown:
        note = words["some_places"]
    elif left:
        note = words["one_channel"]
    # Channels are counted if the patch is shown as a whole, otherwise numbers.
    note = note.format(shown=shown, channel=exercise.channel, count=f"{left + (shown or 1):,}")
    weights = words["weights" if exercise.channel is None else "kernel"]
    grids = (
        Part(_title(exercise, words), done.numbers, given=True, heads=exercise.heads),
        Part(weights, done.weights, given=True, sign="×"),
        Part(words["products"], done.products, given=False, sign="="),
    )
    steps = [
        WorkStep(words["multiply"], note, grids),
        WorkStep(words["sum"], blanks=((words["total"], done.total),)),
    ]
    terms = [words["total"]]
    given = ""
    if left:
        given = words["other_numbers" if shown else "others"].format(
            count=f"{left:,}", rest=write_rounded(done.rest, exercise.decimals)
        )
        terms.append(words["rest"])
    if done.bias is not None:
        terms.append(f"{words['bias_word']} ({write_rounded(done.bias, exercise.decimals)})")
    if len(terms) > 1:
        text = words["add" if done.bias is None else "bias"]
        steps.append(WorkStep(text, given=given, blanks=((" + ".join(terms), done.value),)))
    if exercise.activation:
        formula = FUNCTIONS.get(exercise.activation, (exercise.activation,))[0]
        text = words["activate"].format(name=exercise.activation, formula=formula)
        steps.append(WorkStep(text, blanks=((words["value"], exercise.value),)))
    return steps


def _pool(exercise: Exercise, words: Words) -> list[WorkStep]:
    """Take the largest number of a window, or its mean."""
    window = exercise.calculation
    blanks: tuple[tuple[str, float], ...] = ((words["value"], exercise.value),)
    if exercise.kind == "mean":
        total = words["total"]
        blanks = ((total, window.sum()), (f"{total} / {window.size}", exercise.value))
    grid = Part(_title(exercise, words), window, given=True)
    return [WorkStep(words[exercise.kind], grids=(grid,), blanks=blanks)]


def _share(exercise: Exercise, words: Words, classes: list[str]) -> list[WorkStep]:
    """Take the softmax of logits."""
    done = exercise.calculation
    left = exercise.left
    names = [classes[one] if classes else str(one) for one in exercise.shown]
    note = ""
    given = ""
    if left:
        note = words["some_classes"].format(shown=len(names), count=f"{left + len(names):,}")
        rest = write_rounded(done.rest, exercise.decimals)
        given = words["other_powers"].format(count=f"{left:,}", rest=rest)
    heads = tuple(shorten(name, 8) for name in names)
    logits = Part(f"{exercise.source}: z", done.logits[None], given=True, heads=heads)
    shifted = Part("z - max", done.shifted[None], given=False)
    powers = Part("e^(z - max)", done.exponentials[None], given=False)
    return [
        WorkStep(words["shift"], note, (logits, shifted)),
        WorkStep(words["power"], grids=(powers,)),
        WorkStep(words["total_power"], given=given, blanks=((words["total"], done.total),)),
        WorkStep(
            words["share"].format(label=names[exercise.own]),
            blanks=((words["value"], exercise.value),),
        ),
    ]


def _normalise(exercise: Exercise, words: Words) -> list[WorkStep]:
    """Normalise a number with the statistics kept from training."""
    done = exercise.calculation
    deviation = words["deviation"]
    difference = f"z - {words['mean_word']}"
    quotient = f"{words['normalised']} = ({difference}) / {deviation}"
    return [
        WorkStep(words["centre"], blanks=((difference, done.centred),)),
        WorkStep(words["deviate"], blanks=((deviation, done.deviation),)),
        WorkStep(words["divide"], blanks=((quotient, done.normalized),)),
        WorkStep(words["scale"], blanks=((words["value"], exercise.value),)),
    ]


# The steps of each kind of exercise; those of a softmax name classes too.
STEPS = {"weighted": _multiply, "max": _pool, "mean": _pool, "normalised": _normalise}


def given_lines(exercise: Exercise, words: Words) -> list[str]:
    """Return the numbers that a normalisation works with, in lines above its steps."""
    if exercise.kind != "normalised":
        return []
    done = exercise.calculation
    numbers = {
        "z": done.inputs,
        words["mean_word"]: done.mean,
        words["variance"]: done.variance,
        "epsilon": done.epsilon,
        "gamma": done.gamma,
        "beta": done.beta,
    }
    facts = [
        f"{name} = {write_rounded(float(value), exercise.decimals)}"
        for name, value in numbers.items()
    ]
    return [
        words["batchnorm"],
        f"{words['given']}:  {',  '.join(facts[:3])},",
        f"    {',  '.join(facts[3:])}",
    ]
