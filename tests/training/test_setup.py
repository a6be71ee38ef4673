"""What a training begins with: resolved settings, facts in words, and its record."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from convlens.augmentation import describe_augmentation
from convlens.checksums import read_sums
from convlens.config import Config
from convlens.precision import resolve_precision
from convlens.run import Run
from convlens.run_folder import ASKED
from convlens.studies.several import write_asked
from convlens.training.network import choose_network
from convlens.training.recipe_words import describe_recipe
from convlens.training.setup import Setup
from convlens.transfer.origin import choose_origin
from tests.trainings import CONFIG


def setup_of(digits, config):
    origin = choose_origin(config)
    return Setup.create(origin.prepare(digits, config, None), config, origin)


@pytest.fixture(scope="module")
def setup(digits):
    return setup_of(digits, CONFIG)


def test_every_auto_is_decided(setup):
    config = setup.config
    assert (config.data.size, config.data.fit, config.data.channels) == ("8x8", "stretch", "grey")
    assert config.training.learning_rate == 0.002
    assert config.training.class_weights == "off"
    assert config.training.precision == resolve_precision("auto")
    assert (config.augment.shift, config.augment.flip) == (0.1, False)


def test_a_training_that_cannot_stop_early_says_so(digits):
    config = CONFIG.replace(patience=3, val=0.0)
    (note,) = setup_of(digits, config).notes()
    assert note.startswith("--patience 3 has no effect: without validation images (--val)")
    assert not setup_of(digits, config.replace(val=0.2)).notes()


def test_the_facts_in_words(setup):
    splits = setup.prepared.splits
    count = setup.network.count_params()
    facts = setup.facts()
    assert list(facts) == [
        "images", "split", "input", "network", "recipe", "augmentation", "compute"
    ]  # fmt: skip
    used = len(splits.train) + len(splits.val) + len(splits.test)
    assert facts["images"].startswith(f"{used} of 1,797 from digits")
    assert facts["images"].endswith("10 classes")
    assert facts["split"] == (
        f"{len(splits.train)} train, {len(splits.val)} validation, {len(splits.test)} test"
    )
    assert facts["input"] == "8 x 8 grey"
    assert facts["network"] == f"custom_cnn, {count:,} parameters"
    assert facts["recipe"] == "3 epochs, batch 32, adamw, learning rate 0.002 (one-cycle)"
    assert facts["augmentation"] == describe_augmentation(setup.config.augment)
    assert facts["compute"].startswith(f"{setup.config.training.precision} on tensorflow, ")


def test_one_thread_is_no_plural(setup):
    alone = dataclasses.replace(setup, config=setup.config.replace(threads=1))
    assert alone.facts()["compute"].endswith(", 1 thread")


def test_who_trains_a_classifier_further_reads_by_which_recipe(finished_run, digits):
    config = CONFIG.replace(epochs=1)
    origin = choose_origin(config, start_from=finished_run.folder)
    facts = Setup.create(origin.prepare(digits, config, None), config, origin).facts()
    assert facts["recipe"].startswith("--recipe standard: 1 epoch, batch 32, adamw")
    # A run that goes on has its recipe, and a model of one's own that goes on never had a flag.
    resumed = dataclasses.replace(origin, is_resumed=True)
    facts = Setup.create(resumed.prepare(digits, config, None), config, resumed).facts()
    assert facts["recipe"].startswith("1 epoch, batch 32, adamw")


def test_a_model_of_ones_own_has_no_flag_for_its_recipe(digits):
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)], name="mine"
    )
    origin = choose_origin(CONFIG, model)
    facts = Setup.create(origin.prepare(digits, CONFIG, None), CONFIG, origin).facts()
    assert facts["recipe"] == "3 epochs, batch 32, adamw, learning rate 0.002 (one-cycle)"


def test_rare_classes_and_frozen_layers_are_facts(setup):
    weighted = dataclasses.replace(setup, class_weights=np.ones(10, np.float32))
    assert weighted.facts()["augmentation"].endswith(", rare classes weigh more")
    last = setup.network.layers[-1]
    last.trainable = False
    try:
        trainable = setup.network.count_params() - last.count_params()
        assert setup.facts()["network"].endswith(f", {trainable:,} of them trainable")
    finally:
        last.trainable = True


def test_another_configuration_keeps_the_weights(setup):
    other = setup.changed(setup.config.replace(epochs=7, learning_rate=0.5))
    assert (other.config.training.epochs, other.config.training.learning_rate) == (7, 0.5)
    assert setup.config.training.epochs == 3
    assert other.network is not setup.network
    assert len(other.network.weights) == len(setup.network.weights) > 0
    assert all(a is b for a, b in zip(other.network.weights, setup.network.weights, strict=True))


def test_a_classifier_carries_a_few_images_of_the_training(setup):
    examples = setup.classifier().examples
    assert examples.shape == (4, 8, 8, 1)
    train = setup.prepared.splits.train
    assert np.array_equal(examples[0], setup.prepared.store.images[train[0]])
    assert np.array_equal(examples[-1], setup.prepared.store.images[train[-1]])


def test_a_run_is_described_by_what_was_decided(setup, tmp_path):
    run = Run.create(tmp_path / "run", "")
    write_asked(run, setup.config)
    setup.describe(run, folds=5)
    assert read_sums(run.folder).keys() == {Path("run.toml"), Path("data.json"), Path(ASKED)}
    assert run.config == setup.config
    assert run.data["folds"] == 5
    assert run.data["fingerprint"] == setup.prepared.fingerprint
    assert not run.start_path.exists()


def test_a_network_that_is_not_of_the_zoo_is_kept_as_it_starts(digits, backbone, tmp_path):
    config = Config().replace(limit=60)
    data = dataclasses.replace(digits, labels=digits.labels % 3, class_names=("a", "b", "c"))
    origin = choose_network(config, start_from=backbone)
    setup = Setup.create(origin.prepare(data, config, None), config, origin)
    run = Run.create(tmp_path / "run", "")
    setup.describe(run)
    again = choose_network(config, start_from=run.start_path)
    pairs = zip(again.ready.get_weights(), setup.network.get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_with_a_backbone_the_precision_that_was_asked_for_is_recorded(digits, backbone, tmp_path):
    config = Config().replace(backbone=str(backbone), limit=60, precision="auto")
    setup = setup_of(digits, config)
    assert setup.config.training.precision in ("float32", "bfloat16")
    run = Run.create(tmp_path / "run", "")
    setup.describe(run)
    assert run.config.training.precision == setup.precision == "auto"
    assert run.config.replace(precision=setup.config.training.precision) == setup.config


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"epochs": 1, "optimizer": "sgd", "batch_size": 8, "schedule": "constant"},
            "1 epoch, batch 8, sgd, learning rate 0.05 (constant)",
        ),
        (
            {"epochs": 5, "learning_rate": 3e-4, "schedule": "cosine"},
            "5 epochs, batch 64, adamw, learning rate 0.0003 (cosine)",
        ),
    ],
)
def test_the_recipe_in_words(settings, said):
    assert describe_recipe(Config().replace(**settings)) == said
