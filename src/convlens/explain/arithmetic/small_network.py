"""Small network: the network of lecture 003 with any numbers, as plain data for a page.

Two inputs, two hidden and two output neurons with sigmoids, half the squared differences as the
error E, and one step of gradient descent, all from the old weights.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from convlens.errors import ConfigError
from convlens.explain.arithmetic.backprop import Step, take_step, train
from convlens.explain.arithmetic.network import (
    LECTURE_EXAMPLE,
    LECTURE_NETWORK,
    Example,
    Network,
    make_network,
)
from convlens.language import _

SIZES = (2, 2, 2)
LECTURE_STEP = 0.5  # the step size of lecture 003
MOST_STEPS = 10_000


def _flat_weights(network: Network) -> list[float]:
    """Return all weights in one row, neuron by neuron from w1."""
    return [float(one) for layer in network for one in layer.weights.T.ravel()]


def _flat_biases(network: Network) -> list[float]:
    return [float(one) for layer in network for one in np.ravel(layer.bias)]


LECTURE = {
    "weights": tuple(_flat_weights(LECTURE_NETWORK)),
    "biases": tuple(_flat_biases(LECTURE_NETWORK)),
    "inputs": tuple(LECTURE_EXAMPLE.inputs.tolist()),
    "targets": tuple(LECTURE_EXAMPLE.targets.tolist()),
}


def open_small_network(  # noqa: PLR0913 - the numbers that a page lets one change
    weights: Sequence[float] = LECTURE["weights"],
    biases: Sequence[float] = LECTURE["biases"],
    inputs: Sequence[float] = LECTURE["inputs"],
    targets: Sequence[float] = LECTURE["targets"],
    *,
    step_size: float = LECTURE_STEP,
    move_biases: bool = False,
    steps: int = 1,
    sizes: tuple[int, ...] = SIZES,
) -> dict[str, Any]:
    """Return the forward pass, the error, the chain rule of each weight and the update.

    Args:
        weights: All weights, neuron by neuron from w1.
        biases: One for each layer, as in the lecture, or one for each neuron.
        inputs: The inputs.
        targets: The outputs that are wanted.
        step_size: The learning rate.
        move_biases: Whether the biases are updated too; the lecture leaves them as they are.
        steps: The number of steps of which "errors" gives the error.
        sizes: The neurons of each layer, inputs first.

    Returns:
        A dictionary of
        "layers": of each layer the "inputs", the "products" (inputs, units), the "sums" and the
        "outputs" (units,);
        "terms", of which "error" is the sum: half the squared difference of each output;
        "chains": of each weight from w1 the fields of `backprop.Chain`;
        "bias_gradients": dE/db of each bias;
        "after": the "weights", the "biases" and the "error" after the step;
        "errors": the error before the first step and after each, (steps + 1,).

    Raises:
        ConfigError: If there are not as many numbers as the sizes ask for, or if one is not finite
            or out of range.

    Example:
        >>> opened = open_small_network()
        >>> round(opened["error"], 9), round(opened["chains"][4]["after"], 9)
        (0.298371109, 0.35891648)
    """
    numbers = (*weights, *biases, *inputs, *targets)
    if not np.isfinite(numbers).all():
        raise ConfigError(_("all numbers of the network must be finite."))
    if not 1 <= steps <= MOST_STEPS:
        raise ConfigError(
            _("steps must be 1 to {most:,}; found {found}.").format(most=MOST_STEPS, found=steps)
        )
    network = make_network(sizes, np.array(weights), np.array(biases))
    example = Example(np.array(inputs, np.float64), np.array(targets, np.float64))
    step = take_step(network, example, step_size, move_biases=move_biases)
    run = train(network, example, step_size, steps=steps, move_biases=move_biases)
    return _data(step) | {"errors": run.errors.tolist()}


def _data(step: Step) -> dict[str, Any]:
    return {
        "inputs": step.example.inputs.tolist(),
        "targets": step.example.targets.tolist(),
        "weights": _flat_weights(step.before),
        "biases": _flat_biases(step.before),
        "step_size": step.learning_rate,
        "layers": [
            {
                "inputs": forward.inputs.tolist(),
                "products": forward.products.tolist(),
                "sums": forward.sums.tolist(),
                "outputs": forward.outputs.tolist(),
            }
            for forward in step.forward
        ],
        "terms": step.terms.tolist(),
        "error": step.error,
        "chains": [asdict(chain) | {"terms": list(chain.terms)} for chain in step.chains()],
        "bias_gradients": [float(one) for back in step.backward for one in np.ravel(back.bias)],
        "after": {
            "weights": _flat_weights(step.after),
            "biases": _flat_biases(step.after),
            "error": take_step(step.after, step.example, step.learning_rate).error,
        },
    }
