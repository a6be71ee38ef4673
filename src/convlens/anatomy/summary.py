"""Summary: the output, parameters, multiply-adds and receptive field of each layer of a model.

Multiply-adds are those of convolutions and dense layers on one image, as papers count them: one
multiplication with its addition is one. Biases, normalisation, activations, pooling and borders are
left out. A transposed convolution multiplies each value of its input by its kernel. Recurrent and
attention layers and operations of `keras.ops` count as nothing.

The receptive field is the theoretical one of Araujo, Norris, Sim, "Computing Receptive Fields of
Convolutional Neural Networks", Distill 2019: the side of the square of the image that a value of
the map depends on, including what lies beyond the border, and the largest one where branches meet.
A layer behind a gate that looks at the whole map (squeeze and excitation) sees the whole image.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import keras
from keras import layers

from convlens.anatomy.graph import Call, graph_of, record
from convlens.errors import ModelError
from convlens.language import _, listed

SEPARABLE = layers.SeparableConv1D | layers.SeparableConv2D
TRANSPOSED = layers.Conv1DTranspose | layers.Conv2DTranspose | layers.Conv3DTranspose
PLAIN = (
    layers.Conv1D | layers.Conv2D | layers.Conv3D | layers.DepthwiseConv1D | layers.DepthwiseConv2D
)
WINDOWED = (
    layers.Conv2D,
    layers.DepthwiseConv2D,
    layers.SeparableConv2D,
    layers.MaxPooling2D,
    layers.AveragePooling2D,
)
WHOLE = (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D, layers.Flatten)
# The units of rounded counts, and the numbers that they stand for.
UNITS = (("G", 1e9), ("M", 1e6), ("k", 1e3))

Tensors = list[keras.KerasTensor]
Step = tuple[keras.Operation, Tensors, Tensors]
Pair = tuple[int, int]
# The stride and the receptive field of a map.
Sight = tuple[Pair | None, Pair | None]


@dataclass(frozen=True)
class LayerRow:
    """A layer, or an operation of `keras.ops`, of a model.

    Attributes:
        name: The name of the layer.
        kind: The name of its class.
        inputs: The numbers of the rows whose outputs it takes.
        output_shape: (height, width, channels) or (units,), without the batch.
        params: The number of its parameters, moving statistics included. If a layer is used again,
            they count at its first use only.
        trainable: The number of its parameters that training changes.
        multiply_adds: Its multiply-adds on one image.
        window: (height, width) of its kernels or its pooling, including dilation; None where there
            is none.
        step: The strides of that window, (height, width).
        groups: The number of groups of channels that a convolution keeps apart; as many as its
            filters if it is depthwise.
        stride: The distance in the image between neighbours of the map, (height, width) in pixels;
            None where there is no map.
        receptive_field: The region of the image that a value depends on, (height, width) in pixels;
            None for the whole image.
    """

    name: str
    kind: str
    inputs: tuple[int, ...]
    output_shape: tuple[int, ...]
    params: int
    trainable: int
    multiply_adds: int
    window: Pair | None
    step: Pair | None
    groups: int
    stride: Pair | None
    receptive_field: Pair | None


def layer_table(model: keras.Model) -> list[LayerRow]:
    """Return a row for each layer and operation of a functional or sequential model, in order.

    Raises:
        ModelError: If the model cannot be summarised, see `steps`.
    """
    made_by: dict[int, int] = {}  # the number of a row, by the id of a tensor
    rows: list[LayerRow] = []
    counted = set()
    for operation, inputs, outputs in steps(model):
        before = [made_by[id(tensor)] for tensor in inputs]
        seen = [(rows[number].stride, rows[number].receptive_field) for number in before]
        has_window = isinstance(operation, (*WINDOWED, layers.Conv2DTranspose))
        window, step = window_of(operation) if has_window else (None, None)
        is_new = id(operation) not in counted
        counted.add(id(operation))
        made_by |= {id(tensor): len(rows) for tensor in outputs}
        rows.append(
            LayerRow(
                operation.name,
                type(operation).__name__,
                tuple(dict.fromkeys(before)),
                tuple(outputs[0].shape[1:]),
                _size(operation, "weights") if is_new else 0,
                _size(operation, "trainable_weights") if is_new else 0,
                _multiply_adds(operation, inputs, outputs),
                window,
                step,
                getattr(operation, "groups", 1),
                *_sees(operation, seen, inputs, outputs),
            )
        )
    return rows


def brief(rows: list[LayerRow]) -> list[LayerRow]:
    """Return the table without layers such as normalisations, activations and dropout.

    These neither multiply nor pool, and neither change the shape nor join branches. Each adds its
    parameters to the row that it follows.

    >>> inputs = keras.Input((8, 8, 1))
    >>> outputs = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3)(inputs)))
    >>> [(row.kind, row.params) for row in brief(layer_table(keras.Model(inputs, outputs)))]
    [('InputLayer', 0), ('Conv2D', 56)]
    """
    kept: list[LayerRow] = []
    # For each row its number among those kept, or the number of the row that it was added to.
    place: list[int] = []
    for row in rows:
        inputs = tuple(dict.fromkeys(place[number] for number in row.inputs))
        works = row.multiply_adds or row.window
        if len(inputs) != 1 or works or row.output_shape != kept[inputs[0]].output_shape:
            place.append(len(kept))
            kept.append(replace(row, inputs=inputs))
        else:
            place.append(inputs[0])
            before = kept[inputs[0]]
            kept[inputs[0]] = replace(
                before,
                params=before.params + row.params,
                trainable=before.trainable + row.trainable,
            )
    return kept


def rounded(number: int) -> str:
    """Return a count in three digits, as papers print it.

    >>> rounded(785), rounded(61_706), rounded(25_636_712), rounded(3_857_973_248), rounded(999_999)
    ('785', '61.7 k', '25.6 M', '3.86 G', '1.00 M')
    """
    for unit, size in UNITS:
        if number >= 0.9995 * size:
            return f"{number / size:#.3g}".rstrip(".") + f" {unit}"
    return str(number)


def count_multiply_adds(model: keras.Model) -> int:
    """Return the multiply-adds of a model on one image.

    Raises:
        ModelError: If the model cannot be summarised, see `steps`.

    >>> inputs = keras.Input((28, 28, 1))
    >>> count_multiply_adds(keras.Model(inputs, layers.Conv2D(8, 5)(inputs)))
    115200
    """
    return sum(_multiply_adds(*step) for step in steps(model))


def steps(model: keras.Model) -> list[Step]:
    """Return (layer or operation, input tensors, output tensors) of each call, in order.

    Nested models are opened at each of their calls: every call has tensors of its own.

    Raises:
        ModelError: If the model is neither functional nor sequential, or takes images of any size.
    """
    graph = graph_of(model)
    if graph is None:
        raise ModelError(
            _(
                "only a functional or sequential model that is built can be summarised layer by "
                "layer; {name} is a {kind}. Build it with keras.Model(inputs, outputs)."
            ).format(name=model.name, kind=type(model).__name__)
        )
    if any(None in tensor.shape[1:] for tensor in graph.inputs):
        raise ModelError(
            _(
                "the layers of {name} can be counted for images of one size; it takes {shapes}. "
                "Build it with keras.Input((height, width, channels)) in numbers."
            ).format(name=model.name, shapes=listed(str(one.shape[1:]) for one in graph.inputs))
        )

    def compute(call: Call) -> Any:
        return call.operation.compute_output_spec(*call.args, **call.kwargs)

    return [
        (call.operation, _tensors(call), call.outputs)
        for call in record(model, graph.inputs, compute)
    ]


def _tensors(call: Call) -> Tensors:
    parts = keras.tree.flatten((call.args, call.kwargs))
    return [part for part in parts if isinstance(part, keras.KerasTensor)]


def _size(operation: keras.Operation, kind: str) -> int:
    return sum(math.prod(weight.shape) for weight in getattr(operation, kind, []))


def _sees(
    operation: keras.Operation, seen: list[Sight], inputs: Tensors, outputs: Tensors
) -> Sight:
    """Return the stride and the receptive field after an operation: the largest of its inputs."""
    if len(outputs[0].shape) < 4 or isinstance(operation, WHOLE):
        return None, None
    if not inputs:
        return (1, 1), (1, 1)
    strides = [stride for stride, _ in seen if stride is not None]
    if not strides:
        return None, None
    stride = _largest(strides)
    fields = [field for _, field in seen if field is not None]
    field = _largest(fields) if len(fields) == len(seen) else None
    if isinstance(operation, layers.UpSampling2D | layers.Conv2DTranspose):
        return _enlarged(operation, stride, field)
    if isinstance(operation, WINDOWED):
        window, step = window_of(operation)
        if field is not None:
            field = (field[0] + (window[0] - 1) * stride[0], field[1] + (window[1] - 1) * stride[1])
        return (stride[0] * step[0], stride[1] * step[1]), field
    # A mean over the map, by `keras.ops`.
    if outputs[0].shape[1:3] == (1, 1) != inputs[0].shape[1:3]:
        return None, None
    return stride, field


def _enlarged(layer: keras.Layer, stride: Pair, field: Pair | None) -> Sight:
    """Return what a map sees after it was enlarged. A stride is at least one pixel."""
    if isinstance(layer, layers.Conv2DTranspose):
        window, step = window_of(layer)
    else:
        step = pair(layer.size)
        window = step if layer.interpolation == "nearest" else (step[0] + 1, step[1] + 1)
    if field is not None:
        more = [(-(-window[axis] // step[axis]) - 1) * stride[axis] for axis in (0, 1)]
        field = (field[0] + more[0], field[1] + more[1])
    return (max(1, stride[0] // step[0]), max(1, stride[1] // step[1])), field


def _largest(pairs: list[Pair]) -> Pair:
    return max(height for height, _ in pairs), max(width for _, width in pairs)


def window_of(layer: keras.Layer) -> tuple[Pair, Pair]:
    """Return the window of a convolution or pooling, and its strides, each as (height, width).

    The window includes dilation.
    """
    size = pair(layer.pool_size if hasattr(layer, "pool_size") else layer.kernel_size)
    rate = pair(getattr(layer, "dilation_rate", 1))
    height, width = (1 + (side - 1) * step for side, step in zip(size, rate, strict=True))
    return (height, width), pair(layer.strides)


def pair(value: Any) -> Pair:
    """Return (height, width) of a number or a pair."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _multiply_adds(operation: keras.Operation, inputs: Tensors, outputs: Tensors) -> int:
    """Return the multiply-adds of one call: a kernel is used once at each position of the map."""
    if isinstance(operation, layers.Dense):
        return int(math.prod(outputs[0].shape[1:]) * inputs[0].shape[-1])
    if isinstance(operation, SEPARABLE):
        kernels = [operation.depthwise_kernel, operation.pointwise_kernel]
    elif isinstance(operation, PLAIN | TRANSPOSED):
        kernels = [operation.kernel]
    else:
        return 0
    shape = (inputs if isinstance(operation, TRANSPOSED) else outputs)[0].shape
    channels_first = operation.data_format == "channels_first"
    positions = math.prod(shape[2:] if channels_first else shape[1:-1])
    return int(positions * sum(math.prod(kernel.shape) for kernel in kernels))
