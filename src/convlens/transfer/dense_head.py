"""Dense head: hidden layers between the features of a frozen network and the logits."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from convlens import backend
from convlens.config import Config
from convlens.data.batches import Batches
from convlens.run import Run
from convlens.screen import Screen
from convlens.training.checkpoint import State
from convlens.training.fit import Hooks, Row, fit
from convlens.training.losses import AnswerAccuracy, HeadsCrossentropy
from convlens.training.optimizers import make_optimizer, make_schedule

Labelled = tuple[NDArray[np.float32], NDArray[np.int64]]  # (n, width) features and (n,) classes


def fit_dense_head(  # noqa: PLR0913 - the collaborators of a training
    top: Sequence[layers.Dense],
    train: Labelled,
    val: Labelled,
    config: Config,
    run: Run,
    *,
    class_weights: NDArray[np.float32] | None,
    on_best: Callable[[State], None],
    on_epoch: Callable[[Row, bool], None],
    screen: Screen,
) -> State:
    """Train copies of dense layers on features, as `fit` trains a network.

    Args:
        top: The layers, that of the logits last. They get the weights of the best epoch.
        train: The features and labels to learn from.
        val: The features and labels that choose the best epoch; (0, width) where there are none.
        config: The configuration of the training.
        run: The run folder for history and state.
        class_weights: (num_classes,) weight of an image by its class.
        on_best: Called when `top` has the weights of an epoch that is better than all before.
        on_epoch: Called after each epoch, see `Hooks`.
        screen: Where the progress is shown.
    """
    inputs = keras.Input((train[0].shape[1],))
    x = inputs
    for layer in top:
        x = layer.__class__.from_config(layer.get_config())(x)
    head = keras.Model(inputs, x)
    settings = config.training

    def batches(labelled: Labelled, **options: Any) -> Batches:
        features, labels = labelled
        return Batches(
            features,
            labels,
            np.arange(len(labels)),
            num_classes=top[-1].units,
            batch_size=settings.batch_size,
            **options,
        )

    def keep(model: keras.Model, state: State) -> None:
        weights = iter(model.get_weights())
        for layer in top:
            layer.set_weights([next(weights) for _ in layer.weights])
        on_best(state)

    train_batches = batches(
        train,
        seed=settings.seed,
        weights=class_weights,
        steps_per_epoch=settings.steps_per_epoch,
    )
    val_batches = batches(val) if len(val[1]) else None
    head.compile(
        optimizer=make_optimizer(settings, make_schedule(settings, train_batches.steps)),
        loss=HeadsCrossentropy(1, settings.label_smoothing),
        metrics=[AnswerAccuracy(name="accuracy")],
        jit_compile=backend.jit_compile(),
    )
    hooks = Hooks(on_best=keep, on_epoch=on_epoch)
    return fit(head, train_batches, val_batches, config, run, hooks=hooks, screen=screen)
