"""Stages: a network as one would tell it: its maps from large to small, and the layers and blocks on each.

A block is what lies between the place where the way of an image divides and the place where it meets again: a residual
block, an Inception module, a layer of DenseNet. It is found in the graph, not by names: any network can be told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from convlens.anatomy.summary import LayerRow, Pair, brief

HIDDEN = (
    "ZeroPadding2D",
    "Cropping2D",
    "Reshape",
    "Flatten",
    "Split",
    "Take",
    "GetItem",
)  # change the shape only
SCALING = ("Multiply", "Divide", "TrueDivide")
MOST = 12  # layers of a branch that are told one by one
WORDS = {
    "Conv2D": "",
    "DepthwiseConv2D": "depthwise",
    "SeparableConv2D": "separable",
    "Conv2DTranspose": "transposed",
    "Dense": "dense",
    "MaxPooling2D": "max pool",
    "AveragePooling2D": "average pool",
    "GlobalAveragePooling2D": "global average",
    "GlobalMaxPooling2D": "global max",
    "InputLayer": "image",
}


@dataclass(frozen=True)
class Block:
    """Branches that begin at one layer and meet at another.

    Attributes:
        meeting: the row where they meet, as an Add or Concatenate; None where they meet where the block around does.
        branches: the parts of each, in order; an empty one is the input itself.
    """

    meeting: LayerRow | None
    branches: tuple[tuple["Part", ...], ...]

    @property
    def kind(self) -> str:
        """What the block is: "residual", "joined" (to its input), "branches", or "scaled" by what is computed of it."""
        joins = self.meeting.kind if self.meeting is not None else "Concatenate"
        if joins in SCALING:
            return "scaled"
        if joins == "Concatenate":
            return "joined" if () in self.branches else "branches"
        return (
            "residual" if joins == "Add" or () in self.branches else "branches"
        )  # a layer of one's own may add, too


Part = LayerRow | Block


@dataclass(frozen=True)
class Stage:
    """Layers and blocks that give maps of one size, or one layer that gives a vector.

    Attributes:
        output_shape: of its last part: (height, width, channels) or (units,).
        parts: in order.
        params: of all its layers.
        multiply_adds: of all its layers.
        receptive_field: of its last part; None for the whole image.
    """

    output_shape: tuple[int, ...]
    parts: tuple[Part, ...]
    params: int
    multiply_adds: int
    receptive_field: Pair | None


def divide(rows: list[LayerRow]) -> list[Stage]:
    """Return the stages of a network from its layer table; the first is the input."""
    kept = brief(rows)
    needed = {len(kept) - 1}
    for number in range(len(kept) - 1, -1, -1):
        needed |= set(kept[number].inputs) if number in needed else set()
    groups: list[list[Part]] = []
    shape: tuple[int, ...] = ()  # of the last group
    hidden: list[Part] = []
    for part in _chain(kept, sorted(needed), -1, len(kept)):
        row = last_row(part)
        if row.kind in HIDDEN:
            hidden.append(part)
        elif (
            len(groups) > 1
            and len(shape) == 3 == len(row.output_shape)
            and shape[:2] == row.output_shape[:2]
        ):
            groups[-1] += [*hidden, part]
            hidden = []
        else:
            groups.append([*hidden, part])
            hidden = []
        shape = shape if hidden else row.output_shape
    groups[-1] += hidden
    return [_stage(group) for group in groups]


def _stage(parts: list[Part]) -> Stage:
    rows = [row for part in parts for row in _rows(part)]
    last = last_row(parts[-1])
    params, multiply_adds = sum(row.params for row in rows), sum(row.multiply_adds for row in rows)
    return Stage(last.output_shape, tuple(parts), params, multiply_adds, last.receptive_field)


def _rows(part: Part) -> Iterator[LayerRow]:
    """Yield the layers of a part, those of its branches included."""
    if isinstance(part, LayerRow):
        yield part
        return
    for branch in part.branches:
        for inner in branch:
            yield from _rows(inner)
    if part.meeting is not None:
        yield part.meeting


def last_row(part: Part) -> LayerRow:
    """Return the layer that gives a part's answer."""
    return part if isinstance(part, LayerRow) else part.meeting or last_row(part.branches[-1][-1])


def _chain(rows: list[LayerRow], numbers: list[int], source: int, sink: int) -> tuple[Part, ...]:
    """Return what lies between two rows, `numbers` in order: single layers, and blocks where the way divides.

    A layer that no connection passes by ends a part.
    """
    furthest = {
        number: number for number in [source, *numbers]
    }  # the last row that takes its answer
    for number in numbers:
        for before in rows[number].inputs or [source]:
            furthest[before] = number
    for before in rows[sink].inputs if sink < len(rows) else []:
        if before in numbers:
            furthest[before] = sink
    parts: list[Part] = []
    waiting: list[int] = []
    passing, fork = furthest[source], source
    for number in numbers:
        if passing > number:
            waiting.append(number)
        else:
            parts.append(_block(rows, waiting, fork, number) if waiting else rows[number])
            waiting, fork = [], number
        passing = max(passing, furthest[number])
    if len(_components(rows, waiting)) > 1:
        return (
            *parts,
            Block(
                None, tuple(_chain(rows, some, fork, sink) for some in _components(rows, waiting))
            ),
        )
    return (*parts, *(rows[number] for number in waiting))


