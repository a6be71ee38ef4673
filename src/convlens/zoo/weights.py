"""Weights: give a model trained weights, published ones or those of a file.

What the published weights of a model are is described where the model is registered, see
`convlens.zoo.registry.Weights`. The layers of a file are matched to those of the model by their
order, as Keras does, so that their names may differ.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from convlens.errors import ModelError
from convlens.zoo.keras_cache import cached_file
from convlens.zoo.keras_file import Named, open_keras_file
from convlens.zoo.registry import list_models, model_info

NUM_CLASSES = 1000  # of ImageNet
REMEDY = "Use weights of this network, or the image size and channels that they were made for."


def load_weights(model: keras.Model, name: str, source: str | Path = "imagenet") -> list[str]:
    """Give a model trained weights.

    If the head of the model has other classes than the weights, it keeps the weights that it has.

    Args:
        model: `create_model(name)`, or a graph around it whose other layers have no weights.
        name: The name of the model.
        source: "imagenet", or a file of this network's weights: `.h5`, `.weights.h5` or `.keras`,
            with or without the head, saved by Keras or convlens.

    Returns:
        The names of the layers that kept the weights that they had: those of the head, or none.

    Raises:
        ModelError: If there are no such weights, if the file is missing, damaged or cannot be
            downloaded, or if a layer has another shape in it. The model then stays as it was.
    """
    weights = model_info(name).weights if name in list_models() else None
    layers = [layer for layer in _leaves(model) if layer.weights]
    head = [layer.name for layer in layers[-(weights.head if weights else 1) :]]
    targets = [(layer.name, variable) for layer in layers for variable in layer.weights]
    if source == "imagenet":
        if weights is None:
            raise ModelError(_none_published(name))
        if callable(weights.source):
            arrays = [("", array) for array in weights.source()]
            return _assign(targets, arrays, head, f"the trained weights of {name}")
        with_head = targets[-1][1].shape[-1] == NUM_CLASSES and weights.other_head is None
        source = cached_file(name, weights.source, with_head=with_head)
    networks = [model]
    if weights is not None and weights.original is not None:
        networks.append(weights.original())
    with open_keras_file(Path(source), networks) as arrays:
        if weights is not None and weights.other_head is not None:
            body = len(targets) - 2 * len(head)
            if len(arrays) == body + 2 * weights.other_head:
                arrays = arrays[:body]
        return _assign(targets, arrays, head, str(source))


def _none_published(name: str) -> str:
    published = [
        other
        for other in list_models()
        if model_info(other).weights and model_info(other).num_classes == NUM_CLASSES
    ]
    return (
        "{name} has no trained weights; there are some for {names}. "
        "Choose one of these, give a file of weights, or train it."
    ).format(name=name, names=", ".join(published))


def _leaves(model: keras.Model) -> Iterator[keras.Layer]:
    """Yield the layers of a model, and in place of a nested model its layers."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer


def _assign(targets: Named, arrays: Named, head: list[str], where: str) -> list[str]:
    """Set the variables to arrays if all fit; return the layers of the head if it did not."""
    body = [target for target in targets if target[0] not in head]
    whole = len(arrays) > len(body) and _shape(arrays[-1][1]) == _shape(targets[-1][1])
    chosen = targets if whole else body
    for number, (layer, variable) in enumerate(chosen):
        other, array = arrays[number] if number < len(arrays) else ("", None)
        if array is None or _shape(array) != _shape(variable):
            found = "none" if array is None else f"{tuple(array.shape)} {other}".rstrip()
            raise ModelError(
                "{where}: layer {layer} needs {shape}; found {found}. {remedy}".format(
                    where=where,
                    layer=layer,
                    shape=tuple(variable.shape),
                    found=found,
                    remedy=REMEDY,
                )
            )
    if len(arrays) not in (len(body), len(targets)):
        raise ModelError(
            "{where}: {found} arrays for a network that has {needed}. {remedy}".format(
                where=where, found=len(arrays), needed=len(targets), remedy=REMEDY
            )
        )
    # All arrays are read before the first is assigned: reading a damaged file can fail.
    values = [
        np.reshape(array, variable.shape)
        for (_, variable), (_, array) in zip(chosen, arrays, strict=False)
    ]
    for (_, variable), value in zip(chosen, values, strict=True):
        variable.assign(value)
    return [] if whole else head


def _shape(array: Any) -> tuple[int, ...]:
    """Return a shape without sides of 1, which Keras' layers and ours have in different places."""
    return tuple(side for side in array.shape if side != 1)
