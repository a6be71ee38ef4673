"""Which value and which weight the flags of `convlens open` name."""

import numpy as np
import pytest

from convlens.cli.open_flags import Look
from convlens.cli.open_index import find_index, find_place, find_unit
from convlens.errors import ConfigError
from tests.explain.networks import look_at, nested


@pytest.fixture(scope="module")
def microscope():
    return look_at(nested, (12, 12, 3), 2)


def test_without_at_the_largest_value_is_meant(microscope):
    layer = microscope.layer("deep")
    index = find_index(Look(filter="2"), layer)
    assert index[2] == 2
    assert abs(layer.output[index]) == np.abs(layer.output[..., 2]).max()
    assert find_index(Look(filter="1"), microscope.layer("logits")) == (1,)


def test_a_place_and_a_class_are_found(microscope):
    assert find_index(Look(filter="0", at="3,4"), microscope.layer("deep")) == (3, 4, 0)
    assert find_unit(Look(filter="class 1"), microscope.layer("logits")) == 1
    assert find_unit(Look(), microscope.layer("deep")) is None


@pytest.mark.parametrize(
    ("look", "name", "said"),
    [
        (Look(filter="0", at="3"), "deep", "--at of deep, which gives 6 x 6 x 3, must be ROW,COL"),
        (Look(filter="0", at="1,2"), "logits", "logits gives a row of numbers, not maps"),
        (Look(filter="cat"), "deep", "--filter of deep must be a number; found 'cat'"),
        (Look(filter="cat"), "logits", "must be a number or a class: class 0, class 1; found"),
        (Look(), "deep", "say which with --filter 0 to 2"),
    ],
)
def test_what_is_not_there_is_told(microscope, look, name, said):
    with pytest.raises(ConfigError) as told:
        find_index(look, microscope.layer(name))
    assert said in str(told.value)


def test_the_place_of_a_weight():
    assert find_place(Look(weight="0,1,2")) == (0, 1, 2)
    assert find_place(Look(weight="gamma")) == "gamma"
    assert find_place(Look()) is None
    with pytest.raises(ConfigError, match="--weight must be bias, gamma, beta, or ROW,COL"):
        find_place(Look(weight="alpha"))
