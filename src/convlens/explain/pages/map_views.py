"""Views of maps: pages for convolution, pooling, and the way from an image to a row of numbers of deck 004."""

from dataclasses import replace
from functools import partial

import numpy as np

from convlens.explain.arithmetic import activate, flatten
from convlens.explain.arithmetic.convolution import Convolution, convolve
from convlens.explain.arithmetic.exact import Numbers
from convlens.explain.arithmetic.pooling import Pooling, pool
from convlens.explain.arithmetic.sizes import Border, conv_params
from convlens.explain.arithmetic.writing import equation, write_number, write_sum
from convlens.explain.pages.page import Block, Grid, Lines, Opened, Page, Row

DECIMALS = 4
WRITTEN = 32  # products that are still written out in one line


def convolution_page(
    done: Convolution,
    names: list[str],
    at: tuple[int, int] | None = None,
    title: str = "Convolution",
) -> Page:
    """Return image ∗ filter = map for each filter, and one cell of each opened.

    Args:
        done: what was computed.
        names: of the filters.
        at: (row, column) of the cell to open.
        title: of the page.

    Raises:
        ConfigError: the cell lies outside the map.
    """
    blocks: list[Block] = []
    for number, name in enumerate(names):
        blocks += _filter_rows(done, number, name, at)
        if at is not None:
            blocks += _open_convolution(done, number, *at).blocks
    return Page(title, tuple(_convolution_facts(done)), tuple(blocks))


def _convolution_facts(done: Convolution) -> list[tuple[str, str]]:
    height, width, depth, filters = done.kernel.shape
    rows, columns = done.output.shape[:2]
    facts = [
        (
            "image",
            " x ".join(map(str, done.image.shape[:2])) + _channels(done.image.shape[2]),
        ),
        (
            "filter",
            f"{height} x {width}"
            + _channels(depth)
            + (f", {done.groups} groups" if done.groups > 1 else ""),
        ),
        ("map", f"{rows} x {columns}: {done.vertical.formula}" + _across(done)),
    ]
    if any(done.border):
        even = " (an even filter has no middle: Keras puts the larger half below and right)"
        odd = done.border.top != done.border.bottom or done.border.left != done.border.right
        facts.append(
            (
                "border",
                f"of zeros, {done.border}" + even * (odd and (height % 2 == 0 or width % 2 == 0)),
            )
        )
    if (done.vertical.stride, done.horizontal.stride) != (1, 1):
        facts.append(
            ("strides", f"{done.vertical.stride} down, {done.horizontal.stride} to the right")
        )
    if done.mean:
        facts.append(("value", f"the mean of the {height * width * depth} products"))
    facts.append(("weights", str(conv_params((height, width), depth * done.groups, filters, bias=False,
                                             groups=done.groups))))  # fmt: skip
    return facts


def _channels(count: int) -> str:
    return "" if count == 1 else f" with {count} channels"


def _across(done: Convolution | Pooling) -> str:
    return (
        ""
        if done.vertical.formula == done.horizontal.formula
        else f" down, {done.horizontal.formula} across"
    )


def _filter_rows(
    done: Convolution, number: int, name: str, at: tuple[int, int] | None
) -> list[Block]:
    """Return a row a channel, the map at the end of the last."""
    channels = range(*done.channels(number).indices(done.image.shape[2]))
    mark = _open_convolution(done, number, *at).mark if at is not None else None
    images = float(np.abs(done.image.astype(np.float64)).max())
    kernels = float(np.abs(done.kernel.astype(np.float64)).max())
    rows: list[Block] = []
    for index, channel in enumerate(channels):
        which = f", channel {channel}" if len(channels) > 1 or done.groups > 1 else ""
        items: tuple[Grid | str, ...] = (
            Grid(
                done.padded[..., channel],
                "image" + which,
                done.border,
                mark,
                source=True,
                largest=images,
            ),
            "∗",
            Grid(done.kernel[:, :, index, number], name + which, largest=kernels),
        )
        if index < len(channels) - 1:
            rows.append(Row((*items, "+")))
            continue
        bias = 0 if done.bias is None else done.bias[number]
        sign = "=" if not bias else f"{'-' if bias < 0 else '+'} {write_number(abs(bias))} ="
        title = "map" if len(channels) == 1 and done.output.shape[2] == 1 else f"map of {name}"
        output = Grid(
            done.output[..., number],
            title,
            mark=(at[0], at[0] + 1, at[1], at[1] + 1) if at is not None else None,
            opens=partial(_open_convolution, done, number),
        )
        rows.append(Row((*items, sign, output)))
    return rows


