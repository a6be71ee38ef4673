"""Summary: what each layer of a model gives, learns, computes and sees.

Multiply-adds are those of convolutions and dense layers on one image, as papers count them: one multiplication with
its addition is one; biases, normalisation, activations, pooling and border are left out, and a transposed convolution
multiplies each value of its input with its kernel. Recurrent and attention layers and operations of `keras.ops` count
as nothing. The receptive field is the theoretical one of Araujo, Norris, Sim, "Computing Receptive Fields of
Convolutional Neural Networks", Distill 2019: the side of the square of the image that a value of the map depends on,
also where it reaches beyond the border, and the largest where branches meet. A layer after a gate that looks at the
whole map (squeeze and excitation) sees the whole image.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import keras
from keras import layers

from convlens.anatomy.graph import Call, graph_of, record
from convlens.errors import ModelError

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

Tensors = list[keras.KerasTensor]
Step = tuple[keras.Operation, Tensors, Tensors]
Pair = tuple[int, int]
Sight = tuple[Pair | None, Pair | None]  # stride, receptive field


@dataclass(frozen=True)
class LayerRow:
    """A layer, or an operation of `keras.ops`, of a model.

    Attributes:
        name: of the layer.
        kind: its class.
        inputs: numbers of the rows whose answers it takes.
        output_shape: without the batch: (height, width, channels) or (units,).
        params: its parameters, moving statistics included; of a layer that is used again, only at its first use.
        trainable: those of them that training changes.
        multiply_adds: on one image.
        window: (height, width) of its kernels or its pooling, dilation included; None where it has none.
        step: of that window, (height, width).
        groups: parts of the channels that a convolution keeps apart; as many as its filters where it is depthwise.
        stride: pixels of the image between neighbours of the map, (height, width); None where there is no map.
        receptive_field: pixels of the image that a value depends on, (height, width); None for the whole image.
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
    """Return a row for each layer and operation of a functional or sequential model, in the order of computing.

    Raises:
        ModelError: see `steps`.
    """
    seen: dict[int, Sight] = {}  # by tensor
    made_by: dict[int, int] = {}  # tensor -> row
    rows: list[LayerRow] = []
    counted = set()
    for operation, inputs, outputs in steps(model):
        stride, field = here = _sees(
            operation, [seen[id(tensor)] for tensor in inputs], inputs, outputs
        )
        seen |= {id(tensor): here for tensor in outputs}
        has_window = isinstance(operation, (*WINDOWED, layers.Conv2DTranspose))
        window, step = window_of(operation) if has_window else (None, None)
        fresh = id(operation) not in counted
        counted.add(id(operation))
        rows.append(
            LayerRow(
                operation.name,
                type(operation).__name__,
                tuple(dict.fromkeys(made_by[id(tensor)] for tensor in inputs)),
                tuple(outputs[0].shape[1:]),
                _size(operation, "weights") if fresh else 0,
                _size(operation, "trainable_weights") if fresh else 0,
                _multiply_adds(operation, inputs, outputs),
                window,
                step,
                getattr(operation, "groups", 1),
                stride,
                field,
            )
        )
        made_by |= {id(tensor): len(rows) - 1 for tensor in outputs}
    return rows


def brief(rows: list[LayerRow]) -> list[LayerRow]:
    """Return the table without the layers that neither multiply nor pool nor change the shape nor join branches.

    Normalisations, activations, dropout: each adds its parameters to the row that it follows.

    >>> inputs = keras.Input((8, 8, 1))
    >>> model = keras.Model(inputs, layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3)(inputs))))
    >>> [(row.kind, row.params) for row in brief(layer_table(model))]
    [('InputLayer', 0), ('Conv2D', 56)]
    """
    kept: list[LayerRow] = []
    place: list[int] = []  # row -> its number among the kept, or that of the row it was folded into
    for row in rows:
        inputs = tuple(dict.fromkeys(place[number] for number in row.inputs))
        works = row.multiply_adds or row.window
        if len(inputs) != 1 or works or row.output_shape != kept[inputs[0]].output_shape:
            kept.append(replace(row, inputs=inputs))
            place.append(len(kept) - 1)
        else:
            into = kept[inputs[0]]
            params, trainable = into.params + row.params, into.trainable + row.trainable
            kept[inputs[0]] = replace(into, params=params, trainable=trainable)
            place.append(inputs[0])
    return kept