def _block(rows: list[LayerRow], numbers: list[int], fork: int, meeting: int) -> Block:
    """Return the block of the rows between two others, its branches in the order in which they meet."""
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


Token = tuple[
    str, tuple[int, ...]
]  # what a layer is, and its filters or units: of several like ones, each


@dataclass(frozen=True)
class _Told:
    """A part in words; several in a row that differ in their filters only are told once."""

    head: str
    lines: tuple[tuple[Token, ...], ...]
    shortcuts: tuple[str, ...] = ()  # the layers on the shorter way of residual blocks
    count: int = 1

    def key(self) -> tuple[str, list[list[str]]]:
        """Return what parts told together have in common: a block's filters may differ, a layer's may not."""
        return self.head, [
            [token[0] if self.head else _text(token) for token in line] for line in self.lines
        ]

    def joined(self, other: "_Told") -> "_Told":
        """Return both as one."""
        lines = tuple(
            tuple(
                (word, (*some, *more))
                for (word, some), (_, more) in zip(line, line_of_other, strict=True)
            )
            for line, line_of_other in zip(self.lines, other.lines, strict=True)
        )
        return _Told(self.head, lines, self.shortcuts + other.shortcuts, self.count + other.count)


def tell(parts: tuple[Part, ...]) -> list[str]:
    """Return layers and blocks in words, a line each; the lines of a block's branches begin with two spaces.

    >>> row = LayerRow("c", "Conv2D", (), (8, 8, 64), 0, 0, 1, (3, 3), (2, 2), 1, (2, 2), (3, 3))
    >>> tell((row, row))
    ['2 × conv 3x3 64 /2']
    """
    told: list[_Told] = []
    for part in parts:
        one = _of_block(part) if isinstance(part, Block) else _of_row(part)
        if told and told[-1].key() == one.key():
            told[-1] = told[-1].joined(one)
        elif one.lines:
            told.append(one)
    return [line for one in told for line in _print(one)]


def _of_row(row: LayerRow) -> _Told:
    if row.kind in HIDDEN:
        return _Told("", ((("flatten", ()),),) if row.kind == "Flatten" else ())
    word, filters = _token(row)
    conv = "conv " if row.kind == "Conv2D" and row.groups == 1 else ""
    step = f" /{_by(row.step)}" if row.step and row.step != (1, 1) else ""
    return _Told("", (((conv + word, filters), (step, ())),))


def _of_block(block: Block) -> _Told:
    ways = [_tokens(branch) for branch in block.branches]
    if block.kind == "scaled":
        excited = any(way and way[0][0].startswith("global") for way in ways)
        divided = block.meeting is not None and "Divide" in block.meeting.kind
        return _Told(
            "", ((("squeeze-excite" if excited else "normalisation" if divided else "gate", ()),),)
        )
    if block.kind == "residual":
        main = max(ways, key=len)
        beside = [", ".join(word for word, _ in way) for way in ways if way is not main and way]
        return _Told("residual", (main,), tuple(beside))
    return _Told(
        "joined to its input" if block.kind == "joined" else "branches",
        tuple(way for way in ways if way),
    )


def _tokens(branch: tuple[Part, ...]) -> tuple[Token, ...]:
    tokens: list[Token] = []
    for part in branch:
        if isinstance(part, Block):
            told = _of_block(part)
            ways = [", ".join(map(_text, line)) for line in told.lines]
            tokens.append((f"({' | '.join(ways)})" if told.head else ways[0], ()))
        elif part.kind not in HIDDEN:
            tokens.append(_token(part))
    return tuple(tokens) if len(tokens) <= MOST else ((f"{len(tokens)} layers", ()),)


def _token(row: LayerRow) -> Token:
    word = WORDS.get(row.kind, row.kind.lower())
    if row.kind == "Conv2D" and row.groups > 1:
        word = "depthwise" if row.groups == row.output_shape[-1] else "grouped"
    window = f"{row.window[0]}x{row.window[1]}" if row.window else ""
    filters = row.output_shape[-1:] if row.multiply_adds and word != "depthwise" else ()
    return f"{word} {window}".strip(), filters


def _print(told: _Told) -> list[str]:
    times = f"{told.count} × " if told.count > 1 else ""
    if not told.head:
        return [times + "".join(map(_text, told.lines[0]))]
    found = [f"{times}{told.head}:"]
    for line, equals in groupby(
        ", ".join(map(_text, tokens)) or "as it is" for tokens in told.lines
    ):
        number = len(list(equals))
        found.append(f"  {number} × {line}" if number > 1 else f"  {line}")
    if told.shortcuts:
        some = (
            f" in {len(told.shortcuts)} of {told.count}" if len(told.shortcuts) < told.count else ""
        )
        found.append(f"  shortcut {' or '.join(dict.fromkeys(told.shortcuts))}{some}")
    return found


def _text(token: Token) -> str:
    word, filters = token
    if not filters:
        return word
    low, high = min(filters), max(filters)
    return f"{word} {low}" if low == high else f"{word} {low}–{high}"


def _by(pair: Pair) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"
