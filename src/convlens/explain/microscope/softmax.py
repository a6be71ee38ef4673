"""Softmax: one number becomes a share of the sum of all."""

import keras
import numpy as np
from scipy.special import expit

from convlens.errors import ConfigError
from convlens.explain.arithmetic.exact import write
from convlens.explain.microscope.microscope import Layer
from convlens.explain.microscope.pointwise import open_pointwise
from convlens.explain.microscope.value import (
    ONE_LOGIT,
    Floats,
    Index,
    OpenedCell,
    Step,
    whole,
    window,
    write_terms,
)


def open_softmax(layer: Layer, index: Index) -> OpenedCell:
    """Softmax over the last axis."""
    axis = getattr(layer.call.operation, "axis", -1)
    if axis not in (-1, len(layer.shape)):
        raise ConfigError(f"{layer.name}: only a softmax over the last axis can be opened.")
    logits = whole(layer)[index[:-1]]
    steps = softmax_steps(logits, index[-1])
    spans = [*((i, i + 1) for i in index[:-1]), (0, len(logits))]
    scale = steps[-1].value * (1 + float(np.ptp(logits)))  # what a rounding of z moves its share by
    rule = "e^z as a share of the sum of all e^z"
    if layer.class_names and len(logits) == 2 and logits[0] == 0:
        rule += (
            f": {ONE_LOGIT}, here sigmoid({write(logits[1])}) ≈ {write(float(expit(logits[1])))}"
        )
    return OpenedCell(
        layer.name,
        layer.kind,
        index,
        rule,
        (window(layer, spans, logits),),
        (),
        tuple(steps),
        scale,
    )


def softmax_steps(logits: Floats, place: int) -> list[Step]:
    """Return the steps to the share of one of (n,) numbers."""
    largest = float(logits.max())
    powers = np.exp(logits - largest)
    shifted = float(logits[place] - largest)
    total = float(powers.sum())
    share = float(powers[place]) / total
    return [
        Step(
            "z - largest",
            f"{write(logits[place])} - {write(largest)}".replace("- -", "+ "),
            shifted,
        ),
        Step("e^(z - largest)", f"e^({write(shifted)})", float(powers[place])),
        Step("sum of all", write_terms(powers), total),
        Step("softmax", f"{write(powers[place])} / {write(total)}", share),
    ]


def open_activation(layer: Layer, index: Index) -> OpenedCell:
    """An activation as a layer of its own."""
    if layer.call.operation.activation is keras.activations.softmax:
        return open_softmax(layer, index)
    return open_pointwise(layer, index)
