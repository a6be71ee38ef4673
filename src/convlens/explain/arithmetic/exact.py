"""Exact: numbers that stay fractions as long as they can, read from text and written for the eye."""

import ast
import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlens.errors import ConfigError

Numbers = NDArray[Any]  # of float64, or of Fraction (dtype object)

LARGEST = 1e100  # so that squares and sums stay finite
LONGEST = 12  # characters of a fraction; longer ones are written as decimals


def as_numbers(*arrays: ArrayLike) -> tuple[Numbers, ...]:
    """Return the arrays as Fractions where all of them hold whole numbers and Fractions only, else as float64.

    Raises:
        ConfigError: a value is not a finite number, or rows differ in length.

    >>> as_numbers([1, 2])[0] / 3
    array([Fraction(1, 3), Fraction(2, 3)], dtype=object)
    >>> as_numbers([1, 2], [0.5])[0]
    array([1., 2.])
    """
    found = [_array(array) for array in arrays]
    if all(array.dtype == object for array in found):
        return tuple(found)
    floats = tuple(array.astype(np.float64) for array in found)
    for array in floats:
        if not np.isfinite(array).all():
            raise ConfigError(
                f"every number must be finite; found {array[~np.isfinite(array)][0]}."
            )
    return floats


def _array(values: ArrayLike) -> Numbers:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ConfigError("every row must have as many numbers as the first.") from error
    whole = array.dtype.kind in "bui"
    if not whole and not (
        array.dtype == object and all(isinstance(one, Fraction | int) for one in array.flat)
    ):
        return _floats(array)
    exact: Numbers = np.empty(array.size, dtype=object)
    exact[:] = [Fraction(int(one) if whole else one) for one in array.flat]
    return exact.reshape(array.shape)


def _floats(array: Numbers) -> Numbers:
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"every value must be a number; found an array of {array.dtype}."
        ) from error


def read_numbers(text: str, what: str = "numbers") -> Numbers:
    """Return the numbers of a line such as '1 -2/3 0.5', with blanks or commas between.

    Whole numbers and fractions stay exact; one decimal point makes all of them float64.

    Args:
        text: the line.
        what: how the error calls them, as "--target".

    Raises:
        ConfigError: there is none, or one is not a number.
    """
    words = [word for word in re.split(r"[\s,]+", text.strip()) if word]
    if not words:
        raise ConfigError(f"{what} must be numbers with blanks between, as '1 0 -1'; found none.")
    values = [_read(word, what) for word in words]
    exact: Any = [one if isinstance(one, Fraction) else None for one in values]
    return as_numbers(
        np.array(values, dtype=object) if None not in exact else [float(one) for one in values]
    )[0]


def read_matrix(text: str, what: str = "the matrix") -> Numbers:
    """Return the (height, width, channels) numbers of a text: ';' ends a row, '|' a channel.

    Raises:
        ConfigError: a row is ragged or empty, a channel of another size, or a word not a number.

    >>> read_matrix("1 2; 3 4 | 0 0; 0 1").shape
    (2, 2, 2)
    """
    channels = [_read_channel(part, what) for part in text.split("|")]
    if len({channel.shape for channel in channels}) > 1:
        sizes = ", ".join(f"{h} x {w}" for h, w in (channel.shape for channel in channels))
        raise ConfigError(f"{what}: its channels must have one size; found {sizes}.")
    return np.stack(as_numbers(*channels), axis=-1)


def _read_channel(text: str, what: str) -> Numbers:
    rows = [read_numbers(row, what) for row in text.strip().strip(";").split(";")]
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise ConfigError(
                f"{what}: every row must have as many numbers as the first, {len(rows[0])}; "
                f"row {number + 1} has {len(row)}: {text.strip().split(';')[number].strip()!r}."
            )
    return np.stack(as_numbers(*rows))


def _read(word: str, what: str) -> Fraction | float:
    try:
        value = Fraction(word.replace("−", "-"))
    except (ValueError, ZeroDivisionError) as error:
        raise ConfigError(f"{what}: {word!r} is not a number; write 2, -1, 1/3 or 0.5.") from error
    if abs(value) > LARGEST:
        raise ConfigError(
            f"{what}: numbers must lie within {LARGEST:.0e} and its negative; found {word}."
        )
    return float(value) if re.search(r"[.eE]", word) else value


