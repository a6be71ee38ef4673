"""Values of normalisations and of the softmax, computed by hand from their statistics."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.errors import ConfigError
from convlens.explain.microscope.normalization import batch_arrays, kept_normalization
from convlens.explain.microscope.openers import open_cell
from tests.explain.networks import look_at


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
