"""Views of maps: pages of convolution and pooling."""

from dataclasses import replace
from functools import partial

import numpy as np

from convlens.explain.arithmetic.convolution import Convolution
from convlens.explain.arithmetic.exact import Numbers
from convlens.explain.arithmetic.pooling import Pooling
from convlens.explain.arithmetic.sizes import conv_params
from convlens.explain.arithmetic.writing import equation, write_number, write_sum
from convlens.explain.pages.page import Block, Grid, Lines, Mark, Opened, Page, Row
from convlens.language import N_, _

DECIMALS = 4
TITLES = {
    "max": N_("Max pooling"),
    "average": N_("Average pooling"),
    "min": N_("Min pooling"),
}
WRITTEN = 32  # products that are still written out in one line

CELL = N_("row {row}, column {column} of the map")
BEYOND = N_("{border}: windows reach beyond the image, only cells within it count")
EVEN_FILTER = N_(
    "of zeros, {border} (an even filter has no middle: Keras puts the larger half below and right)"
)

Place = tuple[int, int]  # (row, column) of a map


def convolution_page(
    done: Convolution,
    names: list[str],
    at: Place | None = None,
    title: str = "",
) -> Page:
    """Return a page with image ∗ filter = map for each filter.

    Args:
        done: The convolution.
        names: The names of the filters, "" for one without a name.
        at: The (row, column) of the value of each map that is opened, or None.
        title: The title of the page; "Convolution" if not given.

    Raises:
        ConfigError: If the value lies outside of the map.
    """
    blocks: list[Block] = []
    for number, name in enumerate(names):
        opened = None if at is None else _open_convolution(done, number, *at)
        blocks += _filter_rows(done, number, name or _("filter"), at, opened)
        blocks += opened.blocks if opened else ()
    height, width, depth, filters = done.kernel.shape
    size = _with_channels((height, width, depth))
    if done.groups > 1:
        size = _("{size}, {groups} groups").format(size=size, groups=done.groups)
    facts = [
        (_("image"), _with_channels(done.image.shape)),
        (_("filter"), size),
        (_("map"), _map_size(done)),
    ]
    if any(done.border):
        facts.append((_("border"), _zeros(done)))
    if (done.vertical.stride, done.horizontal.stride) != (1, 1):
        facts.append((_("strides"), _strides(done)))
    if done.mean:
        said = _("the mean of the {count} products")
        facts.append((_("value"), said.format(count=height * width * depth)))
    params = conv_params(
        (height, width), depth * done.groups, filters, bias=False, groups=done.groups
    )
    facts.append((_("weights"), str(params)))
    return Page(title or _("Convolution"), tuple(facts), tuple(blocks))


def _with_channels(shape: tuple[int, ...]) -> str:
    height, width, channels = shape
    said = "{height} x {width}"
    if channels > 1:
        said = _("{height} x {width} with {channels} channels")
    return said.format(height=height, width=width, channels=channels)


def _map_size(done: Convolution | Pooling) -> str:
    """Return the size of the map with its formula."""
    rows, columns = done.shape[:2]
    down = done.vertical.formula
    across = done.horizontal.formula
    said = _("{rows} x {columns}: {down} down, {across} across")
    if down == across:
        said = _("{rows} x {columns}: {down}")
    return said.format(rows=rows, columns=columns, down=down, across=across)


def _strides(done: Convolution | Pooling) -> str:
    return _("{down} down, {right} to the right").format(
        down=done.vertical.stride, right=done.horizontal.stride
    )


def _zeros(done: Convolution) -> str:
    border = done.border
    uneven = border.top != border.bottom or border.left != border.right
    has_even_side = any(side % 2 == 0 for side in done.kernel.shape[:2])
    said = _(EVEN_FILTER) if uneven and has_even_side else _("of zeros, {border}")
    return said.format(border=border)


def _largest(values: Numbers) -> float:
    return float(np.abs(values.astype(np.float64)).max())


def _mark(at: Place | None) -> Mark | None:
    """Return the mark of one cell."""
    return None if at is None else (at[0], at[0] + 1, at[1], at[1] + 1)


