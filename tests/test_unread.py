"""A flag that nothing reads is refused."""

import pytest

from convlens.config import Config
from convlens.errors import ConfigError
from convlens.presets import SCHEDULES
from convlens.recipe_choice import with_fast_recipe
from convlens.training.optimization import DECAYING, make_schedule
from convlens.unread import READ_WITH, refuse_unread
from tests.cli.commands import run


@pytest.mark.parametrize(
    ("settings", "needed", "found"),
    [
        ({"filters": (8, 16)}, "--model custom_cnn", "fast_cnn"),
        ({"dense": (8,), "model": "lenet5"}, "--model custom_cnn", "lenet5"),
        ({"pooling": "average"}, "--model custom_cnn", "fast_cnn"),
        ({"warmup_epochs": 2}, "--schedule cosine", "one_cycle"),
        ({"warmup_epochs": 2, "recipe": "fast"}, "--schedule cosine", "linear"),
        ({"weight_decay": 0.1, "optimizer": "sgd"}, "--optimizer adamw or muon", "sgd"),
    ],
)
def test_what_is_not_read_is_refused(settings, needed, found):
    config = with_fast_recipe(Config().replace(**settings))
    with pytest.raises(ConfigError) as caught:
        refuse_unread(settings, config)
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
        {"stem": "small", "model": "resnet50", "epochs": 3},
    ],
)
def test_what_is_read_is_not(settings):
    refuse_unread(settings, with_fast_recipe(Config().replace(**settings)))


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
    words = ("train", "missing", "--from", "mine", "--model", "custom_cnn", "--dense", "8")
    assert run(*words) == ConfigError.exit_code
    said = capsys.readouterr().err
    assert "--dense shapes a new network, and mine has its own. Leave it out." in said


def test_a_backbone_has_its_own_layers_but_for_the_pooling():
    config = Config().replace(backbone="vgg16", filters=(8,), pooling="max")
    refuse_unread(["pooling"], config)
    with pytest.raises(ConfigError, match="--filters shapes a new network, and vgg16 has its own"):
        refuse_unread(["filters"], config)


def test_a_budget_may_choose_a_backbone_which_reads_the_pooling():
    config = with_fast_recipe(Config().replace(pooling="max"))
    refuse_unread(["pooling"], config, budgeted=True)
    with pytest.raises(ConfigError, match="--pooling has an effect only"):
        refuse_unread(["pooling"], config)


def test_the_table_is_that_of_the_code_that_reads_the_settings():
    assert READ_WITH["weight_decay"] == ("optimizer", DECAYING)
    for schedule in SCHEDULES:
        made = [
            make_schedule(Config().replace(schedule=schedule, warmup_epochs=epochs).training, 100)
            for epochs in (0.5, 3)
        ]
        settings = [one if isinstance(one, float) else one.get_config() for one in made]
        assert (settings[0] != settings[1]) == (schedule in READ_WITH["warmup_epochs"][1])
