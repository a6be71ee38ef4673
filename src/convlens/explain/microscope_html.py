"""Microscope page: maps of layers as one HTML file without a server; a click on a cell shows its patch, kernel and sum.

The arithmetic is done in the page, from the arrays in it, and compared with the network's own value.
"""

import base64
import io
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import jinja2
import keras
import numpy as np
from PIL import Image

from convlens.errors import ConfigError
from convlens.evaluation.fonts import subset_font
from convlens.explain.microscope import Layer, Microscope, Numbers
from convlens.explain.opened import sides_of
from convlens.explain.pointwise import activation_of
from convlens.explain.sizes import pair

__all__ = ["BUDGET", "write_microscope"]

BUDGET = 12_000_000  # bytes of float32 in a page; base64 makes 16 megabytes of them
IN_PAGE = ("", "relu", "sigmoid", "tanh", "silu")  # activations that the page can compute too
CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
OPENED = (*CONVOLUTIONS, *POOLINGS, keras.layers.Dense)


def write_microscope(microscope: Microscope, name: str, layers: Sequence[Layer] = ()) -> tuple[str, list[str]]:
    """Return the page, and the names of the layers that BUDGET left out.

    Args:
        microscope: what was computed.
        name: of the picture.
        layers: convolutions, poolings and dense layers; where none are given, all convolutions up to BUDGET.

    Raises:
        ConfigError: a layer is of another class, or those asked for need more than BUDGET, or there is none.
    """
    chosen = list(layers) or [one for one in microscope.layers if isinstance(one.call.operation, CONVOLUTIONS)]
    for layer in chosen:
        if not isinstance(layer.call.operation, OPENED) or isinstance(
            layer.call.operation, keras.layers.SeparableConv2D
        ):
            raise ConfigError(
                f"{layer.name} ({layer.kind}): the page opens convolutions, pooling and dense layers; "
                "take --layer NAME --filter K without --html."
            )
    tensors: dict[str, Numbers] = {}
    facts, left_out = [], []
    for layer in chosen:
        new = _arrays(layer)
        size = sum(4 * array.size for array in (tensors | new).values())
        if size > BUDGET:
            if layers:
                raise ConfigError(
                    f"{layer.name}: the page may hold {BUDGET // 10**6} million bytes; with it there would be "
                    f"{size / 1e6:.1f}. Name fewer layers."
                )
            left_out.append(layer.name)
            continue
        tensors |= new
        facts.append(_facts(layer))
    if not facts:
        raise ConfigError("there is no convolution that fits into a page: name layers with --layer.")
    return _render(microscope, name, facts, tensors, left_out), left_out


def _arrays(layer: Layer) -> dict[str, Numbers]:
    """Return input, output, and of layers with weights kernel and bias, as maps and grouped kernels."""
    operation = layer.call.operation
    arrays = {
        str(layer.inputs[0].source): _as_map(layer.inputs[0].values[0]),
        layer.name: _as_map(layer.output),
    }
    if isinstance(operation, POOLINGS):
        return arrays
    kernel = np.asarray(keras.ops.convert_to_numpy(operation.kernel))
    if isinstance(operation, keras.layers.DepthwiseConv2D):
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    elif isinstance(operation, keras.layers.Dense):
        kernel = kernel[None, None]
    arrays[f"{layer.name}/kernel"] = kernel
    if operation.use_bias:
        arrays[f"{layer.name}/bias"] = np.asarray(keras.ops.convert_to_numpy(operation.bias))
    return arrays


def _as_map(values: Numbers) -> Numbers:
    """Return (height, width, channels); a row of numbers is one cell."""
    return values.reshape((1,) * (3 - values.ndim) + values.shape)


def _facts(layer: Layer) -> dict[str, Any]:
    """Return what the page must know of a layer."""
    operation = layer.call.operation
    found: dict[str, Any] = {
        "name": layer.name, "kind": layer.kind, "shape": list(layer.shape), "input": str(layer.inputs[0].source),
    }  # fmt: skip
    if isinstance(operation, keras.layers.Dense):
        found |= {"window": [1, 1], "strides": [1, 1], "rates": [1, 1], "before": [0, 0]}
    else:
        sides = sides_of(layer)
        size = getattr(operation, "pool_size", None) or operation.kernel_size
        found |= {
            "window": list(pair(size)), "strides": [side.stride for side in sides],
            "rates": list(pair(getattr(operation, "dilation_rate", 1))), "before": [side.before for side in sides],
        }  # fmt: skip
    if isinstance(operation, POOLINGS):
        return found | {"pool": "max" if isinstance(operation, keras.layers.MaxPooling2D) else "mean"}
    function = activation_of(operation)
    name = "softmax" if operation.activation is keras.activations.softmax else function[0] if function else ""
    return found | {
        "activation": name, "formula": function[1] if function else "", "computed": name in IN_PAGE,
        "groups": layer.inputs[0].values.shape[-1] // _arrays(layer)[f"{layer.name}/kernel"].shape[2],
    }  # fmt: skip


def _render(
    microscope: Microscope, name: str, facts: list[dict[str, Any]], tensors: dict[str, Numbers], left_out: list[str]
) -> str:
    picture = io.BytesIO()
    pixels = microscope.pixels
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(picture, format="png")
    content = {
        "layers": facts,
        "tensors": {
            key: {
                "shape": list(one.shape),
                "data": base64.b64encode(np.ascontiguousarray(one, "<f4").tobytes()).decode(),
            }
            for key, one in tensors.items()
        },
    }
    order = np.argsort(-microscope.prediction.probabilities)[:3]
    values = {
        "name": name,
        "picture": base64.b64encode(picture.getvalue()).decode(),
        "size": f"{pixels.shape[0]} x {pixels.shape[1]}",
        "shares": [
            (microscope.classifier.class_names[i], float(microscope.prediction.probabilities[i])) for i in order
        ],
        "left_out": left_out,
        "budget": BUDGET // 10**6,
        "content": json.dumps(content).replace("</", "<\\/"),
    }
    source = files("convlens.explain").joinpath("microscope.html").read_text(encoding="utf-8")
    template = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    ).from_string(source)
    font = subset_font([name, *microscope.classifier.class_names])
    return template.render(**values, font="" if font is None else base64.b64encode(font).decode())
