"""Gradient: how the loss of one image changes with one weight, by the chain rule, term by term.

The loss is the cross-entropy of this image and a class, with the network in the mode of prediction:
normalisations use their kept statistics, and dropout does nothing. A weight works at every position
of its map, and each position gives a term:

    dLoss/dWeight = sum over positions of  dLoss/dOutput x slope of the activation x input

Both dLoss/dOutput and dLoss/dWeight come from the automatic differentiation of the engine; the
latter stands beside the sum.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from convlens.anatomy.graph import Call
from convlens.backend import gradients
from convlens.errors import ConfigError, ModelError
from convlens.explain.microscope.layer import NAMES, Floats, Layer, input_of, to_floats
from convlens.explain.microscope.microscope import Microscope, run_calls
from convlens.explain.microscope.opened_cell import TOLERANCE
from convlens.explain.microscope.weights import Place, Weight, find_weight, inputs_of, own_part
from convlens.files import and_more
from convlens.language import _


@dataclass(frozen=True, eq=False)
class WeightGradient:
    """The derivative of the loss by one weight, term by term.

    All arrays are shaped (calls, positions...): the calls of a layer that is used several times,
    and the positions of its map.

    Attributes:
        layer: The name of the layer.
        weight: The weight.
        label: The class whose cross-entropy is the loss.
        loss: The loss: -ln of the probability of that class.
        outputs: dLoss/dOutput. It is dLoss/d(sum before the activation) where the activation mixes
            the units, as softmax does, or where the weight reaches several filters.
        slopes: The slope of the activation; None where there is none, or where `outputs` has it.
        inputs: What the weight is multiplied with.
        scale: The sum of the absolute terms.
        network: The derivative as the engine computes it.
        chosen: Whether the weight was chosen because it has the largest derivative.
    """

    layer: str
    weight: Weight
    label: str
    loss: float
    outputs: Floats
    slopes: Floats | None
    inputs: Floats
    scale: float
    network: float
    chosen: bool

    @property
    def terms(self) -> Floats:
        """The products."""
        products = self.outputs * self.inputs
        return products if self.slopes is None else products * self.slopes

    @property
    def total(self) -> float:
        """The sum of the terms: dLoss/dWeight."""
        return float(self.terms.sum())

    @property
    def agrees(self) -> bool:
        """Whether the derivative of the engine is this one, within TOLERANCE of the scale."""
        return abs(self.total - self.network) <= TOLERANCE * self.scale + 1e-30


def differentiate(
    microscope: Microscope,
    layer: Layer,
    unit: int | None = None,
    place: Place | None = None,
    label: str | None = None,
) -> WeightGradient:
    """Differentiate the loss by one weight of a convolution, dense layer or normalisation.

    Args:
        microscope: The network that computed an image.
        layer: One of its layers.
        unit: The filter, unit or channel; not needed where there is only one.
        place: The place of the weight, see `convlens.explain.microscope.weights`; that with the
            largest derivative of the filter if not given.
        label: The true class; the predicted one if not given.

    Raises:
        ConfigError: If the layer has no weights, or not this filter or weight, or if there is no
            such class.
        ModelError: If the network does not end in a softmax.

    Example:
        >>> layer = microscope.layer("conv1")  # doctest: +SKIP
        >>> differentiate(microscope, layer, 0, (1, 1, 0), "cat").total  # doctest: +SKIP
    """
    number, loss = _loss(microscope, label)
    weight = find_weight(layer, unit, place)
    every = _by_weights(microscope, weight.variable, number)
    chosen = place is None and not isinstance(weight.place, str)
    if chosen:
        own = np.abs(own_part(layer, weight.unit, every))
        largest = np.unravel_index(own.argmax(), own.shape)
        weight = find_weight(layer, weight.unit, tuple(map(int, largest)))
    calls = [one for one in microscope.layers if one.operation is layer.operation]
    inputs = np.stack([inputs_of(one, weight) for one in calls])
    after, before, every_slope = _by_outputs(microscope, calls, number)
    if every_slope is None or weight.mixed is not None:
        outputs = weight.outputs(before)
        slopes = None
    else:
        outputs = after[..., weight.unit]
        slopes = every_slope[..., weight.unit]
    terms = np.abs(outputs * inputs) if slopes is None else np.abs(outputs * inputs * slopes)
    if weight.mixed is not None:
        terms = np.abs(before * weight.mixed).sum(axis=-1) * np.abs(inputs)
    return WeightGradient(
        layer.name,
        weight,
        microscope.classifier.class_names[number],
        loss,
        outputs,
        slopes,
        inputs,
        float(terms.sum()),
        float(every[weight.index]),
        chosen,
    )


def _loss(microscope: Microscope, label: str | None) -> tuple[int, float]:
    """Return the number of the class and the loss."""
    names = microscope.classifier.class_names
    last = microscope.layers[-1]
    if not isinstance(last.operation, keras.layers.Softmax):
        raise ModelError(
            _(
                "gradients need a network that ends in a softmax; this one ends in {layer} "
                "({kind})."
            ).format(layer=last.name, kind=last.kind)
        )
    label = microscope.prediction.label if label is None else label
    if label not in names:
        raise ConfigError(
            _(
                "--true must be a class of the classifier; found {label!r}. It knows {names}."
            ).format(label=label, names=and_more(names, NAMES))
        )
    logits = input_of(last)
    number = names.index(label)
    total = np.exp(logits - logits.max()).sum()
    return number, float(np.log(total) + logits.max() - logits[number])


def _loss_tensor(
    microscope: Microscope, number: int, replaced: Mapping[int, Callable[[Call], Any]]
) -> Any:
    """Return the loss as a tensor of a new run in which some calls are replaced."""
    calls = run_calls(microscope.model, microscope.pixels[None], replaced)
    return -keras.ops.log_softmax(calls[-1].args[0])[0, number]


def _by_weights(microscope: Microscope, variable: keras.Variable, number: int) -> Floats:
    """Return dLoss/dWeight of a whole array of weights, as the engine computes it."""

    def loss(tensors: list[Any]) -> Any:
        with keras.StatelessScope(state_mapping=[(variable, tensors[0])]):
            return _loss_tensor(microscope, number, {})

    return to_floats(gradients(loss, [keras.ops.convert_to_numpy(variable)])[0])


def _by_outputs(
    microscope: Microscope, layers: Sequence[Layer], number: int
) -> tuple[Floats, Floats, Floats | None]:
    """Return dLoss/dOutput, dLoss/d(sum before the activation), and the slope.

    Zeros are added to outputs and sums, and the loss is differentiated by these zeros. All arrays
    are shaped (calls, positions..., filters). Where the activation is linear or a softmax, there
    are no slopes.
    """
    activation = getattr(layers[0].operation, "activation", None) or keras.activations.linear
    places = {layer.number: place for place, layer in enumerate(layers)}
    zeros = np.zeros((len(layers), 1, *layers[0].shape), np.float32)

    def loss(tensors: list[Any]) -> Any:
        to_sums, to_outputs = tensors

        def change(call: Call) -> Any:
            place = places[call.number]
            return activation(_without_activation(call) + to_sums[place]) + to_outputs[place]

        return _loss_tensor(microscope, number, dict.fromkeys(places, change))

    before, after = (to_floats(one)[:, 0] for one in gradients(loss, [zeros, zeros]))
    if activation in (keras.activations.linear, keras.activations.softmax):
        return after, before, None
    return after, before, np.stack([_slopes(layer, activation) for layer in layers])


def _slopes(layer: Layer, activation: Any) -> Floats:
    """Return the derivative of an activation at each of the layer's sums."""
    sums = keras.ops.convert_to_numpy(_without_activation(layer.call))
    found = gradients(lambda tensors: keras.ops.sum(activation(tensors[0])), [sums])
    return to_floats(found[0][0])


def _without_activation(call: Call) -> Any:
    """Return what a call gives without the activation of the layer."""
    operation: Any = call.operation
    activation = getattr(operation, "activation", None)
    if activation is None:
        return operation(*call.args, **call.kwargs)
    operation.activation = keras.activations.linear
    try:
        return operation(*call.args, **call.kwargs)
    finally:
        operation.activation = activation
