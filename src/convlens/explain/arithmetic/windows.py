"""Windows: how those of a convolution or a pooling lie on an image, with their number by formula.

Every result carries its formula with the numbers filled in, as it would be written on a board.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from convlens.errors import ConfigError
from convlens.language import _, listed

PADDINGS = ("valid", "same", "partial")


class Border(NamedTuple):
    """The cells around an image: zeros for a convolution, cells that do not count for a pooling."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def __str__(self) -> str:
        """Return the border in words."""
        if len(set(self)) == 1:
            return _("{top} on every side").format(top=self.top)
        return _("{top} above, {bottom} below, {left} left, {right} right").format(**self._asdict())


@dataclass(frozen=True)
class Side:
    """How windows lie along one side of an image. All lengths are in cells.

    Attributes:
        length: The length of the side.
        window: The length of a window, the gaps of a dilated one included.
        stride: The distance from one window to the next.
        count: The number of windows, which is the length of the map.
        before: The length of the border before the image.
        after: The length of the border after the image.
        formula: The formula of `count`, with its numbers.
        rate: The distance from one cell of a window to the next, which is more than 1 where a
            convolution is dilated.
    """

    length: int
    window: int
    stride: int
    count: int
    before: int
    after: int
    formula: str
    rate: int = 1

    def span(self, index: int) -> tuple[int, int]:
        """Return the first cell of a window in the image and the one after its last.

        Cells of the border lie outside of 0 to `length`.
        """
        first = index * self.stride - self.before
        return first, first + self.window

    def span_inside(self, index: int) -> tuple[int, int]:
        """Return the span of a window without the border."""
        first, past = self.span(index)
        return max(first, 0), min(past, self.length)

    def cells(self, index: int) -> range:
        """Return all cells of a window in the image, those of the border included."""
        return range(*self.span(index), self.rate)

    def cells_below(self, place: int) -> range:
        """Return the cell that lies below one place of the window, for each window."""
        first = place * self.rate - self.before
        return range(first, first + self.count * self.stride, self.stride)


def lay_windows(length: int, window: int, stride: int, padding: str, rate: int = 1) -> Side:
    """Lay windows along a side of an image.

    "valid" keeps whole windows only. "same" makes ceil(length / stride) windows; where the border
    is odd, its larger half comes after the image, as in Keras. "partial" has no border, but keeps a
    last window that reaches beyond the image.

    Args:
        length: The length of the side, in cells.
        window: The number of cells of a window.
        stride: The distance from one window to the next, in cells.
        padding: "valid", "same" or "partial".
        rate: The distance from one cell of a window to the next, in cells.

    Raises:
        ConfigError: If stride, window or length are below 1, if there is no such padding, or if a
            window is larger than the image.
    """
    _check_lengths(length, window, stride)
    if padding not in PADDINGS:
        raise ConfigError(
            _("padding must be one of {paddings}; found {padding!r}.").format(
                paddings=listed(PADDINGS), padding=padding
            )
        )
    window = (window - 1) * rate + 1
    border = 0
    if padding == "same":
        count = -(-length // stride)
        border = max((count - 1) * stride + window - length, 0)
        formula = f"⌈{length} / {stride}⌉ = {count}"
    elif padding == "partial":
        count = max(-(-(length - window) // stride), 0) + 1
        # Every window has to begin within the image.
        if (count - 1) * stride >= length:
            count -= 1
        formula = f"⌈({length} - {window}) / {stride}⌉ + 1 = {count}"
    elif window > length:
        raise ConfigError(
            _(
                "a window of {window} must fit into the image's side of {length}; take a smaller "
                "one or padding same."
            ).format(window=window, length=length)
        )
    else:
        count = (length - window) // stride + 1
        formula = f"⌊({length} - {window}) / {stride}⌋ + 1 = {count}"
    before = border // 2
    return Side(length, window, stride, count, before, border - before, formula, rate)


def _check_lengths(length: int, window: int, stride: int) -> None:
    """Raise ConfigError if one of them is below 1."""
    names = (_("the window's size"), _("the strides"), _("the image's side"))
    for name, value in zip(names, (window, stride, length), strict=True):
        if value < 1:
            raise ConfigError(
                _("{name} must be at least 1; found {value}.").format(name=name, value=value)
            )


def lay_both(
    shape: Sequence[int],
    window: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str,
    rate: int | Sequence[int] = 1,
) -> tuple[Side, Side]:
    """Lay windows on an image: from top to bottom, and from left to right; see `lay_windows`.

    Args:
        shape: The height and width of the image, in cells.
        window: The height and width of a window, or one number for both; likewise the following.
        strides: The distance from one window to the next.
        padding: "valid", "same" or "partial".
        rate: The distance from one cell of a window to the next.
    """
    down, across = (
        lay_windows(length, size, stride, padding, distance)
        for length, size, stride, distance in zip(
            shape, pair(window), pair(strides), pair(rate), strict=True
        )
    )
    return down, across


def pair(value: int | Sequence[int]) -> tuple[int, int]:
    """Return (height, width) for one number, which stands for both, or for two."""
    height, width = (value, value) if isinstance(value, int) else value
    return int(height), int(width)
