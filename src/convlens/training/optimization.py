"""Optimization: the loss, the accuracy, the optimizer, and the learning rate over time.

All optimizers and schedules are Keras' own. A network may have auxiliary heads, which help the
gradient reach the lower layers during training and are removed afterwards. Their losses are part of
`loss` and `val_loss`, but not of `val_accuracy`, by which the best epoch is chosen.

Source      Szegedy et al., "Going Deeper with Convolutions", 2014, arXiv:1409.4842, section 5:
            the losses of auxiliary heads are multiplied by 0.3
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from convlens import backend
from convlens.classifier.assembly import last_layers
from convlens.config import LEARNING_RATES, TrainingConfig
from convlens.training.answers import giving_answers
from convlens.training.averages import with_averages
from convlens.training.muon import Muon

AUXILIARY_WEIGHT = 0.3
# The share of a one-cycle schedule in which the learning rate rises. It starts at the largest rate
# divided by START and ends at FLOOR of it (Smith and Topin 2017, arXiv:1708.07120, with the values
# of fastai).
RISE = 0.25
START = 25
FLOOR = 1e-3
KINDS: dict[str, tuple[type[keras.optimizers.Optimizer], dict[str, Any]]] = {
    "sgd": (keras.optimizers.SGD, {}),
    "momentum": (keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
    "adam": (keras.optimizers.Adam, {}),
    "adamw": (keras.optimizers.AdamW, {}),
    "rmsprop": (keras.optimizers.RMSprop, {}),
    "adagrad": (keras.optimizers.Adagrad, {}),
    "adadelta": (keras.optimizers.Adadelta, {}),
    "muon": (Muon, {}),
}
DECAYING = ("adamw", "muon")  # optimizers with a weight decay


class Multiplier(NamedTuple):
    """How fast a variable learns.

    Attributes:
        rate: What the learning rate is multiplied by.
        begin: The share of the training after which the variable begins to learn.
    """

    rate: float = 1.0
    begin: float = 0.0


def compile_for_training(
    model: keras.Model,
    config: TrainingConfig,
    steps_per_epoch: int,
    *,
    heads: int = 1,
    multipliers: Sequence[Multiplier] = (),
    parts: int = 1,
) -> None:
    """Compile a model with the configured optimizer and schedule.

    Args:
        model: A model whose output is (batch, heads * num_classes) logits, see `join_heads`.
        config: The settings of the training.
        steps_per_epoch: The steps of an epoch, which fix the length of the schedule.
        heads: The number of heads, the first of which is the network's own.
        multipliers: How fast each trainable variable learns, see `make_optimizer`.
        parts: The number of steps whose gradients are added up before the weights change. A
            schedule of Keras counts the steps, not the changes.
    """
    schedule = make_schedule(config, steps_per_epoch)
    changes = config.epochs * steps_per_epoch // parts
    optimizer = make_optimizer(config, schedule, multipliers, changes, model=model)
    if parts > 1:
        optimizer.gradient_accumulation_steps = parts
    giving_answers(model)
    model.compile(
        optimizer=optimizer,
        loss=HeadsCrossentropy(heads, config.label_smoothing),
        metrics=[FirstHeadAccuracy(name="accuracy")],
        jit_compile=backend.jit_compile(),
    )


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


class FirstHeadAccuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]
    """Accuracy of the first head of joined logits, on the images that have a target."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Compare (batch, num_classes) labels with (batch, heads * num_classes) logits.

        Keras gives no weights here, see `compile`. An image counts unless its labels are zeros.
        """
        counts = ops.cast(ops.any(ops.not_equal(y_true, 0), axis=-1), "float32")
        return super().update_state(y_true, y_pred[..., : y_true.shape[-1]], counts)


def make_schedule(
    config: TrainingConfig, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return the learning rate as a number, or as a function of the step.

    "one_cycle" rises linearly over the first quarter and falls along a cosine. "cosine" does the
    same, but rises from zero over `warmup_epochs`, or over a quarter if that is shorter (Loshchilov
    and Hutter 2016, arXiv:1608.03983, without restarts). "linear" falls from the first step on.
    """
    peak = config.learning_rate or LEARNING_RATES[config.optimizer]
    total = max(config.epochs * steps_per_epoch, 2)
    if config.schedule == "constant":
        return peak
    if config.schedule == "linear":
        return keras.optimizers.schedules.PolynomialDecay(peak, total, end_learning_rate=0.0)
    if config.schedule == "one_cycle":
        rise = max(int(RISE * total), 1)
        first = peak / START
    else:
        rise = min(int(config.warmup_epochs * steps_per_epoch), int(RISE * total))
        first = 0.0
    return keras.optimizers.schedules.CosineDecay(
        first if rise else peak,
        decay_steps=total - rise,
        alpha=FLOOR,
        warmup_target=peak if rise else None,
        warmup_steps=rise,
    )


def make_optimizer(
    config: TrainingConfig,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    multipliers: Sequence[Multiplier] = (),
    steps: int = 0,
    *,
    model: keras.Model | None = None,
) -> keras.optimizers.Optimizer:
    """Return the configured optimizer; "momentum" is SGD with Nesterov momentum 0.9.

    Args:
        config: The settings of the training.
        learning_rate: The learning rate or its schedule.
        multipliers: How fast each trainable variable learns, in the order of the variables. If
            none are given, all variables learn at the same rate.
        steps: The changes of the weights in the whole training; only needed with multipliers.
        model: The model. Muon leaves the layers that give its logits to Adam.
    """
    kind, options = KINDS[config.optimizer]
    if multipliers:
        kind = with_multipliers(kind, multipliers, steps)
    if config.optimizer in DECAYING:
        options = {"weight_decay": config.weight_decay}
    if config.average_weights:
        kind = with_averages(kind)
        options = options | {"use_ema": True}
    optimizer = kind(learning_rate, **options)
    if config.optimizer in DECAYING:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    if isinstance(optimizer, Muon) and model is not None:
        optimizer.exclude_layers = [layer.path for layer in last_layers(model)]
    return optimizer


def with_multipliers(
    optimizer: type[keras.optimizers.Optimizer], multipliers: Sequence[Multiplier], steps: int
) -> type[Any]:
    """Return a class of the optimizer with a learning rate for each variable.

    Args:
        optimizer: A class of Keras.
        multipliers: One for each trainable variable, in their order.
        steps: The steps of the whole training.
    """
    table = [Multiplier(one.rate, round(one.begin * steps)) for one in multipliers]

    class WithMultipliers(optimizer):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient, variable, learning_rate * self._factor(variable))

        def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
            """Let each variable decay at its own rate.

            Keras' own method also lets those variables decay that have not begun to learn.
            """
            for variable in variables:
                share = _decay_of(self, variable)
                if share and self._use_weight_decay(variable):
                    decay = ops.cast(self.learning_rate * share, variable.dtype)
                    variable.assign_sub(variable * (decay * self._factor(variable)))

        def _factor(self, variable: Any) -> Any:
            rate, begin = table[self._get_variable_index(variable)]
            return rate * ops.cast(self.iterations >= begin, variable.dtype) if begin else rate

    WithMultipliers.__name__ = f"{optimizer.__name__}WithMultipliers"
    return WithMultipliers


def _decay_of(optimizer: keras.optimizers.Optimizer, variable: Any) -> float | None:
    """Return the weight decay of a variable, which is a share of the learning rate."""
    decay: float | None = optimizer.weight_decay
    if isinstance(optimizer, Muon) and optimizer._should_use_adamw(variable):
        decay = optimizer.adam_weight_decay
    return decay
