"""Layers of an opened network: their names, units, changes, and computing them anew."""

import numpy as np
import pytest

from convlens.errors import ConfigError
from tests.explain.networks import look_at, nested


@pytest.fixture(scope="module")
def microscope():
    return look_at(nested, (12, 12, 3), 2)


@pytest.mark.parametrize(
    ("name", "unit", "words"),
    [("conv", 1, "filter 1"), ("both", 2, "channel 2"), ("flat", 9, "number 9"),
     ("logits", 0, "class class 0 (0)"), ("probabilities", 1, "class class 1 (1)")],
)  # fmt: skip
def test_what_a_map_or_a_number_is_called(microscope, name, unit, words):
    assert microscope.layer(name).which_one(unit) == words


def test_a_unit_must_be_there(microscope):
    layer = microscope.layer("gelu")
    assert layer.check_unit(3) == 3
    halves = [one for one in microscope.layers if one.kind == "Split"]
    assert halves[0].check_unit(None) == 0
    for unit, words in (
        (None, "gelu has 4 filters: say which with --filter 0 to 3."),
        (4, "gelu has no filter 4: take 0 to 3."),
        (-1, "gelu has no filter -1: take 0 to 3."),
    ):
        with pytest.raises(ConfigError) as error:
            layer.check_unit(unit)
        assert str(error.value) == words
    with pytest.raises(ConfigError, match=r"2 classes: .* or its name: class 0, class 1"):
        microscope.layer("logits").check_unit(None)


def test_a_layer_that_only_reshapes_changes_nothing(microscope):
    assert not microscope.layer("flat").changes
    assert not microscope.layers[0].changes
    assert microscope.layer("join").changes


def test_computing_with_other_arrays(microscope):
    join = microscope.layer("join")
    ones = np.ones((1, 3, 3, 4), np.float32)
    assert (join.compute([ones, 2 * ones]) == 3).all()
    second = [one for one in microscope.layers if one.kind == "Split"][1]
    image = np.arange(432, dtype=np.float32).reshape(1, 12, 12, 3)
    np.testing.assert_array_equal(second.compute([image]), image[0, ..., 1:])
