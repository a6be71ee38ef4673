"""Upper layers learn from kept maps of the frozen layers what they learn in the whole network."""

import shutil

import keras
import numpy as np
import pytest
from keras import layers

from convlens import pipeline
from convlens.config import TransferConfig
from convlens.data.cache_size import cache_entries
from convlens.errors import Interrupted
from convlens.pipeline import train
from convlens.preprocess import Preprocessing
from convlens.transfer.backbone import unfreeze
from convlens.transfer.features import BATCH
from convlens.transfer.upper_layers import UpperSetup, highest_frozen, upper_setup
from convlens.zoo.create import build
from tests.trainings import QUIET, columns, press_ctrl_c, recording, same_weights
from tests.transfer.backbones import config_of, saved, training_of

pytestmark = pytest.mark.usefixtures("own_cache", "no_report")

SETTINGS = {
    "unfreeze": "block2*",
    "augment": "none",
    "flip": True,
    "epochs": 3,
    "batch_size": 32,
    "learning_rate": 0.01,
    "calibration": False,
}
ROUNDED = 0.01  # of a loss, after 15 steps whose maps had 11 bits


@pytest.fixture
def without_dropout(tmp_path):
    """The file of a network in which nothing but the images changes from epoch to epoch."""

    def network(x):
        x = layers.Conv2D(6, 3, padding="same", activation="relu", name="lower")(x)
        x = layers.MaxPooling2D(2)(x)
        x = layers.Conv2D(8, 3, padding="same", activation="relu", name="upper")(x)
        return layers.Dense(4)(layers.GlobalAveragePooling2D()(x))

    return saved(tmp_path / "trained.keras", network, Preprocessing(8, 8, 1))


@pytest.mark.parametrize(
    ("name", "unfrozen", "expected"),
    [
        ("efficientnet_lite0", "5", "stage6_block4_add"),
        ("efficientnet_lite0", "16", "stage5_block3_add"),
        ("efficientnet_lite0", "30", "stage4_block1_narrow_norm"),
        ("efficientnet_lite0", "all", None),
        ("densenet121", "5", "conv5_block14_concat"),
    ],
)
def test_the_highest_small_map_is_found(name, unfrozen, expected):
    images = keras.Input((64, 64, 3))
    network = keras.Model(images, build(name, images, 10))
    unfreeze(network, TransferConfig(backbone=name, unfreeze=unfrozen))
    found = highest_frozen(network)
    assert (None if found is None else found._keras_history.operation.name) == expected


def test_the_upper_layers_learn_what_they_learn_in_the_whole_network(
    digits, without_dropout, tmp_path, monkeypatch
):
    config = config_of(without_dropout, **SETTINGS | {"unfreeze": "upper"})
    runs = []
    for name, setup_of in (("maps", upper_setup), ("whole", lambda setup: setup)):
        monkeypatch.setattr(pipeline, "upper_setup", setup_of)
        training, run = training_of(digits, config, tmp_path / name)
        assert isinstance(training.stages[-1].setup, UpperSetup) is (name == "maps")
        training.run(run)
        runs.append(run)
    maps, whole = ([[row["loss"], row["val_loss"]] for row in run.history] for run in runs)
    assert whole[-1][0] < whole[0][0] - 5 * ROUNDED
    assert np.abs(np.subtract(maps, whole)).max() < ROUNDED
    images = training.setup.prepared.store.images[:50]
    one, other = (run.classifier().probabilities(images) for run in runs)
    assert np.abs(one - other).max() < ROUNDED


def test_maps_are_computed_once(digits, backbone, tmp_path, computed):
    config = config_of(backbone, **SETTINGS)
    for name in ("first", "second"):
        screen, text = recording()
        training, run = training_of(digits, config, tmp_path / name, screen)
        training.announce(run)
        before = sum(computed)
        training.run(run)
        if name == "second":
            assert "frozen layers  kept from an earlier run; 4 x 4 x 6" in text.getvalue()
            assert sum(computed) == before
        else:
            assert "maps, measured, kept for later" in text.getvalue()
            assert (
                before == BATCH
            )  # to see that maps are not too large; none for the measured steps


def test_the_cache_knows_what_maps_are(digits, backbone, tmp_path):
    training, run = training_of(digits, config_of(backbone, **SETTINGS), tmp_path / "run")
    training.run(run)
    kinds = [entry.kind for entry in cache_entries()]
    assert kinds.count("features") == 3  # those of the head, the maps, and those of mirror images


def test_a_stopped_run_goes_on_with_the_same_bits(digits, backbone, tmp_path, monkeypatch):
    whole = train(digits, config_of(backbone, **SETTINGS), run=tmp_path / "whole", screen=QUIET)
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, 7)
        with pytest.raises(Interrupted):
            train(digits, config_of(backbone, **SETTINGS), run=tmp_path / "stopped", screen=QUIET)
    keras.utils.set_random_seed(99)
    shutil.rmtree(tmp_path / "cache")  # it can be deleted at any time
    resumed = train(digits, run=tmp_path / "stopped", resume=True, screen=QUIET)
    assert columns(resumed) == columns(whole)
    assert same_weights(resumed, whole)


@pytest.mark.parametrize(
    "more", [{"augment": "light"}, {"mixup": 0.2}, {"snapshots": 2}, {"unfreeze": "all"}]
)
def test_what_changes_every_step_is_computed_in_every_step(digits, backbone, tmp_path, more):
    training, _run = training_of(digits, config_of(backbone, **SETTINGS | more), tmp_path / "run")
    assert not isinstance(training.stages[-1].setup, UpperSetup)


@pytest.mark.parametrize(("name", "value"), [("MOST_BYTES", 1000), ("LARGEST", 1e-6)])
def test_large_maps_are_not_kept(digits, backbone, tmp_path, monkeypatch, name, value):
    monkeypatch.setattr(f"convlens.transfer.upper_layers.{name}", value)
    training, _run = training_of(digits, config_of(backbone, **SETTINGS), tmp_path / "run")
    assert not isinstance(training.stages[-1].setup, UpperSetup)


def test_a_slower_way_that_the_user_has_chosen_is_told(digits, backbone, tmp_path):
    settings = SETTINGS | {"augment": "light"}
    training, _run = training_of(digits, config_of(backbone, **settings), tmp_path / "run")
    assert any("--augment none" in note for note in training.setup.notes())
