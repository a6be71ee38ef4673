"""Microscope page: maps of layers as one HTML file without a server; a click on a cell shows how its value comes about.

The arithmetic is done in the page (microscope.js), from the arrays in it, and compared with the network's own value.
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

from convlens.charts.fonts import subset_font
from convlens.errors import ConfigError
from convlens.explain.arithmetic.activation import FUNCTIONS
from convlens.explain.arithmetic.sizes import pair
from convlens.explain.microscope.layer import Layer, Numbers
from convlens.explain.microscope.microscope import Microscope
from convlens.explain.microscope.moved import LARGEST_INDEX, NOISY, number_cells
from convlens.explain.microscope.normalization import batch_arrays
from convlens.explain.microscope.openers import check_index
from convlens.explain.microscope.pointwise import activation_of
from convlens.explain.microscope.value import sides_of
from convlens.explain.pages.microscope_words import WORDS

BUDGET = 12_000_000  # bytes of float32 in a page; base64 makes 16 megabytes of them
IN_PAGE = ("", "relu", "sigmoid", "tanh", "silu")  # activations that the page can compute too
CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
SCRIPTS = ("microscope_cells.js", "microscope.js")
GLOBAL = (keras.layers.GlobalMaxPooling2D, keras.layers.GlobalAveragePooling2D)
SINGLE = (keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.ELU)  # and Activation
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
JOINED = {"Add": " + ", "Subtract": " - ", "Multiply": " × "}


def render_microscope(
    microscope: Microscope,
    name: str,
    layers: Sequence[Layer] = (),
    *,
    first: Sequence[int] | None = None,
    language: str = "en",
) -> tuple[str, list[str]]:
    """Return the page, and the names of the layers that BUDGET left out.

    Args:
        microscope: what was computed.
        name: of the image.
        layers: what the page holds, the first of them open; where none are given, all up to BUDGET, convolutions first.
        first: index of the value of the first layer that is open at first; the largest where not given.
        language: "zh" or "en".

    Raises:
        ConfigError: a layer is of a class that the page cannot open, or those asked for need more than BUDGET, or there
            is none, or there is no such value.
    """
    chosen = list(layers) or sorted(
        (one for one in microscope.layers if _how(one)),
        key=lambda one: not isinstance(one.call.operation, CONVOLUTIONS),
    )
    for layer in chosen:
        if not _how(layer):
            raise ConfigError(
                f"{layer.name} ({layer.kind}): the page cannot open this class of layer; take --layer NAME --filter K "
                "without --html."
            )
    if first is not None:
        check_index(chosen[0], first)
    tensors: dict[str, Numbers] = {}
    kept, left_out = [], []
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
        kept.append(layer)
    if not kept:
        raise ConfigError("there is no layer that fits into a page: name layers with --layer.")
    start = {
        "layer": kept[0].name,
        "index": None if first is None else [0] * (3 - len(first)) + list(first),
    }
    facts = [_facts(layer) for layer in sorted(kept, key=lambda one: (one.number, one.which))]
    content = {
        "layers": facts,
        "start": start,
        "words": WORDS[language],
        "tensors": _packed(tensors),
    }
    return _render(microscope, name, content, left_out, language), left_out


def _how(layer: Layer) -> str:
    """Return the arithmetic by which the page opens a layer, "" for none."""
    operation, inputs = layer.call.operation, layer.inputs
    if (
        not inputs
        or any(one.values.ndim not in (2, 3, 4) for one in inputs)
        or layer.output.ndim not in (1, 2, 3)
    ):
        return ""
    if isinstance(operation, keras.layers.SeparableConv2D):
        return ""
    if isinstance(operation, (*CONVOLUTIONS, keras.layers.Dense)):
        return "weighted"
    if isinstance(operation, (*POOLINGS, *GLOBAL)):
        return "pool"
    if isinstance(operation, keras.layers.Rescaling):
        return "rescaled" if np.size(operation.scale) == np.size(operation.offset) == 1 else ""
    if isinstance(operation, keras.layers.BatchNormalization):
        return "normalised" if operation.axis in (-1, layer.output.ndim) else ""
    if (
        isinstance(operation, keras.layers.Softmax)
        or getattr(operation, "activation", None) is keras.activations.softmax
    ):
        return "softmax" if getattr(operation, "axis", -1) in (-1, layer.output.ndim) else ""
    if isinstance(operation, (*SINGLE, keras.layers.Activation)):
        return "activated"
    if layer.kind in JOINED:
        return "joined" if len(inputs) == len(layer.operands) else ""
    countable = sum(one.values.size for one in inputs) < LARGEST_INDEX
    return "moved" if layer.kind in MOVED and countable else ""


def _arrays(layer: Layer) -> dict[str, Numbers]:
    """Return inputs and output as maps, and what else the layer's arithmetic needs."""
    operation, how = layer.call.operation, _how(layer)
    arrays = {str(one.source): _as_map(one.values[0]) for one in layer.inputs}
    arrays[layer.name] = _as_map(layer.output)
    if how == "moved":
        zeros = layer.kind == "ZerosLike"
        arrays[f"{layer.name}/from"] = _as_map(
            np.zeros(layer.shape) if zeros else number_cells(layer)[0]
        )
    if how == "normalised":
        arrays[f"{layer.name}/numbers"] = np.stack(batch_arrays(operation))[None]
    if how != "weighted":
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
    operation, how = layer.call.operation, _how(layer)
    found: dict[str, Any] = {
        "name": layer.name, "kind": layer.kind, "shape": list(layer.shape), "how": how, "noun": layer.noun,
        "classes": list(layer.class_names), "inputs": [str(one.source) for one in layer.inputs],
    }  # fmt: skip
    if how == "pool" or isinstance(operation, CONVOLUTIONS):
        found |= _windows(layer)
    elif how == "weighted":
        found |= {"window": [1, 1], "strides": [1, 1], "rates": [1, 1], "before": [0, 0]}
    if how == "pool":
        return found | {"pool": "max" if "Max" in layer.kind else "mean"}
    if how == "normalised":
        return found | {"epsilon": operation.epsilon}
    if how == "rescaled":
        return found | {"scale": float(operation.scale), "offset": float(operation.offset)}
    if how == "joined":
        return found | {"sign": JOINED[layer.kind]}
    if how == "moved":
        return found | {"idle": layer.kind in NOISY}
    if how == "softmax":
        return found
    function = activation_of(operation)
    inner = getattr(operation, "activation", None) is keras.activations.softmax
    name, formula = function[:2] if function else ("softmax" if inner else "", "")
    computed = name in IN_PAGE and (not name or formula == FUNCTIONS[name][0])
    found |= {"activation": name, "formula": formula, "computed": computed}
    if how == "weighted":
        found["groups"] = (
            layer.inputs[0].values.shape[-1] // _arrays(layer)[f"{layer.name}/kernel"].shape[2]
        )
    return found


