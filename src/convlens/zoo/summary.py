"""Summary: what each layer of a model gives, learns, computes and sees.

Multiply-adds are those of convolutions and dense layers on one picture, as papers count them: one multiplication with
its addition is one; biases, normalisation, activations and pooling are left out. The receptive field is the theoretical
one of Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019: the square of
the picture that a value of the map depends on, also where it reaches beyond the border.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

__all__ = ["LayerRow", "count_multiply_adds", "layer_table"]

WINDOWED = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.MaxPooling2D, layers.AveragePooling2D)
WHOLE = (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D, layers.Flatten)


@dataclass(frozen=True)
class LayerRow:
    """A layer, or an operation of `keras.ops`, of a model.

    Attributes:
        name: of the layer.
        kind: its class.
        inputs: names of the layers whose answers it takes.
        output_shape: without the batch: (height, width, channels) or (units,).
        params: its parameters, moving statistics included.
        trainable: those of them that training changes.
        multiply_adds: on one picture.
        stride: pixels of the picture between neighbours of the map, (height, width); None after the map is gone.
        receptive_field: pixels of the picture that a value depends on, (height, width); None for the whole picture.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    output_shape: tuple[int, ...]
    params: int
    trainable: int
    multiply_adds: int
    stride: tuple[int, int] | None
    receptive_field: tuple[int, int] | None


def layer_table(model: keras.Model) -> list[LayerRow]:
    """Return a row for each layer and operation of a functional or sequential model, in the order of computing."""
    seen: dict[int, tuple[tuple[int, int], tuple[int, int]] | None] = {}  # tensor -> stride, receptive field
    rows, counted = [], set()
    for operation, inputs, outputs in steps(model):
        seen_inputs = [seen[id(tensor)] for tensor in inputs]
        here = _sees(operation, seen_inputs) if inputs else ((1, 1), (1, 1))
        seen |= {id(tensor): here for tensor in outputs}
        stride, field = here or (None, None)
        weights = [] if id(operation) in counted else getattr(operation, "weights", [])  # shared layers count once
        trainable = [] if id(operation) in counted else getattr(operation, "trainable_weights", [])
        counted.add(id(operation))
        rows.append(
            LayerRow(
                operation.name,
                type(operation).__name__,
                tuple(tensor._keras_history.operation.name for tensor in inputs),
                tuple(outputs[0].shape[1:]),
                sum(math.prod(w.shape) for w in weights),
                sum(math.prod(w.shape) for w in trainable),
                _multiply_adds(operation, inputs, outputs),
                stride,
                field,
            )
        )
    return rows


def count_multiply_adds(model: keras.Model) -> int:
    """Return the multiply-adds of a model on one picture.

    >>> inputs = keras.Input((28, 28, 1))
    >>> count_multiply_adds(keras.Model(inputs, layers.Conv2D(8, 5)(inputs)))
    115200
    """
    return sum(_multiply_adds(*step) for step in steps(model))


Tensors = list[keras.KerasTensor]


def steps(
    model: keras.Model, same: dict[int, keras.KerasTensor] | None = None
) -> Iterator[tuple[keras.Operation, Tensors, Tensors]]:
    """Yield (layer or operation, input tensors, output tensors) in the order of computing.

    Models nested in it are opened; `same` then gives the outer tensor for an inner one, by its id.
    """
    same = same or {}
    for node in _nodes(model):
        inputs = [same.get(id(tensor), tensor) for tensor in node.input_tensors]
        outputs = [same.get(id(tensor), tensor) for tensor in node.output_tensors]
        if isinstance(node.operation, keras.Model):
            inner = node.operation
            ends = zip([*inner.inputs, *inner.outputs], [*inputs, *outputs], strict=True)
            ends_by_id = {id(tensor): outer for tensor, outer in ends}
            yield from (step for step in steps(inner, ends_by_id) if not isinstance(step[0], layers.InputLayer))
        else:
            yield node.operation, inputs, outputs


def _nodes(model: keras.Model) -> Iterator[Any]:
    """Yield the calls of a functional or sequential model, in the order of computing."""
    graph = model._functional if isinstance(model, keras.Sequential) else model
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from graph._nodes_by_depth[depth]


def _sees(operation: keras.Operation, inputs: list[Any]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return stride and receptive field after an operation: the union over its inputs."""
    if isinstance(operation, WHOLE) or any(one is None for one in inputs):
        return None
    stride = tuple(max(one[0][axis] for one in inputs) for axis in (0, 1))
    field = tuple(max(one[1][axis] for one in inputs) for axis in (0, 1))
    if isinstance(operation, WINDOWED):
        window, step = window_of(operation)
        field = tuple(field[axis] + (window[axis] - 1) * stride[axis] for axis in (0, 1))
        stride = tuple(stride[axis] * step[axis] for axis in (0, 1))
    return (stride[0], stride[1]), (field[0], field[1])


def window_of(layer: keras.Layer) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the (height, width) of a convolution's or pooling's window, dilation included, and its strides."""
    size = layer.pool_size if hasattr(layer, "pool_size") else layer.kernel_size
    rate = getattr(layer, "dilation_rate", (1, 1))
    height, width = (1 + (side - 1) * step for side, step in zip(pair(size), pair(rate), strict=True))
    return (height, width), pair(layer.strides)


def pair(value: Any) -> tuple[int, int]:
    """Return (height, width) of a number or a pair."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _multiply_adds(operation: keras.Operation, inputs: Tensors, outputs: Tensors) -> int:
    """Return the multiply-adds of one call: the answers, times the products that each sums."""
    if isinstance(operation, layers.Dense):
        return int(math.prod(outputs[0].shape[1:]) * inputs[0].shape[-1])
    if isinstance(operation, layers.SeparableConv2D):
        positions = math.prod(outputs[0].shape[1:3])
        depthwise = math.prod(operation.depthwise_kernel.shape)
        return int(positions * (depthwise + math.prod(operation.pointwise_kernel.shape)))
    if isinstance(operation, layers.Conv2D | layers.DepthwiseConv2D):
        return int(math.prod(outputs[0].shape[1:3]) * math.prod(operation.kernel.shape))
    return 0
