"""Views of networks: lecture 003's network by hand, and the sizes and parameters of layers."""

import numpy as np

from convlens.explain.arithmetic.backprop import Chain, Step, Training
from convlens.explain.arithmetic.network import Array
from convlens.explain.arithmetic.stacks import LayerSize
from convlens.explain.arithmetic.writing import equation, write_sum
from convlens.explain.pages.page import Block, Curve, Lines, Page, Table
from convlens.language import _, ngettext

MOST_PRODUCTS = 3  # that are written out in a forward pass
MOST_TERMS = 4  # that are written out where dE/dout comes from


def network_page(step: Step, run: Training | None = None) -> Page:
    """Return the page of a network: its first step with every number, and the error over all steps.

    Args:
        step: The first step.
        run: All steps, if more than one was taken.
    """
    chains = step.chains()
    blocks: list[Block] = [
        _forward_table(step, chains),
        _error_table(step),
        _chain_table(chains),
        _chain_lines(step, chains),
        _update_table(step, chains),
    ]
    facts = [
        (_("inputs"), _numbers(step.example.inputs)),
        (_("targets"), _numbers(step.example.targets)),
        (_("learning rate"), f"{step.learning_rate:g}"),
    ]
    if run is not None:
        line = (np.arange(run.steps + 1), run.errors)
        title = _("the error, step by step")
        blocks.append(Curve(title, _("steps"), _("error E"), line, log=True, bound=run.until))
        outputs = _("{outputs} after the last step").format(outputs=_numbers(run.outputs))
        facts += [(_("steps"), _steps(run)), (_("outputs"), outputs)]
    units = [len(step.example.inputs), *(layer.weights.shape[1] for layer in step.before)]
    title = _("A {sizes} network of sigmoids by hand").format(sizes="-".join(map(str, units)))
    return Page(title, tuple(facts), tuple(blocks))


def _steps(run: Training) -> str:
    if run.until is None:
        rule = _("{steps:,}, error {error:.3g}")
    elif run.reached:
        rule = ngettext(
            "the error is below {until:g} after {steps:,} step",
            "the error is below {until:g} after {steps:,} steps",
            run.steps,
        )
    else:
        rule = ngettext(
            "after {steps:,} step the error, {error:.3g}, is not yet below {until:g}",
            "after {steps:,} steps the error, {error:.3g}, is not yet below {until:g}",
            run.steps,
        )
    return rule.format(steps=run.steps, error=run.errors[-1], until=run.until)


def _numbers(values: Array) -> str:
    return "  ".join(f"{value:.9g}" for value in values)


def _neuron(step: Step, layer: int, unit: int) -> str:
    """Return the name of a neuron: o1 of the last layer, h1 of the only hidden one, else h2.1."""
    if layer == len(step.before) - 1:
        return f"o{unit + 1}"
    return f"h{unit + 1}" if len(step.before) == 2 else f"h{layer + 1}.{unit + 1}"


def _forward_table(step: Step, chains: tuple[Chain, ...]) -> Table:
    rows = []
    for index, (layer, forward) in enumerate(zip(step.before, step.forward, strict=True)):
        bias = np.broadcast_to(layer.bias, forward.sums.shape)
        for unit, total in enumerate(forward.sums):
            parts = [
                f"{chain.sum_by_weight:.9g} × {chain.before:.9g}"
                for chain in chains
                if (chain.layer, chain.unit) == (index, unit)
            ]
            text = " + ".join([*parts, f"{bias[unit]:.9g}"])
            if len(parts) > MOST_PRODUCTS:
                text = _("{count} products and bias").format(count=len(parts))
            output = f"{forward.outputs[unit]:.9f}"
            rows.append((_neuron(step, index, unit), text, f"{total:.9f}", output))
    return Table(
        (_("neuron"), _("input × weight + bias"), _("sum"), "sigmoid"),
        tuple(rows),
        _("forward pass"),
    )


def _error_table(step: Step) -> Table:
    pairs = zip(step.example.targets, step.forward[-1].outputs, step.terms, strict=True)
    rows = [
        (f"o{number}", f"½ ({target:.9g} - {output:.9f})²", f"{term:.9f}")
        for number, (target, output, term) in enumerate(pairs, 1)
    ]
    rows.append((_("total"), "", f"{step.error:.9f}"))
    return Table((_("output"), _("half the square"), _("error E")), tuple(rows), _("the error E"))


