"""Backprop: backpropagation by hand in a network of sigmoid layers, factor by factor, step by step.

The example is that of lecture 003: two inputs, two hidden and two output neurons, one bias for each
layer, and half the squared differences as the error. Any number of layers and neurons is computed
in the same way. Weights are counted as in the lecture: neuron by neuron from w1. This module is
`convlens.backprop`.
"""

from dataclasses import dataclass

import numpy as np

from convlens.errors import ConfigError
from convlens.explain.arithmetic.network import (
    LECTURE_EXAMPLE,
    LECTURE_NETWORK,
    Array,
    Backward,
    Example,
    Forward,
    Layer,
    Network,
    make_network,
    run_backward,
    run_forward,
)
from convlens.language import _

__all__ = [
    "LECTURE_EXAMPLE",
    "LECTURE_NETWORK",
    "Backward",
    "Chain",
    "Example",
    "Forward",
    "Layer",
    "Network",
    "Step",
    "Training",
    "make_network",
    "run_backward",
    "run_forward",
    "take_step",
    "train",
]


@dataclass(frozen=True)
class Chain:
    """The chain rule for one weight: dE/dw = dE/dout x dout/dnet x dnet/dw.

    Attributes:
        name: The name of the weight, such as "w5".
        layer: The layer, counted from 0.
        source: The index of the input that is weighted.
        unit: The index of the neuron.
        terms: The terms that dE/dout is the sum of.
        error_by_output: dE/dout.
        output_by_sum: dout/dnet.
        sum_by_weight: dnet/dw, which is the input.
        gradient: The product of the three.
        before: The weight before the step.
        after: The weight after the step: before - learning rate x gradient.
    """

    name: str
    layer: int
    source: int
    unit: int
    terms: tuple[float, ...]
    error_by_output: float
    output_by_sum: float
    sum_by_weight: float
    gradient: float
    before: float
    after: float


@dataclass(frozen=True)
class Step:
    """One step of gradient descent with every number; all gradients are by the old weights.

    Attributes:
        example: The inputs and targets.
        before: The network before the step.
        forward: The forward pass of each layer.
        terms: Half the squared difference of each output, shaped (outputs,).
        error: The sum of the terms.
        backward: The backward pass of each layer.
        learning_rate: The learning rate of the step.
        after: The network after the step.
    """

    example: Example
    before: Network
    forward: tuple[Forward, ...]
    terms: Array
    error: float
    backward: tuple[Backward, ...]
    learning_rate: float
    after: Network

    def chains(self) -> tuple[Chain, ...]:
        """Return the chain rule for every weight, from w1."""
        found: list[Chain] = []
        for index, (layer, forward, backward) in enumerate(
            zip(self.before, self.forward, self.backward, strict=True)
        ):
            for unit, source in np.ndindex(layer.weights.T.shape):
                chain = Chain(
                    name=f"w{len(found) + 1}",
                    layer=index,
                    source=source,
                    unit=unit,
                    terms=tuple(backward.terms[unit].tolist()),
                    error_by_output=float(backward.error_by_output[unit]),
                    output_by_sum=float(backward.output_by_sum[unit]),
                    sum_by_weight=float(forward.inputs[source]),
                    gradient=float(backward.weights[source, unit]),
                    before=float(layer.weights[source, unit]),
                    after=float(self.after[index].weights[source, unit]),
                )
                found.append(chain)
        return tuple(found)


@dataclass(frozen=True)
class Training:
    """Several steps of gradient descent.

    Attributes:
        errors: The error before the first step and after each, shaped (steps + 1,).
        network: The network after the last step.
        outputs: Its outputs, shaped (outputs,).
        until: The bound of the error that was asked for, or None.
    """

    errors: Array
    network: Network
    outputs: Array
    until: float | None

    @property
    def steps(self) -> int:
        """The number of steps that were taken."""
        return len(self.errors) - 1

    @property
    def reached(self) -> bool:
        """Whether the error has fallen below the bound."""
        return self.until is not None and bool(self.errors[-1] < self.until)


def take_step(
    network: Network, example: Example, learning_rate: float = 0.5, *, move_biases: bool = False
) -> Step:
    """Take one step of gradient descent.

    Args:
        network: The network before the step.
        example: The example that it learns from.
        learning_rate: The learning rate.
        move_biases: Whether the biases are updated too; lecture 003 leaves them as they are.

    Raises:
        ConfigError: If the shapes do not fit, or if the learning rate is not above 0 and finite.

    Example:
        >>> round(take_step(LECTURE_NETWORK, LECTURE_EXAMPLE).error, 9)
        0.298371109
    """
    if not 0 < learning_rate < np.inf:
        raise ConfigError(
            _("the learning rate must be above 0 and finite; found {found}.").format(
                found=learning_rate
            )
        )
    shape = (len(network[0].weights), network[-1].weights.shape[1])
    found = (len(example.inputs), len(example.targets))
    if shape != found:
        raise ConfigError(
            _(
                "the network takes {inputs} inputs and gives {outputs} outputs; found "
                "{found_inputs} inputs and {targets} targets."
            ).format(inputs=shape[0], outputs=shape[1], found_inputs=found[0], targets=found[1])
        )
    forward = run_forward(network, example.inputs)
    terms = (example.targets - forward[-1].outputs) ** 2 / 2
    backward = run_backward(network, forward, example.targets)
    after = tuple(
        Layer(
            layer.weights - learning_rate * back.weights,
            layer.bias - learning_rate * back.bias if move_biases else layer.bias,
        )
        for layer, back in zip(network, backward, strict=True)
    )
    return Step(
        example, network, forward, terms, float(terms.sum()), backward, learning_rate, after
    )


def train(
    network: Network,
    example: Example,
    learning_rate: float = 0.5,
    *,
    steps: int,
    until: float | None = None,
    move_biases: bool = False,
) -> Training:
    """Take steps of gradient descent, until there are enough or until the error is below a bound.

    Args:
        network: The network before the first step.
        example: See `take_step`.
        learning_rate: See `take_step`.
        steps: The most steps.
        until: The bound of the error; None for no bound.
        move_biases: See `take_step`.

    Raises:
        ConfigError: See `take_step`; also if steps is below 1, or if the bound is not above 0 and
            finite.
    """
    if steps < 1:
        raise ConfigError(_("steps must be at least 1; found {steps}.").format(steps=steps))
    if until is not None and not 0 < until < np.inf:
        raise ConfigError(
            _("the bound of the error must be above 0 and finite; found {until}.").format(
                until=until
            )
        )
    errors: list[float] = []
    while True:
        step = take_step(network, example, learning_rate, move_biases=move_biases)
        errors.append(step.error)
        if len(errors) > steps or (until is not None and step.error < until):
            return Training(np.array(errors), network, step.forward[-1].outputs, until)
        network = step.after
