"""Views of layers: pages of activations, dense layers, dropout, normalisation, losses and joins."""

from collections.abc import Sequence

import numpy as np

from convlens.explain.arithmetic import (
    ACTIVATIONS,
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Loss,
    Softmax,
    activate,
    add,
    concatenate,
    flatten,
)
from convlens.explain.arithmetic.exact import Numbers
from convlens.explain.arithmetic.writing import equation, write_number, write_numbers, write_sum
from convlens.explain.pages.page import (
    Block,
    Curve,
    Grid,
    Lines,
    Page,
    Row,
    Table,
    intersperse,
)
from convlens.language import N_, _

DECIMALS = 6
CLIPPED_DECIMALS = 7  # show that a probability was kept 1e-7 from 0 or 1
LOSS_DECIMALS = 9
REACH = 5.0  # the curve of an activation goes at least from -5 to 5

CLIPPED = N_("kept 0.0000001 away from 0 and 1, as Keras does: ln 0 is not finite")
SCALED = N_(
    "divided by their sum, then kept 0.0000001 away from 0 and 1, as Keras does: ln 0 is not finite"
)
# What the loss is, by what becomes of the terms.
REDUCED = {
    "sum": N_("{value}, the sum"),
    "mean": N_("{value}, the mean"),
    "root of the mean": N_("{value}, the root of the mean"),  # not translated: a name in code
}


