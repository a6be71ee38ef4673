"""A head with hidden layers learns from features by steps."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.config import Config
from convlens.run import Run
from convlens.screen import Screen
from convlens.transfer.dense_head import fit_dense_head

WIDTH = 6
NONE = (np.empty((0, WIDTH), np.float32), np.empty(0, np.int64))
CONFIG = Config().replace(epochs=6, batch_size=20, learning_rate=0.02, precision="float32")


def clouds(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    centers = np.random.default_rng(7).normal(0, 2, (3, WIDTH))
    labels = np.arange(number) % 3
    features = centers[labels] + np.random.default_rng(seed).normal(0, 1, (number, WIDTH))
    return features.astype(np.float32), labels


def fitted(folder, config=CONFIG, val=None, class_weights=None):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((WIDTH,))
    top = [layers.Dense(8, "relu"), layers.Dense(3)]
    head = keras.Model(inputs, top[1](top[0](inputs)))
    kept, shown = [], []
    state = fit_dense_head(
        top,
        clouds(120, 0),
        clouds(60, 1) if val is None else val,
        config,
        Run.create(folder / "run", ""),
        class_weights=class_weights,
        on_best=lambda state: kept.append((state.best_epoch, head.get_weights())),
        on_epoch=lambda row, best: shown.append((row["epoch"], best)),
        screen=Screen(quiet=True),
    )
    assert [number for number, best in shown if best] == [number for number, _ in kept]
    return head, state, kept


def test_the_layers_have_the_best_epochs_weights(tmp_path):
    head, state, kept = fitted(tmp_path)
    features, labels = clouds(60, 1)
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
    features, _ = clouds(60, 1)
    assert (
        np.asarray(head(features)).argmax(1) == 1
    ).mean() > 0.6  # A third of the images are of this class.
