"""Descent: gradient descent on a function of two numbers whose loss forms a narrow valley.

Both valleys show why a step can be too large or too small, and what momentum is for. Along the
quadratic valley the loss is flat and across it steep: a step of at most 2 / steepness stays in it,
and then the way along it is slow. The valley of Rosenbrock is bent.

    quadratic     L(x, y) = (x^2 + steepness y^2) / 2              least at (0, 0)
    rosenbrock    L(x, y) = (1 - x)^2 + steepness (y - x^2)^2      least at (1, 1)

With momentum, v <- momentum v - step size x gradient, and the point moves by v.

Sources     Rosenbrock, "An Automatic Method for Finding the Greatest or Least Value of a Function",
            1960, with a steepness of 100; Polyak, "Some methods of speeding up the convergence of
            iteration methods", 1964, for the momentum.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.errors import ConfigError
from convlens.language import _, one_of

Floats = NDArray[np.float64]

STEEPNESS = {"quadratic": 25.0, "rosenbrock": 100.0}  # the valleys, and their usual steepness
LEAST = {"quadratic": (0.0, 0.0), "rosenbrock": (1.0, 1.0)}
MOST_STEPS = 10_000
LOST = 1e6  # times the first loss, at least: beyond it a way leads nowhere


@dataclass(frozen=True)
class Valley:
    """A function of two numbers.

    Attributes:
        kind: "quadratic" or "rosenbrock".
        steepness: How much steeper it is across the valley than along it.
    """

    kind: str = "quadratic"
    steepness: float = 25.0

    def loss(self, x: float, y: float) -> float:
        """Return the loss at a point."""
        if self.kind == "quadratic":
            return (x**2 + self.steepness * y**2) / 2
        return (1 - x) ** 2 + self.steepness * (y - x**2) ** 2

    def gradient(self, x: float, y: float) -> tuple[float, float]:
        """Return the gradient of the loss at a point."""
        if self.kind == "quadratic":
            return x, self.steepness * y
        across = 2 * self.steepness * (y - x**2)
        return -2 * (1 - x) - 2 * x * across, across

    def largest_step(self, momentum: float = 0.0) -> float | None:
        """Return the step size from which on the way leads nowhere; None for a bent valley."""
        if self.kind != "quadratic":
            return None
        return 2 * (1 + momentum) / max(self.steepness, 1.0)


@dataclass(frozen=True, eq=False)
class Descent:
    """The way down a valley.

    Attributes:
        valley: The valley.
        points: The points on the way, the start included, shaped (steps + 1, 2).
        losses: The loss at each point, shaped (steps + 1,).
        gradients: The gradient at each point, shaped (steps + 1, 2).
        velocities: By how much each step moved the point, shaped (steps, 2).
        lost: Whether the way was ended because it leads away from the valley for good.
    """

    valley: Valley
    points: Floats
    losses: Floats
    gradients: Floats
    velocities: Floats
    lost: bool

    def data(self) -> dict[str, Any]:
        """Return the way as plain data."""
        return {
            "valley": self.valley.kind,
            "steepness": self.valley.steepness,
            "least": list(LEAST[self.valley.kind]),
            "points": self.points.tolist(),
            "losses": self.losses.tolist(),
            "gradients": self.gradients.tolist(),
            "velocities": self.velocities.tolist(),
            "lost": self.lost,
        }


def descend(
    valley: Valley,
    start: tuple[float, float],
    *,
    step_size: float,
    momentum: float = 0.0,
    steps: int = 50,
) -> Descent:
    """Go down a valley by gradient descent.

    Args:
        valley: The valley.
        start: The point (x, y) at which the way begins.
        step_size: The learning rate.
        momentum: The share of the last move that is added to the next one.
        steps: The number of steps; fewer are taken if the way leads away for good.

    Raises:
        ConfigError: If a number is out of range.

    Example:
        >>> way = descend(Valley(), (10, 1), step_size=0.04, steps=1)
        >>> way.points.tolist(), way.losses.tolist()
        ([[10.0, 1.0], [9.6, 0.0]], [62.5, 46.08])
    """
    _check(valley, start, step_size, momentum, steps)
    point = np.array(start, np.float64)
    velocity = np.zeros(2)
    points = [point]
    velocities: list[Floats] = []
    bound = LOST * max(valley.loss(*point), 1.0)
    lost = False
    while len(velocities) < steps and not lost:
        velocity = momentum * velocity - step_size * np.array(valley.gradient(*point))
        point = point + velocity
        lost = not valley.loss(*point) <= bound
        velocities.append(velocity)
        points.append(point)
    return Descent(
        valley,
        np.array(points),
        np.array([valley.loss(*one) for one in points]),
        np.array([valley.gradient(*one) for one in points]),
        np.array(velocities).reshape(-1, 2),
        lost,
    )


def _check(
    valley: Valley, start: tuple[float, float], step_size: float, momentum: float, steps: int
) -> None:
    """Raise ConfigError if a number of a descent is out of range."""
    if valley.kind not in STEEPNESS:
        raise ConfigError(
            _("the valley must be {kinds}; found {found}.").format(
                kinds=one_of(map(repr, STEEPNESS)), found=repr(valley.kind)
            )
        )
    rules = (
        (0 < valley.steepness <= 1e4, _("the steepness must be above 0 and at most 10,000")),
        (len(start) == 2 and max(map(abs, start)) <= 100, _("the start must be within 100 of 0")),
        (0 < step_size <= 1e3, _("the step size must be above 0 and at most 1,000")),
        (0 <= momentum < 1, _("the momentum must be at least 0 and below 1")),
        (1 <= steps <= MOST_STEPS, _("steps must be 1 to 10,000")),
    )
    found: tuple[Any, ...] = (valley.steepness, start, step_size, momentum, steps)
    for (holds, rule), value in zip(rules, found, strict=True):
        if not holds or not np.isfinite(value).all():
            raise ConfigError(_("{rule}; found {found}.").format(rule=rule, found=value))
