"""Moments: after which steps of a training its network is kept, and what one step did exactly."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from convlens import backend

# The arrays that an optimizer keeps for each variable, by the name of the setting. Muon moves whole
# matrices, so that there is no rule for a single weight.
SLOTS: dict[str, tuple[str, ...]] = {
    "sgd": (),
    "momentum": ("momentums",),
    "adam": ("_momentums", "_velocities"),
    "adamw": ("_momentums", "_velocities"),
    "rmsprop": ("_velocities",),
    "adagrad": ("_accumulators",),
    "adadelta": ("_accumulated_grads", "_accumulated_delta_vars"),
}


def choose_moments(count: int, epochs: int, steps_per_epoch: int) -> tuple[int, ...]:
    """Return the numbers of steps after which a state is kept, from the start (0) to the end.

    At most half of them are the start and the steps 1, 2, 4, 8, ... of the first epoch; the others
    are ends of epochs, evenly spread, of which the last is one. If there are fewer epochs than
    that, the widest gaps are halved.

    Args:
        count: The number of states, at least 1.
        epochs: The epochs of the training.
        steps_per_epoch: The steps of an epoch.

    >>> choose_moments(8, 10, 50)
    (0, 1, 2, 4, 50, 200, 350, 500)
    >>> choose_moments(20, 1, 3)
    (0, 1, 2, 3)
    """
    last = epochs * steps_per_epoch
    if count > last:
        return tuple(range(last + 1))
    first = [0, *(2**power for power in range(steps_per_epoch.bit_length()))]
    early = [step for step in first if step < steps_per_epoch][: count // 2]
    room = min(count - len(early), epochs)
    ends = np.linspace(1, epochs, room) if room > 1 else np.array([epochs])
    found = {*early, *(int(end + 0.5) * steps_per_epoch for end in ends)}
    while len(found) < count:
        moments = sorted(found)
        gap = int(np.argmax(np.diff(moments)))
        found.add((moments[gap] + moments[gap + 1]) // 2)
    return tuple(sorted(found))


def batch_gradients(model: keras.Model, batch: Sequence[NDArray[np.generic]]) -> list[NDArray[Any]]:
    """Return the gradients of the loss of a batch by the trainable variables, as a step has them.

    Nothing of the model changes: dropout draws the same numbers again in the step itself.

    Args:
        model: A compiled model.
        batch: The images, the targets, and the weights of the images if there are any.
    """
    images, targets, *weights = batch
    kept = [variable.value for variable in model.non_trainable_variables]

    def loss(tensors: list[Any]) -> Any:
        logits, _kept, losses = model.stateless_call(
            tensors, kept, images, training=True, return_losses=True
        )
        return model.loss(targets, logits, *weights) + sum(losses)

    values = [ops.convert_to_numpy(variable) for variable in model.trainable_variables]
    return backend.gradients(loss, values)


def optimizer_arrays(
    optimizer: keras.optimizers.Optimizer, kind: str, variables: Sequence[keras.Variable]
) -> list[list[NDArray[Any]]]:
    """Return what an optimizer knows of each variable before a step.

    It is first the factor of the learning rate, then the weight decay, then the arrays of `SLOTS`.

    Args:
        optimizer: The optimizer of the model.
        kind: The setting that names it, a key of `SLOTS`.
        variables: The trainable variables.
    """
    factor = getattr(optimizer, "_factor", lambda variable: 1.0)
    decay = optimizer.weight_decay or 0.0
    found = []
    for variable in variables:
        numbers = [factor(variable), decay if optimizer._use_weight_decay(variable) else 0.0]
        place = optimizer._get_variable_index(variable)
        slots = [getattr(optimizer, name)[place] for name in SLOTS[kind]]
        found.append([np.asarray(ops.convert_to_numpy(one)) for one in (*numbers, *slots)])
    return found