def _columns(
    *columns: Sequence[object] | Numbers, decimals: int = DECIMALS
) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a table from columns of numbers, each with its own decimals."""
    return tuple(zip(*(write_numbers(list(column), decimals) for column in columns), strict=True))


def _sum(terms: Sequence[object] | Numbers, result: str) -> str:
    """Return a sum of terms as an equation."""
    return equation(write_sum([write_number(one, DECIMALS) for one in terms]), result)


def _rows(values: Numbers) -> Numbers:
    """Return numbers as (rows, columns)."""
    return values.reshape(1 if values.ndim == 1 else values.shape[0], -1)


def activation_page(done: Activation) -> Page:
    """Return the page of an activation: each number with its steps and slope, and the curve."""
    columns = [one.reshape(-1) for one in (done.inputs, *done.steps.values(), done.output)]
    result = f"{done.name}(z)"
    points = (columns[0].astype(np.float64), columns[-1].astype(np.float64))
    reach = max(REACH, float(np.abs(points[0]).max()) * 1.1)
    across = np.linspace(-reach, reach, 401)
    line = (across, activate(across, done.name).output)
    blocks: list[Block] = [
        Table(("z", *done.steps, result, _("slope")), _columns(*columns, done.slope.reshape(-1))),
        Curve("", "z", result, line, points),
    ]
    if done.inputs.ndim > 1:
        grids = (Grid(_rows(done.inputs), "z"), "→", Grid(_rows(done.output), done.name))
        blocks.insert(0, Row(grids))
    facts = ((_("formula"), f"{result} = {ACTIVATIONS[done.name]}"),)
    return Page(_("Activation"), facts, tuple(blocks))


def softmax_page(done: Softmax) -> Page:
    """Return the page of a softmax: each number, its exponential and its share of the sum."""
    table = Table(
        ("z", _("z - largest"), _("e^(z - largest)"), _("share")),
        _columns(done.logits, done.shifted, done.exponentials, done.output),
    )
    lines = Lines(
        (
            (_("sum"), _sum(done.exponentials, write_number(done.total, DECIMALS))),
            (_("shares"), _sum(done.output, "1")),
        )
    )
    return Page("Softmax", ((_("formula"), _("share = e^z / sum of all e^z")),), (table, lines))


def dense_page(done: Dense, activation: str | None = None) -> Page:
    """Return the page of a dense layer: each input × weight, and the sum of each unit.

    Args:
        done: The dense layer.
        activation: The name of its activation, or None.
    """
    names: list[str] = [_("input")]
    columns = [done.inputs]
    lines = []
    for unit in range(done.weights.shape[1]):
        names += [_("weight {k}").format(k=unit + 1), _("product {k}").format(k=unit + 1)]
        columns += [done.weights[:, unit], done.products[:, unit]]
        text = _sum(
            (*done.products[:, unit], done.bias[unit]), write_number(done.sums[unit], DECIMALS)
        )
        if activation is not None:
            text += f"   {activation}: {write_number(done.output[unit], DECIMALS)}"
        lines.append((_("unit {k}").format(k=unit + 1), text))
    formula = _("sum of input × weight, and the bias")
    if activation is not None:
        formula = _("sum of input × weight, and the bias, then {activation}")
    return Page(
        _("Dense layer"),
        ((_("formula"), formula.format(activation=activation)),),
        (Table(tuple(names), _columns(*columns)), Lines(tuple(lines), _("products and bias"))),
    )


def dropout_page(done: Dropout) -> Page:
    """Return the page of dropout in training: inputs × mask × scale."""
    scale = write_number(done.scale)
    rate = write_number(done.rate)
    row = Row(
        (
            Grid(_rows(done.inputs), _("numbers")),
            "×",
            Grid(_rows(done.mask), _("mask")),
            f"× {scale} =",
            Grid(_rows(done.output), _("during training")),
        )
    )
    dropped = _("{rate}: {count} of {all} dropped here").format(
        rate=rate, count=int((done.mask == 0).sum()), all=done.mask.size
    )
    kept = _("{formula}, so that the expected sum stays")
    facts = (
        (_("dropout rate"), dropped),
        (_("scale"), kept.format(formula=equation(f"1 / (1 - {rate})", scale))),
        (_("predicting"), _("nothing is dropped and nothing scaled")),
    )
    return Page(_("Dropout"), facts, (row,))


def batchnorm_page(done: BatchNormalization, *, training: bool) -> Page:
    """Return the page of a batch normalisation of (examples, channels).

    Args:
        done: The batch normalisation.
        training: Whether the statistics are those of the batch, which move the kept ones.
    """
    names: list[str] = [_("channel"), _("mean"), _("variance"), _("deviation")]
    columns = [range(done.inputs.shape[1]), done.mean, done.variance, done.deviation]
    title = _("kept from training")
    if training:
        names += [_("kept mean"), _("kept variance")]
        columns += [done.moving_mean, done.moving_variance]
        title = _("of the batch")
    row = Row(
        (
            Grid(done.inputs, _("numbers")),
            _("- mean ="),
            Grid(done.centred, _("centred")),
            _("/ deviation ="),
            Grid(done.normalized, _("normalised")),
            "× gamma + beta =",
            Grid(done.output, _("result")),
        )
    )
    facts = (
        (_("formula"), _("gamma × (z - mean) / √(variance + epsilon) + beta")),
        (_("rows"), _("{count} examples; each column is a channel").format(count=len(done.inputs))),
    )
    page = _("Batch normalisation, training") if training else _("Batch normalisation, inference")
    return Page(page, facts, (Table(tuple(names), _columns(*columns), title), row))


def loss_page(losses: Sequence[Loss]) -> Page:
    """Return the page of losses: the terms of each, their sum, their mean and the loss."""
    blocks: list[Block] = []
    for one in losses:
        decimals = CLIPPED_DECIMALS if one.clipped else DECIMALS
        rows = _columns(one.targets, one.predicted, one.terms, decimals=decimals)
        total, mean, value = (
            write_number(number, LOSS_DECIMALS) for number in (one.total, one.mean, one.value)
        )
        lines = [(_("sum"), _sum(one.terms, total))]
        if one.reduction != "sum":
            lines.append((_("mean"), equation(f"{total} / {len(one.terms)}", mean)))
        lines.append((_("loss"), _(REDUCED[one.reduction]).format(value=value)))
        if one.name.startswith("categorical"):
            lines.append((_("predicted value"), _(SCALED)))
        elif "crossentropy" in one.name:
            lines.append((_("predicted value"), _(CLIPPED)))
        blocks += [
            Table(
                (_("target value"), _("predicted value"), _("term")),
                rows,
                f"{one.name}: {one.formula}",
            ),
            Lines(tuple(lines)),
        ]
    return Page(_("Loss") if len(losses) == 1 else _("Losses"), (), tuple(blocks))


def _beside(maps: Numbers) -> Row:
    """Return channels beside each other, with gaps so that they do not look like one map."""
    grids = [
        Grid(maps[..., channel], _("channel {k}").format(k=channel))
        for channel in range(maps.shape[2])
    ]
    return Row(tuple(intersperse("", grids)))


def join_page(images: Sequence[Numbers], kind: str) -> Page:
    """Return the page of maps (height, width, channels) that are added or concatenated.

    Args:
        images: The maps.
        kind: "add" or "concatenate".

    Raises:
        ConfigError: If their sizes differ.
    """
    if kind == "concatenate":
        joined = concatenate(images)
        rule = _(
            "maps behind each other: {size} = {count} channels of one height and width"
        ).format(size=" + ".join(str(one.shape[2]) for one in images), count=joined.shape[2])
        return Page(_("Concatenation"), ((_("rule"), rule),), (_beside(joined),))
    total = add(images)
    rows = []
    for channel in range(total.shape[2]):
        grids = [
            Grid(one[..., channel], _("map {number}, channel {k}").format(number=number, k=channel))
            for number, one in enumerate(images, 1)
        ]
        result = Grid(total[..., channel], _("sum, channel {k}").format(k=channel))
        rows.append(Row((*intersperse("+", grids), "=", result)))
    return Page(
        _("Addition"), ((_("rule"), _("cell by cell; all maps have one shape")),), tuple(rows)
    )


def flatten_page(image: Numbers) -> Page:
    """Return the page of the maps of an image and all their numbers in one row."""
    flat = flatten(image)
    facts = (
        (_("order"), _("row by row, and of each cell channel by channel")),
        (_("size"), f"{' × '.join(map(str, image.shape))} = {len(flat)}"),
    )
    return Page(_("Flatten"), facts, (_beside(image), Row((Grid(flat[None], _("flattened")),))))
