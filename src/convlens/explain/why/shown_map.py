"""Shown map: what the page shows of a map, or why it is not drawn."""

import json
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np

from convlens.charts.heat import contour_path, heat_image, pale_levels
from convlens.charts.html import data_uri
from convlens.explain.arithmetic.writing import write_number
from convlens.explain.pages.page import Grid
from convlens.explain.why import words
from convlens.explain.why.numbers import cell_texts, number_grid, rounded, sum_texts
from convlens.maps.evidence import Checked
from convlens.maps.explanation import Explanation
from convlens.maps.heat import Floats, HeatMap

SIDE = 96  # pixels of the longest side of the colours, which the browser enlarges
DIGITS = 2  # of the largest number, after its first one


@dataclass(frozen=True, eq=False)
class ShownMap:
    """A map with all that the page says of it.

    Attributes:
        checked: The map with its evidence.
        explanation: The explanation that it belongs to.
        scale: The absolute value at the end of the colours.
        place: The (row, column) of the cell that is shown before anything is pointed at.
    """

    checked: Checked
    explanation: Explanation
    scale: float
    place: tuple[int, int]

    @property
    def map(self) -> HeatMap:
        """The map itself."""
        return self.checked.map

    @property
    def subject(self) -> str:
        """The class that it explains, or one class against another."""
        return words.subject(self.explanation, self.map.target)

    @property
    def grid(self) -> Grid:
        """Its numbers as a table."""
        return number_grid(self.map, self.scale, more=DIGITS)

    @cached_property
    def cells(self) -> list[list[tuple[str, ...]]]:
        """The texts of its cells; see `cell_texts`."""
        return cell_texts(self.map, DIGITS)

    @property
    def cells_json(self) -> str:
        """The same for the script of the page."""
        return json.dumps(self.cells, separators=(",", ":"))

    @property
    def said(self) -> str:
        """What is said of the cell that is shown at first."""
        row, column = self.place
        return words.cell(row, column, self.map.values.size, self.cells[row][column])

    @property
    def sum(self) -> dict[str, str]:
        """The sum that the logit is; see `sum_texts`."""
        return sum_texts(self.map)

    @property
    def source(self) -> str:
        """Its colours as the source of an image."""
        return data_uri(heat_image(self._enlarged, self.scale), "png")

    @property
    def extent(self) -> str:
        """How far its numbers go beside the scale, on which it may be pale."""
        ends = np.asarray([[np.abs(self.map.values).max(), self.scale]])
        (largest_text,), (end,) = (rounded(ends[:, [one]], DIGITS)[0] for one in (0, 1))
        return words.extent(largest_text, end, self.lines.get("step", ""))

    @cached_property
    def lines(self) -> dict[str, str]:
        """The lines of equal numbers of a map that is pale on the scale, and their step."""
        found = pale_levels(self.map.values, self.scale)
        if found is None:
            return {}
        levels, step = found
        height, width = self.explanation.pixels.shape[:2]
        return {
            "step": write_number(step),
            "above": contour_path(self._enlarged, levels[levels > 0], (width, height)),
            "below": contour_path(self._enlarged, levels[levels < 0], (width, height)),
        }

    @cached_property
    def _enlarged(self) -> Floats:
        """(height, width) the values, interpolated as in the figure and in the deletion test."""
        height, width = self.explanation.pixels.shape[:2]
        factor = SIDE / max(height, width)
        return self.map.enlarged(max(1, round(factor * height)), max(1, round(factor * width)))


def shown_maps(explanation: Explanation, scale: float) -> list[list[ShownMap]]:
    """Return the maps of an explanation by their methods.

    At first, those of one method show the cell where the first one has its largest number.

    Args:
        explanation: The explanation.
        scale: The absolute value at the end of the colours.
    """
    groups = []
    for _method, group in groupby(explanation.maps, lambda one: one.map.method):
        maps = [*group]
        values = np.abs(np.nan_to_num(maps[0].map.values))
        row, column = np.unravel_index(int(values.argmax()), values.shape)
        place = (int(row), int(column))
        groups.append([ShownMap(one, explanation, scale, place) for one in maps])
    return groups
