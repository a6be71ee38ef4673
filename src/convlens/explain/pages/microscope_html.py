"""Microscope page: maps of layers as one HTML file that needs no server.

A click on a cell shows how its value comes about. The arithmetic is done in the page
(`microscope_cells.js`), from the arrays in it, and compared with the network's own value.
"""

import base64
import io
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from convlens.charts.html import data_uri, each_language, render_page, script_data
from convlens.errors import ConfigError
from convlens.explain.microscope.classes import ExplainedClasses
from convlens.explain.microscope.layer import Layer, Numbers
from convlens.explain.microscope.microscope import Microscope, check_index
from convlens.explain.pages.microscope_content import Content, find_how, layer_content
from convlens.explain.pages.microscope_why import why_content, why_values
from convlens.explain.pages.microscope_words import WORDS
from convlens.language import _, listed

BUDGET = 12_000_000  # bytes of float32 in a page; base64 makes 16 megabytes of them
MOST_NAMES = 12  # of the layers that are left out


def render_microscope(
    microscope: Microscope,
    name: str,
    layers: Sequence[Layer] = (),
    *,
    first: Sequence[int] | None = None,
    explained: ExplainedClasses | None = None,
) -> tuple[str, list[str]]:
    """Return the page, and the names of the layers that BUDGET left out.

    Args:
        microscope: The microscope of a network and an image.
        name: The name of the image.
        layers: The layers in the page, the first of which is open at first. If empty, the page
            holds all layers that fit into BUDGET, convolutions first.
        first: The index of the value of the first layer that is open at first; by default the
            largest value.
        explained: The maps of the most probable classes.

    Raises:
        ConfigError: If the page cannot open a layer, if the layers need more than BUDGET, if there
            is no layer, or if the first layer has no such value.
    """
    _check_layers(layers)
    chosen = layers or sorted(
        (one for one in microscope.layers if find_how(one)),
        key=lambda one: not hasattr(one.call.operation, "kernel_size"),
    )
    if first is not None:
        check_index(chosen[0], first)
    kept, left_out = _choose(chosen, required=bool(layers))
    if not kept:
        raise ConfigError(_("no layer fits into a page: name layers with --layer."))
    start = {
        "layer": kept[0][0].name,
        "index": None if first is None else [0] * (3 - len(first)) + list(first),
    }
    ordered = sorted(kept, key=lambda one: (one[0].number, one[0].which))
    content = {
        "layers": [one.facts for _layer, one in ordered],
        "start": start,
        "words": {
            tag: {key: str(_(text)) for key, text in WORDS.items()} for tag in each_language()
        },
        "tensors": {key: _pack(array) for _layer, one in kept for key, array in one.arrays.items()},
    }
    values = _head(microscope, name, left_out)
    values["why"] = None
    if explained is not None:
        values["why"] = why_values(explained, microscope)
        content["why"] = why_content(explained, _pack)
    values["content"] = script_data(content)
    return render_page("convlens.explain.pages", "microscope.html", values), left_out


def _check_layers(layers: Sequence[Layer]) -> None:
    """Raise ConfigError if the page cannot open a layer."""
    for layer in layers:
        if not find_how(layer):
            raise ConfigError(
                _(
                    "{layer} ({kind}): the page cannot open this class of layer; take "
                    "--layer NAME --filter K without --html."
                ).format(layer=layer.name, kind=layer.kind)
            )


def _choose(
    layers: Sequence[Layer], *, required: bool
) -> tuple[list[tuple[Layer, Content]], list[str]]:
    """Return the layers that fit into BUDGET with their content, and the names of the others.

    Raises:
        ConfigError: If a layer does not fit and all are required.
    """
    sizes: dict[str, int] = {}
    kept = []
    left_out = []
    for layer in layers:
        content = layer_content(layer)
        new = sizes | {key: 4 * array.size for key, array in content.arrays.items()}
        size = sum(new.values())
        if size <= BUDGET:
            sizes = new
            kept.append((layer, content))
        elif required:
            raise ConfigError(
                _(
                    "{layer}: a page may hold {most} million bytes; with this layer it would hold "
                    "{size:.1f}. Name fewer layers."
                ).format(layer=layer.name, most=BUDGET // 10**6, size=size / 1e6)
            )
        else:
            left_out.append(layer.name)
    return kept, left_out


def _pack(array: Numbers) -> dict[str, Any]:
    data = np.ascontiguousarray(array, "<f4").tobytes()
    return {"shape": list(array.shape), "data": base64.b64encode(data).decode()}


def _head(microscope: Microscope, name: str, left_out: list[str]) -> dict[str, Any]:
    """Return what stands above the maps."""
    height, width = microscope.pixels.shape[:2]
    image = io.BytesIO()
    keras.utils.array_to_img(microscope.pixels, scale=False).save(image, format="png")
    return {
        "name": name,
        "image": data_uri(image.getvalue(), "png"),
        "size": f"{height} x {width}",
        "shares": microscope.most_probable(),
        "one_logit": any(
            layer.kind == "ZerosLike" and layer.shape == (1,) for layer in microscope.layers
        ),
        "budget": BUDGET // 10**6,
        "left_out": listed(left_out[:MOST_NAMES]),
        "more": len(left_out[MOST_NAMES:]),
    }
