"""Microscope content: the facts and arrays from which the microscope page computes a layer.

The page knows a few kinds of arithmetic (`HOW` in `microscope_cells.js`). A layer whose class is in
`HOW` here is opened by one of them, if its settings are those that the page expects.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from convlens.charts.html import each_language
from convlens.explain.arithmetic.convolution import as_grouped
from convlens.explain.arithmetic.functions import FUNCTIONS
from convlens.explain.arithmetic.windows import pair
from convlens.explain.microscope.layer import Layer, Numbers, sides_of
from convlens.explain.microscope.pointwise import LARGEST_INDEX, NOISY, activation_of, number_cells
from convlens.explain.microscope.reductions import batch_arrays
from convlens.language import again

JOINED = {"Add": " + ", "Subtract": " - ", "Multiply": " × "}
MOVED = (
    *NOISY,
    "Flatten",
    "Reshape",
    "Permute",
    "ZeroPadding2D",
    "Cropping2D",
    "Concatenate",
    "Identity",
    "ZerosLike",
)
HOW = {
    **dict.fromkeys(("Conv2D", "DepthwiseConv2D", "Dense"), "weighted"),
    **dict.fromkeys(("MaxPooling2D", "GlobalMaxPooling2D"), "pool"),
    **dict.fromkeys(("AveragePooling2D", "GlobalAveragePooling2D"), "pool"),
    **dict.fromkeys(("ReLU", "LeakyReLU", "ELU", "Activation"), "activated"),
    "Rescaling": "rescaled",
    "BatchNormalization": "normalised",
    "Softmax": "softmax",
    **dict.fromkeys(JOINED, "joined"),
    **dict.fromkeys(MOVED, "moved"),
}
IN_PAGE = ("relu", "sigmoid", "tanh", "silu")  # activations that the page can compute


@dataclass(frozen=True)
class Content:
    """What the page holds of a layer.

    Attributes:
        facts: The entries of the layer, as plain data.
        arrays: Inputs and output as maps, by the names of their layers, and the weights.
    """

    facts: dict[str, Any]
    arrays: dict[str, Numbers]


def find_how(layer: Layer) -> str:
    """Return the arithmetic by which the page opens a layer, or "" if it cannot open it."""
    bases = [kind.__name__ for kind in type(layer.call.operation).__mro__]
    how = next((HOW[name] for name in bases if name in HOW), "")
    if how == "activated" and _has_softmax(layer.call.operation):
        how = "softmax"
    shaped = all(2 <= one.values.ndim <= 4 for one in layer.inputs) and 1 <= layer.output.ndim <= 3
    fits = bool(layer.inputs) and shaped and (how not in FITS or FITS[how](layer))
    return how if fits else ""


def layer_content(layer: Layer) -> Content:
    """Return what the page holds of a layer that it can open."""
    how = find_how(layer)
    facts = {
        "name": layer.name,
        "kind": layer.kind,
        "shape": list(layer.shape),
        "how": how,
        "noun": layer.noun,
        "classes": list(layer.class_names),
        "inputs": [str(one.source) for one in layer.inputs],
    }
    arrays = {str(one.source): _as_map(one.values[0]) for one in layer.inputs}
    arrays[layer.name] = _as_map(layer.output)
    if how in FACTS:
        facts |= FACTS[how](layer)
    if how in ARRAYS:
        arrays |= {f"{layer.name}/{name}": array for name, array in ARRAYS[how](layer).items()}
    if how == "weighted":
        depth = arrays[f"{layer.name}/kernel"].shape[2]
        facts["groups"] = layer.inputs[0].values.shape[-1] // depth
    return Content(facts, arrays)


def _as_map(values: Numbers) -> Numbers:
    """Return (height, width, channels); a row of numbers is one cell."""
    return values.reshape((1,) * (3 - values.ndim) + values.shape)


def _has_softmax(operation: Any) -> bool:
    return getattr(operation, "activation", None) is keras.activations.softmax


def _weights(layer: Layer) -> dict[str, Numbers]:
    """Return the kernel as (height, width, channels of a group, filters), and the bias."""
    operation = layer.call.operation
    kernel = np.asarray(keras.ops.convert_to_numpy(operation.kernel))
    if isinstance(operation, keras.layers.Dense):
        kernel = kernel[None, None]
    elif isinstance(operation, keras.layers.DepthwiseConv2D):
        kernel = as_grouped(kernel)
    if not operation.use_bias:
        return {"kernel": kernel}
    return {"kernel": kernel, "bias": np.asarray(keras.ops.convert_to_numpy(operation.bias))}


def _windows(layer: Layer) -> dict[str, Any]:
    """Return the size and the places of the windows that a layer looks at.

    A global pooling has one window, the whole map. The window of a dense layer is one cell.
    """
    operation = layer.call.operation
    size = getattr(operation, "pool_size", None) or getattr(operation, "kernel_size", None)
    if size is None:
        dense = isinstance(operation, keras.layers.Dense)
        window = [1, 1] if dense else list(layer.inputs[0].values.shape[1:3])
        return {"window": window, "strides": [1, 1], "rates": [1, 1], "before": [0, 0]}
    sides = sides_of(layer)
    return {
        "window": list(pair(size)),
        "strides": [side.stride for side in sides],
        "rates": list(pair(getattr(operation, "dilation_rate", 1))),
        "before": [side.before for side in sides],
    }


def _activation(layer: Layer) -> dict[str, Any]:
    """Return the activation, its formula in every language, and whether the page can compute it."""
    operation = layer.call.operation
    function = activation_of(operation)
    if function is None:
        name = "softmax" if _has_softmax(operation) else ""
        return {"activation": name, "formula": None, "computed": not name}
    name, formula = function[:2]
    # The formulas of the functions that the page computes have no words in them.
    computed = name in IN_PAGE and formula == FUNCTIONS[name][0]
    formulas = {tag: str(again(formula)) for tag in each_language()}
    return {"activation": name, "formula": formulas, "computed": computed}


def _origins(layer: Layer) -> Numbers:
    """Return where each number comes from, counted over all inputs; 0 is a zero that was added."""
    if layer.kind == "ZerosLike":
        return np.zeros(layer.shape)
    return number_cells(layer)[0]


def _has_one_axis(layer: Layer) -> bool:
    """Return whether an operation along an axis works along the channels."""
    return getattr(layer.call.operation, "axis", -1) in (-1, layer.output.ndim)


# Whether the page can open a layer, its facts and its arrays, by the arithmetic that opens it.
FITS: dict[str, Callable[[Layer], bool]] = {
    "rescaled": lambda layer: (
        np.size(layer.call.operation.scale) == np.size(layer.call.operation.offset) == 1
    ),
    "normalised": _has_one_axis,
    "softmax": _has_one_axis,
    "joined": lambda layer: len(layer.inputs) == len(layer.operands),
    "moved": lambda layer: sum(one.values.size for one in layer.inputs) < LARGEST_INDEX,
}
FACTS: dict[str, Callable[[Layer], dict[str, Any]]] = {
    "weighted": lambda layer: {**_windows(layer), **_activation(layer)},
    "pool": lambda layer: {**_windows(layer), "pool": "max" if "Max" in layer.kind else "mean"},
    "activated": _activation,
    "rescaled": lambda layer: {
        "scale": float(layer.call.operation.scale),
        "offset": float(layer.call.operation.offset),
    },
    "normalised": lambda layer: {"epsilon": layer.call.operation.epsilon},
    "joined": lambda layer: {"sign": JOINED[layer.kind]},
    "moved": lambda layer: {"idle": layer.kind in NOISY},
}
ARRAYS: dict[str, Callable[[Layer], dict[str, Numbers]]] = {
    "weighted": _weights,
    "normalised": lambda layer: {"numbers": np.stack(batch_arrays(layer.call.operation))[None]},
    "moved": lambda layer: {"from": _as_map(_origins(layer))},
}