def _filter_rows(
    done: Convolution, number: int, name: str, at: Place | None, opened: Opened | None
) -> list[Row]:
    """Return a row for each channel of a filter, with the map at the end of the last."""
    channels = _channels(done, number)
    mark = opened.mark if opened else None
    rows: list[list[Grid | str]] = []
    for index, channel in enumerate(channels):
        shown = channel if len(channels) > 1 or done.groups > 1 else None
        image = Grid(
            done.padded[..., channel],
            _of_channel(_("image"), shown),
            done.border,
            mark,
            source=True,
            largest=_largest(done.image),
        )
        weights = done.kernel[:, :, index, number]
        kernel = Grid(weights, _of_channel(name, shown), largest=_largest(done.kernel))
        rows.append([image, "∗", kernel, "+"])
    bias = 0 if done.bias is None else done.bias[number]
    sign = f"{'-' if bias < 0 else '+'} {write_number(abs(bias))} =" if bias else "="
    alone = len(channels) == 1 and done.shape[2] == 1
    title = _("map") if alone else _("map of {name}").format(name=name)
    opens = partial(_open_convolution, done, number)
    rows[-1][-1:] = [sign, Grid(done.output[..., number], title, mark=_mark(at), opens=opens)]
    return [Row(tuple(items)) for items in rows]


def _of_channel(name: str, channel: int | None) -> str:
    """Return the title of a grid; None stands for the only channel."""
    if channel is None:
        return name
    return _("{name}, channel {k}").format(name=name, k=channel)


def _channels(done: Convolution, number: int) -> range:
    """Return the channels of the image that a filter covers."""
    return range(done.image.shape[2])[done.channels(number)]


def _open_convolution(done: Convolution, number: int, row: int, column: int) -> Opened:
    """Return patch × filter = products for each channel, and the sum."""
    cell = done.at(row, column, number)
    channels = _channels(done, number)
    rows = []
    for index, channel in enumerate(channels):
        patch = _of_channel(_("patch"), channel if len(channels) > 1 else None)
        items = (
            Grid(cell.patch[..., index], patch),
            "×",
            Grid(cell.kernel[..., index], _("filter")),
            "=",
            Grid(cell.products[..., index], _("products")),
        )
        rows.append(Row(items))
    # A bias of 0 is not worth a line.
    steps = replace(cell, bias=cell.bias or None).steps(
        mean=done.mean, decimals=DECIMALS, written=WRITTEN
    )
    lines = tuple((one.name, equation(one.text, write_number(one.value))) for one in steps)
    top = done.border.top
    left = done.border.left
    mark = (cell.rows[0] + top, cell.rows[1] + top, cell.columns[0] + left, cell.columns[1] + left)
    return Opened(mark, (*rows, Lines(lines, _(CELL).format(row=row, column=column))))


def pooling_page(done: Pooling, at: Place | None = None, title: str | None = None) -> Page:
    """Return a page with image → map for each channel.

    Args:
        done: The pooling.
        at: The (row, column) of the value of each map that is opened, or None.
        title: The title of the page; by default the kind of pooling.

    Raises:
        ConfigError: If the value lies outside of the map.
    """
    blocks: list[Block] = []
    largest = _largest(done.image)
    for channel in range(done.shape[2]):
        shown = channel if done.shape[2] > 1 else None
        opens = partial(_open_pooling, done, channel)
        opened = None if at is None else opens(*at)
        mark = opened.mark if opened else None
        image = Grid(
            done.image[..., channel],
            _of_channel(_("image"), shown),
            mark=mark,
            source=True,
            largest=largest,
        )
        pooled = Grid(
            done.output[..., channel],
            _of_channel(_("map"), shown),
            mark=_mark(at),
            opens=opens,
            largest=largest,
        )
        blocks += [Row((image, "→", pooled)), *(opened.blocks if opened else ())]
    window = _("{height} x {width}, strides {strides}").format(
        height=done.vertical.window, width=done.horizontal.window, strides=_strides(done)
    )
    facts = [
        (_("image"), _with_channels(done.image.shape)),
        (_("window"), window),
        (_("map"), _map_size(done)),
    ]
    if any(done.border):
        facts.append((_("border"), _(BEYOND).format(border=done.border)))
    return Page(title or _(TITLES[done.kind]), tuple(facts), tuple(blocks))


def _open_pooling(done: Pooling, channel: int, row: int, column: int) -> Opened:
    cell = done.at(row, column, channel)
    values = [write_number(one) for one in cell.window.reshape(-1)]
    result = write_number(cell.value)
    few = len(values) <= WRITTEN
    listed = ", ".join(values if few else [*values[:WRITTEN], "..."])
    rule = (
        _("min of {values} = {result}") if done.kind == "min" else _("max of {values} = {result}")
    )
    text: str = rule.format(values=listed, result=result)
    if done.kind == "average":
        text = _("mean of {count} cells = {result}").format(count=len(values), result=result)
        if few:
            text = equation(f"({write_sum(values)}) / {len(values)}", result)
    lines = Lines((("", text),), _(CELL).format(row=row, column=column))
    return Opened((*cell.rows, *cell.columns), (lines,))