def _chain_table(chains: tuple[Chain, ...]) -> Table:
    rows = tuple(
        (
            chain.name,
            f"{chain.error_by_output:.9f}",
            f"{chain.output_by_sum:.9f}",
            f"{chain.sum_by_weight:.9f}",
            f"{chain.gradient:.9f}",
        )
        for chain in chains
    )
    title = _("the chain rule: dE/dw = dE/dout × dout/dsum × dsum/dw")
    return Table((_("weight"), "dE/dout", "dout/dsum", "dsum/dw", "dE/dw"), rows, title)


def _chain_lines(step: Step, chains: tuple[Chain, ...]) -> Lines:
    """Return where dE/dout of each neuron comes from."""
    last = len(step.before) - 1
    lines = []
    for index in reversed(range(last + 1)):
        for unit, total in enumerate(step.backward[index].error_by_output):
            if index == last:
                error = f"{step.forward[-1].outputs[unit]:.9f} - {step.example.targets[unit]:.9g}"
                text = equation(error, f"{total:.9f}")
            else:
                weights = [one for one in chains if (one.layer, one.source) == (index + 1, unit)]
                text = _sent_back(step.backward[index + 1].delta, weights, f"{total:.9f}")
            lines.append((f"dE/d{_neuron(step, index, unit)}", text))
    title = _("where dE/dout comes from: the output's error, or what the next layer sends back")
    return Lines(tuple(lines), title)


def _sent_back(delta: Array, weights: list[Chain], total: str) -> str:
    """Return the sum of what the next layer sends back, with the names of the weights."""
    parts = [f"{delta[one.unit]:.9f} × {one.before:.9g}" for one in weights]
    sign = "≈" if "≈" in equation(" + ".join(parts), total) else "="
    named = [f"{part} ({one.name})" for part, one in zip(parts, weights, strict=True)]
    if len(named) > MOST_TERMS:
        named[MOST_TERMS:] = ["..."]
    return f"{write_sum(named)} {sign} {total}"


def _update_table(step: Step, chains: tuple[Chain, ...]) -> Table:
    rate = f"{step.learning_rate:g}"
    rows = [
        (one.name, f"{one.before:.9f}", f"{rate} × {one.gradient:.9f}", f"{one.after:.9f}")
        for one in chains
    ]
    biases = [
        numbers
        for layer, back, after in zip(step.before, step.backward, step.after, strict=True)
        for numbers in zip(*map(np.atleast_1d, (layer.bias, back.bias, after.bias)), strict=True)
    ]
    moved = any(before != after for before, _slope, after in biases)
    change = f"{rate} × {{slope:.9f}}" if moved else _("dE/db = {slope:.9f}, left as it is")
    for number, (before, slope, after) in enumerate(biases, 1):
        rows.append((f"b{number}", f"{before:.9f}", change.format(slope=slope), f"{after:.9f}"))
    title = _("the update, all at once from the old weights: after = before - rate × dE/dw")
    return Table((_("weight"), _("before"), _("rate × dE/dw"), _("after")), tuple(rows), title)


def sizes_page(stacks: list[tuple[str, tuple[LayerSize, ...]]], image: str) -> Page:
    """Return the page of the shape, receptive field and parameters of each layer, by formula.

    Args:
        stacks: The name and the layers of each stack; several are compared at the end.
        image: What the layers are given, in words.
    """
    everything = _("all")
    whole = _("total")
    blocks: list[Block] = []
    heads = (_("layer"), _("shape"), _("its side"), _("pixels it sees"))
    counts = []
    totals = []
    for name, rows in stacks:
        learned = [row for row in rows if row.params.value]
        total = sum(row.params.value for row in learned)
        shapes = tuple(
            (
                row.layer,
                " x ".join(map(str, row.shape)),
                row.size,
                row.field_formula or str(row.field or everything),
            )
            for row in rows
        )
        params = [(row.layer, row.params.formula, f"{row.params.value:,}") for row in learned]
        blocks += [
            Table(heads, shapes, name, words=(everything,)),
            Table((_("layer"), _("parameters"), _("count")), (*params, (whole, "", f"{total:,}"))),
        ]
        parts = " + ".join(f"{row.params.value:,}" for row in learned)
        counts.append((name, parts if parts == f"{total:,}" else f"{parts} = {total:,}"))
        totals.append(total)
    if len(stacks) > 1:
        first, second = totals
        if first:
            counts.append((_("share"), f"{second:,} / {first:,} = {100 * second / first:.4g} %"))
        blocks.append(Lines(tuple(counts), _("compared")))
    return Page(_("Sizes and parameters"), ((_("image"), image),), tuple(blocks))
