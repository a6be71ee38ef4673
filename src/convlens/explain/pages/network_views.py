"""Views of networks: the hand-computed network forwards, backwards and on, and sizes and parameters of layers."""

import numpy as np

from convlens.explain.arithmetic.backprop import Chain, Step, Training
from convlens.explain.arithmetic.network import Array
from convlens.explain.arithmetic.stacks import LayerSize
from convlens.explain.arithmetic.writing import equation
from convlens.explain.pages.page import Block, Curve, Lines, Page, Table


def network_page(step: Step, run: Training | None = None) -> Page:
    """Return the first step with every number, and the error over all steps where more were taken."""
    sizes = [len(step.example.inputs), *(layer.weights.shape[1] for layer in step.before)]
    chains = step.chains()
    blocks: list[Block] = [
        _forward_table(step, chains),
        _error_table(step),
        _chain_table(chains),
        *_chain_lines(step, chains),
        _update_table(step, chains),
    ]
    facts = [
        ("inputs", _numbers(step.example.inputs)),
        ("targets", _numbers(step.example.targets)),
        ("rate", f"{step.learning_rate:g}"),
    ]
    if run is not None:
        blocks.append(
            Curve("the error, step by step", "steps", "error", (np.arange(run.steps + 1), run.errors), log=True,
                  bound=run.until)
        )  # fmt: skip
        facts.append(("steps", _steps(run)))
        facts.append(("answers", f"{_numbers(run.outputs)} after the last step"))
    return Page(
        f"A {'-'.join(map(str, sizes))} network of sigmoids by hand", tuple(facts), tuple(blocks)
    )


def _steps(run: Training) -> str:
    if run.until is None:
        return f"{run.steps:,}, error {run.errors[-1]:.3g}"
    if run.reached:
        return f"the error is below {run.until:g} after {run.steps:,} steps"
    return (
        f"after {run.steps:,} steps the error, {run.errors[-1]:.3g}, is not yet below {run.until:g}"
    )


def _numbers(values: Array) -> str:
    return "  ".join(f"{value:.9g}" for value in values)


def _neuron(step: Step, layer: int, unit: int) -> str:
    if layer == len(step.before) - 1:
        return f"o{unit + 1}"
    return f"h{unit + 1}" if len(step.before) == 2 else f"h{layer + 1}.{unit + 1}"


def _forward_table(step: Step, chains: tuple[Chain, ...]) -> Table:
    rows = []
    for index, (layer, forward) in enumerate(zip(step.before, step.forward, strict=True)):
        bias = np.broadcast_to(layer.bias, forward.sums.shape)
        for unit, total in enumerate(forward.sums):
            parts = [
                f"{c.sum_by_weight:.9g} × {c.before:.9g}"
                for c in chains
                if c.layer == index and c.unit == unit
            ]
            text = (
                " + ".join([*parts, f"{bias[unit]:.9g}"])
                if len(parts) <= 3
                else f"{len(parts)} products and bias"
            )
            rows.append(
                (_neuron(step, index, unit), text, f"{total:.9f}", f"{forward.outputs[unit]:.9f}")
            )
    return Table(("neuron", "input × weight + bias", "sum", "sigmoid"), tuple(rows), "forwards")


def _error_table(step: Step) -> Table:
    outputs = step.forward[-1].outputs
    rows = [
        (f"o{i + 1}", f"½ ({step.example.targets[i]:.9g} - {outputs[i]:.9f})²", f"{term:.9f}")
        for i, term in enumerate(step.terms)
    ]
    return Table(
        ("output", "half the square", "error"),
        (*rows, ("all", "", f"{step.error:.9f}")),
        "the error E",
    )


def _chain_table(chains: tuple[Chain, ...]) -> Table:
    rows = tuple(
        (
            c.name,
            f"{c.error_by_output:.9f}",
            f"{c.output_by_sum:.9f}",
            f"{c.sum_by_weight:.9f}",
            f"{c.gradient:.9f}",
        )
        for c in chains
    )
    title = "the chain rule: dE/dw = dE/dout × dout/dsum × dsum/dw"
    return Table(("weight", "dE/dout", "dout/dsum", "dsum/dw", "dE/dw"), rows, title)


