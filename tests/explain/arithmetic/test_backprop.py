"""Backpropagation: the network of lecture 003 to every digit, and Keras' gradient descent."""

import keras
import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.backprop import (
    LECTURE_EXAMPLE,
    LECTURE_NETWORK,
    run_forward,
    take_step,
    train,
)
from convlens.explain.arithmetic.network import Example, make_network

STEP = take_step(LECTURE_NETWORK, LECTURE_EXAMPLE)
UPDATED = [
    ".149780716", ".199561432", ".249751144", ".299502287", ".358916480", ".408666186",
    ".511301270", ".561370121",
]  # fmt: skip


def digits(value: float, places: int = 9) -> str:
    return f"{value:.{places}f}".removeprefix("0")


def test_forward_and_error_to_every_printed_digit():
    hidden, output = STEP.forward
    assert [digits(h) for h in hidden.outputs] == [".593269992", ".596884378"]
    assert hidden.sums == pytest.approx([0.3775, 0.3925])
    assert digits(output.outputs[0], 8) == ".75136507"
    assert digits(output.outputs[1]) == ".772928465"
    assert [digits(term) for term in STEP.terms] == [".274811083", ".023560026"]
    assert digits(STEP.error) == ".298371109"


def test_the_chain_rule_of_w5_factor_by_factor():
    chain = STEP.chains()[4]
    assert chain.name == "w5"
    factors = (chain.error_by_output, chain.output_by_sum, chain.sum_by_weight)
    assert [digits(factor) for factor in factors] == [".741365070", ".186815602", ".593269992"]
    assert digits(chain.gradient) == ".082167041"
    assert np.prod(factors) == pytest.approx(chain.gradient)


def test_all_eight_weights_and_both_biases():
    assert [digits(chain.after) for chain in STEP.chains()] == UPDATED
    assert [digits(float(back.bias)) for back in STEP.backward] == [".018725609", ".100400325"]
    assert [float(layer.bias) for layer in STEP.after] == [0.35, 0.60]
    moved = take_step(LECTURE_NETWORK, LECTURE_EXAMPLE, move_biases=True)
    assert [digits(chain.after) for chain in moved.chains()] == UPDATED
    assert float(moved.after[1].bias) == pytest.approx(0.60 - 0.5 * 0.100400325)


@pytest.mark.parametrize(
    ("move", "one", "many"), [(False, ".291027774", "3.51e-05"), (True, ".285750887", "4.36e-06")]
)
def test_on_and_on_as_40_digits_of_decimal_arithmetic_give_it(move, one, many):
    run = train(LECTURE_NETWORK, LECTURE_EXAMPLE, steps=10_000, move_biases=move)
    assert digits(run.errors[1]) == one
    assert f"{run.errors[-1]:.2e}" == many
    assert run.steps == 10_000
    assert (np.diff(run.errors) < 0).all()


def test_until_stops_at_the_first_error_below_the_bound():
    run = train(LECTURE_NETWORK, LECTURE_EXAMPLE, steps=10_000, until=1e-3)
    assert run.reached
    assert run.errors[-1] < 1e-3 <= run.errors[-2]
    assert run.outputs == pytest.approx(LECTURE_EXAMPLE.targets, abs=0.04)
    assert not train(LECTURE_NETWORK, LECTURE_EXAMPLE, steps=10, until=1e-3).reached


def test_any_network_learns_as_keras_gradient_descent():
    rng = np.random.default_rng(0)
    network = make_network((3, 4, 2), rng.normal(size=20), rng.normal(size=6))
    example = Example(rng.normal(size=3), np.array([0.2, 0.9]))
    model = keras.Sequential(
        [keras.Input((3,)), *(keras.layers.Dense(n, "sigmoid") for n in (4, 2))]
    )
    for layer, ours in zip(model.layers, network, strict=True):
        layer.set_weights([ours.weights, ours.bias])
    # Keras' mean over two outputs is the sum of halves of the lecture.
    model.compile(keras.optimizers.SGD(0.5), "mse")
    assert np.asarray(model(example.inputs[None]))[0] == pytest.approx(
        run_forward(network, example.inputs)[-1].outputs, rel=1e-5
    )
    model.train_on_batch(example.inputs[None], example.targets[None])
    after = take_step(network, example, move_biases=True).after
    for layer, ours in zip(model.layers, after, strict=True):
        np.testing.assert_allclose(layer.get_weights()[0], ours.weights, rtol=1e-5)
        np.testing.assert_allclose(layer.get_weights()[1], ours.bias, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: make_network((2, 2, 2), np.ones(7), np.ones(2)),
            "2-2-2 network must have 8 weights; found 7",
        ),
        (
            lambda: make_network((2, 2, 2), np.ones(8), np.ones(3)),
            "2, one for each layer, or 4, one for each neuron; found 3",
        ),
        (lambda: take_step(LECTURE_NETWORK, LECTURE_EXAMPLE, 0), "above 0 and finite; found 0"),
        (lambda: take_step(LECTURE_NETWORK, Example(np.ones(3), np.ones(2))), "takes 2 inputs"),
        (lambda: train(LECTURE_NETWORK, LECTURE_EXAMPLE, steps=0), "at least 1"),
        (
            lambda: train(LECTURE_NETWORK, LECTURE_EXAMPLE, steps=1, until=-1.0),
            "bound of the error",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(ConfigError, match=words):
        call()
