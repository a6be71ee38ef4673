"""Open index: which value of a layer the flags `--filter` and `--at` name, and which weight."""

from typing import TYPE_CHECKING

import numpy as np

from convlens.cli.numbers import read_whole_numbers
from convlens.cli.open_flags import Look
from convlens.errors import ConfigError
from convlens.explain.microscope.layer import NAMES
from convlens.files import and_more

if TYPE_CHECKING:
    from convlens.explain.microscope.layer import Layer
    from convlens.explain.microscope.weights import Place

FORMS = {3: "ROW,COL", 2: "ROW"}  # of --at, by the axes of the output of a layer


def find_index(look: Look, layer: "Layer") -> tuple[int, ...]:
    """Return the index of the value to open: the one at `--at`, or else the largest of the map.

    Raises:
        ConfigError: If the layer has no such filter, or `--at` is not in the form that the layer
            needs.
    """
    unit = layer.check_unit(find_unit(look, layer))
    if look.at is None:
        values = np.abs(layer.output[..., unit])
        return (*map(int, np.unravel_index(int(values.argmax()), values.shape)), unit)
    form = FORMS.get(len(layer.shape))
    if form is None:
        raise ConfigError(
            "{layer} gives a row of numbers, not maps: leave --at out, --filter says which "
            "number.".format(layer=layer.name)
        )
    what = "--at of {layer}, which gives {shape},".format(
        layer=layer.name, shape=" x ".join(map(str, layer.shape))
    )
    count = len(layer.shape) - 1
    place = read_whole_numbers(look.at, what, "{form} in whole numbers".format(form=form), (count,))
    return (*place, unit)


def find_unit(look: Look, layer: "Layer") -> int | None:
    """Return the number that `--filter` gives, or that of the class it names.

    Raises:
        ConfigError: If `--filter` is neither a number nor a class of the layer.
    """
    if look.filter is None:
        return None
    if look.filter.lstrip("-").isdecimal():
        return int(look.filter)
    if look.filter in layer.class_names:
        return layer.class_names.index(look.filter)
    rule = "--filter of {layer} must be a number; found {text!r}."
    if layer.class_names:
        rule = "--filter of {layer} must be a number or a class: {classes}; found {text!r}."
    raise ConfigError(
        rule.format(layer=layer.name, classes=and_more(layer.class_names, NAMES), text=look.filter)
    )


def find_place(look: Look) -> "Place | None":
    """Return the weight that `--weight` names, for `differentiate`; None if it is not given.

    Raises:
        ConfigError: If `--weight` is neither a name nor whole numbers.
    """
    if look.weight in (None, "bias", "gamma", "beta"):
        return look.weight
    form = "bias, gamma, beta, or ROW,COL,CHANNEL in whole numbers"
    return read_whole_numbers(look.weight or "", "--weight", form)