def _chain_lines(step: Step, chains: tuple[Chain, ...]) -> tuple[Lines, ...]:
    """Return where dE/dout comes from, a line a neuron: output - target, or what the next layer sends back."""
    lines = []
    for index in reversed(range(len(step.before))):
        for unit, total in enumerate(step.backward[index].error_by_output):
            if index == len(step.before) - 1:
                target = step.example.targets[unit]
                text = equation(
                    f"{step.forward[-1].outputs[unit]:.9f} - {target:.9g}", f"{total:.9f}"
                )
            else:
                weights = [c for c in chains if c.layer == index + 1 and c.source == unit]
                delta = step.backward[index + 1].delta
                parts = [f"{delta[c.unit]:.9f} × {c.before:.9g}" for c in weights]
                sign = "≈" if "≈" in equation(" + ".join(parts), f"{total:.9f}") else "="
                named = [f"{part} ({c.name})" for part, c in zip(parts, weights, strict=True)]
                text = f"{' + '.join(named[:4])}{' + ...' * (len(parts) > 4)} {sign} {total:.9f}"
            lines.append((f"dE/d{_neuron(step, index, unit)}", text.replace("+ -", "- ")))
    return (
        Lines(
            tuple(lines),
            "where dE/dout comes from: the output's error, or what the next layer sends back",
        ),
    )


def _update_table(step: Step, chains: tuple[Chain, ...]) -> Table:
    rows = [
        (c.name, f"{c.before:.9f}", f"{step.learning_rate:g} × {c.gradient:.9f}", f"{c.after:.9f}")
        for c in chains
    ]
    number = 0
    for layer, back, after in zip(step.before, step.backward, step.after, strict=True):
        before, gradient, new = (np.atleast_1d(one) for one in (layer.bias, back.bias, after.bias))
        moved = not np.array_equal(before, new)
        for old, slope, now in zip(before, gradient, new, strict=True):
            number += 1
            change = (
                f"{step.learning_rate:g} × {slope:.9f}"
                if moved
                else f"dE/db = {slope:.9f}, left as it is"
            )
            rows.append((f"b{number}", f"{old:.9f}", change, f"{now:.9f}"))
    title = "the update, all at once from the old weights: after = before - rate × dE/dw"
    return Table(("weight", "before", "rate × dE/dw", "after"), tuple(rows), title)


def sizes_page(stacks: list[tuple[str, tuple[LayerSize, ...]]], image: str) -> Page:
    """Return for each stack the shape, receptive field and parameters of each layer with their formulas, and the sum.

    Args:
        stacks: (name, layers) each; two are compared below.
        image: what they are given, in words.
    """
    blocks: list[Block] = []
    sums = []
    for name, rows in stacks:
        total = sum(row.params.value for row in rows)
        sums.append((name, total))
        shapes = tuple(
            (
                row.layer,
                " x ".join(map(str, row.shape)),
                row.size,
                row.field_formula or str(row.field or "all"),
            )
            for row in rows
        )
        params = [
            (row.layer, row.params.formula, f"{row.params.value:,}")
            for row in rows
            if row.params.value
        ]
        blocks.append(Table(("layer", "shape", "its side", "pixels it sees"), shapes, name))
        blocks.append(Table(("layer", "parameters", "count"), (*params, ("all", "", f"{total:,}"))))
    if len(sums) > 1:
        counts = []
        for (name, total), (_, rows) in zip(sums, stacks, strict=True):
            part = " + ".join(f"{row.params.value:,}" for row in rows if row.params.value)
            counts.append((name, part if part == f"{total:,}" else f"{part} = {total:,}"))
        (_, first), (_, second) = sums
        if first:
            counts.append(("share", f"{second:,} / {first:,} = {100 * second / first:.4g} %"))
        blocks.append(Lines(tuple(counts), "compared"))
    return Page("Sizes and parameters", (("image", image),), tuple(blocks))
