"""Describe: the layers and blocks of a stage in words, such as "2 × conv 3x3 64 /2".

Neighbours of one kind are described together. Blocks may differ in their numbers of filters, which
are then given as a range.
"""

from dataclasses import dataclass
from functools import reduce
from itertools import groupby

from convlens.anatomy.stages import HIDDEN, Block, Part
from convlens.anatomy.summary import LayerRow, Pair
from convlens.language import N_, _, listed, one_of

# A branch with more layers is described by their number.
MOST = 12
DEPTHWISE = N_("depthwise")
WORDS = {
    "Conv2D": "",
    "DepthwiseConv2D": DEPTHWISE,
    "SeparableConv2D": N_("separable"),
    "Conv2DTranspose": N_("transposed"),
    "Dense": N_("dense"),
    "MaxPooling2D": N_("max pool"),
    "AveragePooling2D": N_("average pool"),
    "GlobalAveragePooling2D": N_("global average"),
    "GlobalMaxPooling2D": N_("global max"),
    "InputLayer": N_("image"),
}

# The words for a layer, and its number of filters or units: one number for each layer described.
Token = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class _Description:
    """The words for one part, or for several like ones in a row.

    Attributes:
        head: The name of the kind of block; empty for a layer.
        lines: The layers of each branch.
        shortcuts: The layers on the shorter path of each residual block that has any there.
        count: The number of parts.
    """

    head: str
    lines: tuple[tuple[Token, ...], ...]
    shortcuts: tuple[str, ...] = ()
    count: int = 1

    def key(self) -> tuple[str, list[list[str]]]:
        """Return what parts that are described together have in common.

        The filters of blocks may differ, those of layers may not.
        """
        words = [[token[0] if self.head else _text(token) for token in line] for line in self.lines]
        return self.head, words

    def joined(self, other: "_Description") -> "_Description":
        """Return the description of the parts of both."""
        lines = tuple(
            tuple(
                (word, (*ours, *theirs))
                for (word, ours), (_same, theirs) in zip(line, other_line, strict=True)
            )
            for line, other_line in zip(self.lines, other.lines, strict=True)
        )
        return _Description(
            self.head, lines, self.shortcuts + other.shortcuts, self.count + other.count
        )

    def printed(self) -> list[str]:
        """Return the lines to print."""
        if not self.head:
            return [_times(self.count) + "".join(map(_text, self.lines[0]))]
        branches = (listed(map(_text, tokens)) or _("as it is") for tokens in self.lines)
        found = [
            _times(self.count) + _("{block}:").format(block=self.head),
            *(f"  {_times(len(list(alike)))}{line}" for line, alike in groupby(branches)),
        ]
        if self.shortcuts:
            shortcut = _("shortcut {words}")
            if len(self.shortcuts) < self.count:
                shortcut = _("shortcut {words} in {some} of {count}")
            words = one_of(dict.fromkeys(self.shortcuts))
            said = shortcut.format(words=words, some=len(self.shortcuts), count=self.count)
            found.append(f"  {said}")
        return found


def describe(parts: tuple[Part, ...]) -> list[str]:
    """Return layers and blocks in words, line by line.

    The lines of a block's branches begin with two spaces.

    >>> row = LayerRow("c", "Conv2D", (), (8, 8, 64), 0, 0, 1, (3, 3), (2, 2), 1, (2, 2), (3, 3))
    >>> describe((row, row))
    ['2 × conv 3x3 64 /2']
    """
    described = (_of_block(part) if isinstance(part, Block) else _of_row(part) for part in parts)
    shown = [one for one in described if one.lines]
    joined = (reduce(_Description.joined, alike) for _, alike in groupby(shown, _Description.key))
    return [line for one in joined for line in one.printed()]


def _of_row(row: LayerRow) -> _Description:
    if row.kind == "Flatten":
        return _layer(_("flatten"))
    if row.kind in HIDDEN:
        return _Description("", ())
    word, filters = _token(row)
    if row.kind == "Conv2D" and row.groups == 1:
        word = _("conv {window}").format(window=word)
    strides = f" /{_by(row.step)}" if row.step and row.step != (1, 1) else ""
    return _Description("", (((word, filters), (strides, ())),))


def _layer(word: str) -> _Description:
    return _Description("", (((word, ()),),))


def _of_block(block: Block) -> _Description:
    branches = tuple(_tokens(branch) for branch in block.branches)
    if block.kind == "scaled":
        if any(_looks_at_all(branch) for branch in block.branches):
            return _layer(_("squeeze-excite"))
        divides = block.meeting is not None and "Divide" in block.meeting.kind
        return _layer(_("normalisation") if divides else _("gate"))
    if block.kind == "residual":
        longest = max(branches, key=len)
        shortcuts = (
            listed(word for word, _filters in tokens)
            for tokens in branches
            if tokens is not longest and tokens
        )
        return _Description(_("residual"), (longest,), tuple(shortcuts))
    head = _("joined to its input") if block.kind == "joined" else _("branches")
    return _Description(head, tuple(tokens for tokens in branches if tokens))


def _looks_at_all(branch: tuple[Part, ...]) -> bool:
    """Return whether the first layer that is shown pools the whole map."""
    first = next((one for one in branch if isinstance(one, Block) or one.kind not in HIDDEN), None)
    return isinstance(first, LayerRow) and first.kind.startswith("Global")


def _tokens(branch: tuple[Part, ...]) -> tuple[Token, ...]:
    tokens: list[Token] = []
    for part in branch:
        if isinstance(part, Block):
            inner = _of_block(part)
            lines = [listed(map(_text, line)) for line in inner.lines]
            tokens.append((f"({' | '.join(lines)})" if inner.head else lines[0], ()))
        elif part.kind not in HIDDEN:
            tokens.append(_token(part))
    return (
        tuple(tokens)
        if len(tokens) <= MOST
        else ((_("{count} layers").format(count=len(tokens)), ()),)
    )


def _token(row: LayerRow) -> Token:
    word = WORDS.get(row.kind, row.kind.lower())
    if row.kind == "Conv2D" and row.groups > 1:
        word = DEPTHWISE if row.groups == row.output_shape[-1] else N_("grouped")
    window = f"{row.window[0]}x{row.window[1]}" if row.window else ""
    filters = row.output_shape[-1:] if row.multiply_adds and word != DEPTHWISE else ()
    return f"{_(word)} {window}".strip(), filters


def _times(count: int) -> str:
    return f"{count} × " if count > 1 else ""


def _text(token: Token) -> str:
    word, filters = token
    if not filters:
        return word
    least = min(filters)
    most = max(filters)
    return f"{word} {least}" if least == most else f"{word} {least}–{most}"


def _by(pair: Pair) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"
