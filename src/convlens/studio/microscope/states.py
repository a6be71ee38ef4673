"""States: what the states of a training say of an image, as plain data for the page.

It belongs to the process that looks into networks; it imports the engine.
"""

import base64
from typing import Any

import numpy as np

from convlens.explain.microscope.layer import Layer
from convlens.explain.microscope.weights import LEARNING
from convlens.explain.pages.time_machine_views import update_data
from convlens.explain.time_machine.machine import TimeMachine, WeightAt

MOST_UNITS = 16  # maps or filters of a layer that are sent
MOST_CHANNELS = 16  # of a filter
MOST_SIDE = 48  # of a map; of larger ones some rows and columns are left out
MOST_TERMS = 3  # of a sum that are written out

Content = dict[str, Any]


def describe_layers(machine: TimeMachine, image: Any) -> list[Content]:
    """Return the layers that have maps or numbers to show."""
    layers = machine.look(image, machine.moments[-1]).layers
    return [
        {
            "name": layer.name,
            "kind": layer.kind,
            "shape": list(layer.shape),
            "learns": isinstance(layer.operation, LEARNING),
        }
        for layer in layers
        if len(layer.shape) in (1, 3)
    ]


def describe_layer(machine: TimeMachine, image: Any, name: str) -> Content:
    """Return what a layer gives at each moment, and its filters, as many as a page shows.

    Raises:
        ConfigError: If there is no such layer.
    """
    layer = machine.look(image, machine.moments[-1]).layer(name)
    is_row = len(layer.shape) == 1
    every = 1 if is_row else -(-max(layer.shape[:2]) // MOST_SIDE)
    shown = []
    for moment in machine.moments:  # one by one: all maps of all moments may take gigabytes
        (found,) = machine.maps(image, name, [moment])
        found = found[None, None] if is_row else found
        shown.append(found[::every, ::every, :MOST_UNITS].copy())
    return {
        "units": layer.shape[-1],
        "class_names": list(layer.class_names),
        "every": every,
        "maps": _packed(shown),
        "filters": _filters(machine, image, layer),
    }


def _filters(machine: TimeMachine, image: Any, layer: Layer) -> Content | None:
    """Return the filters of a convolution, shaped (moments, units, rows, columns, channels)."""
    if not isinstance(layer.operation, LEARNING):
        return None
    kernels = machine.first_filters(image, layer.name, min(layer.shape[-1], MOST_UNITS))
    if kernels.ndim not in (4, 5):  # a dense layer, or a normalisation
        return None
    if kernels.ndim == 4:
        kernels = kernels[..., None]
    return _packed(kernels[..., :MOST_CHANNELS]) | {"channels": int(kernels.shape[-1])}


def _packed(values: Any) -> Content:
    data = np.ascontiguousarray(values, "<f4")
    return {
        "shape": list(data.shape),
        "data": base64.b64encode(data.tobytes()).decode(),
        "largest": float(np.abs(data).max()),
    }


def describe_weight(at: WeightAt) -> Content:
    """Return a weight at a moment: its value, the chain rule of the loss, and its update."""
    gradient = at.gradient
    terms = gradient.terms.ravel()
    order = np.argsort(-np.abs(terms), kind="stable")[:MOST_TERMS]
    slopes = None if gradient.slopes is None else gradient.slopes.ravel()
    outputs, inputs = (np.asarray(one).ravel() for one in (gradient.outputs, gradient.inputs))
    shape = gradient.terms.shape
    return {
        "value": at.value,
        "place": gradient.weight.place,
        "unit": gradient.weight.unit,
        "label": gradient.label,
        "loss": gradient.loss,
        "derivative": gradient.total,
        "change": at.change,
        "count": len(terms),
        "terms": [
            {
                "at": [int(one) for one in np.unravel_index(int(index), shape)[1:]],
                "output": float(outputs[index]),
                "slope": None if slopes is None else float(slopes[index]),
                "input": float(inputs[index]),
                "product": float(terms[index]),
            }
            for index in order
        ],
        "others": float(terms.sum() - terms[order].sum()),
        "update": None if at.update is None else update_data(at.update),
    }
