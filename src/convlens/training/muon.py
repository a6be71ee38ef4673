"""Muon: Keras' own optimizer of that name, which also takes the kernels of convolutions.

Muon moves a matrix along the nearest orthogonal matrix to its gradient (with momentum), so that all
directions of the matrix learn alike. A kernel of (height, width, inputs, outputs) is the matrix of
(height * width * inputs, outputs) that its patches are multiplied by.

Here a matrix keeps the Frobenius norm with which it begins, and the learning rate is the length of
a step as a share of this norm. The norm of a kernel has no effect on the output of a batch
normalisation after it, and if it grew, the steps would become smaller in proportion. All other
variables learn by Adam at a smaller rate: biases, normalisations, and the kernels of depthwise
convolutions. So do the layers that give the logits, as the source recommends.

Sources     Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
            https://kellerjordan.github.io/posts/muon/. Its program for CIFAR-10, airbench94_muon,
            keeps the norms of the kernels and has this momentum.
"""

from typing import Any

import keras
from keras import ops

MOMENTUM = 0.6  # Keras' 0.95 is for trainings of many thousand steps
ADAM = 0.05  # the learning rate of what learns by Adam, as a share of that of the matrices
TINY = 1e-7


class Muon(keras.optimizers.Muon):  # type: ignore[misc]
    """Keras' Muon for kernels of any rank, which keep their Frobenius norms.

    A kernel of zeros stays as it is, since its norm is zero.

    Args:
        learning_rate: The length of a step as a share of the norm of a matrix, or its schedule.
        weight_decay: The weight decay of the variables that learn by Adam, unless they are excluded
            from it. A matrix that keeps its norm does not decay.
        **options: `exclude_layers`, the paths of layers that learn by Adam, and arguments of
            `keras.optimizers.Muon` that are not set here.
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
        """Return whether a variable is not a matrix, has one column, or belongs to the logits."""
        is_matrix = len(variable.shape) >= 2 and variable.shape[-1] > 1
        return not is_matrix or variable.path.rpartition("/")[0] in self.exclude_layers

    def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        towards = ops.add(gradient, self.momentum * m) if self.nesterov else m
        matrix = ops.reshape(towards, (-1, variable.shape[-1]))
        update = self.zeropower_via_newtonschulz5(matrix, self.ns_steps)
        before = ops.reshape(variable, matrix.shape)
        norm = ops.norm(before)
        moved = before - lr * norm / (ops.norm(update) + TINY) * update
        kept = moved * (norm / (ops.norm(moved) + TINY))
        self.assign(variable, ops.reshape(kept, variable.shape))
