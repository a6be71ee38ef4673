import pytest

from convlens.config import AugmentConfig, Config
from convlens.errors import ConfigError
from convlens.presets import RECIPES


def test_a_configuration_survives_toml(tmp_path):
    config = Config().replace(
        epochs=7, filters=(8, 16), learning_rate=1e-3, flip=True, size="48x64", tensorboard=True
    )
    (tmp_path / "run.toml").write_text(config.to_toml())
    assert Config.from_toml(tmp_path / "run.toml") == config


def test_a_name_that_is_not_utf_8_survives_toml(tmp_path):
    config = Config().replace(backbone="lenet5", weights="größe/gr\udcf6.h5")
    (tmp_path / "run.toml").write_text(config.to_toml(), encoding="utf-8")
    assert Config.from_toml(tmp_path / "run.toml") == config


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"epochs": 0}, "--epochs must be at least 1; found 0"),
        ({"learning_rate": 0.0}, "--learning-rate must be more than 0"),
        ({"val": 0.95}, "--val must be at most 0.9"),
        ({"optimizer": "adamm"}, "--optimizer must be one of sgd"),
        ({"filters": (8, 0)}, "--filters must be at least 1"),
        ({"epoch": 3}, "did you mean epochs"),
    ],
)
def test_values_out_of_range_are_refused(values, words):
    with pytest.raises(ConfigError, match=words):
        Config().replace(**values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[training]\nepochs = 'many'\n", "epochs must be"),
        ("[training]\nepoch = 3\n", "did you mean epochs"),
        ("[trainin]\nepochs = 3\n", "did you mean training"),
        ("epochs = 3\n", "no section 'epochs'"),
        ("[training\n", r"must be TOML; line 1, column 10 is not; found: \[training\.$"),
        ("[training]\nepochs = 3\nepochs = 4\n\n", "once, but line 3 has epochs again"),
        ("[training]\nepochs = 3\nepochs = 4", "once, but line 3 has epochs again"),
        ("[data]\n[training]\n[data]\n", r"once, but line 3 has \[data\] again"),
        ("[model]\nfilters = [3]\nfilters = [\n3\n]\n[data]\n", "line 5, column 2 is not"),
    ],
)
def test_a_malformed_file_is_named(tmp_path, text, words):
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        Config.from_toml(tmp_path / "run.toml")
    assert "run.toml" in str(caught.value)


def test_a_missing_file_says_what_is_needed_and_what_to_do(tmp_path):
    with pytest.raises(ConfigError) as caught:
        Config.from_toml(tmp_path / "nosuch.toml")
    assert str(caught.value) == (
        f"{tmp_path / 'nosuch.toml'}: a configuration must be a readable TOML file, as the "
        "run.toml of a run is; No such file or directory. Check the path."
    )


def test_what_follows_from_a_changed_setting_is_decided_anew():
    resolved = Config().replace(
        augment="light", shift=0.1, flip=True, optimizer="adamw", learning_rate=0.002
    )
    assert resolved.replace(augment="none").augment == AugmentConfig(augment="none")
    assert resolved.replace(augment="none", flip=True).augment.flip is True
    assert resolved.replace(optimizer="sgd").training.learning_rate is None
    assert resolved.replace(optimizer="sgd", learning_rate=0.1).training.learning_rate == 0.1
    assert resolved.replace(epochs=3).augment.shift == 0.1


def test_types_are_checked_from_python_too():
    assert Config().replace(filters=[8, 16]).model.filters == (8, 16)
    with pytest.raises(ConfigError, match="--epochs must be a whole number; found '3'"):
        Config().replace(epochs="3")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("learning_rate", "fast", "--learning-rate must be a number; found 'fast'"),
        ("limit", 30.5, "--limit must be a whole number; found 30.5"),
        ("flip", 1, "--flip must be true or false; found 1"),
        ("optimizer", 3, "--optimizer must be a text in quotation marks; found 3"),
        ("filters", 32, r"--filters must be a list of whole numbers, such as \[32, 64, 128\]"),
    ],
)
def test_types_are_named_in_words(name, value, said):
    with pytest.raises(ConfigError, match=said):
        Config().replace(**{name: value})


def test_whole_numbers_do_for_fractions(tmp_path):
    (tmp_path / "run.toml").write_text("[training]\nlearning_rate = 1\n")
    assert Config.from_toml(tmp_path / "run.toml").training.learning_rate == 1.0


def test_what_follows_from_a_backbone_and_from_unfreezing():
    def found(**settings):
        config = Config().replace(backbone="any", **settings)
        return config.augment.augment, config.training.epochs, config.training.batch_size

    usual = Config().training
    assert found() == ("none", usual.epochs, usual.batch_size)
    assert found(augment="strong", epochs=3) == ("strong", 3, usual.batch_size)
    assert found(unfreeze="all") == ("light", 5, 32)
    assert found(unfreeze="all", augment="none", epochs=9, batch_size=8) == ("none", 9, 8)


def test_a_recipe_sets_what_is_not_given(tmp_path):
    fast = Config().replace(recipe="fast", epochs=3)
    assert (fast.model.model, fast.training.optimizer) == ("fast_cnn", "muon")
    assert (fast.training.epochs, fast.training.learning_rate) == (3, None)
    assert Config().replace(recipe="fast", model="lenet5").model.model == "lenet5"
    changed = fast.replace(model="lenet5")
    (tmp_path / "run.toml").write_text(changed.to_toml())
    assert Config.from_toml(tmp_path / "run.toml") == changed


def test_another_recipe_resets_what_the_former_one_has_set():
    fast = Config().replace(recipe="fast", seed=4)
    assert fast.replace(recipe="standard") == Config().replace(seed=4)
    assert fast.replace(recipe="standard", model="lenet5").model.model == "lenet5"


@pytest.mark.parametrize("recipe", ["slow", ["fast"], 3])
def test_an_unknown_recipe_is_refused(recipe):
    with pytest.raises(ConfigError, match="--recipe must be"):
        Config().replace(recipe=recipe)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_is_valid(recipe):
    assert Config().replace(recipe=recipe).training.recipe == recipe
