"""Opened cells: when a value agrees, its strongest channels, and the window it comes from."""

import numpy as np
from keras import layers

from convlens.anatomy.graph import Call
from convlens.explain.arithmetic.writing import Step
from convlens.explain.microscope.layer import Layer, Operand
from convlens.explain.microscope.opened_cell import OpenedCell, Products, single, window_of


def test_a_value_agrees_within_what_float32_may_differ_by():
    cell = OpenedCell("", [Step("sum", "", 2.0)], 100.0)
    assert not cell.agrees
    for network, agrees in ((2.0, True), (2.00099, True), (2.0011, False)):
        one = OpenedCell("", cell.steps, 100.0, network=network)
        assert one.agrees is agrees


def test_the_strongest_channels_add_or_take_most():
    numbers = np.zeros((2, 2, 4))
    numbers[0, 0] = (1, -3, 2, 0.5)
    products = Products(numbers, np.ones_like(numbers), name="sum", channels=(4, 5, 6, 7))
    assert products.strongest(2) == [1, 2]
    row = Products(np.array([1.0, -3.0, 2.0]), np.array([9.0, 1.0, 1.0]), name="", channels=())
    assert row.strongest(2) == [0, 1]


def test_a_window_takes_its_values_from_the_input():
    image = np.arange(420.0, dtype=np.float32).reshape(1, 10, 14, 3)
    call = Call(1, layers.ReLU(), (), {}, [])
    layer = Layer("relu", call, 0, (Operand(image, "image"),), image[0])
    window = window_of(layer, ((1, 3), *single((4, 2))))
    assert (window.source, window.spans) == ("image", ((1, 3), (4, 5), (2, 3)))
    assert window.values[:, 0, 0].tolist() == [56.0, 98.0]
