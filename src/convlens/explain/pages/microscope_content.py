"""Microscope content: the facts and arrays from which the microscope page computes a layer.

The page knows a few kinds of arithmetic (`HOW` in `microscope_cells.js`). A layer whose class is in
`HOW` here is opened by one of them, if its settings are those that the page expects.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from convlens.explain.arithmetic.activation import FUNCTIONS
from convlens.explain.arithmetic.sizes import pair
from convlens.explain.microscope.layer import Layer, Numbers
from convlens.explain.microscope.moved import LARGEST_INDEX, NOISY, number_cells
from convlens.explain.microscope.normalization import batch_arrays
from convlens.explain.microscope.pointwise import activation_of
from convlens.explain.microscope.value import sides_of

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
IN_PAGE = ("", "relu", "sigmoid", "tanh", "silu")  # activations that the page can compute
ONE_CELL = {"window": [1, 1], "strides": [1, 1], "rates": [1, 1], "before": [0, 0]}


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
    operation = layer.call.operation
    inputs = layer.inputs
    bases = [kind.__name__ for kind in type(operation).__mro__]
    how = next((HOW[name] for name in bases if name in HOW), "")
    if how == "activated" and _has_softmax(operation):
        how = "softmax"
    shaped = all(2 <= one.values.ndim <= 4 for one in inputs) and 1 <= layer.output.ndim <= 3
    fits = bool(inputs) and shaped
    if how == "rescaled":
        fits = fits and np.size(operation.scale) == np.size(operation.offset) == 1
    elif how in ("normalised", "softmax"):
        fits = fits and getattr(operation, "axis", -1) in (-1, layer.output.ndim)
    elif how == "joined":
        fits = fits and len(inputs) == len(layer.operands)
    elif how == "moved":
        fits = fits and sum(one.values.size for one in inputs) < LARGEST_INDEX
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
    own_facts, own_arrays = PARTS[how](layer)
    own = {f"{layer.name}/{name}": array for name, array in own_arrays.items()}
    return Content(facts | own_facts, arrays | own)


def _as_map(values: Numbers) -> Numbers:
    """Return (height, width, channels); a row of numbers is one cell."""
    return values.reshape((1,) * (3 - values.ndim) + values.shape)


def _has_softmax(operation: Any) -> bool:
    return getattr(operation, "activation", None) is keras.activations.softmax


Parts = tuple[dict[str, Any], dict[str, Numbers]]  # facts and arrays of its own


def _weighted(layer: Layer) -> Parts:
    operation = layer.call.operation
    kernel = np.asarray(keras.ops.convert_to_numpy(operation.kernel))
    windows = ONE_CELL
    if isinstance(operation, keras.layers.Dense):
        kernel = kernel[None, None]
    else:
        windows = _windows(layer)
    if isinstance(operation, keras.layers.DepthwiseConv2D):
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    arrays = {"kernel": kernel}
    if operation.use_bias:
        arrays["bias"] = np.asarray(keras.ops.convert_to_numpy(operation.bias))
    groups = layer.inputs[0].values.shape[-1] // kernel.shape[2]
    return {**windows, **_activated(layer)[0], "groups": groups}, arrays


def _pool(layer: Layer) -> Parts:
    return {**_windows(layer), "pool": "max" if "Max" in layer.kind else "mean"}, {}


def _windows(layer: Layer) -> dict[str, Any]:
    """Return how the windows of a convolution or pooling lie; global pooling has one, the map."""
    operation = layer.call.operation
    size = getattr(operation, "pool_size", None) or getattr(operation, "kernel_size", None)
    if size is None:
        return ONE_CELL | {"window": list(layer.inputs[0].values.shape[1:3])}
    sides = sides_of(layer)
    return {
        "window": list(pair(size)),
        "strides": [side.stride for side in sides],
        "rates": list(pair(getattr(operation, "dilation_rate", 1))),
        "before": [side.before for side in sides],
    }


def _activated(layer: Layer) -> Parts:
    """Return the activation, and whether the page can compute it."""
    operation = layer.call.operation
    function = activation_of(operation)
    if function is None:
        name = "softmax" if _has_softmax(operation) else ""
        formula = ""
    else:
        name, formula = function[:2]
    computed = name in IN_PAGE and (not name or formula == FUNCTIONS[name][0])
    return {"activation": name, "formula": formula, "computed": computed}, {}


def _rescaled(layer: Layer) -> Parts:
    operation = layer.call.operation
    return {"scale": float(operation.scale), "offset": float(operation.offset)}, {}


def _normalised(layer: Layer) -> Parts:
    operation = layer.call.operation
    return {"epsilon": operation.epsilon}, {"numbers": np.stack(batch_arrays(operation))[None]}


def _softmax(layer: Layer) -> Parts:
    return {}, {}


def _joined(layer: Layer) -> Parts:
    return {"sign": JOINED[layer.kind]}, {}


def _moved(layer: Layer) -> Parts:
    """Return where each number comes from, counted over all inputs; 0 is a zero that was added."""
    cells = np.zeros(layer.shape) if layer.kind == "ZerosLike" else number_cells(layer)[0]
    return {"idle": layer.kind in NOISY}, {"from": _as_map(cells)}


PARTS = {
    "weighted": _weighted,
    "pool": _pool,
    "activated": _activated,
    "rescaled": _rescaled,
    "normalised": _normalised,
    "softmax": _softmax,
    "joined": _joined,
    "moved": _moved,
}
