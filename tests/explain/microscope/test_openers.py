"""Cells of every class of layers and operations in the registry: the arithmetic ends with the network's value."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from convlens.errors import ConfigError
from convlens.explain.microscope.openers import OPENERS, VALUES_ONLY, open_cell
from tests.explain.networks import every, look_at, look_at_zoo

CELLS = 20  # of each class of a network


def cells_of(microscope, rng):
    """Open 20 random cells of each class; return those opened by class, and the classes that could not be."""
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


def each_class(x):
    """A network with every class that can be opened, in the shapes where they differ."""
    y = layers.Conv2D(6, (3, 2), strides=(2, 1), padding="same", activation="relu", name="same")(x)
    y = layers.Conv2D(
        8, 3, dilation_rate=2, padding="same", groups=2, activation="gelu", name="grouped"
    )(y)
    y = layers.DepthwiseConv2D(
        3, depth_multiplier=2, strides=2, activation="tanh", name="depthwise"
    )(y)
    y = layers.SeparableConv2D(
        6, 3, depth_multiplier=2, padding="same", activation="silu", name="separable"
    )(y)
    a, b = ops.split(layers.BatchNormalization()(y), 2, axis=-1)
    c = layers.LayerNormalization()(layers.Concatenate()([a, ops.flip(b, axis=1)]))
    c = layers.AveragePooling2D(3, strides=2, padding="same")(
        layers.ZeroPadding2D(((1, 0), (0, 2)))(c)
    )
    c = layers.MaxPooling2D(2, padding="same")(layers.UpSampling2D(2)(c))
    for name in (
        "sigmoid",
        "elu",
        "selu",
        "softplus",
        "softsign",
        "hard_sigmoid",
        "hard_silu",
        "leaky_relu",
        "relu6",
    ):
        c = layers.Activation(name, name=f"only_{name}")(c)
    c = layers.LeakyReLU(0.1)(c) + layers.ELU(0.5)(c) * layers.ReLU(6.0, 0.1, 0.2)(c)
    c = layers.Maximum()([c, layers.Average()([c, layers.Minimum()([c, -c])])]) / 1.5
    c = layers.Activation("exponential")(c) - ops.sqrt(ops.square(c) + 1.0) * ops.rsqrt(
        ops.absolute(c) + 2.0
    )
    c = layers.Cropping2D(((0, 1), (1, 0)))(layers.Permute((2, 1, 3))(c))
    c = ops.matmul(c, np.random.default_rng(0).standard_normal((6, 4)).astype("float32"))
    top, mean = layers.GlobalMaxPooling2D()(c), layers.GlobalAveragePooling2D(keepdims=True)(c)
    mean = (
        layers.Flatten()(mean)
        + ops.sum(c, axis=(1, 2))
        + ops.mean(c, axis=[1, 2])
        + ops.max(c, axis=(1, 2))
    )
    c = layers.Subtract()([top, mean]) * ops.cast(ops.take(top, [3, 2, 1, 0], axis=-1), "float32")
    c = layers.Dense(6, activation="softmax", name="shares")(layers.Dropout(0.5)(c))
    return layers.Dense(3)(layers.Reshape((6,))(layers.Normalization(mean=0.1, variance=4.0)(c)))


@pytest.fixture(scope="module")
def microscope():
    return look_at(each_class, (15, 13, 3), 3)


def test_each_class_in_odd_shapes(microscope):
    opened, closed = cells_of(microscope, np.random.default_rng(3))
    assert not closed
    for kind, cells in opened.items():
        for cell in cells:
            assert cell.agrees, (kind, cell.index, cell.value, cell.network, cell.scale)
    assert len(set(opened) & set(OPENERS)) >= 45


def test_every_cell_of_one_map(microscope):
    for name in ("same", "grouped", "depthwise", "separable"):
        layer = microscope.layer(name)
        for index in np.ndindex(layer.shape):
            assert open_cell(layer, index).agrees


def test_a_wrong_number_is_noticed(microscope):
    """The check can fail: the same cell with another value of the network."""
    from dataclasses import replace

    layer = microscope.layer("same")
    cell = open_cell(layer, (1, 2, 3))
    assert not replace(cell, network=cell.network + 3e-5 * cell.scale).agrees


def test_a_convolution_is_opened_by_hand(microscope):
    layer, kernel = microscope.layer("same"), microscope.layer("same").call.operation
    cell = open_cell(layer, (0, 12, 4))
    weights, bias = (
        keras.ops.convert_to_numpy(one).astype(float) for one in (kernel.kernel, kernel.bias)
    )
    assert cell.windows[0].spans == (
        (-1, 2),
        (12, 14),
        (0, 3),
    )  # 15 rows, step 2: one row of border above and below
    patch = np.zeros((3, 2, 3))
    patch[1:, :1] = microscope.layer("scaling").output[:2, 12:13]
    np.testing.assert_allclose(cell.products[0].numbers, patch)
    total = (patch * weights[..., 4]).sum()
    assert [step.name for step in cell.steps] == ["sum", "bias", "relu"]
    assert cell.steps[0].value == pytest.approx(total)
    assert cell.value == pytest.approx(max(0, total + bias[4]))


@pytest.mark.parametrize(
    ("name", "index", "said"),
    [
        ("same", (0, 13, 0), "column 13 is outside: take 0 to 12"),
        ("same", (-1, 0, 0), "row -1 is outside"),
        ("same", (0, 0, 6), "filter 6 is outside: take 0 to 5"),
        ("same", (0, 0), "a value needs row, column, filter; found 0, 0"),
        ("shares", (6,), "unit 6 is outside"),
        ("images", (0, 0, 0), "nothing is computed"),
    ],
)
def test_cells_that_are_not_there(microscope, name, index, said):
    with pytest.raises(ConfigError, match=said):
        open_cell(microscope.layer(name), index)


def test_a_class_that_is_not_known_is_named():
    microscope = look_at(
        lambda x: layers.Dense(2)(layers.Flatten()(layers.Conv2DTranspose(2, 3)(x))), (8, 8, 1), 2
    )
    with pytest.raises(
        ConfigError, match=r"\(Conv2DTranspose\) shows its values but cannot be opened"
    ):
        open_cell(microscope.layers[2], (0, 0, 0))
