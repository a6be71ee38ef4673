"""Heads: what learns from the features of a frozen network.

A linear head is a logistic regression. It has one best set of weights for each strength of the
regularisation. L-BFGS finds it in seconds, without a learning rate or epochs. The strength is
chosen on the validation images. A dense head has hidden layers and learns step by step, as every
network does.

Source      Kornblith, Shlens, Le, "Do Better ImageNet Models Transfer Better?", 2019,
            arXiv:1805.08974, which evaluates networks as fixed feature extractors by such heads
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from convlens.charts.tuning import show_regularization
from convlens.config import Config
from convlens.data.batches import Batches
from convlens.errors import TrainingError
from convlens.evaluation.metrics import accuracy
from convlens.evaluation.scores import Score
from convlens.history import TRIED_COLUMNS
from convlens.language import N_, _
from convlens.run import Run
from convlens.run_folder import REGULARISATION
from convlens.screen import Screen
from convlens.training.checkpoint import State
from convlens.training.fit import fit
from convlens.training.hooks import Hooks
from convlens.training.optimization import compile_for_training

# scikit-learn's C on features of variance 1; a small C regularises strongly.
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
# C where there are no validation images. With 5 and 20 images a class, all values of C from 0.01 to
# 1 were equally good.
DEFAULT_STRENGTH = 0.1
MAX_ITER = 300
# The number of values in the features up to which a single thread computes. With one thread per
# processor, each of the many short products waits for the slowest thread: on a busy machine with
# two processors, a head for cats and dogs took 5.4 s with two threads and 0.4 s with one.
ONE_THREAD = 2**26
# Bytes of features that are centred and scaled in place. Larger ones lie on the disk and stay as
# they are.
IN_PLACE = 2**28
NEVER_SEEN = -30.0  # the logit of a class without training images
NOT_FINITE = N_(
    "the features of the backbone must be finite; those of some images are infinite or nan. Use "
    "--precision float32, or other weights."
)

Floats = NDArray[np.float32]
Labelled = tuple[Floats, NDArray[np.int64]]  # (n, width) features and (n,) classes


@dataclass(frozen=True)
class Trial:
    """A strength and its scores on the validation images."""

    strength: float
    log_loss: float
    accuracy: Score


@dataclass(frozen=True, eq=False)
class LinearHead:
    """The weights of a dense layer from features to logits.

    Attributes:
        kernel: (width, num_classes) weights.
        bias: (num_classes,) biases.
        strength: The chosen one of STRENGTHS.
        trials: The strengths that were tried; empty where there are no validation images.
    """

    kernel: Floats
    bias: Floats
    strength: float
    trials: tuple[Trial, ...]


def fit_linear_head(  # noqa: PLR0913 - two sets of images
    features: Floats,
    labels: NDArray[np.int64],
    val_features: Floats,
    val_labels: NDArray[np.int64],
    num_classes: int,
    *,
    class_weights: Floats | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LinearHead:
    """Fit heads from strong to weak regularisation, and return the best on the validation images.

    The best head has the lowest log loss. The search stops after two strengths in a row that are
    worse.

    Args:
        features: (n, width) features, centred and scaled in place where they fit into memory.
        labels: (n,) class indices.
        val_features: (m, width) features, or (0, width) to use DEFAULT_STRENGTH.
        val_labels: (m,) class indices.
        num_classes: The number of logits.
        class_weights: (num_classes,) weight of an image by its class.
        progress: Called with the number of strengths tried so far and the number of all.

    Raises:
        TrainingError: If a feature is infinite or not a number.
    """
    center, scale = _spread(features)
    units = 1.0  # what a strength is divided by
    if features.nbytes <= IN_PLACE:
        features -= center
        features /= scale
    else:
        # The optimum is the same, but it takes more steps to reach.
        units = scale**2
        center = np.zeros_like(center)
        scale = 1.0
    weights = None if class_weights is None else class_weights[labels]
    # The last weights are a good start for the next strength.
    model = LogisticRegression(max_iter=MAX_ITER, warm_start=True)
    strengths = STRENGTHS if len(val_labels) else (DEFAULT_STRENGTH,)
    threads = 1 if features.size <= ONE_THREAD else None
    heads: list[tuple[Floats, Floats]] = []
    trials: list[Trial] = []
    for number, strength in enumerate(strengths, start=1):
        model.C = strength / units
        with threadpool_limits(threads, "blas"):
            _fit_quietly(model, features, labels, weights)
        heads.append(_dense(model, center, scale, num_classes))
        if len(val_labels):
            trials.append(_try(*heads[-1], strength, val_features, val_labels))
        if progress is not None:
            progress(number, len(strengths))
        losses = [trial.log_loss for trial in trials]
        if len(trials) > 2 and min(losses[-2:]) > min(losses):
            break
    best = int(np.argmin(losses)) if trials else 0
    return LinearHead(*heads[best], strengths[best], tuple(trials))


def _fit_quietly(
    model: LogisticRegression, features: Floats, labels: NDArray[np.int64], weights: Floats | None
) -> None:
    """Fit a model without warnings that say nothing to the user of a head."""
    with warnings.catch_warnings():
        # A head that has not quite reached its optimum is a head too.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # Hundreds of classes of one or two images are classes, not numbers to be predicted.
        message = "The number of unique classes"  # not translated: scikit-learn's words
        warnings.filterwarnings("ignore", message)
        model.fit(features, labels, weights)


def _spread(features: Floats) -> tuple[Floats, float]:
    """Return the (width,) mean of the features, and the root of their mean variance.

    All features are scaled by one number, so that features that hardly vary stay small. With 5
    images a class of cats and dogs, the accuracy was 97 %. It was 91 % when each feature was scaled
    by its own standard deviation (means of 10 draws).
    """
    center = features.mean(0, dtype=np.float64)
    if not np.isfinite(center).all():
        raise TrainingError(_(NOT_FINITE))
    mean_square = np.einsum("ij,ij->", features, features, dtype=np.float64) / features.size
    variance = mean_square - (center**2).mean()
    return center.astype(np.float32), float(np.sqrt(max(variance, 0.0))) or 1.0


def _dense(
    model: LogisticRegression, center: Floats, scale: float, num_classes: int
) -> tuple[Floats, Floats]:
    """Return the kernel and the bias on features that are neither centred nor scaled.

    With two classes scikit-learn has one row of coefficients, which is that of the second class.
    """
    coefficients = model.coef_
    intercept = model.intercept_
    if len(coefficients) == 1:
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    kernel = np.zeros((len(center), num_classes), np.float64)
    kernel[:, model.classes_] = coefficients.T / scale
    bias = np.full(num_classes, NEVER_SEEN)
    bias[model.classes_] = intercept - (center / scale) @ coefficients.T
    return kernel.astype(np.float32), bias.astype(np.float32)


def _try(
    kernel: Floats, bias: Floats, strength: float, features: Floats, labels: NDArray[np.int64]
) -> Trial:
    logits = (features @ kernel + bias).astype(np.float64)
    log_probabilities = log_softmax(logits, axis=1)
    losses = -log_probabilities[np.arange(len(labels)), labels]
    predicted = log_probabilities.argmax(axis=1)
    return Trial(strength, float(losses.mean()), accuracy(labels, predicted))


def write_trials(head: LinearHead, run: Run) -> None:
    """Write the trials to `regularisation.csv` and `plots/regularisation.png` of the run folder.

    Raises:
        StorageError: If a file cannot be written.
    """
    rows = [
        f"{trial.strength:g},{trial.log_loss:.6f},{trial.accuracy.value:.6f}\n"
        for trial in head.trials
    ]
    run.write(REGULARISATION, "".join(["{}\n".format(",".join(TRIED_COLUMNS)), *rows]))
    run.write_figure(
        "regularisation",
        show_regularization(
            [trial.strength for trial in head.trials],
            [trial.log_loss for trial in head.trials],
            [trial.accuracy for trial in head.trials],
            chosen=head.strength,
        ),
    )


def fit_dense_head(  # noqa: PLR0913 - the collaborators of a training
    top: Sequence[keras.layers.Dense],
    train: Labelled,
    val: Labelled,
    config: Config,
    run: Run,
    *,
    class_weights: NDArray[np.float32] | None,
    on_best: Callable[[State], None],
    screen: Screen,
) -> State:
    """Train copies of dense layers on features, as `fit` trains a network.

    Args:
        top: The layers of the head; the last gives the logits. They get the weights of the best
            epoch.
        train: The features and labels to learn from.
        val: The features and labels that choose the best epoch; (0, width) where there are none.
        config: The configuration of the training.
        run: The run folder for history and state.
        class_weights: (num_classes,) weight of an image by its class.
        on_best: Called when `top` has the weights of an epoch that is better than all before.
        screen: Where the progress is shown.

    Returns:
        The state after the last epoch.

    Raises:
        TrainingError: If the loss is not finite.
        StorageError: If the state or the history cannot be written.
    """
    head = _copied(top, train[0].shape[1])
    settings = config.training
    shape = {"num_classes": top[-1].units, "batch_size": settings.batch_size}

    def keep(model: keras.Model, state: State) -> None:
        for layer, trained in zip(top, model.layers[1:], strict=True):
            layer.set_weights(trained.get_weights())
        on_best(state)

    train_batches = _batches(
        train,
        seed=settings.seed,
        weights=class_weights,
        steps_per_epoch=settings.steps_per_epoch,
        **shape,
    )
    compile_for_training(head, settings, train_batches.steps)
    return fit(
        head,
        train_batches,
        _batches(val, **shape) if len(val[1]) else None,
        config,
        run,
        hooks=Hooks(on_best=keep),
        screen=screen,
    )


def _copied(layers: Sequence[keras.layers.Dense], width: int) -> keras.Model:
    """Return a network of copies of dense layers, from features to logits."""
    inputs = keras.Input((width,))
    x = inputs
    for layer in layers:
        x = layer.from_config(layer.get_config())(x)
    return keras.Model(inputs, x)


def _batches(labelled: Labelled, **settings: Any) -> Batches:
    """Return batches of all features."""
    features, labels = labelled
    return Batches(features, labels, np.arange(len(labels)), **settings)
