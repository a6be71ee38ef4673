"""Worksheet steps: what a student computes, one step after the other, for each kind of exercise."""

from dataclasses import dataclass

from convlens.charts.style import shorten
from convlens.explain.arithmetic.functions import FUNCTIONS
from convlens.explain.microscope.exercise import Exercise
from convlens.explain.microscope.layer import Floats
from convlens.language import _, ngettext


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


def work_steps(exercise: Exercise, classes: list[str]) -> list[WorkStep]:
    """Return the steps of an exercise.

    Args:
        exercise: The exercise.
        classes: The names of the classes, if the numbers of the layer stand for classes.
    """
    if exercise.kind == "softmax":
        return _share(exercise, classes)
    return STEPS[exercise.kind](exercise)


def write_rounded(value: float, decimals: int) -> str:
    """Return a number as it is printed on the sheet."""
    return f"{value + 0.0:.{decimals}f}"


def _title(exercise: Exercise) -> str:
    if exercise.channel is None:
        return exercise.source
    return _("{name}, channel {k}").format(name=exercise.source, k=exercise.channel)


def _multiply(exercise: Exercise) -> list[WorkStep]:
    """Multiply numbers with weights, add up, add the bias, and activate."""
    done = exercise.calculation
    weights = _("weights") if exercise.channel is None else _("weights (kernel)")
    grids = (
        Part(_title(exercise), done.numbers, given=True, heads=exercise.heads),
        Part(weights, done.weights, given=True, sign="×"),
        Part(_("products"), done.products, given=False, sign="="),
    )
    steps = [
        WorkStep(
            _("Multiply each number by the weight at its place."),
            _say_what_is_shown(exercise),
            grids,
        ),
        WorkStep(_("Add up all the products."), blanks=((_("sum"), done.total),)),
    ]
    terms: list[str] = [_("sum")]
    given = ""
    if exercise.left:
        rule = ngettext(
            "The {count} other channel adds up to {rest} (already computed).",
            "The {count} other channels add up to {rest} (already computed).",
            exercise.left,
        )
        if exercise.heads:
            rule = ngettext(
                "The {count} other product is {rest} (already computed).",
                "The {count} other products add up to {rest} (already computed).",
                exercise.left,
            )
        rest = write_rounded(done.rest, exercise.decimals)
        given = rule.format(count=f"{exercise.left:,}", rest=rest)
        terms.append(_("the others"))
    if done.bias is not None:
        bias = write_rounded(done.bias, exercise.decimals)
        terms.append(_("bias ({value})").format(value=bias))
    if len(terms) > 1:
        text = _("Add the two.") if done.bias is None else _("Add the bias.")
        steps.append(WorkStep(text, given=given, blanks=((" + ".join(terms), done.value),)))
    if exercise.activation:
        formula = FUNCTIONS.get(exercise.activation, (exercise.activation,))[0]
        text = _("Apply the activation {name}(z) = {formula}.").format(
            name=exercise.activation, formula=_(formula)
        )
        steps.append(WorkStep(text, blanks=((_("value"), exercise.value),)))
    return steps


def _say_what_is_shown(exercise: Exercise) -> str:
    """Return which of the numbers are shown, or "" if all are."""
    shown = len(exercise.heads)
    if not shown and not exercise.left:
        return ""
    rule = _("This is channel {channel}, the one of {count} whose products add or take most.")
    if exercise.channel is None:
        rule = _(
            "These are the {shown} of {count} inputs with the largest products; their numbers "
            "stand above them."
        )
    elif shown:
        rule = _(
            "These are the {shown} largest of {count} products, all in channel {channel}; above: "
            "row,column of the window."
        )
    # Channels are counted if the patch is shown as a whole, otherwise numbers.
    count = f"{exercise.left + (shown or 1):,}"
    return rule.format(shown=shown, channel=exercise.channel, count=count)


def _pool(exercise: Exercise) -> list[WorkStep]:
    """Take the largest number of a window, or its mean."""
    window = exercise.calculation
    text = _("Take the largest number of the window.")
    blanks: tuple[tuple[str, float], ...] = ((_("value"), exercise.value),)
    if exercise.kind == "mean":
        text = _("Take the mean of the window.")
        mean = _("sum / {count}").format(count=window.size)
        blanks = ((_("sum"), window.sum()), (mean, exercise.value))
    return [WorkStep(text, grids=(Part(_title(exercise), window, given=True),), blanks=blanks)]


def _share(exercise: Exercise, classes: list[str]) -> list[WorkStep]:
    """Take the softmax of logits."""
    done = exercise.calculation
    left = exercise.left
    names = [classes[one] if classes else str(one) for one in exercise.shown]
    note = ""
    given = ""
    if left:
        note = _(
            "These are {shown} of {count} classes: the largest, and the one asked for."
        ).format(shown=len(names), count=f"{left + len(names):,}")
        rest = write_rounded(done.rest, exercise.decimals)
        given = ngettext(
            "The {count} other class adds {rest} (already computed).",
            "The {count} other classes add {rest} (already computed).",
            left,
        ).format(count=f"{left:,}", rest=rest)
    heads = tuple(shorten(name, 8) for name in names)
    logits = Part(f"{exercise.source}: z", done.logits[None], given=True, heads=heads)
    shifted = Part(_("z - largest"), done.shifted[None], given=False)
    powers = Part(_("e^(z - largest)"), done.exponentials[None], given=False)
    share = _("The value is the share of class {label}: its e^(z - largest) / sum.")
    return [
        WorkStep(_("The logits are z. Subtract the largest z from each."), note, (logits, shifted)),
        WorkStep(_("Raise e to each of these."), grids=(powers,)),
        WorkStep(_("Add these up."), given=given, blanks=((_("sum"), done.total),)),
        WorkStep(share.format(label=names[exercise.own]), blanks=((_("value"), exercise.value),)),
    ]


def _normalise(exercise: Exercise) -> list[WorkStep]:
    """Normalise a number with the statistics kept from training."""
    done = exercise.calculation
    deviation = _("deviation")
    quotient = _("normalised = (z - mean) / deviation")
    return [
        WorkStep(
            _("Subtract the mean that was kept from training."),
            blanks=((_("z - mean"), done.centred),),
        ),
        WorkStep(
            _("Take the square root of variance + epsilon: the deviation."),
            blanks=((deviation, done.deviation),),
        ),
        WorkStep(_("Divide."), blanks=((quotient, done.normalized),)),
        WorkStep(_("Multiply by gamma and add beta."), blanks=((_("value"), exercise.value),)),
    ]


# The steps of each kind of exercise; those of a softmax name classes too.
STEPS = {"weighted": _multiply, "max": _pool, "mean": _pool, "normalised": _normalise}


def given_lines(exercise: Exercise) -> list[str]:
    """Return the numbers that a normalisation works with, in lines above its steps."""
    if exercise.kind != "normalised":
        return []
    done = exercise.calculation
    numbers = {
        "z": done.inputs,
        _("mean"): done.mean,
        _("variance"): done.variance,
        "epsilon": done.epsilon,
        "gamma": done.gamma,
        "beta": done.beta,
    }
    facts = [
        f"{name} = {write_rounded(float(value), exercise.decimals)}"
        for name, value in numbers.items()
    ]
    return [
        _("Batch normalisation: gamma × (z - mean) / √(variance + epsilon) + beta."),
        _("given:  {numbers},").format(numbers=",  ".join(facts[:3])),
        f"    {',  '.join(facts[3:])}",
    ]
