"""The recipe choice: few passes, unless somebody has another training in mind."""

import pytest

from convlens.config import Config
from convlens.recipe_choice import usual_training, with_fast_recipe

NOTHING = frozenset()


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        ("model", {}),
        ("batch_size", {}),
        ("learning_rate", {}),
        ("recipe", {}),
        ("", {"model": "lenet5"}),
        ("", {"optimizer": "sgd"}),
        ("", {"backbone": "efficientnet_lite0"}),
        ("", {"weights": "imagenet"}),
    ],
)
def test_a_training_that_the_user_has_in_mind_stays(given, settings):
    config = Config().replace(**settings)
    assert with_fast_recipe(config, frozenset([given])) == config
    assert usual_training(config, frozenset([given]), 100) == config


def test_few_passes_have_a_recipe_of_their_own():
    assert with_fast_recipe(Config(), NOTHING) == Config().replace(recipe="fast")
    config = Config().replace(shift=0.2, seed=4)
    fast = with_fast_recipe(config, frozenset(["seed"]))
    assert fast.augment == config.augment
    assert (fast.model.model, fast.training.seed, fast.training.epochs) == ("fast_cnn", 4, 10)
    assert with_fast_recipe(Config().replace(epochs=7), NOTHING).training.epochs == 7
    assert with_fast_recipe(Config(), frozenset(["augment", "epochs"])) == Config().replace(
        recipe="fast", augment="light", epochs=20
    )


@pytest.mark.parametrize(
    ("images", "limit", "epochs"),
    [
        (60_000, None, 10),
        (8_000, None, 10),
        (60_000, 2_000, 40),
        (5_000, 50_000, 16),
        (7, None, 60),
    ],
)
def test_few_images_are_seen_more_often(images, limit, epochs):
    chosen = usual_training(Config().replace(limit=limit), NOTHING, images)
    assert (chosen.training.recipe, chosen.training.epochs) == ("fast", epochs)
    asked = usual_training(Config().replace(limit=limit, epochs=3), NOTHING, images)
    assert (asked.training.recipe, asked.training.epochs) == ("fast", 3)
    assert usual_training(Config(), frozenset(["epochs"]), images).training.epochs == 20
