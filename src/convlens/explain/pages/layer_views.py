"""Views of layers: activation, softmax, dense, dropout, batch normalisation, losses and the joining of maps."""

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
from convlens.explain.pages.page import Block, Curve, Grid, Lines, Page, Row, Table

DECIMALS = 6


def _columns(
    *columns: Sequence[object] | Numbers, decimals: int = DECIMALS
) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a table of columns of numbers, each to one number of decimals."""
    return tuple(zip(*(write_numbers(list(column), decimals) for column in columns), strict=True))


def _sum(terms: Sequence[object] | Numbers, result: str) -> str:
    """Return a sum as an equation of its printed terms."""
    return equation(write_sum([write_number(one, DECIMALS) for one in terms]), result)


def activation_page(done: Activation) -> Page:
    """Return a table of each number with its steps and its slope, and the curve with the numbers on it."""
    z = done.inputs.reshape(-1)
    steps = [step.reshape(-1) for step in done.steps.values()]
    table = Table(
        ("z", *done.steps, f"{done.name}(z)", "slope"),
        _columns(z, *steps, done.output.reshape(-1), done.slope.reshape(-1)),
    )
    reach = max(5.0, float(np.abs(z.astype(np.float64)).max()) * 1.1)
    across = np.linspace(-reach, reach, 401)
    curve = Curve(
        "", "z", f"{done.name}(z)", (across, activate(across, done.name).output),
        (z.astype(np.float64), done.output.reshape(-1).astype(np.float64)),
    )  # fmt: skip
    blocks: list[Block] = [table, curve]
    if done.inputs.ndim > 1:
        shape = (done.inputs.shape[0], -1)
        blocks.insert(
            0,
            Row(
                (
                    Grid(done.inputs.reshape(shape), "z"),
                    "→",
                    Grid(done.output.reshape(shape), done.name),
                )
            ),
        )
    facts = (("formula", f"{done.name}(z) = {ACTIVATIONS[done.name]}"),)
    return Page("Activation", facts, tuple(blocks))


def softmax_page(done: Softmax) -> Page:
    """Return a table of each number, its exponential and its share of the sum."""
    table = Table(
        ("z", "z - largest", "e^(z - largest)", "share"),
        _columns(done.logits, done.shifted, done.exponentials, done.output),
    )
    lines = Lines(
        (
            ("sum", _sum(done.exponentials, write_number(done.total, DECIMALS))),
            ("shares", _sum(done.output, "1")),
        )
    )
    return Page("Softmax", (("formula", "share = e^z / sum of all e^z"),), (table, lines))


def dense_page(done: Dense, activation: str | None = None) -> Page:
    """Return a table of every input x weight, and the sum of each unit."""
    units = range(done.weights.shape[1])
    names = tuple(name for unit in units for name in (f"weight {unit + 1}", f"product {unit + 1}"))
    columns = [
        column for unit in units for column in (done.weights[:, unit], done.products[:, unit])
    ]
    lines = []
    for unit in units:
        text = _sum(
            (*done.products[:, unit], done.bias[unit]), write_number(done.sums[unit], DECIMALS)
        )
        if activation is not None:
            text += f"   {activation}: {write_number(done.output[unit], DECIMALS)}"
        lines.append((f"unit {unit + 1}", text))
    facts = (
        (
            "formula",
            "sum of input × weight, and the bias" + (f", then {activation}" if activation else ""),
        ),
    )
    table = Table(("input", *names), _columns(done.inputs, *columns))
    return Page("Dense layer", facts, (table, Lines(tuple(lines), "products and bias")))


def dropout_page(done: Dropout) -> Page:
    """Return input × mask × scale = output."""
    shape = (1, -1) if done.inputs.ndim == 1 else (done.inputs.shape[0], -1)
    scale = write_number(done.scale)
    row = Row(
        (
            Grid(done.inputs.reshape(shape), "numbers"),
            "×",
            Grid(done.mask.reshape(shape), "mask"),
            f"× {scale} =",
            Grid(done.output.reshape(shape), "in training"),
        )
    )
    facts = (
        (
            "rate",
            f"{write_number(done.rate)}: {int((done.mask == 0).sum())} of {done.mask.size} dropped here",
        ),
        (
            "scale",
            equation(f"1 / (1 - {write_number(done.rate)})", scale)
            + ", so that the expected sum stays",
        ),
        ("predicting", "nothing is dropped and nothing scaled"),
    )
    return Page("Dropout", facts, (row,))


def batchnorm_page(done: BatchNormalization, *, training: bool) -> Page:
    """Return the statistics of each channel and what becomes of every number; inputs are (examples, channels)."""
    channels = range(done.inputs.shape[1])
    statistics = Table(
        ("channel", "mean", "variance", "deviation", *(("kept mean", "kept variance") if training else ())),
        _columns(
            list(channels), done.mean, done.variance, done.deviation,
            *((done.moving_mean, done.moving_variance) if training else ()),
        ),
        "of the batch" if training else "kept from training",
    )  # fmt: skip
    row = Row(
        (
            Grid(done.inputs, "numbers"),
            "- mean =",
            Grid(done.centred, "centred"),
            "/ deviation =",
            Grid(done.normalized, "normalised"),
            "× gamma + beta =",
            Grid(done.output, "answer"),
        )
    )
    facts = (
        ("formula", "gamma × (z - mean) / √(variance + epsilon) + beta"),
        ("rows", f"{len(done.inputs)} examples; each column is a channel"),
    )
    return Page(
        f"Batch normalisation, {'training' if training else 'inference'}", facts, (statistics, row)
    )


def loss_page(losses: Sequence[Loss]) -> Page:
    """Return for each loss the terms, their sum, their mean and the loss."""
    blocks: list[Block] = []
    for one in losses:
        blocks.append(
            Table(
                ("target", "predicted", "term"),
                _columns(
                    one.targets, one.predicted, one.terms, decimals=7 if one.clipped else DECIMALS
                ),
                f"{one.name}: {one.formula}",
            )
        )
        lines = [("sum", _sum(one.terms, write_number(one.total, 9)))]
        if one.reduction != "sum":
            count = len(one.terms)
            lines.append(
                (
                    "mean",
                    equation(f"{write_number(one.total, 9)} / {count}", write_number(one.mean, 9)),
                )
            )
        lines.append(("loss", f"{write_number(one.value, 9)}, the {one.reduction}"))
        if "crossentropy" in one.name:
            shares = "divided by their sum, then " if one.name.startswith("categorical") else ""
            lines.append(
                (
                    "predicted",
                    f"{shares}kept 0.0000001 away from 0 and 1, as Keras does: ln 0 is not finite",
                )
            )
        blocks.append(Lines(tuple(lines)))
    return Page("Loss" if len(losses) == 1 else "Losses", (), tuple(blocks))


def _beside(grids: Sequence[Grid]) -> Row:
    """Return grids with a gap between them, so that channels do not look like one wide map."""
    items: list[Grid | str] = [""] * (2 * len(grids) - 1)
    items[::2] = grids
    return Row(tuple(items))


def join_page(images: Sequence[Numbers], kind: str) -> Page:
    """Return maps (height, width, channels) added or concatenated. Raises ConfigError where their sizes differ."""
    if kind == "add":
        total = add(images)
        rows = []
        for channel in range(total.shape[2]):
            items: list[Grid | str] = []
            for number, one in enumerate(images):
                items += ["+"] * (number > 0) + [
                    Grid(one[..., channel], f"map {number + 1}, channel {channel}")
                ]
            rows.append(Row((*items, "=", Grid(total[..., channel], f"sum, channel {channel}"))))
        return Page("Addition", (("rule", "cell by cell; all maps have one shape"),), tuple(rows))
    joined = concatenate(images)
    found = [Grid(joined[..., channel], f"channel {channel}") for channel in range(joined.shape[2])]
    size = " + ".join(str(one.shape[2]) for one in images)
    facts = (
        (
            "rule",
            f"maps behind each other: {size} = {joined.shape[2]} channels of one height and width",
        ),
    )
    return Page("Concatenation", facts, (_beside(found),))


def flatten_page(image: Numbers) -> Page:
    """Return the maps of an image and all their numbers in one row."""
    maps = [Grid(image[..., channel], f"channel {channel}") for channel in range(image.shape[2])]
    flat = flatten(image)
    size = " × ".join(map(str, image.shape))
    facts = (
        ("order", "row by row, and of each cell channel by channel"),
        ("size", f"{size} = {len(flat)}"),
    )
    return Page("Flatten", facts, (_beside(maps), Row((Grid(flat[None], "flattened"),))))
