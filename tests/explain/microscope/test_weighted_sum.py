"""Values of convolutions, dense layers and matrices, computed by hand from their weights."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.errors import ConfigError
from convlens.explain.microscope.microscope import open_cell
from tests.explain.networks import each_class, look_at


@pytest.fixture(scope="module")
def microscope():
    return look_at(each_class, (15, 13, 3), 3)


def arrays_of(layer, *names):
    variables = (getattr(layer.call.operation, name) for name in names)
    return [keras.ops.convert_to_numpy(one).astype(float) for one in variables]


def test_a_convolution_is_opened_by_hand(microscope):
    layer, kernel = microscope.layer("same"), microscope.layer("same").call.operation
    cell = open_cell(layer, (0, 12, 4))
    weights, bias = (
        keras.ops.convert_to_numpy(one).astype(float) for one in (kernel.kernel, kernel.bias)
    )
    # 15 rows with strides of 2 have one row of border above and one below.
    assert cell.windows[0].spans == ((-1, 2), (12, 14), (0, 3))
    patch = np.zeros((3, 2, 3))
    patch[1:, :1] = microscope.layer("scaling").output[:2, 12:13]
    np.testing.assert_allclose(cell.products[0].numbers, patch)
    total = (patch * weights[..., 4]).sum()
    assert [step.name for step in cell.steps] == ["sum", "bias", "relu"]
    assert cell.steps[0].value == pytest.approx(total)
    assert cell.value == pytest.approx(max(0, total + bias[4]))


def test_a_grouped_and_dilated_convolution(microscope):
    layer = microscope.layer("grouped")
    kernel, bias = arrays_of(layer, "kernel", "bias")
    cell = open_cell(layer, (4, 6, 5))
    rows = range(2, 7, 2)
    image = microscope.layer("same").output.astype(float)
    patch = np.stack([image[row, 4:9:2, 3:6] for row in rows])
    assert cell.windows[0].spans == ((2, 7), (4, 9), (3, 6))
    assert cell.products[0].channels == (3, 4, 5)
    assert cell.rule == "patch × kernel, summed up; group 1 of 2"
    np.testing.assert_array_equal(cell.windows[0].values, patch)
    assert cell.steps[1].value == pytest.approx((patch * kernel[..., 5]).sum() + bias[5])


def test_a_depthwise_convolution_sees_its_own_channel(microscope):
    layer = microscope.layer("depthwise")
    kernel, bias = arrays_of(layer, "kernel", "bias")
    cell = open_cell(layer, (1, 2, 7))
    patch = microscope.layer("grouped").output[2:5, 4:7, 3].astype(float)
    assert cell.products[0].channels == (3,)
    assert cell.steps[1].value == pytest.approx((patch * kernel[:, :, 3, 1]).sum() + bias[7])
    assert cell.value == pytest.approx(np.tanh(cell.steps[1].value))


def test_a_separable_convolution_has_two_parts(microscope):
    layer = microscope.layer("separable")
    depthwise, pointwise = arrays_of(layer, "depthwise_kernel", "pointwise_kernel")
    image = np.pad(microscope.layer("depthwise").output.astype(float), ((1, 1), (1, 1), (0, 0)))
    cell = open_cell(layer, (0, 1, 4))
    sums = np.einsum("ijc,ijcm->cm", image[:3, 1:4], depthwise).reshape(-1)
    first, second = cell.products
    np.testing.assert_allclose(second.numbers, sums)
    np.testing.assert_array_equal(second.weights, pointwise[0, 0, :, 4])
    strongest = int(np.abs(sums * pointwise[0, 0, :, 4]).argmax())
    assert first.name == f"depthwise {strongest}"
    assert first.channels == (strongest // 2,)
    assert first.total == pytest.approx(sums[strongest])
    assert [step.name for step in cell.steps] == [first.name, "pointwise", "bias", "silu"]


def test_a_dense_layer_and_the_softmax_at_its_end(microscope):
    layer = microscope.layer("shares")
    kernel, bias = arrays_of(layer, "kernel", "bias")
    inputs = layer.inputs[0].values[0].astype(float)
    cell = open_cell(layer, (2,))
    assert cell.windows[0].spans == ((0, len(inputs)),)
    np.testing.assert_allclose(cell.products[0].products, inputs * kernel[:, 2])
    sums = inputs @ kernel + bias
    assert cell.steps[1].value == pytest.approx(sums[2])
    assert cell.value == pytest.approx(np.exp(sums[2]) / np.exp(sums).sum())


def test_a_product_with_a_constant_matrix(microscope):
    layer = next(one for one in microscope.layers if one.kind == "Matmul")
    image = layer.inputs[0].values[0].astype(float)
    cell = open_cell(layer, (1, 0, 3))
    assert cell.windows[0].spans == ((1, 2), (0, 1), (0, image.shape[2]))
    assert cell.value == pytest.approx(float(image[1, 0] @ layer.operands[1].values[:, 3]))
    assert len(cell.steps) == 1


def test_a_softmax_within_a_convolution_is_refused():
    found = look_at(
        lambda x: layers.Dense(2)(layers.Flatten()(layers.Conv2D(2, 1, activation="softmax")(x))),
        (2, 2, 1),
        2,
    )
    with pytest.raises(ConfigError, match="a softmax within a Conv2D cannot be opened"):
        open_cell(found.layers[2], (0, 0, 0))