def _windows(layer: Layer) -> dict[str, Any]:
    """Return how the windows of a convolution or pooling lie; of a global pooling it is one, the whole map."""
    operation = layer.call.operation
    if isinstance(operation, GLOBAL):
        return {
            "window": list(layer.inputs[0].values.shape[1:3]),
            "strides": [1, 1],
            "rates": [1, 1],
            "before": [0, 0],
        }
    sides = sides_of(layer)
    size = getattr(operation, "pool_size", None) or operation.kernel_size
    return {
        "window": list(pair(size)), "strides": [side.stride for side in sides],
        "rates": list(pair(getattr(operation, "dilation_rate", 1))), "before": [side.before for side in sides],
    }  # fmt: skip


def _named(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f", … (+{len(names) - most})" if len(names) > most else "")


def _packed(tensors: dict[str, Numbers]) -> dict[str, Any]:
    return {
        key: {
            "shape": list(one.shape),
            "data": base64.b64encode(np.ascontiguousarray(one, "<f4").tobytes()).decode(),
        }
        for key, one in tensors.items()
    }


def _render(
    microscope: Microscope, name: str, content: dict[str, Any], left_out: list[str], language: str
) -> str:
    image = io.BytesIO()
    pixels = microscope.pixels
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(image, format="png")
    words, order = WORDS[language], np.argsort(-microscope.prediction.probabilities)[:3]
    one_logit = any(
        layer.kind == "ZerosLike" and layer.shape == (1,) for layer in microscope.layers
    )
    folder = files("convlens.explain.pages")
    values = {
        "name": name,
        "language": {"zh": "zh-Hant-TW", "en": "en"}[language],
        "words": words,
        "image": base64.b64encode(image.getvalue()).decode(),
        "seen": words["seen"].format(size=f"{pixels.shape[0]} x {pixels.shape[1]}"),
        "one_logit": words["one_logit"] if one_logit else "",
        "shares": [
            (microscope.classifier.class_names[i], float(microscope.prediction.probabilities[i]))
            for i in order
        ],
        "left_out": words["left_out"].format(budget=BUDGET // 10**6, names=_named(left_out))
        if left_out
        else "",
        "content": json.dumps(content, ensure_ascii=False).replace("</", "<\\/"),
        "script": "\n".join(folder.joinpath(one).read_text(encoding="utf-8") for one in SCRIPTS),
    }
    template = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    ).from_string(folder.joinpath("microscope.html").read_text(encoding="utf-8"))
    font = subset_font([name, *microscope.classifier.class_names, *words.values()])
    return template.render(**values, font="" if font is None else base64.b64encode(font).decode())
