"""Gradient: how the loss of one image changes with one weight, by the chain rule, term by term.

The loss is the cross-entropy of this image and a class, as the network predicts: kept statistics, no dropout. A
weight works at every position of its map; each position gives a term,

    dLoss/dWeight = sum over positions of  dLoss/dOutput x slope of the activation x input at that position.

dLoss/dOutput comes from the engine's differentiation; so does dLoss/dWeight, which stands beside the sum.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from convlens.anatomy.graph import Call
from convlens.backend import gradients
from convlens.errors import ConfigError, ModelError
from convlens.explain.microscope.microscope import Layer, Microscope, known_names, run_calls
from convlens.explain.microscope.value import TOLERANCE, Floats, floats, whole
from convlens.explain.microscope.weights import Place, Weight, find_weight, inputs_of, own_part


@dataclass(frozen=True, eq=False)
class WeightGradient:
    """The derivative of the loss by one weight, opened.

    Attributes:
        layer: name.
        weight: which one.
        label: the class whose cross-entropy is the loss.
        loss: -ln of its probability.
        outputs: (calls, positions...) dLoss/dOutput; where an activation mixes the units, as softmax does, or more
            than one filter is reached, dLoss/d(sum before it).
        slopes: likewise, of the activation; None where there is none or it is in `outputs`.
        inputs: likewise, what the weight was multiplied with.
        scale: sum of the absolute terms.
        network: the derivative as the engine computes it.
        chosen: whether the weight is the one with the largest derivative, not one that was asked for.
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
        return self.outputs * self.inputs * (1.0 if self.slopes is None else self.slopes)

    @property
    def total(self) -> float:
        """Their sum: dLoss/dWeight."""
        return float(self.terms.sum())

    @property
    def agrees(self) -> bool:
        """Whether the engine's derivative is this one, to TOLERANCE of the scale."""
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
        microscope: what was computed.
        layer: of it.
        unit: the filter, unit or channel; not needed where there is one.
        place: see `convlens.explain.microscope.weights`; where not given, the weight of the filter with the largest derivative.
        label: the true class; where not given, the predicted one.

    Raises:
        ConfigError: the layer has no weights to learn, or not this filter or weight, or the class is unknown.
        ModelError: the network does not end in a softmax.
    """
    number, loss = _loss(microscope, label)
    weight = find_weight(layer, unit, place)
    every = _by_weights(microscope, weight.variable, number)
    chosen = place is None and not isinstance(weight.place, str)
    if chosen:
        own = np.abs(own_part(layer, weight.unit, every))
        weight = find_weight(
            layer, weight.unit, tuple(int(i) for i in np.unravel_index(own.argmax(), own.shape))
        )
    calls = [one for one in microscope.layers if one.call.operation is layer.call.operation]
    inputs = np.stack([inputs_of(one, weight) for one in calls])
    after, before, slopes = _by_outputs(microscope, calls, number)
    if slopes is None or weight.mixed is not None:
        outputs, own_slopes = np.stack([weight.outputs(one) for one in before]), None
    else:
        outputs, own_slopes = (
            np.stack([one[..., weight.unit] for one in many]) for many in (after, slopes)
        )
    terms = outputs * inputs * (1.0 if own_slopes is None else own_slopes)
    scale = float(np.abs(terms).sum())
    if weight.mixed is not None:
        scale = float(sum((np.abs(one * weight.mixed).sum(axis=-1) * np.abs(x)).sum()
                          for one, x in zip(before, inputs, strict=True)))  # fmt: skip
    label = microscope.classifier.class_names[number]
    network = float(every[weight.index])
    return WeightGradient(
        layer.name, weight, label, loss, outputs, own_slopes, inputs, scale, network, chosen
    )


def _loss(microscope: Microscope, label: str | None) -> tuple[int, float]:
    """Return the number of the class and the loss."""
    names, last = microscope.classifier.class_names, microscope.layers[-1]
    if not isinstance(last.call.operation, keras.layers.Softmax):
        raise ModelError(
            f"gradients need a network that ends in a softmax; this one ends in {last.name} ({last.kind})."
        )
    label = microscope.prediction.label if label is None else label
    if label not in names:
        raise ConfigError(
            f"--true must be a class of the classifier; found {label!r}. It knows {known_names(names)}."
        )
    logits = whole(last)
    number = names.index(label)
    return number, float(
        np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[number]
    )


def _loss_tensor(
    microscope: Microscope, number: int, replaced: Mapping[int, Callable[[Call], Any]]
) -> Any:
    """Return the loss as a tensor of a new run, in which some calls are replaced."""
    logits = run_calls(microscope.model, microscope.pixels[None], replaced)[-1].args[0]
    return -keras.ops.log_softmax(logits)[0, number]


def _by_weights(microscope: Microscope, variable: keras.Variable, number: int) -> Floats:
    """Return dLoss/dWeight of a whole array of weights, as the engine computes it."""

    def loss(tensors: list[Any]) -> Any:
        with keras.StatelessScope(state_mapping=[(variable, tensors[0])]):
            return _loss_tensor(microscope, number, {})

    return floats(gradients(loss, [keras.ops.convert_to_numpy(variable)])[0])


def _by_outputs(
    microscope: Microscope, layers: Sequence[Layer], number: int
) -> tuple[list[Floats], list[Floats], list[Floats] | None]:
    """Return dLoss/dOutput, dLoss/d(sum before the activation), and the slope, each (positions..., filters) a call.

    Zeros are added to both, and the loss is differentiated by these zeros.
    """
    activation = getattr(layers[0].call.operation, "activation", None)
    plain = activation is None or activation is keras.activations.linear
    zeros = [np.zeros((1, *layer.shape), np.float32) for layer in layers]

    def loss(tensors: list[Any]) -> Any:
        def changed(before: Any, after: Any) -> Callable[[Call], Any]:
            def change(call: Call) -> Any:
                with _bare(call.operation):
                    sums = call.operation(*call.args, **call.kwargs) + before
                return (sums if plain else activation(sums)) + after  # type: ignore[misc]

            return change

        pairs = zip(tensors[: len(layers)], tensors[len(layers) :], strict=True)
        changes = {layer.number: changed(*pair) for layer, pair in zip(layers, pairs, strict=True)}
        return _loss_tensor(microscope, number, changes)

    found = [floats(one[0]) for one in gradients(loss, [*zeros, *zeros])]
    before, after = found[: len(layers)], found[len(layers) :]
    if plain or activation is keras.activations.softmax:
        return after, before, None
    return after, before, [_slopes(layer, activation) for layer in layers]


def _slopes(layer: Layer, activation: Any) -> Floats:
    """Return the derivative of an activation at each of the layer's sums."""
    with _bare(layer.call.operation):
        sums = layer.call.operation(*layer.call.args, **layer.call.kwargs)
    values = keras.ops.convert_to_numpy(sums)
    return floats(gradients(lambda tensors: keras.ops.sum(activation(tensors[0])), [values])[0][0])


@contextlib.contextmanager
def _bare(operation: Any) -> Iterator[None]:
    """Let a layer compute without its activation."""
    kept = getattr(operation, "activation", None)
    if kept is None:
        yield
        return
    operation.activation = keras.activations.linear
    try:
        yield
    finally:
        operation.activation = kept
