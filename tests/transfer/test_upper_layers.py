"""Upper layers learn from kept maps of the frozen layers what they learn in the whole network."""

import shutil

import keras
import numpy as np
import pytest
from keras import layers

from convlens import pipeline
from convlens.anatomy.graph import producer
from convlens.config import Config, TransferConfig
from convlens.data.augment import augment
from convlens.data.cache_size import cache_entries
from convlens.errors import ConfigError, Interrupted
from convlens.pipeline import train
from convlens.preprocess import Preprocessing
from convlens.training import setup as setups
from convlens.transfer.backbone import unfreeze
from convlens.transfer.kept_maps import frozen_map
from convlens.transfer.upper_layers import UpperSetup, upper_setup
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
ROUNDED = 1e-3  # of a loss, after 15 steps that learned from maps of another engine


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
    found = frozen_map(network)
    assert (None if found is None else producer(found).name) == expected


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
            assert before == 0  # measured steps need no maps


def test_the_cache_knows_what_maps_are(digits, backbone, tmp_path):
    training, run = training_of(digits, config_of(backbone, **SETTINGS), tmp_path / "run")
    training.run(run)
    kinds = [entry.kind for entry in cache_entries()]
    assert kinds.count("features") == 1  # those of the head
    assert kinds.count("maps of frozen layers") == 2  # and those of mirror images


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


@pytest.mark.parametrize(("name", "value"), [("OF_IMAGE", 0.1), ("SHARE", 1e-12)])
def test_large_maps_are_not_kept(digits, backbone, tmp_path, monkeypatch, name, value):
    monkeypatch.setattr(f"convlens.transfer.kept_maps.{name}", value)
    training, _run = training_of(digits, config_of(backbone, **SETTINGS), tmp_path / "run")
    assert not isinstance(training.stages[-1].setup, UpperSetup)


def test_what_fits_into_the_memory_is_decided_for_the_upper_layers(
    digits, backbone, tmp_path, monkeypatch
):
    free = iter([1.0])  # the whole network does not fit, and the upper layers do
    monkeypatch.setattr(setups, "free_memory", lambda: next(free, 1e12))
    training, run = training_of(digits, config_of(backbone, **SETTINGS), tmp_path / "run")
    upper = training.stages[-1].setup
    assert isinstance(upper, UpperSetup)
    assert upper.config.training.micro_batch == 0
    assert run.config.training.micro_batch == 0  # which a run that goes on follows


@pytest.mark.parametrize(
    "more",
    [
        {"gradual": True, "head": (8,)},
        {"val": 0.0},
        {"micro_batch": 8, "batch_size": 16},
        {"class_weights": "on"},
        {"train_batch_norm": True, "average_weights": True},
        {"precision": "auto"},
    ],
)
def test_maps_go_with_the_other_settings(digits, backbone, tmp_path, more):
    training, run = training_of(digits, config_of(backbone, **SETTINGS | more), tmp_path / "run")
    setup = training.stages[-1].setup
    assert isinstance(setup, UpperSetup)
    assert setup.maps.cache.kind == ("float16" if "precision" in more else "float32")
    state = training.run(run)
    assert len(state.history) == SETTINGS["epochs"]
    losses = [row["loss"] for row in state.history]
    assert losses[-1] < losses[0]


def test_the_user_decides_whether_maps_are_kept(digits, backbone, tmp_path):
    settings = SETTINGS | {"keep_maps": False}
    training, run = training_of(digits, config_of(backbone, **settings), tmp_path / "run")
    assert not isinstance(training.stages[-1].setup, UpperSetup)
    assert run.config.transfer.keep_maps is False
    settings = SETTINGS | {"keep_maps": True, "augment": "light"}
    with pytest.raises(ConfigError, match=r"found flip, shift 0\.1"):
        training_of(digits, config_of(backbone, **settings), tmp_path / "refused")


def test_a_run_that_goes_on_decides_nothing_anew(digits, backbone, tmp_path):
    _training, run = training_of(digits, config_of(backbone, **SETTINGS), tmp_path / "run")
    assert run.config.as_decided().transfer.keep_maps is True
    earlier = run.config.replace(keep_maps=None)  # as versions before have recorded it
    assert earlier.as_decided().transfer.keep_maps is False
    assert Config().as_decided().transfer.keep_maps is None  # which is about no other training


def test_the_classifier_is_the_whole_network(digits, without_dropout, tmp_path):
    config = config_of(without_dropout, **SETTINGS | {"unfreeze": "upper"})
    training, run = training_of(digits, config, tmp_path / "run")
    training.run(run)
    classifier = run.classifier()
    assert classifier.provenance["parameters"] == classifier.model.count_params()


def test_a_layer_that_is_called_twice_is_not_cut(tmp_path):
    images = keras.Input((12, 12, 3))
    active = layers.ReLU()
    x = active(layers.Conv2D(6, 3, strides=2, name="lower")(images))
    x = active(layers.Conv2D(6, 3, name="upper")(x))
    network = keras.Model(images, layers.Dense(4)(layers.Flatten()(x)))
    network.get_layer("lower").trainable = False
    assert producer(frozen_map(network)).name == "lower"


def test_only_a_scaled_image_is_no_map():
    images = keras.Input((12, 12, 3))
    x = layers.Normalization(mean=0.0, variance=1.0)(images)
    network = keras.Model(images, layers.Dense(4)(layers.Flatten()(layers.Conv2D(2, 3)(x))))
    network.layers[1].trainable = False
    assert frozen_map(network) is None


def test_the_maps_of_flipped_images_are_those_of_the_augmentation(digits, backbone, tmp_path):
    training, _run = training_of(digits, config_of(backbone, **SETTINGS), tmp_path / "run")
    setup = training.stages[-1].setup
    chosen = setup.prepared.splits.train[:8]
    batches = setup.batches(chosen, seed=0, augmentation=setup.config.augment)
    lower = keras.Model(setup.whole.network.input, frozen_map(setup.whole.network))
    for epoch in (0, 1):
        order = batches.indices_at(epoch, 0)
        pixels = setup.prepared.store.images[order]
        flipped = augment(pixels, order, setup.config.augment, seed=0, epoch=epoch)
        maps = batches.batch_at(epoch, 0)[0]
        assert np.abs(maps - lower(flipped)).max() < ROUNDED


def test_a_slower_way_that_the_user_has_chosen_is_told(digits, backbone, tmp_path):
    settings = SETTINGS | {"augment": "light"}
    training, _run = training_of(digits, config_of(backbone, **settings), tmp_path / "run")
    assert any("--augment none" in note for note in training.setup.notes())
