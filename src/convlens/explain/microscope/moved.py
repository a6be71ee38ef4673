"""Moved: layers that move numbers without computing with them."""

import numpy as np

from convlens.errors import ConfigError
from convlens.explain.microscope.microscope import Layer
from convlens.explain.microscope.value import (
    ONE_LOGIT,
    Floats,
    Index,
    OpenedCell,
    Step,
    floats,
    whole,
    window,
)

DROPPING = ("Dropout", "SpatialDropout2D")
NOISY = (*DROPPING, "AlphaDropout", "GaussianDropout", "GaussianNoise")  # at work in training only
LARGEST_INDEX = 2**24  # the last whole number to which float32 counts


def number_cells(layer: Layer) -> tuple[Floats, list[int]]:
    """Send numbered cells through a layer that only moves numbers: they tell where each came from.

    Returns:
        What comes out, 0 where a zero was added; and the number of the first cell of each input, the very first 1.

    Raises:
        ConfigError: too many cells to be counted in float32, or a layer that mixes its inputs.
    """
    sizes = [one.values.size for one in layer.inputs]
    if (
        sum(sizes) >= LARGEST_INDEX
        or getattr(layer.call.operation, "interpolation", "nearest") != "nearest"
    ):
        raise ConfigError(f"{layer.name}: a {layer.kind} of this size or kind cannot be opened.")
    firsts = [1 + sum(sizes[:number]) for number in range(len(sizes))]
    numbered = [
        np.arange(first, first + one.values.size, dtype=np.float32).reshape(one.values.shape)
        for first, one in zip(firsts, layer.inputs, strict=True)
    ]
    return layer.compute(numbered), firsts


def open_moved(layer: Layer, index: Index) -> OpenedCell:
    """A layer that only moves numbers."""
    if layer.kind == "ZerosLike":
        rule = "a zero for each number of its input" + (
            f": {ONE_LOGIT}" if layer.shape == (1,) else ""
        )
        return OpenedCell(
            layer.name, layer.kind, index, rule, (), (), (Step("zero", "always", 0.0),), 0.0
        )
    cells, firsts = number_cells(layer)
    number = int(cells[index])
    if number == 0:
        step = Step("border", "a zero that was added", 0.0)
        return OpenedCell(
            layer.name, layer.kind, index, "numbers moved, zeros added", (), (), (step,), 0.0
        )
    which = int(np.searchsorted(firsts, number, side="right")) - 1
    shape = layer.inputs[which].values.shape
    place = tuple(int(i) for i in np.unravel_index(number - firsts[which], shape))[1:]
    value = float(whole(layer, which)[place])
    spans = [(i, i + 1) for i in place]
    seen = window(layer, spans, floats(value).reshape((1,) * len(place)), which)
    passed = layer.kind in (*NOISY, "Identity", "ActivityRegularization")
    step = Step(
        "passed on" if passed else "moved", f"{seen.source} at {', '.join(map(str, place))}", value
    )
    return OpenedCell(
        layer.name, layer.kind, index, _moving_rule(layer), (seen,), (), (step,), abs(value)
    )


def _moving_rule(layer: Layer) -> str:
    """Return what such a layer does, in words."""
    if layer.kind in NOISY:
        share = (
            f"; in training it drops {100 * layer.call.operation.rate:g} %"
            if layer.kind in DROPPING
            else ""
        )
        return (
            f"it does nothing when the network answers: every number goes through as it is{share}"
        )
    if (
        layer.kind == "Concatenate"
        and layer.inputs[0].values.shape == (1, 1)
        and len(layer.class_names) == 2
    ):
        return f"inputs behind each other: {ONE_LOGIT}"
    return "numbers moved, none changed"
