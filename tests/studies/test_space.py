"""The space of a search: what --vary says."""

import pytest

from convlens.errors import ConfigError
from convlens.studies.space import Choices, Range, default_space, from_dict, parse_vary, to_dict


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
        ("droput=1,2", r"^--vary: there is no setting 'droput'; did you mean dropout\?$"),
        ("xyz=1,2", "there is no setting 'xyz'; known: .*filters, .*optimizer"),
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


def test_only_the_training_of_other_networks_varies():
    assert set(default_space("resnet20")) == {"optimizer", "batch_size"}
