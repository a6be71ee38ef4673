"""Numbers: the values of a map as texts, whatever shows them.

Each map has decimals of its own, so that one that is pale on the shared scale can be read, too.
"""

from convlens.explain.arithmetic.writing import decimals_of, equation, write_number, write_sum
from convlens.explain.pages.page import Grid
from convlens.maps.heat import Floats, HeatMap

DECIMALS = 4  # of the terms of a sum, as in its check


def number_grid(heat: HeatMap, scale: float, title: str = "", more: int = 1) -> Grid:
    """Return the numbers of a map in the colours of the scale that all maps share.

    Args:
        heat: The map.
        scale: The absolute value with the deepest colour.
        title: What stands above the numbers.
        more: How many digits the largest number has after its first one.
    """
    decimals = decimals_of(heat.values, more)
    values = heat.values.round(decimals) + 0.0  # no negative zero
    return Grid(values, title, largest=scale, decimals=decimals)


def rounded(values: Floats, more: int) -> list[list[str]]:
    """Return the texts of (rows, columns) values with equally many decimals."""
    decimals = decimals_of(values, more)
    return [[f"{one:.{decimals}f}" for one in row] for row in values.round(decimals) + 0.0]


def cell_texts(heat: HeatMap, more: int) -> list[list[tuple[str, ...]]]:
    """Return the value of each cell of a map, (rows, columns), and its part of the sum.

    Of a map that adds up to the logit, a value is followed by what its cell adds to the logit and
    its share in percent of all that is added or taken away.
    """
    grids = [rounded(heat.values, more)]
    if heat.added is not None and heat.shares is not None:
        grids += [
            rounded(heat.added, more),
            [[f"{100 * one:.1f}" for one in row] for row in heat.shares],
        ]
    return [list(zip(*rows, strict=True)) for rows in zip(*grids, strict=True)]


def sum_texts(heat: HeatMap) -> dict[str, str]:
    """Return the terms of the sum that the logit is, and its sign of equality; empty without one.

    The sign is that of rounding where the printed terms do not give the printed logit.
    """
    if heat.rest is None:
        return {}
    terms = {"mean": float(heat.values.mean()), "rest": heat.rest, "logit": heat.logit}
    texts = {name: write_number(value, DECIMALS) for name, value in terms.items()}
    said = equation(write_sum([texts["mean"], texts["rest"]]), texts["logit"])
    return {**texts, "sign": "≈" if "≈" in said else "="}
