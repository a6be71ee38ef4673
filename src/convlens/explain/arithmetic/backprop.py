"""Backpropagation by hand: a network of sigmoid layers, forwards, backwards factor by factor, and on and on.

The example is deck 003's: two inputs, two hidden and two output neurons, one bias a layer, the error half the squares.
Any number of layers and neurons is computed the same way. Weights are counted as there: neuron by neuron from w1.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from convlens.errors import ConfigError
from convlens.explain.arithmetic.network import (
    LECTURE_EXAMPLE,
    LECTURE_NETWORK,
    Array,
    Example,
    Layer,
    Network,
    make_network,
)

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
class Forward:
    """One layer, forwards.

    Attributes:
        inputs: (inputs,).
        products: (inputs, units), input x weight.
        sums: (units,), products and bias added up.
        outputs: (units,), the sigmoid of the sums.
    """

    inputs: Array
    products: Array
    sums: Array
    outputs: Array


@dataclass(frozen=True)
class Backward:
    """One layer, backwards: E is the error, out a neuron's answer, net its sum.

    Attributes:
        terms: (units, next units), what each neuron of the next layer sends back, delta x weight; for the last layer
            (units, 1), output - target.
        error_by_output: (units,), dE/dout, the terms added up.
        output_by_sum: (units,), dout/dnet = out (1 - out).
        delta: (units,), dE/dnet, the product of the two.
        weights: (inputs, units), dE/dw = delta x input.
        bias: shaped like the layer's bias, dE/db = delta, added up where the layer shares one.
    """

    terms: Array
    error_by_output: Array
    output_by_sum: Array
    delta: Array
    weights: Array
    bias: Array


@dataclass(frozen=True)
class Chain:
    """The chain rule for one weight: dE/dw = dE/dout x dout/dnet x dnet/dw.

    Attributes:
        name: "w5".
        layer: counted from 0.
        source: index of the input it weighs.
        unit: index of its neuron.
        terms: what dE/dout is the sum of.
        error_by_output: dE/dout.
        output_by_sum: dout/dnet.
        sum_by_weight: dnet/dw, the input.
        gradient: their product.
        before: the weight.
        after: before - learning rate x gradient.
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
    """One step of gradient descent, with every number; all gradients are of the old weights.

    Attributes:
        example: inputs and targets.
        before: the network.
        forward: a layer each.
        terms: (outputs,), half the squared difference of each output.
        error: their sum.
        backward: a layer each.
        learning_rate: of the update.
        after: the network updated.
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
        """Return the chain rule of every weight, from w1."""
        found: list[Chain] = []
        for index, (layer, forward, backward) in enumerate(
            zip(self.before, self.forward, self.backward, strict=True)
        ):
            for unit in range(layer.weights.shape[1]):
                for source in range(layer.weights.shape[0]):
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
    """Many steps.

    Attributes:
        errors: (steps + 1,), before the first step and after each.
        network: after the last step.
        outputs: its answers.
        until: the bound that was asked for, or None.
    """

    errors: Array
    network: Network
    outputs: Array
    until: float | None

    @property
    def steps(self) -> int:
        """Steps taken."""
        return len(self.errors) - 1

    @property
    def reached(self) -> bool:
        """Whether the error fell below the bound."""
        return self.until is not None and bool(self.errors[-1] < self.until)


def run_forward(network: Network, inputs: Array) -> tuple[Forward, ...]:
    """Return every number on the way from the inputs to the answers."""
    passed: list[Forward] = []
    for layer in network:
        products = inputs[:, None] * layer.weights
        sums = products.sum(axis=0) + layer.bias
        passed.append(Forward(inputs, products, sums, expit(sums)))
        inputs = passed[-1].outputs
    return tuple(passed)


def run_backward(
    network: Network, forward: tuple[Forward, ...], targets: Array
) -> tuple[Backward, ...]:
    """Return every number on the way back, a layer each, the first layer first."""
    terms = (forward[-1].outputs - targets)[:, None]
    found: list[Backward] = []
    for layer, here in zip(reversed(network), reversed(forward), strict=True):
        by_output = terms.sum(axis=1)
        by_sum = here.outputs * (1 - here.outputs)
        delta = by_output * by_sum
        bias = delta.sum() if layer.bias.ndim == 0 else delta
        found.append(
            Backward(
                terms, by_output, by_sum, delta, here.inputs[:, None] * delta, np.asarray(bias)
            )
        )
        terms = delta * layer.weights
    return tuple(reversed(found))


def take_step(
    network: Network, example: Example, learning_rate: float = 0.5, *, move_biases: bool = False
) -> Step:
    """Take one step of gradient descent.

    Args:
        network: before the step.
        example: what it is trained on.
        learning_rate: of the update.
        move_biases: whether the biases learn too; deck 003 leaves them.

    Raises:
        ConfigError: shapes that do not fit, or a learning rate that is not above 0 and finite.
    """
    if not 0 < learning_rate < np.inf:
        raise ConfigError(f"the learning rate must be above 0 and finite; found {learning_rate}.")
    shape = len(network[0].weights), network[-1].weights.shape[1]
    found = len(example.inputs), len(example.targets)
    if shape != found:
        raise ConfigError(
            f"the network takes {shape[0]} inputs and gives {shape[1]} outputs; found {found[0]} inputs and "
            f"{found[1]} targets."
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
    """Take step after step, as many as asked for, or until the error is below a bound.

    Raises:
        ConfigError: see `take_step`; or steps below 1, or a bound that is not above 0.
    """
    if steps < 1:
        raise ConfigError(f"steps must be at least 1; found {steps}.")
    if until is not None and not 0 < until < np.inf:
        raise ConfigError(f"the bound of the error must be above 0 and finite; found {until}.")
    errors: list[float] = []
    while True:
        step = take_step(network, example, learning_rate, move_biases=move_biases)
        errors.append(step.error)
        if len(errors) > steps or (until is not None and step.error < until):
            return Training(np.array(errors), network, step.forward[-1].outputs, until)
        network = step.after
