"""One weight, step by step, against Keras' own optimizers."""

import keras
import numpy as np
import pytest

from convlens.config import Config
from convlens.errors import ConfigError
from convlens.explain.arithmetic.optimizers import RULES, Rule, update_weight
from convlens.training.moments import SLOTS, optimizer_arrays
from convlens.training.optimization import make_optimizer
from convlens.training.snapshots import NUMBERS

GRADIENTS = [[0.3, -0.02, 1e-4], [-0.1, 0.5, 2e-3], [0.2, 0.2, -1e-5]]


@pytest.mark.parametrize("kind", sorted(RULES))
def test_a_weight_moves_as_in_keras(kind):
    config = Config().replace(optimizer=kind, learning_rate=0.01).training
    optimizer = make_optimizer(config, 0.01)
    variable = keras.Variable(np.array([0.5, -0.25, 2.0], np.float32), name="kernel")
    optimizer.build([variable])
    settings = optimizer.get_config()
    numbers = {name: settings[name] for name in NUMBERS if settings.get(name) is not None}
    for step, gradient in enumerate(GRADIENTS, 1):
        [(factor, decay, *known)] = optimizer_arrays(optimizer, kind, [variable])
        before = keras.ops.convert_to_numpy(variable).copy()
        known = [np.array(one) for one in known]
        optimizer.apply([keras.ops.convert_to_tensor(np.float32(gradient))], [variable])
        after = keras.ops.convert_to_numpy(variable)
        rule = Rule(kind, 0.01 * float(factor), float(decay), step, numbers)
        for place, slope in enumerate(gradient):
            slots = [float(one[place]) for one in known]
            found = update_weight(rule, float(before[place]), slope, slots)
            assert found.after == pytest.approx(after[place], abs=3e-7)
            assert found.change == pytest.approx(after[place] - before[place], abs=3e-7)
            assert found.steps[-1].value == found.after


def test_every_optimizer_whose_arrays_are_kept_has_a_rule():
    assert SLOTS.keys() == RULES.keys()
    with pytest.raises(ConfigError, match="found muon"):
        update_weight(Rule("muon", 0.1), 1.0, 1.0, ())


def test_weight_decay_comes_first():
    found = update_weight(Rule("sgd", 0.1, weight_decay=0.5), 2.0, 1.0, ())
    assert [step.value for step in found.steps] == pytest.approx([1.9, 1.8])
    assert found.steps[0].text == "2 - 0.1 × 0.5 × 2"
    assert found.steps[1].text == "1.9 - 0.1 × 1"


def test_the_first_step_of_adam_has_the_length_of_the_rate():
    """Kingma and Ba, section 2.1: the step is at most about the learning rate."""
    numbers = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-12}
    for gradient in (1e-3, -5.0):
        found = update_weight(Rule("adam", 0.01, numbers=numbers), 0.0, gradient, (0.0, 0.0))
        assert abs(found.change) == pytest.approx(0.01)
        assert found.change * gradient < 0
