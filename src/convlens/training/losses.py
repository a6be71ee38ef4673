"""Losses: loss and accuracy of a network that may have auxiliary heads.

Auxiliary heads help the gradient reach the lower layers during training, and are removed
afterwards. Their losses are part of `loss` and `val_loss`, but not of `val_accuracy`, by which the
best epoch is chosen.

Source      Szegedy et al., "Going Deeper with Convolutions", 2014, arXiv:1409.4842, section 5:
            the losses of auxiliary heads are multiplied by 0.3
"""

from typing import Any

import keras
from keras import ops

AUXILIARY_WEIGHT = 0.3


def join_heads(model: keras.Model) -> keras.Model:
    """Return a model of the same layers whose output is (batch, heads * num_classes) logits.

    A model with one head is returned as it is.
    """
    if len(model.outputs) == 1:
        return model
    return keras.Model(model.input, ops.concatenate(model.outputs, axis=-1), name=model.name)


class HeadsCrossentropy(keras.losses.Loss):  # type: ignore[misc]
    """Categorical cross-entropy of joined logits, in which auxiliary heads weigh less.

    Args:
        heads: The number of heads, the first of which is the network's own.
        label_smoothing: The share of each label that is spread over all classes.
    """

    def __init__(self, heads: int, label_smoothing: float) -> None:
        super().__init__(name="crossentropy")
        self.heads = heads
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return (batch,) losses.

        Args:
            y_true: (batch, num_classes) labels.
            y_pred: (batch, heads * num_classes) logits.
        """
        own, *auxiliary = (
            keras.losses.categorical_crossentropy(
                y_true, logits, from_logits=True, label_smoothing=self.label_smoothing
            )
            for logits in ops.split(y_pred, self.heads, axis=-1)
        )
        return own + AUXILIARY_WEIGHT * sum(auxiliary)


class AnswerAccuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]
    """Accuracy of the first head of joined logits."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Compare (batch, num_classes) labels with (batch, heads * num_classes) logits."""
        return super().update_state(y_true, y_pred[..., : y_true.shape[-1]], sample_weight)
