"""Asked: numbers of a request, with the line that says why they cannot be."""

import math
from typing import Any

from convlens.language import _
from convlens.studio.problem import Problem

LARGEST = 1e9  # of a number by hand, in absolute value
VECTORS = ("bias", "gamma", "beta")


def number_of(
    content: dict[str, Any], name: str, otherwise: float, least: float = -LARGEST
) -> float:
    """Return a number of a request.

    Raises:
        Problem: If it is none, or not between `least` and `LARGEST`.
    """
    value = content.get(name, otherwise)
    if not _is_number(value) or not least <= value <= LARGEST:
        raise Problem(
            _("{name} must be a number from {least:g} to {most:g}; found {value!r}.").format(
                name=name, least=least, most=LARGEST, value=str(value)[:50]
            ),
            field=name,
        )
    return float(value)


def numbers_of(content: dict[str, Any], name: str, otherwise: list[float]) -> list[float]:
    """Return some numbers of a request, as many as `otherwise` has.

    Raises:
        Problem: If there are others.
    """
    values = content.get(name, otherwise)
    count = len(otherwise)
    right = isinstance(values, list) and len(values) == count and all(map(_is_number, values))
    if not right or any(abs(value) > LARGEST for value in values):
        raise Problem(
            _("{name} must be {count} numbers of at most {most:g}; found {value!r}.").format(
                name=name, count=count, most=LARGEST, value=str(values)[:50]
            ),
            field=name,
        )
    return [float(value) for value in values]


def count_of(content: dict[str, Any], name: str, otherwise: int, most: int) -> int:
    """Return a whole number of a request.

    Raises:
        Problem: If it is none, or not from 0 to `most`.
    """
    value = content.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise Problem(
            _("{name} must be a whole number from 0 to {most}; found {text!r}.").format(
                name=name, most=most, text=str(value)[:50]
            ),
            field=name,
        )
    return value


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -math.inf < value < math.inf  # also of a whole number that is too large for a float


def time_of_request(content: dict[str, Any]) -> dict[str, Any]:
    """Return what a request asks the states of a training: the way, a layer or a weight.

    Raises:
        Problem: If it asks for something else.
    """
    do = content.get("do")
    if do not in ("way", "layer", "weight"):
        raise Problem(
            _("do must be way, layer or weight; found {found!r}.").format(found=str(do)[:50]),
            field="do",
        )
    asked: dict[str, Any] = {"do": do}
    if do != "way":
        asked["layer"] = str(content.get("layer"))[:200]
    if do == "weight":
        asked["unit"] = count_of(content, "unit", 0, 10**6)
        asked["place"] = _place_of(content.get("place"))
    return asked


def _place_of(value: object) -> list[int] | str | None:
    """Return the place of a weight, or None for the one with the largest derivative."""
    if value is None or value in VECTORS:
        return value
    if isinstance(value, list) and 0 < len(value) < 4 and all(type(one) is int for one in value):
        return value
    raise Problem(
        _("place must be a name or at most three whole numbers; found {found!r}.").format(
            found=str(value)[:50]
        ),
        field="place",
    )
