"""`convlens show` of layers that work on images and maps: convolution, pooling, joins, flatten."""

from typing import Annotated, Literal

import numpy as np
from cyclopts import Parameter

from convlens.cli.flags import read_whole_numbers
from convlens.cli.show import IMAGE_FORMS, NONE, Files, ImageText, publish, read_one_or_more
from convlens.errors import ConfigError
from convlens.explain.arithmetic.convolution import convolve
from convlens.explain.arithmetic.exact import Numbers, as_numbers
from convlens.explain.arithmetic.pooling import pool
from convlens.explain.arithmetic.reading import get_filter, get_image
from convlens.explain.pages.layer_views import flatten_page, join_page
from convlens.explain.pages.map_views import convolution_page, pooling_page
from convlens.explain.pages.recognition_views import recognition_page
from convlens.language import N_, _

LONGEST_TITLE = 24  # characters of a filter that is named by how it was given

PLACE = N_("--at must be ROW,COL in whole numbers, as 0,3; found {text!r}.")
SIDES = N_("{flag} must be a whole number or two, as 2 or 2,1; found {text!r}.")

At = Annotated[
    str | None,
    Parameter(
        allow_leading_hyphen=True,
        help=N_("the cell of the map to open, as ROW,COL, counted from 0"),
    ),
]
Strides = Annotated[
    str | None,
    Parameter(
        allow_leading_hyphen=True,
        help=N_("cells from one window to the next: 2, or 2,1 for two down and one to the right"),
    ),
]


def _read_cell(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    row, column = read_whole_numbers(text, PLACE, counts=(2,))
    return row, column


def _read_sides(text: str, flag: str) -> tuple[int, int]:
    """Return (down, right) of one whole number or of two."""
    found = read_whole_numbers(text, SIDES, counts=(1, 2), flag=flag)
    return found[0], found[-1]


def convolution(  # noqa: PLR0913 - options of the command
    *,
    image: ImageText = "x9",
    filters: Annotated[
        list[str] | None,
        Parameter(
            name="--filter",
            negative=(),
            allow_leading_hyphen=True,
            help=N_(
                "left-diagonal, cross, right-diagonal, plus, identity, blur, sharpen, edges, "
                "sobel-x, sobel-y, or a file or numbers as for --image; may be repeated "
                "[left-diagonal]"
            ),
        ),
    ] = None,
    padding: Annotated[
        Literal["valid", "same"], Parameter(help=N_("same adds a border of zeros"))
    ] = "valid",
    strides: Strides = None,
    mean: Annotated[
        bool,
        Parameter(
            negative=(), help=N_("take the mean of the products, as lecture 004 does, not the sum")
        ),
    ] = False,
    bias: Annotated[
        str, Parameter(allow_leading_hyphen=True, help=N_("one number, or one for each filter"))
    ] = "0",
    groups: Annotated[
        int,
        Parameter(help=N_("groups of channels; as many as channels make it depthwise")),
    ] = 1,
    at: At = None,
    files: Files = NONE,
) -> None:
    """Show image ∗ filter = map; a filter with several channels sums over them."""
    names = filters or ["left-diagonal"]
    values = get_image(image)
    kernel = _read_kernel(names, values.shape[2], groups)
    done = convolve(
        values,
        kernel,
        read_one_or_more(bias, "--bias"),
        strides=_read_sides("1" if strides is None else strides, "--strides"),
        padding=padding,
        mean=mean,
    )
    titles = [name if ";" not in name and len(name) < LONGEST_TITLE else "" for name in names]
    if len(names) == 1:
        titles = titles * kernel.shape[3]
    publish(lambda: convolution_page(done, titles, _read_cell(at)), files)


def _read_kernel(names: list[str], channels: int, groups: int) -> Numbers:
    """Return the kernel of the filters as given: (height, width, channels of a group, filters)."""
    found = as_numbers(*(get_filter(name) for name in names))
    if len({one.shape for one in found}) > 1:
        raise ConfigError(
            _("all filters must have the same size and number of channels; show them one by one.")
        )
    kernel = np.stack(found, axis=-1)
    if groups < 1 or channels % groups:
        raise ConfigError(
            _(
                "--groups must divide the number of channels of the image, {channels}; "
                "found {groups}."
            ).format(channels=channels, groups=groups)
        )
    # Depthwise: the channels of the one filter become one filter for each channel.
    if kernel.shape[2] == channels == groups and len(names) == 1:
        return kernel.swapaxes(2, 3)
    if kernel.shape[2] * groups != channels:
        rule = _(
            "the filter must have as many channels as the image, {wanted}, with | between; "
            "found {found}."
        )
        if groups > 1:
            rule = _(
                "the filter must have as many channels as a group of the image, {wanted}, "
                "with | between; found {found}."
            )
        raise ConfigError(rule.format(wanted=channels // groups, found=kernel.shape[2]))
    return kernel


def pooling(  # noqa: PLR0913 - options of the command
    *,
    image: ImageText = "pool-004",
    kind: Annotated[
        Literal["max", "average", "min", "global-average"],
        Parameter(help=N_("what becomes of a window")),
    ] = "max",
    size: Annotated[
        str,
        Parameter(
            allow_leading_hyphen=True,
            help=N_("height and width of the window: 2, or 2,3"),
        ),
    ] = "2",
    strides: Strides = None,
    padding: Annotated[
        Literal["valid", "same", "partial"],
        Parameter(
            help=N_("partial keeps windows that reach beyond the image, as lecture 004 does")
        ),
    ] = "valid",
    at: At = None,
    files: Files = NONE,
) -> None:
    """Show how each window of an image becomes one number."""
    values = get_image(image)
    if kind == "global-average":
        height, width = values.shape[:2]
        done = pool(values, (height, width), kind="average")
        publish(lambda: pooling_page(done, (0, 0), _("Global average pooling")), files)
        return
    window = _read_sides(size, "--size")
    steps = None if strides is None else _read_sides(strides, "--strides")
    done = pool(values, window, kind=kind, strides=steps, padding=padding)
    publish(lambda: pooling_page(done, _read_cell(at)), files)


def recognition(*, image: ImageText = "x9", files: Files = NONE) -> None:
    """Show lecture 004's path from an image to a few numbers.

    Three filters, ReLU, max pooling twice, and flatten.
    """
    filters = [
        (name, get_filter(name)[..., 0]) for name in ("left-diagonal", "cross", "right-diagonal")
    ]
    publish(lambda: recognition_page(get_image(image)[..., :1], filters), files)


def join(
    *images: Annotated[str, Parameter(allow_leading_hyphen=True, help=IMAGE_FORMS)],
    kind: Annotated[
        Literal["add", "concatenate"], Parameter(help=N_("add the maps, or stack their channels"))
    ] = "add",
    files: Files = NONE,
) -> None:
    """Add maps, as ResNet does, or concatenate them, as Inception and DenseNet do."""
    found = [get_image(one) for one in images or ("pool-001", "pool-004")]
    if len(found) < 2:
        raise ConfigError(_("give two maps or more, as in convlens show join pool-001 pool-004."))
    publish(lambda: join_page(found, kind), files)


def flatten(*, image: ImageText = "1 2; 3 4 | 5 6; 7 8", files: Files = NONE) -> None:
    """Show all numbers of an image in one row."""
    publish(lambda: flatten_page(get_image(image)), files)
