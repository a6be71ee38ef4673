"""A flag that nothing reads is refused."""

import pytest

from convlens.config import Config
from convlens.errors import ConfigError, DataError
from convlens.presets import SCHEDULES
from convlens.recipe_choice import with_fast_recipe
from convlens.setting import flag_of
from convlens.training.optimization import DECAYING, make_schedule
from convlens.unread import OF_NETWORKS, OF_STEPS, READ_WITH, refuse_unread
from tests.cli.commands import run

# Settings of steps that are off, switched on.
ON = {"label_smoothing": 0.1, "average_weights": True, "patience": 3, "tensorboard": True}


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
        {"stem": "small", "backbone": "resnet50"},
    ],
)
def test_what_is_read_is_not(settings):
    refuse_unread(settings, with_fast_recipe(Config().replace(**settings)))


@pytest.mark.parametrize(
    ("settings", "name", "other"),
    [
        ({"accept": 0.95, "calibration": False}, "--accept", "--no-calibration"),
        ({"pool_size": 3, "pooling": "none"}, "--pool-size", "--pooling none"),
        ({"pool_strides": 3, "pooling": "none"}, "--pool-strides", "--pooling none"),
        ({"mixup": 0.2, "batch_size": 1}, "--mixup", "--batch-size 1"),
        ({"cutmix": 1.0, "micro_batch": 1}, "--cutmix", "--micro-batch 1"),
    ],
)
def test_what_another_setting_switches_off_is_refused(settings, name, other):
    config = Config().replace(model="custom_cnn", **settings)
    with pytest.raises(ConfigError) as caught:
        refuse_unread(settings, config)
    assert str(caught.value) == f"{name} has no effect with {other}. Leave one of them out."
    refuse_unread(["pool_size"], config, several={"pooling": ("none", "max")})
    on = {"pooling": "max", "calibration": True, "batch_size": 2, "micro_batch": 2}
    refuse_unread(settings, config.replace(**on))


def test_a_study_reads_what_one_of_its_trainings_reads():
    config = Config().replace(model="lenet5", filters=(8,), weight_decay=0.1, optimizer="sgd")
    refuse_unread(["filters"], config, several={"model": ("lenet5", "custom_cnn")})
    refuse_unread(["weight_decay"], config, several={"optimizer": ("sgd", "adamw")})
    with pytest.raises(ConfigError, match="only with --models custom_cnn; found lenet5, vgg11"):
        refuse_unread(["filters"], config, several={"model": ("lenet5", "vgg11")})


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
    words = ("train", "missing", "--from", "mine", "--dense", "8")
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


@pytest.mark.parametrize("words", [("--stem", "small"), ("--model", "lenet5")])
def test_a_classifier_that_is_trained_further_has_its_own_layers(words, capsys):
    assert run("train", "missing", "--from", "mine", *words) == ConfigError.exit_code
    assert f"--from and {words[0]} exclude each other. The classifier" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "needed"),
    [
        ([], "--backbone. It is about the layers of a trained network: say which one."),
        (["--from", "mine"], "--backbone. It is about the layers of a trained network: say"),
        (["--backbone", "vgg16"], "--unfreeze. Say which layers learn."),
    ],
)
def test_a_share_of_the_rate_needs_a_trained_network_and_layers_that_learn(flags, needed, capsys):
    assert run("train", "missing", *flags, "--layer-decay", "0.3") == ConfigError.exit_code
    assert f"--layer-decay needs {needed}" in capsys.readouterr().err


def test_layers_that_learn_have_shares_of_the_rate_and_so_may_those_of_a_budget():
    config = Config().replace(backbone="vgg16", layer_decay=0.3)
    refuse_unread(["layer_decay"], config.replace(unfreeze="all"))
    refuse_unread(["layer_decay"], config, budgeted=True)


@pytest.mark.parametrize(
    "settings",
    [
        {"label_smoothing": 0.0, "patience": 0, "micro_batch": 0, "snapshots": 0},
        {"weight_decay": 0.0, "warmup_epochs": 0.0, "tensorboard": False, "average_weights": False},
        {"layer_decay": 0.5},
    ],
)
def test_what_switches_nothing_on_is_passed_over(settings):
    refuse_unread(settings, Config().replace(backbone="vgg16", **settings))
    refuse_unread(settings, Config().replace(optimizer="sgd", **settings))


def test_a_default_that_is_named_is_asked_for():
    with pytest.raises(ConfigError, match="--epochs is for weights that learn step by step"):
        refuse_unread(["epochs"], Config().replace(backbone="vgg16", epochs=20))
    with pytest.raises(ConfigError, match="--dropout has an effect only with --model custom_cnn"):
        refuse_unread(["dropout"], Config().replace(model="vgg16", dropout=0.0))


@pytest.mark.parametrize("name", OF_STEPS)
def test_a_logistic_regression_has_no_steps(name):
    config = Config().replace(backbone="vgg16", schedule="cosine", **ON)
    with pytest.raises(ConfigError, match=f"{flag_of(name)} is for weights that learn step by"):
        refuse_unread([name], config)
    refuse_unread([name], config, budgeted=True)
    for other in ({"unfreeze": "2"}, {"augment": "light"}, {"flip": True}):
        refuse_unread([name], config.replace(**other))


@pytest.mark.parametrize("name", OF_NETWORKS)
@pytest.mark.parametrize("head", [(), (64,)])
def test_a_head_on_kept_features_computes_no_network(name, head):
    config = Config().replace(backbone="vgg16", head=head, micro_batch=8, snapshots=3)
    with pytest.raises(ConfigError, match=f"{flag_of(name)} is for a training whose steps compute"):
        refuse_unread([name], config)
    for other in ({"unfreeze": "2"}, {"augment": "light"}, {"flip": True}):
        refuse_unread([name], config.replace(**other))


def test_a_head_with_hidden_layers_has_steps():
    config = Config().replace(backbone="vgg16", schedule="cosine", head=(64,), **ON)
    refuse_unread(OF_STEPS, config)


def test_the_command_refuses_steps_of_a_logistic_regression_where_a_flag_asks_for_them(
    tmp_path, capsys
):
    words = ("train", "missing", "--backbone", "vgg16")
    assert run(*words, "--epochs", "3") == ConfigError.exit_code
    assert "--epochs is for weights that learn step by step" in capsys.readouterr().err
    assert run(*words, "--average-weights") == ConfigError.exit_code
    assert "--average-weights is for weights that learn step by" in capsys.readouterr().err
    path = tmp_path / "run.toml"
    path.write_text(Config().replace(backbone="vgg16", epochs=3, layer_decay=0.3).to_toml())
    for more in (("--no-tensorboard",), ("--config", str(path))):
        assert run(*words, *more) == DataError.exit_code  # of the images, which are missing
        assert "step by step" not in capsys.readouterr().err


def test_the_table_is_that_of_the_code_that_reads_the_settings():
    assert READ_WITH["weight_decay"] == ("optimizer", DECAYING)
    for schedule in SCHEDULES:
        made = [
            make_schedule(Config().replace(schedule=schedule, warmup_epochs=epochs).training, 100)
            for epochs in (0.5, 3)
        ]
        settings = [one if isinstance(one, float) else one.get_config() for one in made]
        assert (settings[0] != settings[1]) == (schedule in READ_WITH["warmup_epochs"][1])
