"""By hand: the 2-2-2 network of lecture 003 and a narrow valley, step by step, as pages show them.

The page keeps the weights and the settings and sends them with each request, so that nothing is
kept here, and two tabs do not disturb each other. All numbers are those of `convlens.backprop` and
of the descent of `convlens.explain.arithmetic`.
"""

from typing import Any

import numpy as np

from convlens.explain.arithmetic import backprop
from convlens.explain.arithmetic.descent import Valley, descend
from convlens.explain.arithmetic.small_network import LECTURE, LECTURE_STEP, MOST_STEPS, SIZES
from convlens.studio.microscope.asked import count_of, number_of, numbers_of

MOST_VALLEY_STEPS = 500
VALLEY_START = [-10.0, 3.0]
STEEPNESS = 10.0
STEP_SIZE = 0.05
RINGS = [1.5 * number for number in range(1, 11)]  # half the lengths of the contour lines

Content = dict[str, Any]


def look_at_network(content: Content) -> Content:
    """Return every number of the network after some steps, and the errors on the way.

    Args:
        content: `weights` (8), `biases` (2), `rate`, `steps` from 0, and whether `move_biases`;
            what is missing is as the lecture has it.

    Raises:
        Problem: If one of them cannot be.
    """
    weights = numbers_of(content, "weights", list(LECTURE["weights"]))
    biases = numbers_of(content, "biases", list(LECTURE["biases"]))
    rate = number_of(content, "rate", LECTURE_STEP, least=1e-6)
    steps = count_of(content, "steps", 0, MOST_STEPS)
    move = content.get("move_biases") is True
    network = backprop.make_network(SIZES, np.array(weights), np.array(biases))
    example = backprop.LECTURE_EXAMPLE
    errors: list[float] = []
    if steps:
        training = backprop.train(network, example, rate, steps=steps, move_biases=move)
        network = training.network
        errors = training.errors[1:].tolist()
    step = backprop.take_step(network, example, rate, move_biases=move)
    return {"rate": rate, "errors": errors, **_shown(step)}


def _shown(step: backprop.Step) -> Content:
    """Return the numbers of a step; neurons and weights are counted as in the lecture."""
    return {
        "inputs": step.example.inputs.tolist(),
        "targets": step.example.targets.tolist(),
        "weights": [chain.before for chain in step.chains()],
        "biases": [float(layer.bias) for layer in step.before],
        "biases_after": [float(layer.bias) for layer in step.after],
        "bias_gradients": [float(layer.bias) for layer in step.backward],
        "sums": [layer.sums.tolist() for layer in step.forward],
        "outputs": [layer.outputs.tolist() for layer in step.forward],
        "deltas": [layer.delta.tolist() for layer in step.backward],
        "terms": step.terms.tolist(),
        "error": step.error,
        "chains": [vars(chain) for chain in step.chains()],
    }


def go_down_valley(content: Content) -> Content:
    """Return the way down a quadratic valley, and what its step size makes of it.

    Args:
        content: `steepness`, `start` (x, y), `step_size`, `momentum`, and `steps` from 0; what is
            missing has its usual value.

    Raises:
        Problem: If one of them is no such number.
        ConfigError: If one of them is out of range.
    """
    valley = Valley("quadratic", number_of(content, "steepness", STEEPNESS))
    x, y = numbers_of(content, "start", VALLEY_START)
    size = number_of(content, "step_size", STEP_SIZE)
    momentum = number_of(content, "momentum", 0.0)
    steps = count_of(content, "steps", 0, MOST_VALLEY_STEPS)
    # One step more than is shown: the next one, which the page writes down.
    way = descend(valley, (x, y), step_size=size, momentum=momentum, steps=steps + 1)
    shown = min(steps, len(way.velocities))
    data = way.data()
    return {
        **data,
        "points": data["points"][: shown + 1],
        "losses": data["losses"][: shown + 1],
        "gradient": data["gradients"][shown],
        "velocity": data["velocities"][shown - 1] if shown else [0.0, 0.0],
        "next": data["points"][shown + 1] if shown < len(way.velocities) else None,
        "lost": way.lost and shown == len(way.velocities),
        "step_size": size,
        "momentum": momentum,
        "limit": valley.largest_step(momentum),
        "factors": [1 - size, 1 - size * valley.steepness],
        "verdict": _verdict(valley, size, momentum),
        "rings": [[ring, ring / valley.steepness**0.5] for ring in RINGS],
    }


def _verdict(valley: Valley, size: float, momentum: float) -> str:
    """Return what a step size makes of the way: the end of the key of a text of the page."""
    limit = valley.largest_step(momentum)
    assert limit is not None  # it is quadratic
    if abs(size - limit) < 1e-9:
        return "edge"
    if size > limit:
        return "diverges"
    if momentum:
        return "momentum"
    if abs(size * valley.steepness - 1) < 1e-9:
        return "at_once"
    return "oscillates" if size * valley.steepness > 1 else "straight"
