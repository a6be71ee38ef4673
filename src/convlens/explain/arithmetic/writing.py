"""Writing: numbers, sums, equations and the steps of a calculation as they are printed."""

import ast
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from convlens.explain.arithmetic.exact import Numbers
from convlens.language import N_, _

# A fraction of more characters is written as a decimal number.
LONGEST = 12
# Decimals of the values of a trained network.
DECIMALS = 6
# The most terms of a sum that are written out.
WRITTEN = 12
OPERATORS: dict[type[ast.AST], Any] = {
    ast.Add: Fraction.__add__, ast.Sub: Fraction.__sub__, ast.Mult: Fraction.__mul__,
    ast.Div: Fraction.__truediv__, ast.UAdd: Fraction.__pos__, ast.USub: Fraction.__neg__,
}  # fmt: skip
# The result of a formula with one of these signs is a rounded number as a rule.
ROUNDED = re.compile(r"e\^|e \^|√|ln |erf|²| \^ ")


@dataclass(frozen=True)
class Step:
    """One step of a calculation.

    Attributes:
        name: What is computed, such as "sum".
        text: The formula with its numbers.
        value: The result.
    """

    name: str
    text: str
    value: Any


def write_number(value: Any, decimals: int = 4) -> str:
    """Return a number as text: as a fraction where it is exact, else rounded to some decimals.

    Example:
        >>> write_number(Fraction(7, 9)), write_number(0.25), write_number(-1e-9)
        ('7/9', '0.25', '-1e-09')
        >>> write_number(1e-9, decimals=12)
        '0.000000001'
    """
    if isinstance(value, Fraction) and (value.denominator == 1 or len(str(value)) <= LONGEST):
        return str(value)
    number = float(value)
    if number != 0 and (abs(number) < 0.5 * 10**-decimals or abs(number) >= 1e9):
        return f"{number:.3g}"
    text = f"{number:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def write(value: Any) -> str:
    """Return a value of a trained network as text, with at most six decimals."""
    return write_number(float(value), DECIMALS)


def write_numbers(values: Sequence[Any] | Numbers, decimals: int = 4) -> list[str]:
    """Return the texts of a column, in which decimal numbers have equally many decimals."""
    flat = list(np.asarray(values, dtype=object).flat)
    texts = [write_number(value, decimals) for value in flat]
    if any("e" in text for text in texts) or all(isinstance(value, Fraction) for value in flat):
        return texts
    most = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [
        text if "/" in text else f"{float(value):.{most}f}"
        for value, text in zip(flat, texts, strict=True)
    ]


def write_sum(values: Sequence[str]) -> str:
    """Return the texts of numbers with plus and minus signs between them.

    Example:
        >>> write_sum(["-1", "1", "-7/9"])
        '-1 + 1 - 7/9'
    """
    return " + ".join(values).replace("+ -", "- ")


def write_difference(one: str, other: str) -> str:
    """Return the texts of two numbers with a minus sign between them.

    Example:
        >>> write_difference("1", "-2")
        '1 + 2'
    """
    return f"{one} - {other}".replace("- -", "+ ")


def write_terms(
    values: Numbers,
    many: str = N_("of {count:,} values"),
    decimals: int = DECIMALS,
    written: int = WRITTEN,
) -> str:
    """Return the terms of a sum, or only their number where they are many.

    Args:
        values: The terms, shaped (n,).
        many: The template of the text that stands for many terms.
        decimals: The most decimals of a number.
        written: The most terms that are written out.
    """
    if values.size > written:
        return _(many).format(count=values.size)
    return write_sum([write_number(one, decimals) for one in values])


def decimals_of(values: Numbers, more: int) -> int:
    """Return the decimals that show the largest number to `more` digits after its first digit."""
    largest = float(np.abs(values).max())
    if largest == 0:
        return more + 1
    return min(12, max(0, more - math.floor(math.log10(largest))))


def equation(text: str, result: str) -> str:
    """Return a formula with its result, joined by "=" where the printed numbers give it exactly.

    Where they do not, the sign is "≈". A text that is no formula of numbers, such as "of 25
    products", is followed by "=".

    Args:
        text: The formula with its numbers.
        result: The result, as it is printed.

    Example:
        >>> equation("0.216979 - 0.002495", "0.214485")
        '0.216979 - 0.002495 ≈ 0.214485'
        >>> equation("1/3 × 3", "1"), equation("max(0, -2)", "0")
        ('1/3 × 3 = 1', 'max(0, -2) = 0')
    """
    return f"{text} {'=' if _is_exact(text, result) else '≈'} {result}"


def _is_exact(text: str, result: str) -> bool:
    """Return whether the printed formula gives the printed result, or is no formula of numbers."""
    if ROUNDED.search(text.replace("e^(0)", "1")):
        return False
    words = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text).replace("×", "*")
    try:
        return _evaluate(ast.parse(words.strip(), mode="eval").body) == Fraction(result)
    except (SyntaxError, ValueError):
        return True
    except (ZeroDivisionError, RecursionError):
        return False


def _evaluate(node: ast.AST) -> Fraction:
    """Return the exact value of a formula of numbers with + - × / max min.

    Raises:
        ValueError: If the formula has anything else in it.
    """
    match node:
        case ast.Constant(value=int() | float()):
            return Fraction(str(node.value))
        case ast.BinOp() if type(node.op) in OPERATORS:
            return Fraction(OPERATORS[type(node.op)](_evaluate(node.left), _evaluate(node.right)))
        case ast.UnaryOp() if type(node.op) in OPERATORS:
            return Fraction(OPERATORS[type(node.op)](_evaluate(node.operand)))
        case ast.Call(func=ast.Name(id="max" | "min" as name)):
            return {"max": max, "min": min}[name](_evaluate(one) for one in node.args)
    raise ValueError(ast.dump(node))
