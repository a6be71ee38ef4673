"""The recipe choice: few passes, unless somebody has another training in mind."""

from dataclasses import replace

import numpy as np
import pytest

from convlens import pipeline
from convlens.config import Config, ModelConfig
from convlens.data.dataset import Dataset
from convlens.errors import ConfigError
from convlens.recipe_choice import usual_training, with_fast_recipe
from convlens.sections_of_training import TrainingConfig
from convlens.studies import cross_validation, few
from convlens.studies.cross_validation import cross_validate

FAST = Config().replace(recipe="fast")


def images(train: int, test: int = 0) -> Dataset:
    """Return as many images, of which the source sets some aside for tests."""
    count = train + test
    splits = np.repeat(["train", "test"], [train, test]) if test else None
    labels = np.arange(count) % 2
    pixels = np.zeros((count, 1, 1), np.uint8)
    return Dataset("made", "made", pixels, labels, ("a", "b"), splits=splits)


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "small_resnet"},  # the default, but somebody has named it
        {"model": "lenet5"},
        {"batch_size": 64},
        {"learning_rate": 0.002},
        {"recipe": "standard"},
        {"optimizer": "sgd"},
        {"label_smoothing": 0.1},
        {"backbone": "efficientnet_lite0"},
        {"weights": "imagenet"},
        {"layer_decay": 0.7},
    ],
)
def test_a_training_that_the_user_has_in_mind_stays(settings):
    config = Config().replace(seed=3).replace(**settings)
    assert with_fast_recipe(config) == config
    assert usual_training(config, images(100)) == config


def test_a_section_that_was_made_by_hand_counts_as_named():
    config = Config(model=ModelConfig(model="lenet5"))
    assert usual_training(config, images(100)) == config
    config = Config(training=TrainingConfig(epochs=3))
    assert usual_training(config, images(100)) == FAST.replace(epochs=3)


def test_what_was_given_takes_precedence_over_the_recipe():
    assert with_fast_recipe(Config()) == FAST
    assert with_fast_recipe(Config().replace(seed=4, size="64")) == FAST.replace(seed=4, size="64")
    assert with_fast_recipe(Config().replace(epochs=20)) == FAST.replace(epochs=20)
    assert with_fast_recipe(Config().replace(augment="light")) == FAST.replace(augment="light")
    without_flips = with_fast_recipe(Config().replace(flip=False)).augment
    assert (without_flips.augment, without_flips.flip) == ("shift", False)


def test_the_choice_is_made_once():
    config = Config().replace(seed=4)
    chosen = usual_training(config, images(800))
    assert chosen.given == config.given
    assert usual_training(chosen, images(800)) == chosen
    assert usual_training(with_fast_recipe(config), images(800)) == chosen


@pytest.mark.parametrize(
    ("train", "test", "limit", "epochs"),
    [
        (60_000, 0, None, 10),
        (8_000, 0, None, 10),
        (5_000, 0, 50_000, 16),
        (2_000, 2_000, None, 40),
        (2_000, 2_000, 2_000, 60),
        (60_000, 10_000, 3_500, 27),
        (7, 0, None, 60),
    ],
)
def test_few_images_are_seen_more_often(train, test, limit, epochs):
    config = Config().replace(limit=limit)
    assert usual_training(config, images(train, test)) == FAST.replace(limit=limit, epochs=epochs)


def test_epochs_that_were_given_stay():
    few = images(100)
    assert usual_training(Config().replace(epochs=10), few).training.epochs == 10
    assert usual_training(FAST, few).training.epochs == 10
    assert usual_training(Config().replace(steps_per_epoch=5), few).training.epochs == 10


def test_a_study_says_how_many_images_it_splits():
    chosen = usual_training(Config(), images(4_000, 4_000), 8_000)
    # The images of --few are counted already, so that a limit makes them no fewer.
    limited = usual_training(Config().replace(limit=4_000), images(4_000, 4_000), 2_000)
    assert limited.training.epochs == 40
    assert chosen.training.epochs == 10


@pytest.mark.parametrize(
    ("module", "begin", "epochs"),
    [
        (pipeline, lambda dataset, run: pipeline.train(dataset, run=run), 40),
        (few, lambda dataset, run: few.train_on_few(dataset, Config(), 900, run=run), 45),
        (cross_validation, lambda dataset, run: cross_validate(dataset, Config(), 3, run=run), 20),
    ],
)
def test_trainings_and_studies_from_python_make_the_choice(
    module, begin, epochs, tmp_path, monkeypatch
):
    def stop(config, *_others):
        raise ConfigError(f"{config.training.recipe}, {config.training.epochs} epochs")

    monkeypatch.setattr(module, "choose_origin", stop)
    with pytest.raises(ConfigError, match=f"^fast, {epochs} epochs$"):
        begin(images(2_000, 2_000), tmp_path / "run")


def test_names_that_were_given_are_known_and_not_compared():
    config = Config().replace(epochs=20).replace(size="32")
    assert config.given == {"epochs", "size"}
    assert replace(config, given=frozenset()) == config
    assert "given" not in config.to_toml()
