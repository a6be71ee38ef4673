"""Building a model of the registry: sizes, heads and numbers of classes, and what is refused."""

import keras
import pytest

from convlens.errors import ModelError
from convlens.zoo.create import build, create_model
from convlens.zoo.registry import model_info


@pytest.mark.parametrize(
    ("name", "shape", "least"),
    [
        ("mnist_4conv", (3, 28, 1), 4),  # pooled to 0
        ("cats_dogs_3conv", (64, 7, 3), 8),
        ("lenet_sigmoid", (15, 15, 1), 16),  # 16 -> 12 -> 6 -> 2 -> 1
        ("mnist_tanh", (13, 28, 1), 14),  # 14 -> 10 -> 8 -> 4 -> 2 -> 1
        ("mnist_conv_3x3", (5, 5, 1), 6),
    ],
)
def test_too_small_says_the_least(name, shape, least):
    with pytest.raises(
        ModelError, match=f"at least {least} x {least} pixels; found {shape[0]} x {shape[1]}"
    ):
        create_model(name, input_shape=shape)
    with pytest.raises(ModelError, match=f"at least {least} x {least}"):
        build(name, keras.Input(shape), 2)
    assert create_model(name, input_shape=(least, least, shape[2]))


def test_build_on_a_tensor_of_a_graph():
    inputs = keras.Input((28, 28, 1), dtype="uint8")
    logits = build("mnist_2conv", keras.layers.Rescaling(1 / 255)(inputs), 10)
    model = keras.Model(inputs, logits)
    assert model.count_params() == model_info("mnist_2conv").num_params
    assert {"conv1", "pool1", "dropout2", "flatten", "dense1", "logits"} <= {
        layer.name for layer in model.layers
    }


def test_own_head_only_for_two_classes():
    assert create_model("cats_dogs_3conv", num_classes=3).output_shape == (None, 3)
    assert create_model("cats_dogs_3conv", head="softmax").output_shape == (None, 2)
    assert create_model("cifar_4conv", num_classes=2).output_shape == (None, 2)
    with pytest.raises(ModelError, match="two classes apart; found 10"):
        create_model("cifar_4conv", head="sigmoid")
    with pytest.raises(ModelError, match="one of softmax, sigmoid; found 'tanh'"):
        create_model("cifar_4conv", head="tanh")


@pytest.mark.parametrize("num_classes", [1, 0, -3, 2.0, True, "10"])
def test_bad_num_classes(num_classes):
    with pytest.raises(ModelError, match="num_classes must be a whole number of at least 2"):
        create_model("mnist_2conv", num_classes=num_classes)


@pytest.mark.parametrize(
    "shape", [(28, 28), (28, 28, 0), (28, -1, 1), (28.0, 28, 1), (None, None, 3)]
)
def test_bad_shape(shape):
    with pytest.raises(ModelError, match="must be \\(height, width, channels\\)"):
        create_model("mnist_2conv", input_shape=shape)
