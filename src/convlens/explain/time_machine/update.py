"""Update: what the optimizer did to one weight in one of the first steps, computed again.

The gradient of the batch and what the optimizer knew were kept by the training before the step. The
rule of the optimizer gives the weight after it, which stands beside the one that was kept.
"""

from dataclasses import dataclass

import numpy as np

from convlens.explain.arithmetic.optimizers import Rule, Update, update_weight
from convlens.explain.time_machine.states import Moment, States

# What the gradient of a batch may differ by, as a share of the largest one of its array: it is a
# sum over images and positions, which the training adds up in another order.
SHARES = {"float32": 1e-5, "bfloat16": 2e-2}
ROUNDING = 3e-7  # share of a weight that float32 rounds off
# Share of a move. Adam's 1 - beta_2 is a difference of numbers near 1, of which float32 rounds off
# a share of 1e-5.
OF_MOVE = 2e-5


@dataclass(frozen=True)
class KeptUpdate:
    """One step of one weight.

    Attributes:
        rule: The optimizer: its learning rate, its weight decay and its other settings.
        update: The calculation.
        kept: The weight after the step, as the training has kept it.
        allowed: What both may differ by: what the rounding of the gradient makes of the update.
    """

    rule: Rule
    update: Update
    kept: float
    allowed: float

    @property
    def agrees(self) -> bool:
        """Whether the calculation gives the weight that the training has kept."""
        return abs(self.update.after - self.kept) <= self.allowed


def open_update(
    states: States, moment: Moment, number: int, index: tuple[int, ...]
) -> KeptUpdate | None:
    """Return what the next step does to a weight, or None if that was not kept.

    Args:
        states: The states of the run.
        moment: The state before the step.
        number: The number of the array of the weight.
        index: The index of the weight in that array.
    """
    after = next((one for one in states.moments if one.step == moment.step + 1), None)
    name = f"{number:05d}"
    if not moment.has_update or after is None or f"gradient_{name}" not in states.arrays(moment):
        return None
    arrays = states.arrays(moment)
    rule = Rule(
        states.optimizer["name"],
        moment.learning_rate * float(arrays[f"factor_{name}"]),
        float(arrays[f"decay_{name}"]),
        moment.step + 1,
        states.optimizer,
    )
    known = [
        float(arrays[key][index])
        for key in sorted(one for one in arrays if one.startswith("slot") and one.endswith(name))
    ]
    gradients = arrays[f"gradient_{name}"]
    gradient = float(gradients[index])
    weight = float(arrays[f"weight_{name}"][index])
    # A gradient of exactly 0 is that of a unit that no image of the batch reaches.
    off = SHARES[states.precision] * float(np.abs(gradients).max()) if gradient else 0.0
    ends = [update_weight(rule, weight, gradient + by, known).after for by in (-off, 0.0, off)]
    update = update_weight(rule, weight, gradient, known)
    return KeptUpdate(
        rule,
        update,
        float(states.arrays(after)[f"weight_{name}"][index]),
        max(ends) - min(ends) + ROUNDING * abs(weight) + OF_MOVE * abs(update.change),
    )
