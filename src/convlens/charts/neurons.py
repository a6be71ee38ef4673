"""The chart of a small network of neurons, with every number of its forward and backward pass."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import ArrayLike, NDArray

from convlens.charts.sketch import Point, mixed, sketch, write
from convlens.charts.style import BLUE, GREEN, GREY, INK, ORANGE, RED
from convlens.errors import ConfigError
from convlens.language import _, listed

# Lengths are inches.
RADIUS = 0.48  # of a neuron
ACROSS = 4.6  # from layer to layer, at least
LABEL = 1.5  # from neuron to the middle of a label, at least
LINES = 0.63  # from line to line at their labels, at least
DOWN = 1.9  # from neuron to neuron, at least
BELOW = 1.25  # from the last neuron to the bias that a layer shares
TITLES = 0.85  # from the first neuron to the title of its layer
FILLS = {"input": "#EFEFEF", "hidden": mixed(BLUE, 0.16), "output": mixed(GREEN, 0.18)}

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Network:
    """The numbers of a network as they are drawn; see `show_neurons`."""

    weights: list[Array]
    values: list[Array]
    biases: list[Array]
    gradients: list[Array]
    digits: int

    @property
    def across(self) -> float:
        """The distance from layer to layer."""
        return max(ACROSS, LABEL * (1 + max(map(len, self.values[1:]))))

    @property
    def down(self) -> float:
        """The distance from neuron to neuron."""
        return max(DOWN, LINES * (1 + max(map(len, self.values[1:]))))

    @property
    def floor(self) -> float:
        """The middle of the lowest neurons."""
        return -self.down * (max(map(len, self.values)) - 1)

    def places(self, layer: int) -> list[Point]:
        """Return the middles of the neurons of a layer; the middles of all layers are level."""
        units = len(self.values[layer])
        top = (self.floor + self.down * (units - 1)) / 2
        return [(self.across * layer, top - self.down * row) for row in range(units)]

    def kind(self, layer: int) -> str:
        """Return "input", "hidden" or "output"."""
        return {0: "input", len(self.weights): "output"}.get(layer, "hidden")

    def written(self, number: float) -> str:
        """Return a number with as many digits as were asked for, without zeros at the end."""
        return f"{number + 0.0:.{self.digits}g}"


def show_neurons(
    weights: Sequence[ArrayLike],
    values: Sequence[ArrayLike],
    *,
    biases: Sequence[ArrayLike] = (),
    targets: ArrayLike | None = None,
    gradients: Sequence[ArrayLike] = (),
    digits: int = 4,
) -> Figure:
    """Show a network of neurons with the weights on its lines and the values in its neurons.

    The weights are counted neuron by neuron from w1, as `convlens.backprop` counts them. A line is
    blue where its weight is positive and orange where it is negative, and the wider the larger the
    weight is. Layers of two or three neurons can be read best.

    Args:
        weights: The weights of each layer, shaped (inputs, units).
        values: The inputs of the network, and then the outputs of each layer.
        biases: The bias of each layer, shaped () where the layer shares it, or (units,). If empty,
            none are drawn.
        targets: What the last layer should give, shaped (outputs,).
        gradients: The gradients of the error by the weights of each layer, shaped (inputs, units).
        digits: The most significant digits of every number.

    Raises:
        ConfigError: If the shapes do not fit together.

    Example:
        >>> import numpy as np
        >>> hidden, output = np.array([[0.15, 0.25], [0.2, 0.3]]), np.array([[0.4], [0.45]])
        >>> figure = show_neurons([hidden, output], [[0.05, 0.1], [0.59, 0.6], [0.75]])
        >>> [text.get_text() for text in figure.axes[0].texts if "w6" in text.get_text()]
        ['w6 = 0.45']
    """
    network = _Network(
        _arrays(weights), _arrays(values), _arrays(biases), _arrays(gradients), digits
    )
    _check(network)
    below = BELOW + 0.1 if any(bias.ndim == 0 for bias in network.biases) else RADIUS + 0.1
    right = network.across * len(weights) + RADIUS + (1.0 if targets is not None else 0)
    with sketch(-RADIUS, network.floor - below, right, TITLES + 0.1) as (figure, axes):
        _draw_weights(axes, network)
        for layer in range(len(network.values)):
            _draw_neurons(axes, network, layer)
        for layer, bias in enumerate(network.biases, start=1):
            _draw_bias(axes, network, layer, bias)
        if targets is not None:
            _write_targets(axes, network, np.asarray(targets, float))
    return figure


def _arrays(given: Sequence[ArrayLike]) -> list[Array]:
    return [np.asarray(one, dtype=np.float64) for one in given]


def _check(network: _Network) -> None:
    units = [len(values) for values in network.values]
    wanted = list(itertools.pairwise(units))
    for name, matrices in (("weights", network.weights), ("gradients", network.gradients)):
        found = [matrix.shape for matrix in matrices]
        if found != wanted and (matrices or name == "weights"):
            raise ConfigError(
                _(
                    "layers of {units} neurons must have {name} shaped {wanted}; found {found}."
                ).format(units=listed(map(str, units)), name=name, wanted=wanted, found=found)
            )


def _draw_weights(axes: Axes, network: _Network) -> None:
    """Draw a line for each weight, and write the weight above it and its gradient below."""
    largest = max(float(np.abs(matrix).max()) for matrix in network.weights)
    number = 0
    for layer, matrix in enumerate(network.weights):
        begins = network.places(layer)
        ends = network.places(layer + 1)
        for unit, source in np.ndindex(matrix.T.shape):
            number += 1
            weight = float(matrix[source, unit])
            texts = ["w{number} = {weight}".format(number=number, weight=network.written(weight))]
            if network.gradients:
                slope = network.written(float(network.gradients[layer][source, unit]))
                texts.append("∂E/∂w{number} = {slope}".format(number=number, slope=slope))
            axes.plot(
                *zip(begins[source], ends[unit], strict=True),
                color=mixed(ORANGE if weight < 0 else BLUE, 0.55),
                linewidth=0.6 + 2.4 * abs(weight) / max(largest, 1e-9),
                zorder=1,
            )
            # The labels of all lines between two layers are then about equally far from each other.
            share = 0.88 / (1 + len(ends))
            _write_along(axes, begins[source], ends[unit], share, texts)


def _write_along(axes: Axes, begin: Point, end: Point, share: float, texts: Sequence[str]) -> None:
    """Write a text above a line and another below it, at a share of its way."""
    along = np.subtract(end, begin)
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    middle = begin + share * along
    for text, side, color in zip(texts, (0.1, -0.11), (INK, RED), strict=False):
        write(
            axes,
            tuple(middle + side * across),
            text,
            color=color,
            rotation=np.degrees(np.arctan2(*along[::-1])),
            rotation_mode="anchor",
            fontsize=9 if side > 0 else 8,
            zorder=3,
        )


def _draw_neurons(axes: Axes, network: _Network, layer: int) -> None:
    kind = network.kind(layer)
    titles = {"input": _("input"), "hidden": _("hidden layer"), "output": _("output")}
    write(axes, (network.across * layer, TITLES), titles[kind], fontsize=11, color=GREY)
    letter = kind[0]
    if kind == "hidden" and len(network.weights) > 2:
        letter = f"h{layer}."
    for unit, (place, value) in enumerate(
        zip(network.places(layer), network.values[layer], strict=True), start=1
    ):
        axes.add_patch(
            Circle(place, RADIUS, facecolor=FILLS[kind], edgecolor=INK, linewidth=1, zorder=2)
        )
        write(axes, (place[0], place[1] + 0.15), f"{letter}{unit}", fontsize=11, zorder=3)
        write(axes, (place[0], place[1] - 0.12), network.written(value), fontsize=9, zorder=3)


def _draw_bias(axes: Axes, network: _Network, layer: int, bias: Array) -> None:
    """Draw the bias that a layer shares as a box, or write the bias of each neuron below it."""
    places = network.places(layer)
    if bias.ndim:
        first = 1 + sum(one.size for one in network.biases[: layer - 1])
        for number, (place, one) in enumerate(zip(places, bias, strict=True), first):
            text = "b{number} = {bias}".format(number=number, bias=network.written(one))
            write(axes, (place[0], place[1] - RADIUS - 0.14), text, color=GREY)
        return
    box = (network.across * (layer - 0.5), network.floor - BELOW)
    number = 1 + sum(one.size for one in network.biases[: layer - 1])
    text = "b{number} = {bias}".format(number=number, bias=network.written(float(bias)))
    for place in places:
        axes.plot(*zip(box, place, strict=True), color=GREY, linewidth=0.8, linestyle=":", zorder=1)
    frame = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": GREY, "linewidth": 0.8}
    write(axes, box, text, bbox=frame, zorder=3)


def _write_targets(axes: Axes, network: _Network, targets: Array) -> None:
    for (x, y), target in zip(network.places(len(network.weights)), targets, strict=True):
        text = _("target {number}").format(number=network.written(target))
        write(axes, (x + RADIUS + 0.12, y), text, ha="left", color=GREEN)
