"""Stages: a network divided by the size of its maps, with the layers and blocks on each.

A block is what lies between the place where the path of an image branches and the place where the
branches meet again: a residual block, an Inception module, a layer of DenseNet. It is found in the
graph and not by names, so that any network can be divided.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from convlens.anatomy.summary import LayerRow, Pair, brief

# Layers that change only the shape; they are not shown.
HIDDEN = ("ZeroPadding2D", "Cropping2D", "Reshape", "Flatten", "Split", "Take", "GetItem")
SCALING = ("Multiply", "Divide", "TrueDivide")


@dataclass(frozen=True)
class Block:
    """Branches that begin at one layer and meet at another.

    Attributes:
        meeting: The row where they meet, such as an Add or a Concatenate. None if they meet where
            the surrounding block does.
        branches: The parts of each branch, in order. A branch without parts is the input itself.
    """

    meeting: LayerRow | None
    branches: tuple[tuple["Part", ...], ...]

    @property
    def kind(self) -> str:
        """The kind of the block: "residual", "joined" (to its input), "scaled" or "branches".

        A scaled block multiplies its input by what it computes from it.
        """
        meeting = self.meeting.kind if self.meeting is not None else "Concatenate"
        has_shortcut = () in self.branches
        if meeting in SCALING:
            return "scaled"
        if meeting == "Concatenate":
            return "joined" if has_shortcut else "branches"
        # A layer that the user wrote may add, too.
        return "residual" if meeting == "Add" or has_shortcut else "branches"


Part = LayerRow | Block


@dataclass(frozen=True)
class Stage:
    """Layers and blocks that give maps of one size, or one layer that gives a vector.

    Attributes:
        output_shape: The shape after its last part: (height, width, channels) or (units,).
        parts: Its layers and blocks, in order.
        params: The number of parameters of all its layers.
        multiply_adds: The multiply-adds of all its layers.
        receptive_field: The receptive field of its last part, see `LayerRow`; None for the whole
            image.
    """

    output_shape: tuple[int, ...]
    parts: tuple[Part, ...]
    params: int
    multiply_adds: int
    receptive_field: Pair | None


def divide(rows: list[LayerRow]) -> list[Stage]:
    """Return the stages of a network from its layer table. The first stage is the input."""
    kept = brief(rows)
    groups: list[list[Part]] = []
    # The shape of the last group, and layers that only change the shape and belong to the next.
    shape: tuple[int, ...] = ()
    hidden: list[Part] = []
    for part in arrange(kept):
        row = last_row(part)
        if row.kind in HIDDEN:
            hidden.append(part)
            continue
        are_maps = len(shape) == 3 and len(row.output_shape) == 3
        if len(groups) > 1 and are_maps and shape[:2] == row.output_shape[:2]:
            groups[-1] += [*hidden, part]
        else:
            groups.append([*hidden, part])
        hidden = []
        shape = row.output_shape
    groups[-1] += hidden
    return [_stage(group) for group in groups]


def arrange(rows: list[LayerRow]) -> tuple[Part, ...]:
    """Return the layers and blocks that the last row depends on, in order."""
    return _chain(rows, _used(rows), -1, len(rows))


def _used(rows: list[LayerRow]) -> list[int]:
    """Return the numbers of the rows that the last one depends on, and its own."""
    used = {len(rows) - 1}
    for number in reversed(range(len(rows))):
        if number in used:
            used.update(rows[number].inputs)
    return sorted(used)


def _stage(parts: list[Part]) -> Stage:
    rows = [row for part in parts for row in _rows(part)]
    last = last_row(parts[-1])
    return Stage(
        last.output_shape,
        tuple(parts),
        sum(row.params for row in rows),
        sum(row.multiply_adds for row in rows),
        last.receptive_field,
    )


def _rows(part: Part) -> Iterator[LayerRow]:
    """Yield the layers of a part, including those of its branches."""
    if isinstance(part, LayerRow):
        yield part
        return
    for branch in part.branches:
        for inner in branch:
            yield from _rows(inner)
    if part.meeting is not None:
        yield part.meeting


def last_row(part: Part) -> LayerRow:
    """Return the layer that gives the output of a part."""
    if isinstance(part, LayerRow):
        return part
    return part.meeting or last_row(part.branches[-1][-1])


def _chain(rows: list[LayerRow], numbers: list[int], source: int, sink: int) -> tuple[Part, ...]:
    """Return what lies between two rows: single layers, and blocks where the path branches.

    A part ends at every layer that no connection bypasses.

    Args:
        rows: The table.
        numbers: The numbers of the rows between the two, in order.
        source: The number of the row before them; -1 for the beginning.
        sink: The number of the row after them; the number of rows for the end.
    """
    furthest = _furthest(rows, numbers, source, sink)
    parts: list[Part] = []
    waiting: list[int] = []
    passing = furthest[source]
    fork = source
    for number in numbers:
        if passing > number:
            waiting.append(number)
        else:
            parts.append(_block(rows, waiting, fork, number) if waiting else rows[number])
            waiting = []
            fork = number
        passing = max(passing, furthest[number])
    components = _components(rows, waiting)
    if len(components) > 1:
        branches = tuple(_chain(rows, some, fork, sink) for some in components)
        return (*parts, Block(None, branches))
    return (*parts, *(rows[number] for number in waiting))


def _furthest(rows: list[LayerRow], numbers: list[int], source: int, sink: int) -> dict[int, int]:
    """Return for each row the last one that takes its output, or itself; see `_chain`."""
    furthest = {number: number for number in [source, *numbers]}
    for number in numbers:
        for before in rows[number].inputs or [source]:
            furthest[before] = number
    if sink < len(rows):
        for before in rows[sink].inputs:
            if before in numbers:
                furthest[before] = sink
    return furthest


def _block(rows: list[LayerRow], numbers: list[int], fork: int, meeting: int) -> Block:
    """Return the block of the rows between two others, with its branches as they meet."""
    order = {number: place for place, number in enumerate(rows[meeting].inputs)}
    branches = {
        min(order.get(number, len(order)) for number in some): _chain(rows, some, fork, meeting)
        for some in _components(rows, numbers)
    }
    if fork in order:
        branches[order[fork]] = ()
    return Block(rows[meeting], tuple(branches[place] for place in sorted(branches)))


def _components(rows: list[LayerRow], numbers: list[int]) -> list[list[int]]:
    """Return the rows in groups that have no connection with each other."""
    groups: list[list[int]] = []
    for number in numbers:
        touching = [group for group in groups if set(group) & set(rows[number].inputs)]
        groups = [group for group in groups if group not in touching]
        groups.append(sorted([number, *(other for group in touching for other in group)]))
    return sorted(groups)
