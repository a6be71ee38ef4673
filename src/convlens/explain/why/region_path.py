"""Region path: the regions that decide about an answer, as paths of an SVG image."""

import numpy as np
from numpy.typing import NDArray

from convlens.maps.regions import Regions

Edges = NDArray[np.int64]


def fill_path(chosen: NDArray[np.bool_], height: int, width: int) -> str:
    """Return the area of chosen regions (rows, columns) of an image of a size in pixels."""
    top, left = _edges(height, width)
    return "".join(
        f"M{left[column]},{top[row]}H{left[column + 1]}V{top[row + 1]}H{left[column]}z"
        for row, column in np.argwhere(chosen)
    )


def outline_path(chosen: NDArray[np.bool_], height: int, width: int) -> str:
    """Return the line around chosen regions, also where they touch the border of the image."""
    top, left = _edges(height, width)
    padded = np.pad(chosen, 1)
    across = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])
    down = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])
    lines = [f"M{left[column]},{top[row]}H{left[column + 1]}" for row, column in across]
    lines += [f"M{left[column]},{top[row]}V{top[row + 1]}" for row, column in down]
    return "".join(lines)


def _edges(height: int, width: int) -> tuple[Edges, Edges]:
    """Return the (rows + 1,) upper and (columns + 1,) left edges of the regions in pixels."""
    number = Regions.over(height, width).number
    top = np.flatnonzero(np.diff(number[:, 0], prepend=-1))
    left = np.flatnonzero(np.diff(number[0], prepend=-1))
    return np.append(top, height), np.append(left, width)
