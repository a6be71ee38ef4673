"""Tests of the graph: models are recorded by call, run with other operations and traced back."""

import re
from pathlib import Path

import keras
import numpy as np
from keras import layers

import convlens
from convlens.anatomy.graph import (
    Call,
    graph_of,
    last_call,
    parents,
    producer,
    record,
    run_graph,
)

PRIVATE = r"_run_through_graph|_keras_history|_inbound_nodes|_functional\b"


def compute(call: Call):
    return call.operation(*call.args, **call.kwargs)


def nested() -> keras.Model:
    """Return a model that calls a sequential one twice, and adds what it gives to its own input."""
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="inner")], name="block")
    inputs = keras.Input((4,), name="image")
    return keras.Model(inputs, inner(inner(inputs)) + inputs)


def test_only_graph_knows_the_private_attributes_of_keras():
    source = Path(convlens.__file__).parent
    users = [
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if re.search(PRIVATE, path.read_text(encoding="utf-8"))
    ]
    assert users == ["anatomy/graph.py"]


class Doubled(keras.Model):
    """A model that is neither functional nor sequential."""

    def call(self, inputs):
        return 2 * inputs


def test_graph_of():
    model = nested()
    assert graph_of(model) is model
    built = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    assert graph_of(built).inputs[0].shape == (None, 4)
    assert graph_of(keras.Sequential([layers.Dense(2)])) is None
    assert graph_of(Doubled()) is None
    assert graph_of(layers.Dense(2)) is None


def test_record_opens_a_nested_model_at_each_of_its_calls():
    model = nested()
    image = np.arange(4, dtype=np.float32)[None]
    calls = record(model, [keras.ops.convert_to_tensor(image)], compute)
    assert [call.operation.name for call in calls[:3]] == ["image", "inner", "inner"]
    assert [call.number for call in calls] == [0, 1, 2, 3]
    kernel, bias = model.get_weights()
    first = image @ kernel + bias
    np.testing.assert_allclose(calls[1].outputs[0], first, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(calls[2].outputs[0], first @ kernel + bias, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(calls[3].outputs[0], model(image), rtol=1e-5, atol=1e-5)
    assert calls[2].args[0] is calls[1].outputs[0]


def test_record_continues_with_what_compute_returns():
    def zero_the_first(call: Call):
        return 0 * compute(call) if call.number == 1 else compute(call)

    model = nested()
    model.set_weights([np.eye(4, dtype=np.float32), np.ones(4, np.float32)])
    calls = record(model, [keras.ops.ones((1, 4))], zero_the_first)
    np.testing.assert_array_equal(calls[-1].outputs[0], np.full((1, 4), 2.0))


def test_record_takes_a_nested_model_called_by_keyword():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="inner")])
    inputs = keras.Input((4,))
    model = keras.Model(inputs, inner(inputs=inputs))
    calls = record(model, [keras.ops.ones((1, 4))], compute)
    assert [call.operation.name for call in calls[1:]] == ["inner"]


def test_run_graph_continues_another_graph_with_other_layers():
    before = layers.Rescaling(0.5)(keras.Input((6,)))
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.ReLU()(layers.Dense(3)(inputs)))
    outputs = run_graph(
        model, before, lambda layer: layers.Dense(5) if isinstance(layer, layers.Dense) else layer
    )
    assert outputs.shape == (None, 5)
    assert isinstance(producer(outputs), layers.ReLU)
    (sums,) = parents(outputs)
    assert isinstance(producer(sums), layers.Dense)
    assert parents(sums)[0] is before


def test_last_call_of_a_nested_model_is_in_the_outer_graph():
    model = nested()
    block = model.get_layer("block")
    call = last_call(block)
    assert call.operation is block
    assert producer(call.args[0]) is block
    assert producer(call.outputs[0]) is block
    assert parents(call.outputs[0])[0] is call.args[0]
    assert parents(model.inputs[0]) == []
