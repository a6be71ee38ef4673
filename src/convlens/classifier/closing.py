"""Closing: the activation at the end of a network, behind its logits."""

from typing import Any

import keras

from convlens.anatomy.graph import parents, producer
from convlens.classifier.assembly import copy_model
from convlens.errors import ModelError
from convlens.language import _

CLOSING = ("softmax", "sigmoid")
TEMPERATURE = "temperature"  # the name of the layer between the logits and the softmax


def logits_of(model: keras.Model) -> keras.Model:
    """Return the network up to its logits, before the temperature.

    It shares the weights of a network that ends with a softmax layer, as those that convlens has
    trained do. A network of somebody else may end otherwise, for example with a dense layer whose
    activation is softmax, and is then copied.

    Raises:
        ModelError: If the network does not end with a softmax.
    """
    images = model.inputs[0] if len(model.inputs) == 1 else model.inputs
    if isinstance(producer(model.outputs[0]), keras.layers.Softmax):
        layer = temperature_layer(model)
        (logits,) = parents(model.outputs[0] if layer is None else layer.output)
        return keras.Model(images, logits, name=model.name)
    if _name(_last(model)[1]) != "softmax":
        raise ModelError(
            _(
                "{model} must end with a softmax, so that it gives a probability for each class; "
                "its last layer is {layer} ({kind}). A network that convlens.train has trained "
                "does."
            ).format(model=model.name, layer=_last(model)[1].name, kind=_name(_last(model)[1]))
        )
    return without_closing_activation(model)


def temperature_layer(model: keras.Model) -> keras.layers.Rescaling | None:
    """Return the layer that divides the logits before the softmax; None if there is none."""
    before = [producer(one) for one in parents(model.outputs[0])]
    found = [
        one for one in before if isinstance(one, keras.layers.Rescaling) and one.name == TEMPERATURE
    ]
    return found[0] if found else None


def without_closing_activation(model: keras.Model) -> keras.Model:
    """Return a model of one input up to its logits, without what it was compiled with.

    A closing softmax or sigmoid is removed. It may be a layer, the activation of a layer, or an
    operation such as `keras.ops.softmax`, and it may lie in a nested model.
    """
    # A compiled model could not be copied without the code of a loss of the user.
    uncompiled = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    holder, last = _last(uncompiled)
    if _name(last) not in CLOSING:
        return uncompiled
    activation = getattr(last, "activation", None)

    def rebuild(node: keras.Operation) -> Any:
        if node is last and activation is None:
            if isinstance(holder, keras.Sequential):
                return keras.layers.Identity()
            return lambda x, **_: x  # A graph passes a mask too.
        if not isinstance(node, keras.Layer):
            return node
        settings = node.get_config()
        if node is last:
            settings["activation"] = "linear"
        return node.__class__.from_config(settings)

    return copy_model(uncompiled, rebuild)


def _last(model: keras.Model) -> tuple[keras.Model, keras.Operation]:
    """Return the last operation of a model, and the nested model that holds it."""
    holder = model
    last: Any = model
    while isinstance(last, keras.Model):
        holder = last
        last = producer(last.outputs[0])
    return holder, last


def _name(operation: keras.Operation) -> str:
    """Return the name of the activation of a layer, or of the operation without one."""
    activation = getattr(operation, "activation", None)
    return str(getattr(activation, "__name__", type(operation).__name__.lower()))
