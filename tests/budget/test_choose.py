import dataclasses
import re

import keras
import numpy as np
import pytest
from keras import layers

from convlens.budget.choose import (
    MOST_PASSES,
    BackboneCosts,
    choose_side,
    choose_tuning,
    upper_layers,
)
from convlens.budget.plan import Costs
from convlens.config import Config, TransferConfig
from convlens.data.dataset import Dataset
from convlens.data.photographs import unlike_photographs

# 4,000 images: 8 s to decode, at 224 each 10 ms of features, 10 s for the rest: 58 s; at 96 25.3 s
PHOTOS = BackboneCosts(decode=0.002, wanted=4000, feature=0.01, rest=10.0)


@pytest.mark.parametrize(
    ("seconds", "side"),
    [(600, 224), (62, 224), (60, 192), (45, 160), (36, 128), (27, 96), (26, None), (1, None)],
)
def test_the_largest_side_that_fits(seconds, side):
    choice = choose_side(PHOTOS, seconds)
    assert choice.side == side
    if side is None:
        assert choice.seconds == pytest.approx(18 + 40 * (96 / 224) ** 2)
        assert f"{seconds} s are left" in choice.reason
    else:
        assert choice.seconds == pytest.approx(18 + 40 * (side / 224) ** 2)
        assert choice.seconds <= 0.95 * seconds
        assert "4,000 images x" in choice.reason


def test_what_earlier_runs_have_kept_takes_no_time_at_the_own_side():
    kept = dataclasses.replace(PHOTOS, missing=0)
    assert choose_side(kept, 11).side == 224
    assert "kept from an earlier run" in choose_side(kept, 11).reason
    assert kept.seconds() == 10
    assert kept.seconds((192 / 224) ** 2) == PHOTOS.seconds((192 / 224) ** 2)
    half = dataclasses.replace(PHOTOS, missing=2000)
    assert half.seconds() == pytest.approx(30)


def test_a_single_side_is_taken_or_not():
    assert choose_side(PHOTOS, 62, [224]).side == 224
    none = choose_side(PHOTOS, 60, [224])
    assert none.side is None
    assert re.fullmatch(r"it takes .+ even at 224 pixels \(.+\); 1 min 00 s are left", none.reason)


STEPS = 50  # of a pass


def test_all_layers_learn_where_that_makes_three_passes_else_the_upper_ones():
    both = [("all", Costs(1.0, 2.0, 1.0)), ("9", Costs(0.4, 2.0, 1.0))]
    found = choose_tuning(both, 600, STEPS)
    assert found.unfreeze == "all"
    assert 9 < found.plan.epochs * found.plan.steps_per_epoch / STEPS < 12
    assert "all layers" in found.reason
    found = choose_tuning(both, 130, STEPS)
    assert found.unfreeze == "9"
    assert found.plan.seconds < 130
    assert "the last 9 layers (all would make 2." in found.reason
    found = choose_tuning(both, 60, STEPS)
    assert found.plan is None
    assert "one takes 23 s, and 1 min 00 s are left" in found.reason
    assert choose_tuning(both[1:], 60, STEPS, least=1).unfreeze == "9"
    assert choose_tuning([("all", Costs(1.0, start=700.0))], 600, STEPS).plan is None


def test_more_than_thirty_passes_are_not_made():
    found = choose_tuning([("all", Costs(0.01, 0.1))], 3600, STEPS)
    passes = found.plan.epochs * found.plan.steps_per_epoch / STEPS
    assert passes == MOST_PASSES
    assert found.plan.seconds == pytest.approx(30 * 0.5 + found.plan.epochs * 0.1)
    assert "more time would bring little" in found.reason


def images(shape) -> Dataset:
    return Dataset(
        "made", "an array", np.zeros(shape, np.uint8), np.zeros(shape[0], np.int64), ("a",)
    )


@pytest.mark.parametrize(
    ("shape", "settings", "why"),
    [
        ((2, 100, 120, 3), {}, ""),
        ((2, 100, 120), {}, "grey"),
        ((2, 100, 120), {"channels": "rgb"}, ""),
        ((2, 100, 120, 3), {"channels": "grey"}, "grey"),
        ((2, 32, 32, 3), {}, "32 x 32 are too small"),
        ((2, 100, 120, 3), {"size": "64"}, "--size 64"),
    ],
)
def test_which_images_a_backbone_is_for(shape, settings, why):
    found = unlike_photographs(images(shape), Config().replace(**settings))
    assert (why in found) if why else found == ""


def gated(*, strides: int) -> keras.Model:
    """Return two convolutions, each with a gate on its map (squeeze and excitation)."""
    inputs = x = keras.Input((8, 8, 1))
    for number, step in ((1, 1), (2, strides)):
        x = layers.Conv2D(4, 3, strides=step, padding="same", name=f"conv{number}")(x)
        x = layers.BatchNormalization()(x)
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Multiply()(
            [x, layers.Conv2D(4, 1, activation="sigmoid", name=f"gate{number}")(gate)]
        )
    return keras.Model(inputs, layers.GlobalAveragePooling2D(name="features")(x))


def test_upper_layers_lie_on_the_smallest_map_with_its_gates():
    settings = TransferConfig(backbone="any")
    assert (
        upper_layers(gated(strides=2), settings) == "2"
    )  # conv2, gate2: gate1 belongs to the larger map
    assert (
        upper_layers(gated(strides=2), dataclasses.replace(settings, train_batch_norm=True)) == "3"
    )
    assert upper_layers(gated(strides=1), settings) is None  # all lie on one map
