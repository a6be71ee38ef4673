"""The space of a search: what --vary says, and draws that follow from seed, trial and name."""

import optuna
import pytest

from convlens.config import LEARNING_RATES, Config
from convlens.errors import ConfigError
from convlens.studies.space import (
    RATES,
    Choices,
    Range,
    Seeded,
    default_space,
    from_dict,
    parse_vary,
    suggest,
    to_dict,
    varied_fields,
)


def study(seed=0):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(sampler=Seeded(seed, 3), direction="maximize")


def test_vary():
    assert parse_vary(
        ["learning-rate=1e-4..1e-1", "filters=16,32|64", "kernel_size=3..5", "optimizer=adam,sgd"]
    ) == {
        "learning_rate": Range(1e-4, 1e-1, logarithmic=True),
        "filters": Choices(("16,32", "64")),
        "kernel_size": Range(3, 5),
        "optimizer": Choices(("adam", "sgd")),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dropout", "must be FIELD=values"),
        ("dropout=", "must be FIELD=values"),
        ("drop=1,2", "must name a field .*found 'drop'"),
        ("epochs=1,2", "found 'epochs'"),
        ("size=32,64", "found 'size'"),
        ("dropout=0.5..0.1", "a range must go up"),
        ("dropout=0..2", "--dropout must be at most 0.95; found 2"),
        ("dropout=a,b", "the values must be numbers"),
        ("kernel_size=3.5,4", "the values must be whole numbers"),
        ("learning_rate=0..1", "must begin above 0"),
        ("optimizer=adam,adamm", "--optimizer must be one of"),
        ("filters=16;32", "lists of whole numbers must be given"),
        ("tensorboard=true,false", "is not varied"),
        ("learning_rate=inf,0.1", "the values must be numbers"),
        ("batch_size=32,32", "each once"),
        ("filters=16", "two values or more"),
    ],
)
def test_bad_vary(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_vary([text])


def test_shape_of_another_network_is_not_varied():
    with pytest.raises(ConfigError, match="filters shapes custom_cnn only; found --model resnet20"):
        parse_vary(["filters=4|8"], "resnet20")
    assert parse_vary(["dropout=0..0.5"], "custom_cnn")


def test_vary_names_a_field_once():
    with pytest.raises(ConfigError, match="dropout twice"):
        parse_vary(["dropout=0..0.5", "dropout=0.1,0.2"])


def test_space_survives_json():
    space = {**default_space("custom_cnn"), "learning_rate": Range(1e-4, 1e-1, True)}
    assert from_dict(to_dict(space)) == space


def test_suggestions_are_configurations():
    base, rates = Config().replace(model="custom_cnn", epochs=3), {}
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


def test_only_the_training_of_other_networks_varies():
    assert set(default_space("resnet20")) == {"optimizer", "batch_size"}


def test_draws_follow_from_seed_and_trial():
    def draw(seed, forget):
        asked, found = study(seed), []
        for number in range(8):
            if forget:  # a new process has a new sampler
                asked.sampler = Seeded(seed, 3)
            trial = asked.ask()
            found.append(suggest(trial, default_space("custom_cnn"), Config()))
            asked.tell(trial, (number * 7) % 5)
        return found

    assert draw(0, forget=False) == draw(0, forget=True)
    assert draw(0, forget=False) != draw(1, forget=False)
    assert len(set(draw(0, forget=False))) > 4
