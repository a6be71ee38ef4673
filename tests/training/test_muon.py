"""Muon: kernels of convolutions move along orthogonal matrices, everything else by Adam."""

import keras
import numpy as np
import pytest

from convlens.config import TrainingConfig
from convlens.training.muon import ADAM, MOMENTUM, Muon
from convlens.training.optimization import Multiplier, make_optimizer

RANDOM = np.random.default_rng(0)


def stepped(optimizer, start, gradients, name="kernel"):
    variable = keras.Variable(start, name=name)
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return variable.numpy()


def drawn(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def test_a_matrix_moves_towards_where_keras_own_muon_moves_it():
    start, gradient = drawn(12, 5), drawn(12, 5)
    keras_own = keras.optimizers.Muon(1.0, weight_decay=None, rms_rate=None, momentum=MOMENTUM)
    update = start - stepped(keras_own, start, [gradient])
    moved = start - 0.1 * np.linalg.norm(start) * update / np.linalg.norm(update)
    expected = moved * np.linalg.norm(start) / np.linalg.norm(moved)
    assert np.allclose(stepped(Muon(0.1), start, [gradient]), expected, atol=1e-5)


def test_a_matrix_keeps_its_length():
    start = drawn(3, 3, 4, 8)
    moved = stepped(Muon(0.2), start, [drawn(3, 3, 4, 8) for _ in range(20)])
    assert np.linalg.norm(moved) == pytest.approx(np.linalg.norm(start), rel=1e-5)
    assert np.linalg.norm(moved - start) > 0.5 * np.linalg.norm(start)


def test_a_kernel_moves_as_the_matrix_of_its_patches():
    start, gradients = drawn(3, 3, 4, 8), [drawn(3, 3, 4, 8) for _ in range(3)]
    kernel = stepped(Muon(0.1), start, gradients)
    matrix = stepped(Muon(0.1), start.reshape(36, 8), [one.reshape(36, 8) for one in gradients])
    assert np.allclose(kernel.reshape(36, 8), matrix, atol=1e-6)


def test_all_directions_of_a_kernel_move_nearly_alike():
    gradient = drawn(3, 3, 4, 8) * np.logspace(0, -2, 8, dtype=np.float32)
    start = drawn(3, 3, 4, 8)
    moved = stepped(Muon(1e-3), start, [gradient]).reshape(36, 8) - start.reshape(36, 8)
    lengths = np.linalg.svd(moved, compute_uv=False)
    before = np.linalg.svd(gradient.reshape(36, 8), compute_uv=False)
    assert before[0] / before[-1] > 30
    assert lengths[0] / lengths[-1] < 3


@pytest.mark.parametrize("shape", [(8,), (3, 3, 16, 1)], ids=["bias", "depthwise"])
def test_what_is_no_matrix_moves_as_with_adam(shape):
    start, gradients = drawn(*shape), [drawn(*shape) for _ in range(3)]
    adam = stepped(keras.optimizers.Adam(0.1 * ADAM), start, gradients)
    assert np.allclose(stepped(Muon(0.1), start, gradients), adam, atol=1e-5)


def test_the_layer_of_the_logits_moves_as_with_adam():
    inputs = keras.Input((6,))
    hidden = keras.layers.Dense(5, name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(4, name="logits")(hidden))
    optimizer = make_optimizer(TrainingConfig(optimizer="muon"), 0.01, model=model)
    optimizer.build(model.trainable_variables)
    by_adam = [
        variable.path
        for variable, velocity in zip(
            model.trainable_variables, optimizer.adam_velocities, strict=True
        )
        if velocity is not None
    ]
    assert by_adam == ["hidden/bias", "logits/kernel", "logits/bias"]


@pytest.mark.parametrize("multipliers", [(), [Multiplier()] * 4], ids=["one rate", "rates"])
def test_only_the_kernel_of_the_logits_decays(multipliers):
    inputs = keras.Input((6,))
    hidden = keras.layers.Dense(5, name="hidden", bias_initializer="ones")(inputs)
    outputs = keras.layers.Dense(4, name="logits", bias_initializer="ones")(hidden)
    model = keras.Model(inputs, outputs)
    settings = TrainingConfig(optimizer="muon", weight_decay=0.5)
    optimizer = make_optimizer(settings, 0.1, multipliers, 8, model=model)
    before = model.get_weights()
    optimizer.apply([keras.ops.zeros(one.shape) for one in before], model.trainable_variables)
    pairs = zip(before, model.get_weights(), strict=True)
    factors = [after.ravel()[0] / one.ravel()[0] for one, after in pairs]
    assert factors == pytest.approx([1, 1, 1 - 0.1 * ADAM * 0.5, 1])
