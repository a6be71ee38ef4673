import numpy as np
import pytest

from convlens.budget.plan import (
    AIM,
    EPOCHS,
    OVERHEAD,
    Costs,
    Plan,
    least_seconds,
    parse_duration,
    plan,
)
from convlens.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("10 min", 600),
        ("2H", 7200),
        ("1h30m", 5400),
        ("1m 30s", 90),
        ("0.5m", 30),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "m", "ten minutes", "-5m", "5m1h", "1e3s", "1.5.2m", "10x", "0s", "0m0s"]
)
def test_what_is_no_duration(text):
    with pytest.raises(ConfigError, match="a duration must be"):
        parse_duration(text)


def random_costs(count: int):
    rng = np.random.default_rng(0)
    for _ in range(count):
        step, validation, keep = (
            10 ** rng.uniform(-3, 1),
            10 ** rng.uniform(-2, 1.5),
            10 ** rng.uniform(-1.5, 0.8),
        )
        yield (
            10 ** rng.uniform(0.5, 4),
            Costs(step, validation, keep),
            int(10 ** rng.uniform(0, 3.5)),
        )


def test_a_plan_ends_within_a_tenth_of_the_time_unless_a_step_is_longer_than_that():
    tried = 0
    for seconds, costs, steps_per_pass in random_costs(2000):
        if seconds < least_seconds(costs):
            with pytest.raises(ConfigError, match="must be at least"):
                plan(seconds, costs, steps_per_pass)
            continue
        found = plan(seconds, costs, steps_per_pass)
        assert found.epochs >= 1
        assert found.steps_per_epoch >= 1
        assert found.seconds == pytest.approx(
            found.epochs * (found.steps_per_epoch * costs.step + costs.overhead)
        )
        assert found.seconds <= AIM * seconds * (1 + 1e-9)
        lost_steps = found.epochs * costs.step  # an epoch has whole steps
        assert found.seconds >= AIM * seconds - lost_steps
        if lost_steps < 0.05 * seconds:
            tried += 1
            assert 0.9 * seconds <= found.seconds <= seconds
    assert tried > 1000


def test_validating_takes_a_tenth_of_the_time_at_most_where_that_leaves_enough_epochs():
    tried = 0
    for seconds, costs, steps_per_pass in random_costs(2000):
        if seconds < least_seconds(costs):
            continue
        found = plan(seconds, costs, steps_per_pass)
        # Rounding to whole passes and steps may cost a little more than the tenth.
        if found.epochs * costs.overhead > 1.3 * OVERHEAD * found.seconds:
            tried += 1
            assert found.epochs <= 2 * EPOCHS or found.steps_per_epoch <= 1.5 * steps_per_pass
    assert tried > 100


def test_plans_to_check_by_hand():
    # 57 s, a step takes 0.1 s: five epochs of 104 steps and 1 s fill them; five passes take 55 s
    assert plan(60, Costs(0.1, 1.0), 100) == Plan(5, 104, pytest.approx(57.0))
    # not one pass fits: 95 s are 18 steps of 5 s and 5 s of validation
    assert plan(100, Costs(5.0, 5.0), 400) == Plan(1, 18, pytest.approx(95.0))
    # a pass of 0.1 s and 0.1 s to validate: nine passes an epoch make that a tenth
    assert plan(100, Costs(0.01, 0.1), 10).steps_per_epoch == pytest.approx(90, abs=1)


def test_a_time_too_short_for_a_step_says_how_long_it_must_be():
    with pytest.raises(
        ConfigError, match=r"at least 13 s: a step takes 2 s, and to validate and save it 10 s"
    ):
        plan(10, Costs(2.0, 9.0, 1.0), 50)
    assert plan(least_seconds(Costs(2.0, 9.0, 1.0)), Costs(2.0, 9.0, 1.0), 50) == Plan(
        1, 1, pytest.approx(12.0)
    )
