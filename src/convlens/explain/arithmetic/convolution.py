"""Convolution: every value of a map as patch, kernel, products, sum and bias.

The layouts are those of Keras: an image is (height, width, channels), a kernel (height, width,
channels of a group, filters). A depthwise convolution is a grouped one with a group for each
channel. Whole numbers and Fractions stay exact.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from convlens.errors import ConfigError
from convlens.explain.arithmetic.calculations import WeightedSum
from convlens.explain.arithmetic.exact import (
    Numbers,
    as_image,
    as_numbers,
    check_place,
    spread_bias,
    take_cells,
    write_shape,
)
from convlens.explain.arithmetic.windows import Border, Side, lay_both
from convlens.language import N_, _


@dataclass(frozen=True, kw_only=True)
class Cell(WeightedSum):
    """One value of a map with every number that went into it.

    Attributes:
        rows: The first row of the patch in the image, and the one after its last. The border lies
            outside of the image.
        columns: The same for the columns.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]

    @property
    def patch(self) -> Numbers:
        """What the window covers, border included, shaped (height, width, channels)."""
        return self.numbers

    @property
    def kernel(self) -> Numbers:
        """The weights of the filter, in the shape of the patch."""
        return self.weights


@dataclass(frozen=True)
class Convolution:
    """A convolution with every number that went into it.

    The map is computed when it is asked for, so that single values of a large one can be opened.

    Attributes:
        image: The image, shaped (height, width, channels).
        kernel: The filters, shaped (height, width, channels of a group, filters).
        bias: The biases, shaped (filters,); None where the layer has none.
        vertical: How the windows lie from top to bottom.
        horizontal: How the windows lie from left to right.
        mean: Whether the mean of the products is taken, as in lecture 004, rather than their sum.
    """

    image: Numbers
    kernel: Numbers
    bias: Numbers | None
    vertical: Side
    horizontal: Side
    mean: bool = False

    @property
    def groups(self) -> int:
        """The groups of channels, each with filters of its own: 1 for a usual convolution."""
        return int(self.image.shape[2] // self.kernel.shape[2])

    @property
    def border(self) -> Border:
        """The zeros around the image."""
        return Border(
            self.vertical.before, self.vertical.after, self.horizontal.before, self.horizontal.after
        )

    @cached_property
    def padded(self) -> Numbers:
        """The image with its border of zeros."""
        rows, columns = (
            range(-side.before, side.length + side.after)
            for side in (self.vertical, self.horizontal)
        )
        return take_cells(self.image, rows, columns)

    @cached_property
    def output(self) -> Numbers:
        """The map, shaped (rows, columns, filters)."""
        values = np.array([self.at(*place).value for place in np.ndindex(self.shape)])
        return values.reshape(self.shape)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of the map, (rows, columns, filters)."""
        return self.vertical.count, self.horizontal.count, self.kernel.shape[3]

    def channels(self, filter: int) -> slice:  # noqa: A002 - the term of the field
        """Return the channels of the image that a filter covers."""
        depth = self.kernel.shape[2]
        group = filter // (self.kernel.shape[3] // self.groups)
        return slice(group * depth, (group + 1) * depth)

    def patch(self, row: int, column: int) -> Numbers:
        """Return all channels of what the window of a value covers, border included."""
        return take_cells(self.image, self.vertical.cells(row), self.horizontal.cells(column))

    def below(self, row: int, column: int, channel: int) -> Numbers:
        """Return the cells that lie below one place of the kernel, shaped (rows, columns)."""
        rows = self.vertical.cells_below(row)
        columns = self.horizontal.cells_below(column)
        return take_cells(self.image[..., [channel]], rows, columns)[..., 0]

    def at(self, row: int, column: int, filter: int = 0) -> Cell:  # noqa: A002 - as above
        """Open one value of the map. Rows, columns and filters are counted from 0.

        Raises:
            ConfigError: If the map has no such value.
        """
        check_place(
            (row, column, filter), self.shape, (_("row"), _("column"), _("filter")), _("the map")
        )
        patch = self.patch(row, column)[..., self.channels(filter)]
        return Cell(
            patch,
            self.kernel[..., filter],
            None if self.bias is None else self.bias[filter],
            patch.size if self.mean else 1,
            rows=self.vertical.span(row),
            columns=self.horizontal.span(column),
        )


def convolve(
    image: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    strides: int | tuple[int, int] = 1,
    padding: str = "valid",
    mean: bool = False,
) -> Convolution:
    """Convolve as Keras' Conv2D does (the kernel is not flipped), or take the mean of the products.

    A kernel with fewer channels than the image makes a grouped convolution, as in Keras.

    Args:
        image: The image, shaped (height, width) or (height, width, channels).
        kernel: The filters, shaped (height, width), or (height, width, channels of a group,
            filters).
        bias: The biases, shaped (filters,), or one number for all filters; 0 if not given.
        strides: The distance from one window to the next, in cells: down and to the right.
        padding: "valid" or "same".
        mean: Whether to take the mean of the products, as lecture 004 does, rather than their sum.

    Raises:
        ConfigError: If the kernel does not fit the image, or if strides or padding are invalid.

    Example:
        >>> convolve([[1, 2], [3, 4]], [[1, 0], [0, 1]]).at(0, 0).value
        Fraction(5, 1)
    """
    image, kernel, bias = as_numbers(image, kernel, 0 if bias is None else bias)
    image = as_image(image)
    kernel = kernel[..., None, None] if kernel.ndim == 2 else kernel
    _check_convolution(image, kernel, padding)
    rule = N_("the bias must have one number for each filter, {count}; found {found}.")
    bias = spread_bias(bias, kernel.shape[3], rule)
    sides = lay_both(image.shape[:2], kernel.shape[:2], strides, padding)
    return Convolution(image, kernel, bias, *sides, mean)


def _check_convolution(image: Numbers, kernel: Numbers, padding: str) -> None:
    """Raise ConfigError if a kernel does not fit an image, or if the padding is unknown."""
    if kernel.ndim != 4 or not kernel.size:
        raise ConfigError(
            _("a kernel must be (height, width, channels, filters); found {shape}.").format(
                shape=write_shape(kernel.shape)
            )
        )
    depth, filters = kernel.shape[2:]
    groups, remainder = divmod(image.shape[2], depth)
    if remainder or filters % max(groups, 1):
        raise ConfigError(
            _(
                "the kernel must have as many channels as the image, {channels}, or an even share "
                "of them and of the filters; found {depth} channels and {filters} filters."
            ).format(channels=image.shape[2], depth=depth, filters=filters)
        )
    if padding not in ("valid", "same"):
        raise ConfigError(
            _("the padding of a convolution must be valid or same; found {padding!r}.").format(
                padding=padding
            )
        )
    if padding == "valid" and (np.array(kernel.shape[:2]) > image.shape[:2]).any():
        raise ConfigError(
            _(
                "the filter must fit into the image; found a filter of {filter} and an image of "
                "{image}. Take a smaller filter or padding same."
            ).format(filter=write_shape(kernel.shape[:2]), image=write_shape(image.shape[:2]))
        )


def depthwise_convolve(
    image: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    strides: int | tuple[int, int] = 1,
    padding: str = "valid",
) -> Convolution:
    """Convolve each channel by itself, as Keras' DepthwiseConv2D does.

    Args:
        image: The image, shaped (height, width, channels).
        kernel: The filters, shaped (height, width, channels, multiplier).
        bias: The biases, shaped (channels x multiplier,); 0 if not given.
        strides: See `convolve`.
        padding: See `convolve`.

    Raises:
        ConfigError: See `convolve`; also if the kernel does not have as many channels as the image.
    """
    image, kernel = as_numbers(image, kernel)
    image = as_image(image)
    if kernel.ndim != 4 or kernel.shape[2] != image.shape[2]:
        raise ConfigError(
            _(
                "a depthwise kernel must be (height, width, {channels}, multiplier); found {shape}."
            ).format(channels=image.shape[2], shape=write_shape(kernel.shape))
        )
    return convolve(image, as_grouped(kernel), bias, strides=strides, padding=padding)


def as_grouped(kernel: Numbers) -> Numbers:
    """Return a depthwise kernel (height, width, channels, multiplier) as that of a grouped one."""
    return kernel.reshape(*kernel.shape[:2], 1, -1)


@dataclass(frozen=True)
class SeparableConvolution:
    """A depthwise separable convolution: each channel by itself, then a 1x1 convolution over all.

    Attributes:
        depthwise: The convolution of each channel.
        pointwise: The 1x1 convolution that mixes their maps.
    """

    depthwise: Convolution
    pointwise: Convolution

    @property
    def output(self) -> Numbers:
        """The map, shaped (rows, columns, filters)."""
        return self.pointwise.output


def separable_convolve(
    image: ArrayLike,
    depthwise: ArrayLike,
    pointwise: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    strides: int | tuple[int, int] = 1,
    padding: str = "valid",
) -> SeparableConvolution:
    """Convolve as Keras' SeparableConv2D does.

    Args:
        image: The image, shaped (height, width, channels).
        depthwise: The depthwise filters, shaped (height, width, channels, multiplier).
        pointwise: The pointwise filters, shaped (1, 1, channels x multiplier, filters).
        bias: The biases, shaped (filters,); 0 if not given.
        strides: See `convolve`.
        padding: See `convolve`.

    Raises:
        ConfigError: See `convolve`.
    """
    first = depthwise_convolve(image, depthwise, strides=strides, padding=padding)
    return SeparableConvolution(first, convolve(first.output, pointwise, bias))
