"""A setting knows its range and its type; unknown names get near ones."""

import math
from dataclasses import dataclass

import pytest

from convlens.errors import ConfigError
from convlens.setting import Section, either, flag_of, refuse_outside, setting, typed, unknown


@dataclass(frozen=True)
class Oven(Section):
    heat: float = setting(180.0, "degrees", low=0, high=250)
    rate: float | None = setting(None, "degrees a minute", above=0)
    shelves: tuple[int, ...] = setting((1, 2), "heights", low=1)
    mode: str = setting("fan", "kind of heat", choices=("fan", "grill"))
    light: bool = setting(True, "light")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"heat": -1.0}, "--heat must be at least 0; found -1."),
        ({"heat": 250.5}, "--heat must be at most 250; found 250.5."),
        ({"heat": 250.0000001}, "--heat must be at most 250; found 250.0000001."),
        ({"heat": float("nan")}, "--heat must be at least 0; found nan."),
        ({"rate": 0.0}, "--rate must be more than 0; found 0."),
        ({"rate": float("inf")}, "--rate must be a finite number; found inf."),
        ({"shelves": (1, 1 - 10**12)}, "--shelves must be at least 1; found -999999999999."),
        ({"shelves": (1, 0)}, "--shelves must be at least 1; found 0."),
        ({"mode": "micro"}, "--mode must be one of fan, grill; found 'micro'."),
    ],
)
def test_a_value_out_of_range_is_refused(values, said):
    with pytest.raises(ConfigError) as caught:
        Oven(**values)
    assert str(caught.value) == said


def test_a_number_without_a_lower_limit_must_be_finite_too():
    with pytest.raises(ConfigError, match="--gain must be a finite number; found -inf"):
        refuse_outside("--gain", -math.inf, high=1)
    with pytest.raises(ConfigError, match="--gain must be at most 1; found 1000"):
        refuse_outside("--gain", 10**400, high=1)
    refuse_outside("--gain", -(10**400), high=1)


def test_the_ends_of_a_range_are_allowed():
    assert (Oven(heat=0.0).heat, Oven(heat=250.0).heat) == (0.0, 250.0)
    assert Oven(rate=None).rate is None


def test_the_settings_that_were_changed():
    assert Oven().changed() == {}
    assert Oven(heat=180.0, rate=2.0, light=False).changed() == {"rate": 2.0, "light": False}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("heat", 1, 1.0),
        ("rate", None, None),
        ("shelves", [3], (3,)),
        ("mode", "grill", "grill"),
        ("light", False, False),
    ],
)
def test_a_value_gets_the_type_of_its_setting(name, value, expected):
    found = typed(name, value, Oven)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("name", "value"), [("heat", True), ("shelves", [1.5]), ("light", 1), ("mode", None)]
)
def test_a_value_of_another_type_is_refused(name, value):
    with pytest.raises(ConfigError, match=f"{flag_of(name)} must be .*; found"):
        typed(name, value, Oven)


def test_an_unknown_name_gets_near_ones_or_all():
    assert unknown("heet", ["heat", "light"]) == "there is no setting 'heet'; did you mean heat?"
    said = unknown("x", ["heat", "light"], "knob")
    assert said == "there is no knob 'x'; known: heat, light."


def test_alternatives():
    assert either(["a"]) == "a"
    assert either(["a", "b", "c"]) == "a or b or c"
