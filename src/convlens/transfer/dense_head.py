"""Dense head: hidden layers between the features of a frozen network and the answer, trained by steps."""

from collections.abc import Callable, Sequence

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

Labelled = tuple[
    NDArray[np.float32], NDArray[np.int64]
]  # (n, width) features and (n,) class indices


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
    """Train copies of dense layers on features, as `fit` trains a network; the layers get the best epoch's weights.

    Args:
        top: the layers, the one of the logits last.
        train: features and labels to learn from.
        val: those that choose the best epoch; (0, width) where there are none.
        config: of the training.
        run: where history and state are written.
        class_weights: (num_classes,) weight of an image by its class.
        on_best: called when `top` has the weights of an epoch that is better than all before.
        on_epoch: called after each epoch, see `Hooks`.
        screen: shows the progress.
    """
    inputs = x = keras.Input((train[0].shape[1],))
    for layer in top:
        x = layer.__class__.from_config(layer.get_config())(x)
    head, settings = keras.Model(inputs, x), config.training

    def batches(
        features: NDArray[np.float32], labels: NDArray[np.int64], seed: int | None
    ) -> Batches:
        return Batches(
            features,
            labels,
            np.arange(len(labels)),
            num_classes=top[-1].units,
            batch_size=settings.batch_size,
            seed=seed,
            weights=None if seed is None else class_weights,
            steps_per_epoch=None if seed is None else settings.steps_per_epoch,
        )

    def keep(model: keras.Model, state: State) -> None:
        weights = iter(model.get_weights())
        for layer in top:
            layer.set_weights([next(weights) for _ in layer.weights])
        on_best(state)

    learn = batches(*train, settings.seed)
    head.compile(
        optimizer=make_optimizer(settings, make_schedule(settings, learn.steps)),
        loss=HeadsCrossentropy(1, settings.label_smoothing),
        metrics=[AnswerAccuracy(name="accuracy")],
        jit_compile=backend.jit_compile(),
    )
    check = batches(*val, None) if len(val[1]) else None
    hooks = Hooks(on_best=keep, on_epoch=on_epoch)
    return fit(head, learn, check, config, run, hooks=hooks, screen=screen)
