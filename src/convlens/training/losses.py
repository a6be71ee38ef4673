"""Heads: loss and accuracy of a network with auxiliary heads, which help the gradient along and fall off afterwards.

Their losses are part of `loss` and `val_loss`, not of `val_accuracy`, by which the best epoch is chosen.

Source      Szegedy et al., "Going Deeper with Convolutions", 2014, arXiv:1409.4842, section 5: their losses count 0.3.
"""

from typing import Any

import keras
from keras import ops

AUXILIARY_WEIGHT = 0.3


def join_heads(model: keras.Model) -> keras.Model:
    """Return a model that answers (batch, heads * num_classes), the same layers; a model with one head as it is."""
    if len(model.outputs) == 1:
        return model
    return keras.Model(model.input, ops.concatenate(model.outputs, axis=-1), name=model.name)


class HeadsCrossentropy(keras.losses.Loss):  # type: ignore[misc]
    """Categorical cross-entropy of the answer, and of each auxiliary head with AUXILIARY_WEIGHT, from joined logits."""

    def __init__(self, heads: int, label_smoothing: float) -> None:
        super().__init__(name="crossentropy")
        self.heads, self.label_smoothing = heads, label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return (batch,) losses of labels (batch, num_classes) and logits (batch, heads * num_classes)."""
        answer, *auxiliary = (
            keras.losses.categorical_crossentropy(
                y_true, z, from_logits=True, label_smoothing=self.label_smoothing
            )
            for z in ops.split(y_pred, self.heads, axis=-1)
        )
        return answer + AUXILIARY_WEIGHT * sum(auxiliary)


class AnswerAccuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]
    """Accuracy of the first head of joined logits."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Count labels (batch, num_classes) against logits (batch, heads * num_classes)."""
        return super().update_state(y_true, y_pred[..., : y_true.shape[-1]], sample_weight)
