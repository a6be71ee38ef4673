"""Graph: the only module that reads the graph of operations that Keras keeps behind a model.

Keras has no public way to rebuild a model in the middle of another graph, to record each operation
while it runs, or to ask which call made a tensor. The private attributes that answer this are used
here and nowhere else, so that a new version of Keras can break one file only.
`tests/anatomy/test_graph.py` enforces it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer or of an operation of `keras.ops`.

    Attributes:
        number: Its position among the calls of the model, or of the operation, in their order.
        operation: The layer or operation that is called.
        args: Its positional arguments: tensors and constants.
        kwargs: Its keyword arguments.
        outputs: The tensors that the call returns; empty before it is computed.
    """

    number: int
    operation: keras.Operation
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: list[Any]


def graph_of(operation: keras.Operation) -> Any:
    """Return the graph of a functional or a built sequential model, None for anything else.

    The graph is a `keras.Function`.
    """
    graph = operation._functional if isinstance(operation, keras.Sequential) else operation
    return graph if isinstance(graph, keras.Function) else None


def run_graph(
    model: keras.Model, inputs: Any, substitute: Callable[[keras.Operation], Callable[..., Any]]
) -> Any:
    """Run a functional or sequential model with other operations in place of its own.

    `keras.models.clone_model` does the same, but only on new inputs: it cannot continue a graph.

    Args:
        model: The model, which must have a graph, see `graph_of`. A nested model is one operation.
        inputs: A tensor, or the list of tensors that the model takes.
        substitute: Returns what is called in place of an operation, with the same arguments.

    Returns:
        The outputs, in the structure of the model's own.

    >>> inputs = keras.Input((4,))
    >>> model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    >>> run_graph(model, keras.Input((4,)), lambda layer: keras.layers.Dense(5)).shape
    (None, 5)
    """
    return graph_of(model)._run_through_graph(inputs, operation_fn=substitute)


def record(model: keras.Model, inputs: list[Any], compute: Callable[[Call], Any]) -> list[Call]:
    """Run a functional or sequential model call by call, and return the calls with their outputs.

    The inputs come first, as calls without arguments. Nested models are opened at each of their
    calls.

    Args:
        model: The model, which must have a graph, see `graph_of`.
        inputs: The tensors that the model takes, symbolic or with values.
        compute: Returns what the operation of a call makes of its arguments.

    >>> inputs = keras.Input((4,))
    >>> model = keras.Model(inputs, keras.layers.Dense(3, name="hidden")(inputs))
    >>> images = keras.ops.ones((1, 4))
    >>> calls = record(model, [images], lambda call: call.operation(*call.args, **call.kwargs))
    >>> [(call.operation.name, call.outputs[0].shape) for call in calls[1:]]
    [('hidden', TensorShape([1, 3]))]
    """
    calls = [
        Call(number, producer(symbolic), (), {}, [tensor])
        for number, (symbolic, tensor) in enumerate(
            zip(graph_of(model).inputs, inputs, strict=True)
        )
    ]

    def recording(operation: keras.Operation) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if graph_of(operation) is not None:
                nested = keras.tree.flatten(args or kwargs["inputs"])
                return run_graph(operation, nested, recording)
            made = Call(len(calls), operation, args, kwargs, [])
            outputs = compute(made)
            calls.append(replace(made, outputs=keras.tree.flatten(outputs)))
            return outputs

        return call

    run_graph(model, inputs, recording)
    return calls


def producer(tensor: keras.KerasTensor) -> keras.Operation:
    """Return the layer or operation whose call made a symbolic tensor."""
    return tensor._keras_history.operation


def parents(tensor: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Return the symbolic tensors that one call computed a tensor from; none for an input."""
    operation, node_index, _ = tensor._keras_history
    return list(operation._inbound_nodes[node_index].input_tensors)


def last_call(operation: keras.Operation) -> Call:
    """Return the last call of an operation, with the symbolic tensors of the graph around it.

    The `input` and `output` of a nested model are tensors inside it; those of the call are outside.
    """
    number = len(operation._inbound_nodes) - 1
    node = operation._inbound_nodes[number]
    return Call(number, operation, node.arguments.args, node.arguments.kwargs, list(node.outputs))