def rounded(number: int) -> str:
    """Return a count in three digits, as papers print it.

    >>> rounded(785), rounded(61_706), rounded(25_636_712), rounded(3_857_973_248), rounded(999_999)
    ('785', '61.7 k', '25.6 M', '3.86 G', '1.00 M')
    """
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * size:
            return f"{number / size:#.3g}".rstrip(".") + f" {unit}"
    return str(number)


def count_multiply_adds(model: keras.Model) -> int:
    """Return the multiply-adds of a model on one image.

    Raises:
        ModelError: see `steps`.

    >>> inputs = keras.Input((28, 28, 1))
    >>> count_multiply_adds(keras.Model(inputs, layers.Conv2D(8, 5)(inputs)))
    115200
    """
    return sum(_multiply_adds(*step) for step in steps(model))


def steps(model: keras.Model) -> list[Step]:
    """Return (layer or operation, input tensors, output tensors) of each call, in the order of computing.

    Models nested in it are opened, at each of their calls anew: every call has tensors of its own.

    Raises:
        ModelError: the model is neither functional nor sequential, or takes images of any size.
    """
    graph = graph_of(model)
    if graph is None:
        raise ModelError(
            f"only a functional or sequential model that is built can be summarised layer by layer; "
            f"{model.name} is a {type(model).__name__}. Build it with keras.Model(inputs, outputs)."
        )
    if any(None in tensor.shape[1:] for tensor in graph.inputs):
        shapes = ", ".join(str(tensor.shape[1:]) for tensor in graph.inputs)
        raise ModelError(
            f"the layers of {model.name} can be counted for images of one size; it takes {shapes}. Build it with "
            "keras.Input((height, width, channels)) in numbers."
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
    """Return stride and receptive field after an operation: the union over its inputs."""
    if len(outputs[0].shape) < 4 or isinstance(operation, WHOLE):
        return None, None
    if not inputs:
        return (1, 1), (1, 1)
    strides = [stride for stride, _ in seen if stride is not None]
    if not strides:
        return None, None
    fields = [field for _, field in seen if field is not None]
    stride = _largest(strides)
    field = _largest(fields) if len(fields) == len(seen) else None
    if isinstance(operation, layers.UpSampling2D | layers.Conv2DTranspose):
        return _enlarged(operation, stride, field)
    if isinstance(operation, WINDOWED):
        window, step = window_of(operation)
        if field is not None:
            field = (field[0] + (window[0] - 1) * stride[0], field[1] + (window[1] - 1) * stride[1])
        stride = (stride[0] * step[0], stride[1] * step[1])
    elif outputs[0].shape[1:3] == (1, 1) != inputs[0].shape[1:3]:  # a mean of keras.ops
        return None, None
    return stride, field


def _enlarged(layer: keras.Layer, stride: Pair, field: Pair | None) -> Sight:
    """Return what a map sees after it was enlarged; strides end at one pixel."""
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
    """Return the (height, width) of a convolution's or pooling's window, dilation included, and its strides."""
    size = layer.pool_size if hasattr(layer, "pool_size") else layer.kernel_size
    rate = getattr(layer, "dilation_rate", (1, 1))
    height, width = (
        1 + (side - 1) * step for side, step in zip(pair(size), pair(rate), strict=True)
    )
    return (height, width), pair(layer.strides)


def pair(value: Any) -> Pair:
    """Return (height, width) of a number or a pair."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _multiply_adds(operation: keras.Operation, inputs: Tensors, outputs: Tensors) -> int:
    """Return the multiply-adds of one call: a kernel is used once at each position of the map."""
    if isinstance(operation, layers.Dense):
        return int(math.prod(outputs[0].shape[1:]) * inputs[0].shape[-1])
    if isinstance(operation, SEPARABLE):
        kernels = math.prod(operation.depthwise_kernel.shape) + math.prod(
            operation.pointwise_kernel.shape
        )
    elif isinstance(operation, PLAIN | TRANSPOSED):
        kernels = math.prod(operation.kernel.shape)
    else:
        return 0
    shape = (inputs if isinstance(operation, TRANSPOSED) else outputs)[0].shape
    return int(
        math.prod(shape[2:] if operation.data_format == "channels_first" else shape[1:-1]) * kernels
    )
