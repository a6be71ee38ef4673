"""Values of pooling, normalisation and softmax, computed by hand from their windows."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from convlens.errors import ConfigError
from convlens.explain.microscope.microscope import open_cell
from convlens.explain.microscope.reductions import batch_arrays, kept_normalization
from tests.explain.networks import look_at


def pooling_network(x):
    x = layers.AveragePooling2D((3, 2), strides=2, padding="same", name="average")(x)
    x = layers.MaxPooling2D(2, name="max")(x)
    total = ops.sum(x, axis=1)
    smallest = ops.min(x, axis=(1, 2))
    everywhere = layers.GlobalAveragePooling2D(name="everywhere")(x)
    return layers.Dense(2)(layers.Concatenate()([layers.Flatten()(total), smallest, everywhere]))


@pytest.fixture(scope="module")
def pooled():
    return look_at(pooling_network, (9, 10, 3), 2)


def test_the_border_of_an_average_does_not_count(pooled):
    image = pooled.layer("scaling").output.astype(float)
    cell = open_cell(pooled.layer("average"), (0, 4, 1))
    seen = image[:2, 8:10, 1]
    assert cell.windows[0].spans == ((0, 2), (8, 10), (1, 2))
    assert [step.name for step in cell.steps] == ["sum", "mean"]
    assert cell.steps[0].value == pytest.approx(seen.sum())
    assert cell.value == pytest.approx(seen.mean())
    assert cell.agrees


def test_the_largest_of_a_window(pooled):
    image = pooled.layer("average").output
    cell = open_cell(pooled.layer("max"), (1, 0, 2))
    np.testing.assert_array_equal(cell.windows[0].values[..., 0], image[2:4, 0:2, 2])
    assert cell.value == image[2:4, 0:2, 2].max()
    assert cell.rule == "the largest of the window"


@pytest.mark.parametrize(
    ("kind", "index", "spans", "reduce"),
    [
        ("Sum", (1, 2), ((0, 2), (1, 2), (2, 3)), np.sum),
        ("Min", (1,), ((0, 2), (0, 2), (1, 2)), np.min),
        ("GlobalAveragePooling2D", (0,), ((0, 2), (0, 2), (0, 1)), np.mean),
    ],
)
def test_reductions_over_some_axes(pooled, kind, index, spans, reduce):
    layer = next(one for one in pooled.layers if one.kind == kind)
    cell = open_cell(layer, index)
    image = pooled.layer("max").output.astype(float)
    assert cell.windows[0].spans == spans
    assert cell.value == pytest.approx(reduce(image[tuple(slice(*span) for span in spans)]))
    assert cell.agrees


def network(x):
    x = layers.BatchNormalization(name="batch")(x)
    x = layers.LayerNormalization(name="layer")(x)
    x = layers.Normalization(mean=[0.5, -1.0, 2.0], variance=[4.0, 0.0, 1.0], name="fixed")(x)
    x = layers.Softmax(axis=1, name="across")(layers.Softmax(name="shares")(x))
    return layers.Dense(3, name="logits")(layers.Flatten()(x))


@pytest.fixture(scope="module")
def microscope():
    return look_at(network, (4, 5, 3), 3)


def test_a_batch_normalisation_uses_what_it_kept(microscope):
    layer = microscope.layer("batch")
    operation = layer.call.operation
    mean, variance, gamma, beta = (
        float(keras.ops.convert_to_numpy(one)[2])
        for one in (
            operation.moving_mean,
            operation.moving_variance,
            operation.gamma,
            operation.beta,
        )
    )
    z = float(layer.inputs[0].values[0, 1, 3, 2])
    cell = open_cell(layer, (1, 3, 2))
    deviation = (variance + operation.epsilon) ** 0.5
    values = [mean, z - mean, deviation, (z - mean) / deviation]
    values.append(gamma * values[-1] + beta)
    assert [step.value for step in cell.steps] == pytest.approx(values)
    assert cell.agrees
    assert kept_normalization(layer, (1, 3, 2)).output == pytest.approx(cell.value)
    assert [array.shape for array in batch_arrays(operation)] == [(3,)] * 4


def test_a_layer_normalisation_uses_the_channels_of_the_place(microscope):
    layer = microscope.layer("layer")
    seen = layer.inputs[0].values[0, 2, 4].astype(float)
    cell = open_cell(layer, (2, 4, 1))
    assert cell.windows[0].spans == ((2, 3), (4, 5), (0, 3))
    assert cell.steps[0].text == "of these 3 numbers"
    assert cell.steps[0].value == pytest.approx(seen.mean())
    assert cell.steps[2].value == pytest.approx((seen.var() + layer.call.operation.epsilon) ** 0.5)
    assert cell.agrees


def test_keras_normalization_keeps_its_deviation_above_epsilon(microscope):
    layer = microscope.layer("fixed")
    before = layer.inputs[0].values[0].astype(float)
    assert open_cell(layer, (0, 0, 0)).value == pytest.approx((before[0, 0, 0] - 0.5) / 2)
    cell = open_cell(layer, (0, 0, 1))
    assert cell.steps[2].value == pytest.approx(keras.config.epsilon())
    assert cell.agrees


def test_a_softmax_is_a_share_of_all(microscope):
    layer = microscope.layer("shares")
    logits = layer.inputs[0].values[0, 3, 1].astype(float)
    powers = np.exp(logits - logits.max())
    cell = open_cell(layer, (3, 1, 2))
    assert [step.value for step in cell.steps] == pytest.approx(
        [logits[2] - logits.max(), powers[2], powers.sum(), powers[2] / powers.sum()]
    )
    assert cell.windows[0].spans == ((3, 4), (1, 2), (0, 3))


def test_a_softmax_over_another_axis_is_refused(microscope):
    with pytest.raises(ConfigError, match="across: only a softmax over the last axis"):
        open_cell(microscope.layer("across"), (0, 0, 0))
