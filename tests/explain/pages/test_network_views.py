"""Pages of lecture 003's network and of sizes: its published numbers, and larger networks."""

import numpy as np
import pytest

from convlens.explain.arithmetic.backprop import take_step, train
from convlens.explain.arithmetic.network import (
    LECTURE_EXAMPLE,
    LECTURE_NETWORK,
    Example,
    make_network,
)
from convlens.explain.arithmetic.stacks import measure, read_layers
from convlens.explain.pages.network_views import network_page, sizes_page


def test_the_numbers_of_the_lecture():
    page = network_page(take_step(LECTURE_NETWORK, LECTURE_EXAMPLE))
    forward, error, chain, lines, update = page.blocks
    assert page.title == "A 2-2-2 network of sigmoids by hand"
    assert forward.rows[0] == ("h1", "0.05 × 0.15 + 0.1 × 0.2 + 0.35", "0.377500000", "0.593269992")
    assert error.rows[-1] == ("total", "", "0.298371109")
    assert chain.rows[4] == ("w5", "0.741365070", "0.186815602", "0.593269992", "0.082167041")
    assert lines.lines[0] == ("dE/do1", "0.751365070 - 0.01 = 0.741365070")
    assert lines.lines[2] == (
        "dE/dh1",
        "0.138498562 × 0.4 (w5) - 0.038098237 × 0.5 (w7) ≈ 0.036350306",
    )
    assert update.rows[4] == ("w5", "0.400000000", "0.5 × 0.082167041", "0.358916480")
    assert update.rows[-2][2] == "dE/db = 0.018725609, left as it is"


def test_biases_that_learn_are_updated():
    step = take_step(LECTURE_NETWORK, LECTURE_EXAMPLE, move_biases=True)
    *_, update = network_page(step).blocks
    assert update.rows[-2] == ("b1", "0.350000000", "0.5 × 0.018725609", "0.340637195")


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (None, "3, error {error:.3g}"),
        (1.0, "the error is below 1 after 0 steps"),
        (1e-9, "after 3 steps the error, {error:.3g}, is not yet below 1e-09"),
    ],
)
def test_a_run_says_how_far_it_came(until, said):
    run = train(LECTURE_NETWORK, LECTURE_EXAMPLE, steps=3, until=until)
    page = network_page(take_step(LECTURE_NETWORK, LECTURE_EXAMPLE), run)
    facts = dict(page.facts)
    assert facts["steps"] == said.format(error=run.errors[-1])
    assert facts["outputs"].endswith("after the last step")
    curve = page.blocks[-1]
    assert curve.log
    assert curve.bound == until
    np.testing.assert_array_equal(curve.line[1], run.errors)


def test_one_step_is_no_steps():
    run = train(LECTURE_NETWORK, LECTURE_EXAMPLE, steps=1, until=1e-9)
    page = network_page(take_step(LECTURE_NETWORK, LECTURE_EXAMPLE), run)
    assert dict(page.facts)["steps"].startswith("after 1 step the error, ")


def test_many_products_are_counted_and_hidden_layers_numbered():
    weights = np.linspace(0.1, 1, 5 * 5 + 5 * 5 + 5)
    network = make_network((5, 5, 5, 1), weights, np.zeros(3))
    page = network_page(take_step(network, Example(np.ones(5), np.ones(1))))
    forward, _, _, lines, _ = page.blocks
    assert forward.rows[0][:2] == ("h1.1", "5 products and bias")
    assert " + ... " in dict(lines.lines)["dE/dh1.1"]


def test_sizes_are_compared():
    layers = {
        text: measure(read_layers(text), 5, 1, bias=False)
        for text in ("conv 5 1", "conv 3 1; conv 3 1")
    }
    page = sizes_page(list(layers.items()), "5 x 5")
    assert page.blocks[0].rows == (
        ("conv 5 1", "1 x 1 x 1", "⌊(5 - 5) / 1⌋ + 1 = 1", "1 + (5 - 1) × 1 = 5"),
    )
    assert page.blocks[1].rows[-1] == ("total", "", "25")
    assert page.blocks[-1].lines == (
        ("conv 5 1", "25"),
        ("conv 3 1; conv 3 1", "9 + 9 = 18"),
        ("share", "18 / 25 = 72 %"),
    )
    assert len(sizes_page(list(layers.items())[:1], "5 x 5").blocks) == 2
