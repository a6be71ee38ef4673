"""Averages: the average of the late weights of a training, which its classifier gets.

The weights of single steps swing around a good place, and their average lies nearer to it. The
weights after step s count in proportion to about s to the power of LATE, so that their mean age is
a tenth of the steps so far, however long the training is.

Keras' optimizers keep such averages (`use_ema`), but always with the same momentum. It would have
to follow from the length of the training, the first epochs would be validated with an average that
still contains the first weights, and the parts of a batch would count as steps. Keras would also
overwrite the weights at the end of each `fit`. `with_averages` changes that.

The moving statistics of a batch normalisation belong to the weights of the last steps. The outputs
of a layer with averaged weights have statistics of their own: their variance is smaller than the
average of the variances. They are therefore computed anew, from training images.

Sources     Shamir and Zhang, "Stochastic Gradient Descent for Non-smooth Optimization", 2012,
            arXiv:1212.1824: polynomial-decay averaging.
            Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization",
            2018, arXiv:1803.05407: the statistics of batch normalisations are computed anew.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from convlens import backend
from convlens.classifier.assembly import all_layers
from convlens.data.batches import Batches

LATE = 8
STATISTICS = 2048  # images that the statistics of batch normalisations are computed from, at most


def share_of_last(step: Any) -> Any:
    """Return the share of the weights after a step in the average of all weights up to it.

    Args:
        step: The number of the step, counted from 1, as a number or a tensor of floats.

    >>> share_of_last(1), share_of_last(10), share_of_last(91)
    (1.0, 0.5, 0.09090909090909091)
    """
    return (LATE + 1) / (step + LATE)


def with_averages(optimizer: type[keras.optimizers.Optimizer]) -> type[Any]:
    """Return a class of the optimizer whose averages, with `use_ema`, are those of late weights.

    Args:
        optimizer: A class of Keras.
    """

    class WithAverages(optimizer):  # type: ignore[misc]
        def _update_model_variables_moving_average(self, variables: Sequence[Any]) -> None:
            # Keras counts each part of a batch. The weights change with the last one only.
            parts = self.gradient_accumulation_steps or 1
            calls = self._iterations + 1
            step = ops.maximum(ops.cast(calls // parts, "float32"), 1)
            changed = ops.cast(ops.equal(calls % parts, 0), "float32")
            share = changed * share_of_last(step)
            for variable, average in zip(
                variables, self._model_variables_moving_average, strict=True
            ):
                average.assign(average + ops.cast(share, average.dtype) * (variable - average))

        def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
            """Leave the weights as they are, so that a next `fit` goes on from them."""

    WithAverages.__name__ = optimizer.__name__
    return WithAverages


class Averages:
    """Puts the averages of a training into its model, and takes them out again.

    Args:
        train: The batches that statistics of batch normalisations are computed from. The choice is
            a function of their epoch alone, so that a resumed run computes the same.
        enabled: Whether there are averages. Otherwise nothing is done.
    """

    def __init__(self, train: Batches, *, enabled: bool) -> None:
        self.train = train
        self.enabled = enabled
        self._kept: list[NDArray[Any]] = []

    def put_in(self, model: keras.Model) -> None:
        """Set the weights of a model to their averages, unless it has them already."""
        if not self.enabled or self._kept:
            return
        backend.sync(model)
        self._kept = [ops.convert_to_numpy(variable).copy() for variable in model.variables]
        averages = model.optimizer._model_variables_moving_average
        for variable, average in zip(model.trainable_variables, averages, strict=True):
            # A copy, since JAX reuses the memory of a model's weights.
            variable.assign(ops.convert_to_numpy(average).copy())
        self._compute_statistics(model)

    def take_out(self, model: keras.Model) -> None:
        """Set a model to the weights and the random numbers with which its training goes on."""
        for variable, value in zip(model.variables, self._kept, strict=bool(self._kept)):
            variable.assign(value)
        self._kept = []

    def _compute_statistics(self, model: keras.Model) -> None:
        """Set the statistics of the batch normalisations that learn to those of training images.

        They are the means over some batches of the epoch, of the mean and the variance in each.
        """
        learning = [
            layer
            for layer in all_layers(model)
            if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
        ]
        momenta = [layer.momentum for layer in learning]
        train = self.train
        count = max(1, STATISTICS * train.steps_per_pass * train.parts // len(train.indices))
        steps = np.unique(np.linspace(0, train.steps - 1, count).astype(int)).tolist()
        for number, step in enumerate(steps if learning else ()):
            for layer in learning:
                layer.momentum = number / (number + 1)
            model(backend.gathered(train.batch_at(train.epoch, step)[0]), training=True)
        for layer, momentum in zip(learning, momenta, strict=True):
            layer.momentum = momentum
