"""A flag that nothing reads is refused."""

import pytest

from convlens.config import Config
from convlens.errors import ConfigError
from convlens.recipe_choice import with_fast_recipe
from convlens.unheeded import READ_WITH, refuse_unheeded
from tests.cli.commands import run


@pytest.mark.parametrize(
    ("settings", "needed", "found"),
    [
        ({"filters": (8, 16)}, "--model custom_cnn", "fast_cnn"),
        ({"dense": (8,), "model": "lenet5"}, "--model custom_cnn", "lenet5"),
        ({"filters": (8,), "backbone": "vgg16"}, "--model custom_cnn", "vgg16"),
        ({"pooling": "average"}, "--model custom_cnn", "fast_cnn"),
        ({"warmup_epochs": 2}, "--schedule cosine", "one_cycle"),
        ({"warmup_epochs": 2, "recipe": "fast"}, "--schedule cosine", "linear"),
        ({"weight_decay": 0.1, "optimizer": "sgd"}, "--optimizer adamw or muon", "sgd"),
    ],
)
def test_what_is_not_read_is_refused(settings, needed, found):
    config = with_fast_recipe(Config().replace(**settings))
    with pytest.raises(ConfigError) as caught:
        refuse_unheeded(settings, config)
    assert f"has an effect only with {needed}; found {found}." in str(caught.value)
    assert str(caught.value).endswith(f"give {needed}.")


@pytest.mark.parametrize(
    "settings",
    [
        {"filters": (8, 16), "model": "custom_cnn"},
        {"pooling": "max", "backbone": "vgg16"},
        {"warmup_epochs": 2, "schedule": "cosine"},
        {"weight_decay": 0.1},
        {"weight_decay": 0.1, "optimizer": "muon"},
        {"stem": "small", "epochs": 3, "size": "32"},
    ],
)
def test_what_is_read_is_not(settings):
    refuse_unheeded(settings, with_fast_recipe(Config().replace(**settings)))


def test_the_table_has_settings_and_values_that_there_are():
    for name, (other, values) in READ_WITH.items():
        for value in values:
            Config().replace(**{other: value})
        assert name in {key for section in Config().to_dict().values() for key in section}


def test_the_command_says_so_before_it_reads_an_image(capsys):
    assert run("train", "missing", "--filters", "8,16") == ConfigError.exit_code
    said = capsys.readouterr().err
    assert "--filters has an effect only with --model custom_cnn; found fast_cnn." in said


def test_a_classifier_that_is_trained_further_has_its_own_network(capsys):
    assert run("train", "missing", "--from", "mine", "--dense", "8") == ConfigError.exit_code
    assert "--model custom_cnn; found mine." in capsys.readouterr().err
