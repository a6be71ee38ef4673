"""The network of lecture 003 as data, against the numbers that the deck prints."""

import json

import pytest

from convlens.errors import ConfigError
from convlens.explain.arithmetic.small_network import LECTURE, open_small_network


def test_the_numbers_of_the_deck():
    opened = open_small_network()
    hidden, output = opened["layers"]
    assert hidden["outputs"] == pytest.approx([0.593269992, 0.596884378], abs=5e-10)
    assert output["outputs"] == pytest.approx([0.75136507, 0.772928465], abs=5e-10)
    assert opened["terms"] == pytest.approx([0.274811083, 0.023560026], abs=5e-10)
    assert opened["error"] == pytest.approx(0.298371109, abs=5e-10)
    w5 = opened["chains"][4]
    assert w5["name"] == "w5"
    factors = ("error_by_output", "output_by_sum", "sum_by_weight", "gradient")
    assert [w5[name] for name in factors] == pytest.approx(
        [0.741365070, 0.186815602, 0.593269992, 0.082167041], abs=5e-10
    )
    assert opened["after"]["weights"] == pytest.approx(
        [
            *(0.149780716, 0.199561432, 0.249751144, 0.299502287),
            *(0.358916480, 0.408666186, 0.511301270, 0.561370121),
        ],
        abs=5e-10,
    )
    assert opened["after"]["biases"] == [0.35, 0.60]
    assert opened["bias_gradients"] == pytest.approx([0.018725609, 0.100400325], abs=5e-10)
    assert json.loads(json.dumps(opened)) == opened


@pytest.mark.parametrize(
    ("move_biases", "first", "last"), [(False, 0.291027774, 3.51e-5), (True, 0.285750887, 4.36e-6)]
)
def test_the_error_over_many_steps(move_biases, first, last):
    opened = open_small_network(move_biases=move_biases, steps=10_000)
    assert opened["after"]["error"] == opened["errors"][1] == pytest.approx(first, abs=5e-10)
    assert opened["errors"][-1] == pytest.approx(last, rel=2e-3)
    assert len(opened["errors"]) == 10_001


def test_other_numbers_and_a_bias_for_each_neuron():
    opened = open_small_network(
        [0.5, -1, 2, 0, 1, 1, -1, 0.25], [0.1, 0.2, 0.3, 0.4], (1, -1), (0, 1), step_size=0.1
    )
    chain = opened["chains"][1]
    assert chain["before"] - 0.1 * chain["gradient"] == pytest.approx(chain["after"])
    assert opened["layers"][0]["sums"] == pytest.approx([1.6, 2.2])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": LECTURE["weights"][1:]}, "must have 8 weights; found 7"),
        ({"inputs": (1, float("inf"))}, "must be finite"),
        ({"step_size": 0.0}, "the learning rate must be above 0"),
        ({"steps": 10**6}, "steps must be 1 to 10,000"),
        ({"targets": (1.0,)}, "1 targets"),
    ],
)
def test_wrong_numbers_are_refused(change, said):
    with pytest.raises(ConfigError, match=said):
        open_small_network(**change)
