"""Worksheet steps: what a student computes, one step after the other, for each kind of exercise."""

from dataclasses import dataclass

from convlens.charts.style import shorten
from convlens.explain.arithmetic.functions import FUNCTIONS
from convlens.explain.microscope.exercise import Exercise
from convlens.explain.pages.worksheet_paper import Part

Words = dict[str, str]


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
    if exercise.kind == "weighted":
        return _multiply(exercise, words)
    if exercise.kind == "softmax":
        return _share(exercise, words, classes)
    if exercise.kind == "normalised":
        return _normalise(exercise, words)
    return [_pool(exercise, words)]


def _number(exercise: Exercise, value: float) -> str:
    return f"{value + 0.0:.{exercise.decimals}f}"


def _title(exercise: Exercise, words: Words) -> str:
    if exercise.channel is None:
        return exercise.source
    return f"{exercise.source}, {words['channel'].format(channel=exercise.channel)}"


def _multiply(exercise: Exercise, words: Words) -> list[WorkStep]:
    """Multiply numbers with weights, add up, add the bias, and activate."""
    done = exercise.calculation
    left = exercise.left
    channel = exercise.channel
    shown = len(exercise.heads)
    note = ""
    if left and channel is None:
        note = words["some_inputs"]
    elif shown:
        note = words["some_places"]
    elif left:
        note = words["one_channel"]
    # Of a patch that is shown as a whole, the channels are counted, else the numbers.
    note = note.format(shown=shown, channel=channel, count=f"{left + (shown or 1):,}")
    weights = words["weights" if channel is None else "kernel"]
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
        rest = words["other_numbers" if shown else "others"]
        given = rest.format(count=f"{left:,}", rest=_number(exercise, done.rest))
        terms.append(words["rest"])
    if done.bias is not None:
        terms.append(f"{words['bias_word']} ({_number(exercise, done.bias)})")
    if len(terms) > 1:
        text = words["add" if done.bias is None else "bias"]
        steps.append(WorkStep(text, given=given, blanks=((" + ".join(terms), done.value),)))
    if exercise.activation:
        formula = FUNCTIONS.get(exercise.activation, (exercise.activation,))[0]
        text = words["activate"].format(name=exercise.activation, formula=formula)
        steps.append(WorkStep(text, blanks=((words["value"], exercise.value),)))
    return steps


def _pool(exercise: Exercise, words: Words) -> WorkStep:
    """Take the largest number of a window, or its mean."""
    window = exercise.calculation
    blanks = [(words["value"], exercise.value)]
    if exercise.kind == "mean":
        total = words["total"]
        blanks = [(total, window.sum()), (f"{total} / {window.size}", exercise.value)]
    grid = Part(_title(exercise, words), window, given=True)
    return WorkStep(words[exercise.kind], grids=(grid,), blanks=tuple(blanks))


def _share(exercise: Exercise, words: Words, classes: list[str]) -> list[WorkStep]:
    """Take the softmax of logits."""
    done = exercise.calculation
    left = exercise.left
    names = [classes[one] if classes else str(one) for one in exercise.shown]
    note = ""
    given = ""
    if left:
        note = words["some_classes"].format(shown=len(names), count=f"{left + len(names):,}")
        rest = _number(exercise, done.rest)
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


def given_lines(exercise: Exercise, words: Words) -> list[str]:
    """Return the numbers that a normalisation works with, in lines above its steps."""
    if exercise.kind != "normalised":
        return []
    done = exercise.calculation
    names = ("z", words["mean_word"], words["variance"], "epsilon", "gamma", "beta")
    values = (done.inputs, done.mean, done.variance, done.epsilon, done.gamma, done.beta)
    facts = [
        f"{name} = {_number(exercise, float(value))}"
        for name, value in zip(names, values, strict=True)
    ]
    return [
        words["batchnorm"],
        f"{words['given']}:  {',  '.join(facts[:3])},",
        f"    {',  '.join(facts[3:])}",
    ]
