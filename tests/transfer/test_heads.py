"""Heads on features: logistic regression, compared with scikit-learn's, and hidden layers."""

import csv
import warnings

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from convlens.config import Config
from convlens.errors import TrainingError
from convlens.run import Run
from convlens.screen import Screen
from convlens.transfer import heads
from convlens.transfer.heads import (
    DEFAULT_STRENGTH,
    STRENGTHS,
    LinearHead,
    fit_dense_head,
    fit_linear_head,
    write_trials,
)

WIDTH = 6
NONE = (np.empty((0, WIDTH), np.float32), np.empty(0, np.int64))
CONFIG = Config().replace(epochs=6, batch_size=20, learning_rate=0.02, precision="float32")


def clouds(
    number: int, num_classes: int, seed: int, spread: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return features around one centre for each class, far from zero as after a ReLU."""
    rng = np.random.default_rng(seed)
    centers = np.random.default_rng(7).normal(5, 1, (num_classes, WIDTH))
    labels = np.arange(number) % num_classes
    return (centers[labels] + rng.normal(0, spread, (number, WIDTH))).astype(np.float32), labels


def standard(features: np.ndarray, by: np.ndarray) -> np.ndarray:
    return (features - by.mean(0)) / np.sqrt(((by - by.mean(0)) ** 2).mean())


def logits(head: LinearHead, features: np.ndarray) -> np.ndarray:
    return features @ head.kernel + head.bias


def test_many_classes_of_one_image_are_fitted_without_a_warning():
    features, labels = clouds(30, 20, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head = fit_linear_head(features, labels, *NONE, 20)
    assert head.kernel.shape == (WIDTH, 20)


@pytest.mark.parametrize("num_classes", [2, 3, 5])
def test_logits_are_scikit_learns_on_standard_features(num_classes):
    features, labels = clouds(120, num_classes, 0)
    head = fit_linear_head(features.copy(), labels, *NONE, num_classes)
    theirs = LogisticRegression(C=DEFAULT_STRENGTH, max_iter=1000, tol=1e-8).fit(
        standard(features, features), labels
    )
    scores = theirs.decision_function(standard(features, features))
    found = logits(head, features)
    if num_classes == 2:
        assert np.allclose(found[:, 1] - found[:, 0], scores, atol=2e-3)
    else:
        assert np.allclose(found, scores, atol=2e-3)
    assert head.strength == DEFAULT_STRENGTH
    assert head.trials == ()


def test_the_strength_with_the_least_validation_log_loss_is_kept():
    features, labels = clouds(60, 3, 0)
    val_features, val_labels = clouds(300, 3, 1)
    calls = []
    head = fit_linear_head(
        features.copy(),
        labels,
        val_features,
        val_labels,
        3,
        progress=lambda *call: calls.append(call),
    )
    losses = {}
    for strength in STRENGTHS:
        theirs = LogisticRegression(C=strength, max_iter=1000, tol=1e-8).fit(
            standard(features, features), labels
        )
        rows = theirs.predict_proba(standard(val_features, features))
        losses[strength] = log_loss(val_labels, rows)
    assert head.strength == min(losses, key=losses.get)
    assert [trial.log_loss for trial in head.trials] == pytest.approx(
        [losses[t.strength] for t in head.trials], rel=1e-3
    )
    right = (logits(head, val_features).argmax(1) == val_labels).mean()
    assert next(
        t.accuracy.value for t in head.trials if t.strength == head.strength
    ) == pytest.approx(right)
    assert calls == [(number, len(STRENGTHS)) for number in range(1, len(head.trials) + 1)]


def test_the_search_stops_where_two_weaker_strengths_in_a_row_are_worse():
    features, labels = clouds(9, 3, 0, spread=3.0)  # few and noisy: weak ones learn the noise
    val = clouds(600, 3, 1, spread=3.0)
    head = fit_linear_head(features.copy(), labels, *val, 3)
    found = [trial.log_loss for trial in head.trials]
    assert len(found) < len(STRENGTHS)
    assert min(found[-2:]) > min(found)


def test_large_features_stay_as_they_are_and_have_the_same_optimum(monkeypatch):
    features, labels = clouds(120, 3, 0)
    val = clouds(60, 3, 1)
    small = fit_linear_head(features.copy(), labels, *val, 3)
    monkeypatch.setattr(heads, "IN_PLACE", 0)
    frozen = features.copy()
    frozen.flags.writeable = False  # as a memory map is
    large = fit_linear_head(frozen, labels, *val, 3)
    assert large.strength == small.strength
    assert np.allclose(logits(large, features), logits(small, features), atol=0.02)


def test_a_class_that_weighs_more_is_predicted_more():
    features, labels = clouds(300, 2, 0, spread=4.0)
    even = fit_linear_head(features.copy(), labels, *NONE, 2)
    weights = np.array([1, 9], np.float32)
    uneven = fit_linear_head(features.copy(), labels, *NONE, 2, class_weights=weights)
    theirs = LogisticRegression(C=DEFAULT_STRENGTH, max_iter=1000, tol=1e-8)
    theirs.fit(standard(features, features), labels, weights[labels])
    difference = logits(uneven, features) @ [-1, 1]
    assert np.allclose(
        difference, theirs.decision_function(standard(features, features)), atol=2e-3
    )
    assert logits(uneven, features).argmax(1).sum() > logits(even, features).argmax(1).sum() + 20


def test_a_class_without_images_is_never_predicted():
    features, labels = clouds(60, 3, 0)
    head = fit_linear_head(features.copy(), labels, *NONE, 4)
    assert head.kernel.shape == (WIDTH, 4)
    assert (logits(head, features).argmax(1) < 3).all()


def test_features_that_are_all_alike_give_the_shares_of_the_classes():
    features, labels = np.full((30, WIDTH), 3.0, np.float32), np.arange(30) % 3
    found = logits(fit_linear_head(features.copy(), labels, *NONE, 3), features)
    assert np.allclose(found - found.mean(1, keepdims=True), 0, atol=1e-3)


def test_what_was_tried_is_written(tmp_path):
    features, labels = clouds(60, 3, 0)
    head = fit_linear_head(features, labels, *clouds(60, 3, 1), 3)
    write_trials(head, Run(tmp_path))
    with (tmp_path / "regularisation.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["strength"]) for row in rows] == [trial.strength for trial in head.trials]
    assert float(rows[0]["val_log_loss"]) == pytest.approx(head.trials[0].log_loss, abs=1e-6)
    assert float(rows[0]["val_accuracy"]) == pytest.approx(head.trials[0].accuracy.value, abs=1e-6)
    assert (tmp_path / "plots" / "regularisation.png").stat().st_size > 1000


def distant_clouds(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    centers = np.random.default_rng(7).normal(0, 2, (3, WIDTH))
    labels = np.arange(number) % 3
    features = centers[labels] + np.random.default_rng(seed).normal(0, 1, (number, WIDTH))
    return features.astype(np.float32), labels


class Epochs(Screen):
    """A screen that notes the epochs it is told of, and which were the best so far."""

    def __init__(self):
        super().__init__(quiet=True)
        self.shown = []

    def epoch(self, row, *, best):
        self.shown.append((row["epoch"], best))


def fitted(folder, config=CONFIG, val=None, class_weights=None):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((WIDTH,))
    top = [layers.Dense(8, "relu"), layers.Dense(3)]
    head = keras.Model(inputs, top[1](top[0](inputs)))
    kept, screen = [], Epochs()
    state = fit_dense_head(
        top,
        distant_clouds(120, 0),
        distant_clouds(60, 1) if val is None else val,
        config,
        Run.create(folder / "run", ""),
        class_weights=class_weights,
        on_best=lambda state: kept.append((state.best_epoch, head.get_weights())),
        screen=screen,
    )
    # Without validation images, each epoch is kept, and none is shown as the best.
    chosen = [] if val is NONE else [number for number, _ in kept]
    assert [number for number, best in screen.shown if best] == chosen
    return head, state, kept


def test_the_layers_have_the_best_epochs_weights(tmp_path):
    head, state, kept = fitted(tmp_path)
    features, labels = distant_clouds(60, 1)
    best = max(state.history, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    assert state.best_epoch == best["epoch"] == kept[-1][0]
    assert best["val_accuracy"] > 0.8
    right = (np.asarray(head(features)).argmax(1) == labels).mean()
    assert right == pytest.approx(best["val_accuracy"], abs=1e-6)
    assert all(map(np.array_equal, head.get_weights(), kept[-1][1]))


def test_without_validation_the_last_epoch_is_kept(tmp_path):
    _, state, kept = fitted(tmp_path, val=NONE)
    assert [number for number, _ in kept] == [1, 2, 3, 4, 5, 6]
    assert state.best_epoch == 6


def test_an_epoch_may_have_fewer_steps(tmp_path):
    config = CONFIG.replace(epochs=1, learning_rate=0.01, optimizer="sgd", schedule="constant")
    whole, _, _ = fitted(tmp_path / "six", config)
    short, _, _ = fitted(tmp_path / "one", config.replace(steps_per_epoch=1))
    start, _, _ = fitted(tmp_path / "none", config.replace(learning_rate=1e-20))
    moved = [np.abs(one.get_weights()[2] - start.get_weights()[2]).sum() for one in (whole, short)]
    assert 0 < moved[1] < moved[0]


def test_a_class_with_all_the_weight_is_predicted_most(tmp_path):
    head, _, _ = fitted(tmp_path, val=NONE, class_weights=np.array([0, 5, 0], np.float32))
    features, _ = distant_clouds(60, 1)
    assert (
        np.asarray(head(features)).argmax(1) == 1
    ).mean() > 0.6  # A third of the images are of this class.


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_features_that_are_not_finite_are_said(number):
    features, labels = clouds(30, 3, 0)
    features[7, 2] = number
    with pytest.raises(TrainingError, match="the features of the backbone must be finite"):
        fit_linear_head(features, labels, *NONE, 3)
