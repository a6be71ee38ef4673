"""Draws of a search, which follow from the seed, the trial and the name of the setting."""

import optuna

from convlens.config import LEARNING_RATES, Config
from convlens.studies.sampler import (
    RATES,
    SeededSampler,
    rate_follows_optimizer,
    suggest,
    varied_fields,
)
from convlens.studies.space import Choices, default_space


def study(seed=0):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(sampler=SeededSampler(seed, 3), direction="maximize")


def test_suggestions_are_configurations():
    base = Config().replace(model="custom_cnn", epochs=3)
    rates = {}
    asked = study()
    for number in range(12):
        trial = asked.ask()
        config = suggest(trial, default_space("custom_cnn"), base)
        assert config.training.epochs == 3
        usual = LEARNING_RATES[config.training.optimizer]
        assert RATES[0] <= config.training.learning_rate / usual <= RATES[1]
        assert isinstance(config.model.filters, tuple)
        rates[config.training.optimizer] = usual
        asked.tell(trial, number)
        frozen = asked.trials[-1]
        assert varied_fields(frozen)["learning_rate"] == config.training.learning_rate
    assert len(rates) > 1


def test_draws_follow_from_seed_and_trial():
    def draw(seed, forget):
        asked = study(seed)
        found = []
        for number in range(8):
            if forget:  # a new process has a new sampler
                asked.sampler = SeededSampler(seed, 3)
            trial = asked.ask()
            found.append(suggest(trial, default_space("custom_cnn"), Config()))
            asked.tell(trial, (number * 7) % 5)
        return found

    assert draw(0, forget=False) == draw(0, forget=True)
    assert draw(0, forget=False) != draw(1, forget=False)
    assert len(set(draw(0, forget=False))) > 4


def test_the_learning_rate_follows_the_optimizer_unless_it_is_varied_itself():
    optimizer = Choices(("adam", "sgd"))
    assert rate_follows_optimizer({"optimizer": optimizer})
    assert not rate_follows_optimizer({"optimizer": optimizer, "learning_rate": Choices((1, 2))})
    assert not rate_follows_optimizer({"batch_size": Choices((32, 64))})
