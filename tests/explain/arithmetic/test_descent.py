"""Gradient descent in a valley, against what can be computed otherwise."""

import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.descent import Valley, descend


def test_a_quadratic_valley_shrinks_by_a_factor_a_step():
    way = descend(Valley(steepness=25), (10, 1), step_size=0.07, steps=30)
    powers = np.arange(31)
    np.testing.assert_allclose(way.points[:, 0], 10 * (1 - 0.07) ** powers)
    np.testing.assert_allclose(way.points[:, 1], (1 - 0.07 * 25) ** powers, atol=1e-12)
    assert way.losses[0] == 62.5
    assert (np.diff(way.losses) < 0).all()
    np.testing.assert_allclose(np.diff(way.points, axis=0), way.velocities, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_step_beyond_the_largest_leads_away(momentum):
    """Polyak 1964: the way converges for step sizes below 2 (1 + momentum) / steepness."""
    valley = Valley(steepness=25)
    largest = valley.largest_step(momentum)
    assert largest == pytest.approx(2 * (1 + momentum) / 25)
    inside = descend(valley, (1, 1), step_size=0.97 * largest, momentum=momentum, steps=2000)
    beyond = descend(valley, (1, 1), step_size=1.03 * largest, momentum=momentum, steps=2000)
    assert inside.losses[-1] < 1e-6
    assert not inside.lost
    assert beyond.lost
    assert len(beyond.points) < 2001
    assert np.isfinite(beyond.losses).all()


def test_momentum_is_faster_along_the_valley():
    slow = descend(Valley(steepness=100), (10, 1), step_size=0.01, steps=100)
    fast = descend(Valley(steepness=100), (10, 1), step_size=0.01, momentum=0.9, steps=100)
    assert fast.losses[-1] < slow.losses[-1] / 100


def test_the_gradient_is_the_slope_of_the_loss():
    for valley in (Valley(), Valley("rosenbrock", 100)):
        for x, y in ((-1.2, 1.0), (0.3, 0.7)):
            slope = [
                (valley.loss(x + a, y + b) - valley.loss(x - a, y - b)) / 2e-6
                for a, b in ((1e-6, 0), (0, 1e-6))
            ]
            assert valley.gradient(x, y) == pytest.approx(slope, rel=1e-6)


def test_rosenbrocks_start_and_end():
    """Rosenbrock 1960: the loss is 24.2 at (-1.2, 1), and least at (1, 1)."""
    valley = Valley("rosenbrock", 100)
    way = descend(valley, (-1.2, 1), step_size=1e-3, momentum=0.9, steps=5000)
    assert way.losses[0] == pytest.approx(24.2)
    np.testing.assert_allclose(way.points[-1], [1, 1], atol=0.02)
    assert way.data()["least"] == [1.0, 1.0]
    assert valley.largest_step() is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"step_size": 0}, "the step size must be above 0"),
        ({"step_size": float("nan")}, "the step size must be above 0"),
        ({"momentum": 1}, "the momentum must be at least 0 and below 1; found 1"),
        ({"steps": 10**6}, "steps must be 1 to 10,000"),
        ({"start": (1, 1e9)}, "within 100 of 0"),
        ({"valley": Valley("canyon")}, "'quadratic' or 'rosenbrock'; found 'canyon'"),
    ],
)
def test_numbers_out_of_range_are_refused(change, said):
    given = {"valley": Valley(), "start": (1, 1), "step_size": 0.1} | change
    with pytest.raises(ConfigError, match=said):
        descend(given.pop("valley"), given.pop("start"), **given)
