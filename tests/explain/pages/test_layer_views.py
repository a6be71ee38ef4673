"""Pages of layers of a few numbers and of losses."""

import numpy as np
import pytest

from convlens.errors import ConfigError
from convlens.explain import arithmetic
from convlens.explain.pages.layer_views import (
    activation_page,
    batchnorm_page,
    dense_page,
    dropout_page,
    flatten_page,
    join_page,
    loss_page,
    softmax_page,
)
from convlens.explain.pages.page import Curve, Lines, Row


def test_an_activation_has_its_steps_and_its_curve():
    page = activation_page(arithmetic.activate([-1, 0], "sigmoid"))
    table, curve = page.blocks
    assert table.columns == ("z", "e^-z", "1 + e^-z", "sigmoid(z)", "slope")
    assert table.rows[1] == ("0", "1.000000", "2.000000", "0.500000", "0.250000")
    assert isinstance(curve, Curve)
    assert curve.line[0][0] == -5
    assert curve.points[1].tolist() == [pytest.approx(0.26894142), 0.5]
    rows = activation_page(arithmetic.activate([[8, -1]], "relu")).blocks
    assert isinstance(rows[0], Row)
    assert rows[2].line[0][-1] == pytest.approx(8.8)


def test_the_shares_of_a_softmax_add_up():
    table, lines = softmax_page(arithmetic.softmax([0, 0])).blocks
    assert table.rows[0] == ("0", "0", "1", "0.5")
    assert lines.lines == (("sum", "1 + 1 = 2"), ("shares", "0.5 + 0.5 = 1"))


def test_a_dense_layer_sums_products_and_bias():
    done = arithmetic.dense([1, 2], [[3, -1], [4, 0]], [1, -5], activation="relu")
    page = dense_page(done, "relu")
    assert page.facts == (("formula", "sum of input × weight, and the bias, then relu"),)
    table, lines = page.blocks
    assert table.columns == ("input", "weight 1", "product 1", "weight 2", "product 2")
    assert table.rows == (("1", "3", "3", "-1", "-1"), ("2", "4", "8", "0", "0"))
    assert lines.lines == (
        ("unit 1", "3 + 8 + 1 = 12   relu: 12"),
        ("unit 2", "-1 + 0 - 5 = -6   relu: 0"),
    )


def test_dropout_scales_what_it_keeps():
    page = dropout_page(arithmetic.dropout([[2, 3]], 0.5, mask=[[0, 1]]))
    assert page.facts[0] == ("dropout rate", "0.5: 1 of 2 dropped here")
    assert page.facts[1] == ("scale", "1 / (1 - 0.5) = 2, so that the expected sum stays")
    assert page.blocks[0].items[-1].values.tolist() == [[0, 6]]


@pytest.mark.parametrize("training", [True, False])
def test_batch_normalisation_says_whose_statistics_it_uses(training):
    done = arithmetic.batch_normalize([[1.0], [3.0]], training=training)
    page = batchnorm_page(done, training=training)
    table, row = page.blocks
    assert page.title.endswith("training" if training else "inference")
    assert table.title == ("of the batch" if training else "kept from training")
    assert ("kept mean" in table.columns) == training
    assert table.rows[0][1] == ("2" if training else "0")
    np.testing.assert_allclose(row.items[-1].values, done.output)


def test_losses_have_terms_sum_and_mean():
    page = loss_page([arithmetic.loss("squared", [1, 0], [0, 2])])
    table, lines = page.blocks
    assert page.title == "Loss"
    assert table.title == "squared: (target - predicted)²"
    assert lines == Lines(
        (("sum", "1 + 4 = 5"), ("mean", "5 / 2 = 5/2"), ("loss", "5/2, the mean"))
    )
    both = loss_page([arithmetic.loss(name, [1, 0], [1, 0])
                      for name in ("binary-crossentropy", "categorical-crossentropy")])  # fmt: skip
    assert both.title == "Losses"
    assert both.blocks[0].rows[0][1] == "0.9999999"
    assert both.blocks[1].lines[-1][1].startswith("kept 0.0000001 away")
    assert both.blocks[3].lines[-1][1].startswith("divided by their sum, then kept")


def test_maps_are_added_or_concatenated():
    one = np.ones((2, 2, 2), int)
    added = join_page([one, one * 3], "add")
    assert len(added.blocks) == 2
    first, plus, second, equals, total = added.blocks[0].items
    assert (plus, equals) == ("+", "=")
    assert (first.title, second.title) == ("map 1, channel 0", "map 2, channel 0")
    assert total.values.tolist() == [[4, 4], [4, 4]]
    joined = join_page([one, one * 3], "concatenate")
    assert "2 + 2 = 4 channels" in joined.facts[0][1]
    assert [item.values[0, 0] for item in joined.blocks[0].items[::2]] == [1, 1, 3, 3]
    with pytest.raises(ConfigError, match="one shape"):
        join_page([one, one[:1]], "add")


def test_flatten_keeps_the_order_of_keras():
    page = flatten_page(np.array([[[1, 5], [2, 6]]]))
    assert page.facts[1] == ("size", "1 × 2 × 2 = 4")
    assert page.blocks[1].items[0].values.tolist() == [[1, 5, 2, 6]]
