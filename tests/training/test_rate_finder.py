"""The test that looks for a learning rate."""

import pytest

from convlens.config import LEARNING_RATES
from convlens.pipeline import train
from convlens.training.rate_finder import suggest_rate
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
