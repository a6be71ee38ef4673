"""WeightedSum: values of convolutions, dense layers and products of matrices."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from convlens.errors import ConfigError
from convlens.explain.arithmetic.calculations import Softmax
from convlens.explain.arithmetic.convolution import Convolution, as_grouped
from convlens.explain.microscope.layer import Floats, Layer, input_of, sides_of, to_floats
from convlens.explain.microscope.opened_cell import (
    Index,
    OpenedCell,
    Products,
    Window,
    single,
    window_of,
)
from convlens.explain.microscope.pointwise import activation_steps
from convlens.language import _

DEPTHWISE = (keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


def convolution_of(layer: Layer) -> Convolution:
    """Return the calculation of a convolution; of a separable one, that of its depthwise part."""
    separable = isinstance(layer.operation, keras.layers.SeparableConv2D)
    kernel = to_floats(layer.operation.depthwise_kernel if separable else layer.operation.kernel)
    if isinstance(layer.operation, DEPTHWISE):
        kernel = as_grouped(kernel)
    bias = None if separable else bias_of(layer.operation)
    return Convolution(input_of(layer), kernel, bias, *sides_of(layer))


def bias_of(operation: Any) -> Floats | None:
    """Return the biases of a layer, None where it has none."""
    return to_floats(operation.bias) if getattr(operation, "use_bias", False) else None


def _finish(
    layer: Layer,
    index: Index,
    rule: str,
    products: Sequence[Products],
    seen: Window,
    scale: float | None = None,
) -> OpenedCell:
    """Return the opened value of sums of products, the last of which has the bias.

    `scale` is that of the products, where it is not the sum of their absolute values.
    """
    last = products[-1]
    steps = [step for one in products for step in one.steps(one.name)]
    steps += activation_steps(layer.operation, float(last.value))
    if getattr(layer.operation, "activation", None) is keras.activations.softmax:
        steps += Softmax(_all_sums(layer)).steps(index[-1])
    if scale is None:
        scale = float(np.abs(last.products).sum())
    return OpenedCell(rule, steps, scale + abs(last.bias or 0.0), [seen], products)


def _all_sums(layer: Layer) -> Floats:
    """Return the sums of all units of a dense layer before its softmax."""
    if not isinstance(layer.operation, keras.layers.Dense) or len(layer.shape) != 1:
        raise ConfigError(
            _("{layer}: a softmax within a {kind} cannot be opened.").format(
                layer=layer.name, kind=layer.kind
            )
        )
    sums = input_of(layer) @ to_floats(layer.operation.kernel)
    bias = bias_of(layer.operation)
    return sums if bias is None else sums + bias


def open_convolution(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a convolution, which may be a grouped or a depthwise one."""
    done = convolution_of(layer)
    cell = done.at(*index)
    covered = done.channels(index[-1])
    rule = _("patch × kernel, summed up")
    if isinstance(layer.operation, keras.layers.DepthwiseConv2D):
        rule = _("patch × kernel of its own channel, summed up")
    elif done.groups > 1:
        rule = _("patch × kernel, summed up; group {group} of {groups}").format(
            group=covered.start // done.kernel.shape[2], groups=done.groups
        )
    products = Products(
        cell.numbers,
        cell.weights,
        cell.bias,
        name=_("sum"),
        channels=tuple(range(covered.start, covered.stop)),
    )
    spans = (cell.rows, cell.columns, (covered.start, covered.stop))
    return _finish(layer, index, rule, [products], window_of(layer, spans, cell.patch))


def open_separable(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a separable convolution: the strongest channel, and the sum over all."""
    done = convolution_of(layer)
    patch = done.patch(index[0], index[1])
    terms = patch[..., None] * to_floats(layer.operation.depthwise_kernel)
    bias = bias_of(layer.operation)
    pointwise = Products(
        terms.sum(axis=(0, 1)).reshape(-1),
        to_floats(layer.operation.pointwise_kernel)[0, 0, :, index[-1]],
        None if bias is None else bias[index[-1]],
        name=_("pointwise"),
        channels=tuple(range(done.kernel.shape[3])),
    )
    strongest = pointwise.strongest(1)[0]
    cell = done.at(index[0], index[1], strongest)
    depthwise = Products(
        cell.numbers,
        cell.weights,
        name=_("depthwise {k}").format(k=strongest),
        channels=(done.channels(strongest).start,),
    )
    seen = window_of(layer, (cell.rows, cell.columns, (0, patch.shape[2])), patch)
    scale = np.abs(terms).sum(axis=(0, 1)).reshape(-1) * np.abs(pointwise.weights)
    rule = _("each channel's patch × kernel, then these sums × pointwise weights")
    return _finish(layer, index, rule, [depthwise, pointwise], seen, float(scale.sum()))


def open_dense(layer: Layer, index: Index) -> OpenedCell:
    """Open a value of a dense layer; on a map, it combines the channels of each place."""
    weights = to_floats(layer.operation.kernel[:, index[-1]])
    return _open_product(layer, index, weights, _("input × weight, summed up"))


def open_matmul(layer: Layer, index: Index) -> OpenedCell:
    """Open a product with a constant matrix, as in local response normalisation.

    Raises:
        ConfigError: If the layer multiplies two tensors, or a tensor of another shape.
    """
    left, right = layer.operands
    if left.values.ndim < 2 or right.values.ndim != 2 or right.source is not None:
        raise ConfigError(
            _("{layer}: only the product with a constant matrix can be opened.").format(
                layer=layer.name
            )
        )
    column = to_floats(right.values[:, index[-1]])
    return _open_product(layer, index, column, _("row × column, summed up"))


def _open_product(layer: Layer, index: Index, weights: Floats, rule: str) -> OpenedCell:
    """Open the sum of the channels at one place times their weights."""
    numbers = input_of(layer)[index[:-1]]
    bias = bias_of(layer.operation)
    products = Products(
        numbers,
        weights,
        None if bias is None else bias[index[-1]],
        name=_("sum"),
        channels=tuple(range(len(numbers))),
    )
    seen = window_of(layer, (*single(index[:-1]), (0, len(numbers))), numbers)
    return _finish(layer, index, rule, [products], seen)
