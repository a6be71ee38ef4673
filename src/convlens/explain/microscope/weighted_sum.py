"""Weighted: cells of convolutions, dense layers and matrices: numbers times weights, summed up."""

from dataclasses import replace

import keras
import numpy as np

from convlens.errors import ConfigError
from convlens.explain.arithmetic.sizes import Side, pair
from convlens.explain.microscope.activation import activation_steps
from convlens.explain.microscope.microscope import Layer
from convlens.explain.microscope.softmax import softmax_steps
from convlens.explain.microscope.value import (
    Floats,
    Index,
    OpenedCell,
    Products,
    Window,
    floats,
    sides_of,
    sum_steps,
    whole,
    window,
)


def at_window(
    layer: Layer, sides: tuple[Side, Side], cell: Index
) -> tuple[Floats, list[tuple[int, int]]]:
    """Return the patch (height, width, channels) below a cell of a convolution's map, and its spans in the input."""
    rates = pair(layer.call.operation.dilation_rate)
    spans = [side.span(number) for side, number in zip(sides, cell, strict=False)]
    image = whole(layer)
    patch_shape = [len(range(*span, rate)) for span, rate in zip(spans, rates, strict=True)]
    patch = np.zeros((*patch_shape, image.shape[2]))
    rows, columns = (np.arange(*span, rate) for span, rate in zip(spans, rates, strict=True))
    inside = [
        np.flatnonzero((one >= 0) & (one < n))
        for one, n in zip((rows, columns), image.shape, strict=False)
    ]
    patch[np.ix_(*inside)] = image[np.ix_(rows[inside[0]], columns[inside[1]])]
    return patch, spans


def open_convolution(layer: Layer, index: Index) -> OpenedCell:
    """A convolution, grouped and depthwise ones included."""
    operation, k = layer.call.operation, index[-1]
    patch, spans = at_window(layer, sides_of(layer), index[:2])
    kernel = floats(keras.ops.convert_to_numpy(operation.kernel))
    if isinstance(operation, keras.layers.DepthwiseConv2D):
        multiplier = kernel.shape[3]
        channels, weights = (
            range(k // multiplier, k // multiplier + 1),
            kernel[:, :, k // multiplier, k % multiplier],
        )
        rule, weights = "patch × kernel of its own channel, summed up", weights[..., None]
    else:
        depth, filters = kernel.shape[2:]
        group = k // (filters // operation.groups)
        channels, weights = range(group * depth, (group + 1) * depth), kernel[..., k]
        rule = "patch × kernel, summed up" + (
            f"; group {group} of {operation.groups}" if operation.groups > 1 else ""
        )
    products = Products("sum", patch[..., channels.start : channels.stop], weights, tuple(channels))
    spans.append((channels.start, channels.stop))
    return _finish(layer, index, rule, products, (window(layer, spans, products.numbers),))


def _finish(
    layer: Layer,
    index: Index,
    rule: str,
    products: Products,
    windows: tuple[Window, ...],
    scale: float | None = None,
) -> OpenedCell:
    """Add bias and activation to a sum of products; `scale` is that of the products, where not their absolute sum."""
    operation = layer.call.operation
    bias = (
        float(keras.ops.convert_to_numpy(operation.bias)[index[-1]]) if operation.use_bias else None
    )
    steps = sum_steps(products, bias)
    steps += activation_steps(operation, steps[-1].value)
    if operation.activation is keras.activations.softmax:
        steps += softmax_steps(_all_sums(layer), index[-1])
    scale = float(np.abs(products.products).sum()) if scale is None else scale
    return OpenedCell(
        layer.name,
        layer.kind,
        index,
        rule,
        windows,
        (products,),
        tuple(steps),
        scale + abs(bias or 0),
    )


def _all_sums(layer: Layer) -> Floats:
    """Return the numbers of all units of a dense layer before its softmax."""
    operation = layer.call.operation
    if not isinstance(operation, keras.layers.Dense) or len(layer.shape) != 1:
        raise ConfigError(f"{layer.name}: a softmax within a {layer.kind} cannot be opened.")
    sums = whole(layer) @ floats(keras.ops.convert_to_numpy(operation.kernel))
    return sums + floats(keras.ops.convert_to_numpy(operation.bias)) if operation.use_bias else sums


def open_dense(layer: Layer, index: Index) -> OpenedCell:
    """A dense layer; on a map it works on the channels of each cell."""
    numbers = whole(layer)[index[:-1]]
    kernel = floats(keras.ops.convert_to_numpy(layer.call.operation.kernel))
    products = Products("sum", numbers, kernel[:, index[-1]], tuple(range(len(numbers))))
    spans = [*((i, i + 1) for i in index[:-1]), (0, len(numbers))]
    return _finish(
        layer, index, "input × weight, summed up", products, (window(layer, spans, numbers),)
    )


def open_separable(layer: Layer, index: Index) -> OpenedCell:
    """Each channel's own convolution first, then the sum over them: a 1x1 convolution."""
    operation = layer.call.operation
    patch, spans = at_window(layer, sides_of(layer), index[:2])
    depthwise = floats(keras.ops.convert_to_numpy(operation.depthwise_kernel))
    pointwise = floats(keras.ops.convert_to_numpy(operation.pointwise_kernel))[0, 0, :, index[-1]]
    terms = patch[..., None] * depthwise
    products = Products(
        "pointwise", terms.sum(axis=(0, 1)).reshape(-1), pointwise, tuple(range(len(pointwise)))
    )
    spans.append((0, patch.shape[2]))
    scale = float((np.abs(terms).sum(axis=(0, 1)).reshape(-1) * np.abs(pointwise)).sum())
    rule = "each channel's patch × kernel, then these sums × pointwise weights"
    cell = _finish(layer, index, rule, products, (window(layer, spans, patch),), scale)
    strongest = int(np.abs(products.products).argmax())
    channel, multiple = divmod(strongest, depthwise.shape[3])
    one = Products(
        f"depthwise {strongest}",
        patch[..., [channel]],
        depthwise[:, :, [channel], multiple],
        (channel,),
    )
    return replace(cell, products=(one, products), steps=(*sum_steps(one, None), *cell.steps))


def open_matmul(layer: Layer, index: Index) -> OpenedCell:
    """The channels of a cell times a constant matrix, as in local response normalisation."""
    left, right = (floats(one.values) for one in layer.operands)
    if left.ndim < 2 or right.ndim != 2 or layer.operands[1].source is not None:
        raise ConfigError(f"{layer.name}: only the product with a constant matrix can be opened.")
    numbers = left[0][index[:-1]]
    products = Products("sum", numbers, right[:, index[-1]], tuple(range(len(numbers))))
    spans = [*((i, i + 1) for i in index[:-1]), (0, len(numbers))]
    cells = (window(layer, spans, numbers),)
    scale = float(np.abs(products.products).sum())
    steps = tuple(sum_steps(products, None))
    return OpenedCell(
        layer.name, layer.kind, index, "row × column, summed up", cells, (products,), steps, scale
    )
