"""Flags of `convlens open`: which go together, and which value and which weight they name."""

from pathlib import Path

import numpy as np
import pytest

from convlens.cli.open_flags import Files, Look, check_options, find_index, find_place, find_unit
from convlens.errors import ConfigError
from tests.explain.networks import look_at, nested


def test_what_goes_together():
    check_options(Look(), Files())
    check_options(Look(layer=["a"], filter="0", at="1,2"), Files(worksheet=Path("a.pdf")))
    check_options(Look(layer=["a", "b"]), Files(html=Path("a.html")))
    check_options(Look(layer=["a"], gradient=True, weight="bias", true="cat"), Files())


@pytest.mark.parametrize(
    ("look", "files", "said"),
    [
        (Look(at="1,2"), Files(), "--at needs one --layer; found 0"),
        (Look(layer=["a", "b"], filter="0"), Files(), "--filter needs one --layer; found 2"),
        (Look(layer=["a", "b"]), Files(), "several --layer are for --html"),
        (
            Look(layer=["a", "b"]),
            Files(html=Path("a.html"), png=Path("a.png")),
            "several --layer are for --html",
        ),
        (Look(layer=["a"]), Files(png=Path("a.jpg")), "--png writes a file that ends in .png"),
    ],
)
def test_what_does_not(look, files, said):
    with pytest.raises(ConfigError) as told:
        check_options(look, files)
    assert said in str(told.value)


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
