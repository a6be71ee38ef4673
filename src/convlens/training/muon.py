"""Muon: Keras' own optimizer of that name, which also takes the kernels of convolutions.

Muon moves a matrix along the nearest orthogonal matrix to its gradient (with momentum), so that all
directions of the matrix learn alike. A kernel of (height, width, inputs, outputs) is the matrix of
(height * width * inputs, outputs) that its patches are multiplied by.

Here a matrix keeps the length with which it begins, which is the root of the sum of its squares.
The learning rate is the share of this length by which it moves in a step. Before a normalisation
the length means nothing, and if it grew, the steps would become smaller and smaller. Everything
that is no matrix learns by Adam at a smaller rate: biases, normalisations, and the kernels of
depthwise convolutions. So do the layers that give the logits, as the first source recommends.

Sources     Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
            https://kellerjordan.github.io/posts/muon/. Its program for CIFAR-10, airbench94_muon,
            keeps the lengths of the kernels and has this momentum.
"""

from typing import Any

import keras
from keras import ops

MOMENTUM = 0.6  # Keras' 0.95 is for trainings of many thousand steps
ADAM = 0.05  # the learning rate of what learns by Adam, as a share of that of the matrices
TINY = 1e-7


class Muon(keras.optimizers.Muon):  # type: ignore[misc]
    """Keras' Muon for kernels of any rank, which keep their lengths.

    Args:
        learning_rate: The share of its length by which a matrix moves in a step, or its schedule.
        weight_decay: The weight decay of what learns by Adam, unless it is excluded from it. A
            matrix that keeps its length does not decay.
        **options: `exclude_layers`, the paths of layers that learn by Adam, and further arguments
            of `keras.optimizers.Muon`.
    """

    def __init__(self, learning_rate: Any = 0.1, weight_decay: float = 0.0, **options: Any) -> None:
        super().__init__(
            learning_rate,
            weight_decay=None,
            adam_weight_decay=ADAM * weight_decay,  # Keras multiplies it by the rate of matrices
            adam_lr_ratio=ADAM,
            momentum=MOMENTUM,
            **options,
        )

    def _should_use_adamw(self, variable: Any) -> bool:
        """Return whether a variable is no matrix, has a single column, or gives the logits."""
        is_matrix = len(variable.shape) >= 2 and variable.shape[-1] > 1
        return not is_matrix or variable.path.rpartition("/")[0] in self.exclude_layers

    def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        towards = ops.add(gradient, self.momentum * m) if self.nesterov else m
        matrix = ops.reshape(towards, (-1, variable.shape[-1]))
        update = ops.reshape(
            self.zeropower_via_newtonschulz5(matrix, self.ns_steps), variable.shape
        )
        length = ops.norm(ops.reshape(variable, (-1,)))
        share = lr * length / (ops.norm(ops.reshape(update, (-1,))) + TINY)
        moved = variable - share * update
        kept = length / (ops.norm(ops.reshape(moved, (-1,))) + TINY)
        self.assign(variable, moved * kept)
