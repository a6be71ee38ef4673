"""Columns: the cells of a table as aligned lines of text."""

from collections.abc import Sequence

from rich.text import Text

FURTHER = "  "  # before the columns of a table that go on in a further line


def aligned(rows: Sequence[Sequence[str | Text]], left: Sequence[int] = (0,)) -> list[Text]:
    """Return a line for each row, with its cells in aligned columns.

    A Chinese character is as wide as two Latin ones.

    Args:
        rows: The cells of each row, as text of rich where they have a style.
        left: The numbers of the columns that are aligned to the left.

    >>> [line.plain for line in aligned([("class", "images"), ("cat", "12")])]
    ['class  images', 'cat        12']
    """
    cells = [[Text(cell) if isinstance(cell, str) else cell.copy() for cell in row] for row in rows]
    for place, column in enumerate(zip(*cells, strict=True)):
        for cell in column:
            cell.plain = cell.plain.replace("\n", " ")
        width = max(cell.cell_len for cell in column)
        for cell in column:
            cell.align("left" if place in left else "right", width)
    return [Text("  ").join(row) for row in cells]


def in_lines(rows: Sequence[Sequence[str | Text]], room: int) -> list[slice]:
    """Return which columns of a table stand in each line, so that it has so many cells at most."""
    parts = [slice(0, 0)]
    used = 0
    for place, column in enumerate(zip(*rows, strict=True)):
        width = aligned([[cell] for cell in column])[0].cell_len
        if place and used + width > room:
            parts.append(slice(place, place))
            used = len(FURTHER)
        parts[-1] = slice(parts[-1].start, place + 1)
        used += width + 2
    return parts
