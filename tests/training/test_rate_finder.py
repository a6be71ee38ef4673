"""The test that looks for a learning rate."""

import keras
import numpy as np
import pytest

from convlens.config import LEARNING_RATES, TrainingConfig
from convlens.data.batches import Batches
from convlens.pipeline import train
from convlens.training.optimization import HeadsCrossentropy
from convlens.training.rate_finder import find_learning_rate, suggest_rate
from tests.trainings import CONFIG, QUIET


@pytest.mark.usefixtures("no_charts")
def test_find_learning_rate_trains_with_what_it_finds(digits, tmp_path):
    run = train(
        digits, CONFIG.replace(epochs=1), run=tmp_path / "run", find_rate=True, screen=QUIET
    )
    assert run.config.training.learning_rate != LEARNING_RATES[CONFIG.training.optimizer]
    assert 1e-4 < run.config.training.learning_rate < 0.1
    assert (run.folder / "plots" / "learning_rate.png").exists()


def test_suggestion_is_a_tenth_of_the_best():
    assert suggest_rate((1e-4, 1e-3, 1e-2, 1e-1), (2.0, 1.0, 0.5, 3.0)) == pytest.approx(1e-3)


def test_a_batch_in_parts_is_one_step_of_the_test():
    """Otherwise the rate that is found suits batches of the size of a part."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (64, 4, 4, 1), np.uint8)
    labels = random.integers(3, size=64)
    curves = []
    for micro_batch in (0, 4):
        keras.utils.set_random_seed(0)
        scaled = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(3)]
        model = keras.Sequential([keras.Input((4, 4, 1)), *scaled])
        model.compile("sgd", HeadsCrossentropy(1, 0.0))
        batches = Batches(
            images,
            labels,
            np.arange(64),
            num_classes=3,
            batch_size=16,
            seed=1,
            micro_batch=micro_batch,
        )
        curves.append(find_learning_rate(model, batches, TrainingConfig(optimizer="sgd")))
    (rates, losses), (rates_of_parts, losses_of_parts) = curves
    assert len(losses) == len(losses_of_parts)
    assert np.allclose(rates, rates_of_parts)
    assert np.allclose(losses[:60], losses_of_parts[:60], rtol=1e-4)
