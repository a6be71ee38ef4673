"""The microscope: what it keeps of an image, and values of every class of layers."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.assembly import with_precision
from convlens.classifier.classifier import Classifier
from convlens.errors import ConfigError, ModelError
from convlens.explain.microscope.microscope import OPENERS, VALUES_ONLY, Microscope, open_cell
from tests.explain.networks import classifier_of, each_class, every, look_at, look_at_zoo, nested

# The values that are opened of each class of layers in a network.
CELLS = 20


@pytest.fixture(scope="module")
def microscope():
    return look_at(nested, (12, 12, 3), 2)


def test_nested_models_are_opened_and_names_are_unique(microscope):
    names = [layer.name for layer in microscope.layers]
    assert len(set(names)) == len(names)
    assert [name for name in names if name.startswith(("conv", "relu"))] == [
        "conv", "conv-2", "relu", "conv-3", "relu-2",
    ]  # fmt: skip
    halves = [layer for layer in microscope.layers if layer.kind == "Split"]
    assert [one.shape for one in halves] == [(12, 12, 1), (12, 12, 2)]
    assert microscope.layer("conv-3").inputs[0].source == "relu"
    assert [one.source for one in microscope.layer("both").inputs] == [
        halves[1].name,
        halves[0].name,
    ]
    for layer in microscope.layers[1:]:
        assert open_cell(layer, tuple(side - 1 for side in layer.shape)).agrees


def test_the_end_is_the_classifiers_own_prediction(microscope):
    found = microscope.classifier.predict(microscope.pixels)[0]
    np.testing.assert_allclose(microscope.prediction.probabilities, found.probabilities, atol=1e-6)
    assert microscope.prediction.label == found.label


def test_a_network_in_half_precision_is_opened_in_float32(microscope):
    half = with_precision(microscope.classifier.model, "mixed_bfloat16")
    one = Classifier(half, microscope.classifier.class_names, microscope.classifier.preprocessing)
    twin = Microscope.look(one, microscope.pixels)
    assert twin.layer("gelu").output.dtype == np.float32
    np.testing.assert_allclose(
        twin.layer("gelu").output, microscope.layer("gelu").output, atol=1e-6
    )


def test_what_is_no_graph_is_refused(microscope):
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ModelError, match="functional or sequential"):
        Microscope.look(
            Classifier(Own(), ("a",), microscope.classifier.preprocessing), microscope.pixels
        )


def test_near_names(microscope):
    with pytest.raises(ConfigError, match="did you mean gelu"):
        microscope.layer("gelo")
    with pytest.raises(ConfigError, match="leave --layer out"):
        microscope.layer("zzz")


def test_classifiers_of_one_logit():
    """Two classes with one logit: zeros and the logit side by side, then the softmax."""
    found = Microscope.look(
        classifier_of(lambda x: layers.Dense(1)(layers.Flatten()(x)), (6, 6, 1), 2),
        np.zeros((9, 7), np.uint8),
    )
    assert found.size == (9, 7)
    assert [layer.kind for layer in found.layers[-3:]] == ["ZerosLike", "Concatenate", "Softmax"]
    for layer in found.layers[-3:]:
        assert "softmax of [0, z] is [1 - sigmoid(z), sigmoid(z)]" in open_cell(layer, (0,)).rule
    assert "border" not in open_cell(found.layers[-3], (0,)).steps[0].name
    assert [layer.class_names for layer in found.layers[-4:]] == [
        (),
        (),
        ("class 0", "class 1"),
        ("class 0", "class 1"),
    ]
    assert open_cell(found.layers[-2], (0,)).agrees
    assert open_cell(found.layers[-1], (1,)).agrees


def cells_of(microscope, rng):
    """Open random values of each class; return them by class, and the classes that fail."""
    by_kind = {}
    for layer in microscope.layers:
        by_kind.setdefault(layer.kind, []).append(layer)
    opened, closed = {}, set()
    for kind, found in by_kind.items():
        if kind in VALUES_ONLY:
            continue
        for _ in range(CELLS):
            layer = found[rng.integers(len(found))]
            index = tuple(int(rng.integers(side)) for side in layer.shape)
            try:
                opened.setdefault(kind, []).append(open_cell(layer, index))
            except ConfigError:
                closed.add(kind)
    return opened, closed


@pytest.mark.parametrize("name", every())
def test_every_class_of_the_registry(name):
    microscope = look_at_zoo(name)
    opened, closed = cells_of(microscope, np.random.default_rng(2))
    assert not closed, "neither in OPENERS nor in VALUES_ONLY"
    for kind, cells in opened.items():
        assert len(cells) == CELLS
        for cell in cells:
            assert np.isfinite(cell.network)
            assert cell.agrees, (kind, cell.index, cell.value, cell.network, cell.scale)


@pytest.fixture(scope="module")
def classes():
    return look_at(each_class, (15, 13, 3), 3)


def test_each_class_in_odd_shapes(classes):
    opened, closed = cells_of(classes, np.random.default_rng(3))
    assert not closed
    for kind, cells in opened.items():
        for cell in cells:
            assert cell.agrees, (kind, cell.index, cell.value, cell.network, cell.scale)
    assert len(set(opened) & set(OPENERS)) >= 45


def test_every_cell_of_one_map(classes):
    for name in ("same", "grouped", "depthwise", "separable"):
        layer = classes.layer(name)
        for index in np.ndindex(layer.shape):
            assert open_cell(layer, index).agrees


def test_a_wrong_number_is_noticed(classes):
    """The check can fail: the same cell with another value of the network."""
    layer = classes.layer("same")
    cell = open_cell(layer, (1, 2, 3))
    assert not replace(cell, network=cell.network + 3e-5 * cell.scale).agrees


@pytest.mark.parametrize(
    ("name", "index", "said"),
    [
        ("same", (0, 13, 0), "column 13 is outside: take 0 to 12"),
        ("same", (-1, 0, 0), "row -1 is outside"),
        ("same", (0, 0, 6), "filter 6 is outside: take 0 to 5"),
        ("same", (0, 0), "a value needs row, column, filter; found 0, 0"),
        ("shares", (6,), "neuron 6 is outside"),
        ("images", (0, 0, 0), "nothing is computed"),
    ],
)
def test_cells_that_are_not_there(classes, name, index, said):
    with pytest.raises(ConfigError, match=said):
        open_cell(classes.layer(name), index)


def test_a_class_that_is_not_known_is_named():
    microscope = look_at(
        lambda x: layers.Dense(2)(layers.Flatten()(layers.Conv2DTranspose(2, 3)(x))), (8, 8, 1), 2
    )
    with pytest.raises(
        ConfigError, match=r"\(Conv2DTranspose\) shows its values but cannot be opened"
    ):
        open_cell(microscope.layers[2], (0, 0, 0))
