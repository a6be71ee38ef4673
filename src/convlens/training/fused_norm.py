"""Fused norm: batch normalisation for a training on TensorFlow, in one operation.

Keras composes the layer of a dozen operations on float32, whatever the precision of the training,
so that each map is read and written many times. TensorFlow has one operation for the forward pass
and one for the gradients, which take bfloat16 and sum up in float32. `small_resnet` trains about
1.4 times as fast with them (docs/decisions/fused_norm.md).

Only the copy of a network that is trained has this layer. The classifier keeps Keras' own, which
has the same weights and settings.
"""

from collections.abc import Mapping
from typing import Any

import keras

from convlens import backend

TYPES = ("float32", "bfloat16")  # of the maps


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras' BatchNormalization, computed on maps by TensorFlow's fused operations.

    The results differ from Keras' own by rounding only. What the operations cannot do is left to
    Keras: masks, channels that do not come last, other types, and arrays that are no maps.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the normalised maps, and update the moving statistics in a training.

        Args:
            inputs: (batch, height, width, channels) maps.
            training: Whether the statistics are those of the batch, if the layer is trainable.
            mask: See `keras.layers.BatchNormalization`.
        """
        rank = len(inputs.shape)
        is_plain = not (self.renorm or self.synchronized) and self.axis in (-1, rank - 1)
        if mask is not None or rank != 4 or not is_plain or inputs.dtype not in TYPES:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        channels = inputs.shape[-1]
        of_batch = bool(training and self.trainable)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma) if self.scale else tf.ones(channels),
            offset=tf.convert_to_tensor(self.beta) if self.center else tf.zeros(channels),
            mean=tf.zeros(0) if of_batch else tf.convert_to_tensor(self.moving_mean),
            variance=tf.zeros(0) if of_batch else tf.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            is_training=of_batch,
        )
        if of_batch:
            # TensorFlow estimates the variance of all images from a batch; Keras does not.
            count = tf.cast(tf.size(inputs) // channels, tf.float32)
            self._note(self.moving_mean, mean)
            self._note(self.moving_variance, variance * ((count - 1) / count))
        return outputs

    def _note(self, moving: Any, value: Any) -> None:
        """Move a moving statistic towards that of a batch."""
        moving.assign(moving * self.momentum + value * (1 - self.momentum))


def faster_layers() -> Mapping[type[keras.layers.Layer], type[keras.layers.Layer]]:
    """Return the layers that a training computes by other layers with the same weights."""
    if backend.engine() != "tensorflow":
        return {}
    return {keras.layers.BatchNormalization: FusedBatchNormalization}