def _open_convolution(done: Convolution, number: int, row: int, column: int) -> Opened:
    """Return patch x kernel = products for each channel, and the sum."""
    cell = done.at(row, column, number)
    channels = list(range(*done.channels(number).indices(done.image.shape[2])))
    blocks: list[Block] = [
        Row(
            (
                Grid(cell.patch[..., index], "patch" + _of(channels, channel)),
                "×",
                Grid(cell.kernel[..., index], "filter"),
                "=",
                Grid(cell.products[..., index], "products"),
            )
        )
        for index, channel in enumerate(channels)
    ]
    # A bias of 0 is not worth a line.
    steps = replace(cell, bias=cell.bias or None).steps(
        mean=done.mean, decimals=DECIMALS, written=WRITTEN
    )
    lines = [(one.name, equation(one.text, write_number(one.value))) for one in steps]
    top, left = done.border.top, done.border.left
    mark = (cell.rows[0] + top, cell.rows[1] + top, cell.columns[0] + left, cell.columns[1] + left)
    return Opened(mark, (*blocks, Lines(tuple(lines), f"row {row}, column {column} of the map")))


def _of(channels: list[int], channel: int) -> str:
    return f", channel {channel}" if len(channels) > 1 else ""


def pooling_page(
    done: Pooling, at: tuple[int, int] | None = None, title: str | None = None
) -> Page:
    """Return image → map for each channel, and one cell of each opened. Raises ConfigError for a cell outside."""
    blocks: list[Block] = []
    for channel in range(done.image.shape[2]):
        blocks.append(_pool_row(done, channel, at))
        if at is not None:
            blocks += _open_pooling(done, channel, *at).blocks
    rows, columns = done.output.shape[:2]
    facts = [
        ("image", " x ".join(map(str, done.image.shape[:2])) + _channels(done.image.shape[2])),
        ("window", f"{done.vertical.window} x {done.horizontal.window}, strides {done.vertical.stride} down, "
                   f"{done.horizontal.stride} to the right"),
        ("map", f"{rows} x {columns}: {done.vertical.formula}" + _across(done)),
    ]  # fmt: skip
    if any(done.border):
        facts.append(
            (
                "border",
                f"{done.border}: windows reach beyond the image, only cells within it count",
            )
        )
    return Page(title or f"{done.kind.capitalize()} pooling", tuple(facts), tuple(blocks))


def _pool_row(done: Pooling, channel: int, at: tuple[int, int] | None, name: str = "image") -> Row:
    which = f", channel {channel}" if done.image.shape[2] > 1 else ""
    largest = float(np.abs(done.image.astype(np.float64)).max())
    mark = _open_pooling(done, channel, *at).mark if at is not None else None
    return Row(
        (
            Grid(done.image[..., channel], name + which, mark=mark, source=True, largest=largest),
            "→",
            Grid(
                done.output[..., channel],
                "map" + which,
                mark=(at[0], at[0] + 1, at[1], at[1] + 1) if at is not None else None,
                opens=partial(_open_pooling, done, channel),
                largest=largest,
            ),
        )
    )


def _open_pooling(done: Pooling, channel: int, row: int, column: int) -> Opened:
    cell = done.at(row, column, channel)
    values = [write_number(one) for one in cell.window.reshape(-1)]
    answer = write_number(cell.value)
    if done.kind == "average":
        count = len(values)
        text = (
            equation(f"({write_sum(values)}) / {count}", answer)
            if count <= WRITTEN
            else f"mean of {count} cells = {answer}"
        )
    else:
        text = f"{done.kind} of {', '.join(values[:WRITTEN])}{', ...' * (len(values) > WRITTEN)} = {answer}"
    mark = (*cell.rows, *cell.columns)
    return Opened(mark, (Lines((("", text),), f"row {row}, column {column} of the map"),))


def recognition_page(image: Numbers, filters: list[tuple[str, Numbers]]) -> Page:
    """Return deck 004's way: convolution (mean of the products), ReLU, twice max pooling with partial windows, flatten.

    Args:
        image: (height, width, 1).
        filters: (name, (height, width)) each.

    Raises:
        ConfigError: a filter larger than the image.
    """
    kernel = np.stack([one for _, one in filters], axis=-1)[:, :, None, :]
    maps = convolve(image, kernel, mean=True)
    rectified = activate(maps.output, "relu").output
    once = pool(rectified, 2, padding="partial")
    twice = pool(once.output, 2, padding="partial")
    flat = flatten(np.moveaxis(twice.output, -1, 0))  # map by map, as the deck writes them
    stages = (
        ("map", maps.output),
        ("ReLU", rectified),
        ("pooled", once.output),
        ("again", twice.output),
    )
    rows: list[Block] = [Row((Grid(image[..., 0], "image"),))]
    for index, (name, one) in enumerate(filters):
        items: list[Grid | str] = [Grid(one, name)]
        for title, values in stages:
            items += ["→", Grid(values[..., index], title, Border(), largest=1.0)]
        rows.append(Row(tuple(items)))
    rows.append(Row((Grid(flat[None], f"flattened, {len(flat)} numbers: map by map"),)))
    facts = (
        (
            "map",
            f"the mean of the {kernel[..., 0].size} products; {maps.vertical.formula} cells along a side",
        ),
        ("pooled", "2 x 2 max pooling, partial windows kept"),
    )
    return Page("From an image to a few numbers", facts, tuple(rows))