def write_number(value: Any, decimals: int = 4) -> str:
    """Return a number for the eye: 7/9 where it is exact, else rounded to `decimals`.

    >>> write_number(Fraction(7, 9)), write_number(0.25), write_number(-1e-9), write_number(1e-9, 12)
    ('7/9', '0.25', '-1e-09', '0.000000001')
    """
    if isinstance(value, Fraction):
        text = str(value)
        if len(text) <= LONGEST or value.denominator == 1:
            return text
    number = float(value)
    if number != 0 and (abs(number) < 0.5 * 10**-decimals or abs(number) >= 1e9):
        return f"{number:.3g}"
    text = f"{number:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def write(value: Any) -> str:
    """Return a number for the eye."""
    return write_number(float(value), 6)


def decimals_of(values: Numbers, more: int) -> int:
    """Return decimals that show the largest number to `more` digits after its first."""
    largest = float(np.abs(values).max())
    return more + 1 if largest == 0 else min(12, max(0, more - math.floor(math.log10(largest))))


def write_sum(values: list[str]) -> str:
    """Return numbers with plus and minus between.

    >>> write_sum(["-1", "1", "-7/9"])
    '-1 + 1 - 7/9'
    """
    return " + ".join(values).replace("+ -", "- ")


def write_numbers(values: Sequence[Any] | Numbers, decimals: int = 4) -> list[str]:
    """Return numbers that stand in one column: decimals to the same digit, fractions as they are."""
    flat = list(np.asarray(values, dtype=object).flat)
    texts = [write_number(value, decimals) for value in flat]
    if any("e" in text for text in texts) or all(isinstance(value, Fraction) for value in flat):
        return texts
    most = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [
        f"{float(value):.{most}f}" if "/" not in text else text
        for value, text in zip(flat, texts, strict=True)
    ]


def write_shape(shape: Sequence[int]) -> str:
    """Return a shape in words.

    >>> write_shape((26, 26)), write_shape((3,)), write_shape(())
    ('26 x 26', '3', 'one number')
    """
    return " x ".join(map(str, shape)) or "one number"


OPERATORS: dict[type[ast.AST], Any] = {
    ast.Add: Fraction.__add__, ast.Sub: Fraction.__sub__, ast.Mult: Fraction.__mul__, ast.Div: Fraction.__truediv__,
    ast.UAdd: Fraction.__pos__, ast.USub: Fraction.__neg__,
}  # fmt: skip
ROUNDED = re.compile(r"e\^|e \^|√|ln |erf|²| \^ ")  # a formula whose result is rounded as a rule


def equation(text: str, result: str) -> str:
    """Return "text = result", with "≈" where the numbers as they are printed do not give the printed result exactly.

    What is no formula of numbers, as "of 25 products", gets "=".

    >>> equation("0.216979 - 0.002495", "0.214485"), equation("1/3 × 3", "1"), equation("max(0, -2)", "0")
    ('0.216979 - 0.002495 ≈ 0.214485', '1/3 × 3 = 1', 'max(0, -2) = 0')
    """
    sign = "="
    if ROUNDED.search(text.replace("e^(0)", "1")):
        sign = "≈"
    else:
        try:
            words = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text).replace("×", "*")
            sign = (
                "="
                if _evaluate(ast.parse(words.strip(), mode="eval").body) == Fraction(result)
                else "≈"
            )
        except (SyntaxError, ValueError):
            pass
        except (ZeroDivisionError, RecursionError):
            sign = "≈"
    return f"{text} {sign} {result}"


def _evaluate(node: ast.AST) -> Fraction:
    """Return the exact value of numbers with + - × / max min. Raises ValueError for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return Fraction(OPERATORS[type(node.op)](_evaluate(node.left), _evaluate(node.right)))
    if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
        return Fraction(OPERATORS[type(node.op)](_evaluate(node.operand)))
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("max", "min")
    ):
        return {"max": max, "min": min}[node.func.id](_evaluate(one) for one in node.args)
    raise ValueError(ast.dump(node))
