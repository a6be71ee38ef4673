"""Own model: a Keras model of the user, checked and cut off at its logits."""

from typing import Any

import keras

from convlens.anatomy.graph import producer
from convlens.classifier.assembly import all_layers, copy_model
from convlens.errors import ModelError

CLOSING = ("softmax", "sigmoid")
SCALING = keras.layers.Rescaling | keras.layers.Normalization


def check_own_model(model: keras.Model) -> None:
    """Raise ModelError if a model cannot be trained and saved here."""
    if not isinstance(model, keras.Sequential | keras.Function):
        raise ModelError(
            "a model of your own must be functional or sequential, so that its file opens without "
            "its code; found {kind}. Build it with keras.Model(inputs, outputs).".format(
                kind=type(model).__name__
            )
        )
    one_each = model.built and len(model.inputs) == len(model.outputs) == 1
    if not one_each or len(model.inputs[0].shape) != 4:
        raise ModelError(
            "a model of your own must be built, take one input (batch, height, width, channels) "
            "and give one output."
        )
    channels = model.inputs[0].shape[-1]
    if channels not in (1, 3, None):
        raise ModelError(
            "a model of your own must take images of 1 (grey) or 3 (RGB) channels; {name} takes "
            "{channels}.".format(name=model.name, channels=channels)
        )


def pixel_scale(model: keras.Model) -> float:
    """Return what pixels are multiplied with: 1 if the model scales them itself, else 1 / 255."""
    scales_itself = any(isinstance(layer, SCALING) for layer in all_layers(model))
    return 1.0 if scales_itself else 1 / 255


def without_closing_activation(model: keras.Model) -> keras.Model:
    """Return a model up to its logits, without what it was compiled with.

    A closing softmax or sigmoid is removed. It may be a layer, the activation of a layer, or an
    operation such as `keras.ops.softmax`, and it may lie in a nested model.
    """
    # A compiled model could not be copied without the code of a loss of the user.
    uncompiled = keras.Model(model.inputs, model.outputs[0], name=model.name)
    holder = uncompiled
    closing: Any = uncompiled
    while isinstance(closing, keras.Model):
        holder = closing
        closing = producer(closing.outputs[0])
    activation = getattr(closing, "activation", None)
    if getattr(activation, "__name__", type(closing).__name__.lower()) not in CLOSING:
        return uncompiled

    def rebuild(node: keras.Operation) -> Any:
        if node is closing and activation is None:
            if isinstance(holder, keras.Sequential):
                return keras.layers.Identity()
            return lambda x, **_: x  # A graph passes a mask too.
        if not isinstance(node, keras.Layer):
            return node
        settings = node.get_config()
        if node is closing:
            settings["activation"] = "linear"
        return node.__class__.from_config(settings)

    return copy_model(uncompiled, rebuild)
