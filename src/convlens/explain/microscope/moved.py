"""Moved: values of layers that move numbers without changing them."""

import numpy as np

from convlens.errors import ConfigError
from convlens.explain.arithmetic.writing import Step
from convlens.explain.microscope.layer import Layer
from convlens.explain.microscope.value import (
    ONE_LOGIT,
    Floats,
    Index,
    OpenedCell,
    single,
    window_of,
)

DROPPING = ("Dropout", "SpatialDropout2D")
# Layers that change numbers in training only.
NOISY = (*DROPPING, "AlphaDropout", "GaussianDropout", "GaussianNoise")
# The last whole number to which float32 counts.
LARGEST_INDEX = 2**24


def number_cells(layer: Layer) -> tuple[Floats, list[int]]:
    """Send numbered cells through a layer that only moves numbers, to tell where each came from.

    Returns:
        The output of the layer, which is 0 where a zero was added; and the number of the first cell
        of each input, of which the very first is 1.

    Raises:
        ConfigError: If the cells are too many to be counted in float32, or if the layer mixes its
            inputs.
    """
    sizes = [one.values.size for one in layer.inputs]
    mixing = getattr(layer.call.operation, "interpolation", "nearest") != "nearest"
    if sum(sizes) >= LARGEST_INDEX or mixing:
        raise ConfigError(
            "{layer}: a {kind} of this size or kind cannot be opened.".format(
                layer=layer.name, kind=layer.kind
            )
        )
    firsts = [1 + sum(sizes[:number]) for number in range(len(sizes))]
    numbered = [
        np.arange(first, first + one.values.size, dtype=np.float32).reshape(one.values.shape)
        for first, one in zip(firsts, layer.inputs, strict=True)
    ]
    return layer.compute(numbered), firsts


def open_moved(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a layer that only moves numbers, or adds zeros."""
    if layer.kind == "ZerosLike":
        rule = "a zero for each number of its input"
        if layer.shape == (1,):
            rule = "{rule}: {one_logit}".format(rule=rule, one_logit=ONE_LOGIT)
        return OpenedCell(rule, [Step("zero", "always", 0.0)], 0.0)
    cells, firsts = number_cells(layer)
    number = int(cells[index])
    if number == 0:
        step = Step("border", "a zero that was added", 0.0)
        return OpenedCell("numbers moved, zeros added", [step], 0.0)
    which = int(np.searchsorted(firsts, number, side="right")) - 1
    shape = layer.inputs[which].values.shape
    place = np.unravel_index(number - firsts[which], shape)[1:]
    seen = window_of(layer, single(place), number=which)
    value = float(seen.values.item())
    passed = layer.kind in (*NOISY, "Identity", "ActivityRegularization")
    step = Step(
        "passed on" if passed else "moved", f"{seen.source} at {', '.join(map(str, place))}", value
    )
    return OpenedCell(_rule(layer), [step], abs(value), [seen])


def _rule(layer: Layer) -> str:
    """Return what a layer that moves numbers does, in words."""
    if layer.kind in DROPPING:
        return (
            "it does nothing when the network predicts: every number goes through as it is; in "
            "training it drops {percent:g} %"
        ).format(percent=100 * layer.call.operation.rate)
    if layer.kind in NOISY:
        return "it does nothing when the network predicts: every number goes through as it is"
    first = layer.inputs[0].values.shape
    if layer.kind == "Concatenate" and first == (1, 1) and len(layer.class_names) == 2:
        return "inputs behind each other: {one_logit}".format(one_logit=ONE_LOGIT)
    return "numbers moved, none changed"
