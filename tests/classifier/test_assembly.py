"""A network gets its input scaling and one logit for each class, and is copied with its weights."""

import keras
import numpy as np
import pytest
from keras import layers

from convlens.classifier.assembly import all_layers, assemble, set_weights, with_precision
from convlens.errors import ModelError
from tests.classifier.test_classifier import IMAGES, SHAPE, network


def test_the_model_takes_uint8_images_and_scales_them():
    model = assemble(layers.Flatten(), SHAPE, 12 * 12 * 3, "net")
    assert (model.input.name, model.input.dtype, model.name) == ("images", "uint8", "net")
    pixels = IMAGES.reshape(len(IMAGES), -1)
    assert np.allclose(np.asarray(model(IMAGES)), pixels / 255, atol=1e-6)


def test_auxiliary_heads_become_outputs_of_the_same_shape():
    model = assemble(lambda x: [network(x, 1), network(x, 1)], SHAPE, 2, "net")
    assert [tuple(output.shape) for output in model.outputs] == [(None, 2)] * 2
    for logits in model(IMAGES):
        assert np.allclose(np.asarray(logits)[:, 0], 0)


def test_a_network_of_another_width_is_refused():
    with pytest.raises(
        ModelError, match=r"one logit for each class, \(batch, 4\); it outputs \(None, 3\)"
    ):
        assemble(lambda x: network(x, 3), SHAPE, 4, "net")


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_copy_normalises_as_an_adapted_layer_does(nested, policy):
    keras.utils.set_random_seed(0)
    normalization = layers.Normalization()
    normalization.adapt(IMAGES.astype("float32") / 255 * 7 + 3)
    front = (
        keras.Sequential([layers.Input((12, 12, 3)), normalization]) if nested else normalization
    )
    model = assemble(lambda x: network(front(x), 3), SHAPE, 3, "net")
    expected = np.asarray(model(IMAGES))
    twin = with_precision(model, policy)
    assert np.allclose(
        np.asarray(twin(IMAGES)), expected, atol=1e-5 if policy == "float32" else 0.05
    )
    other = keras.models.clone_model(model)
    set_weights(other, model.get_weights())
    assert np.allclose(np.asarray(other(IMAGES)), expected, atol=1e-5)


def test_last_layer_stays_float32_under_a_mixed_policy():
    model = assemble(lambda x: network(x, 3), SHAPE, 3, "net")
    twin = with_precision(model, "mixed_bfloat16")
    policies = {layer.name: layer.dtype_policy.name for layer in twin.layers}
    assert policies[model.layers[-1].name] == "float32"
    assert policies[model.layers[2].name] == "mixed_bfloat16"
    for before, after in zip(model.get_weights(), twin.get_weights(), strict=True):
        assert np.array_equal(before, after)


def test_a_seed_gives_each_random_layer_its_own_and_leaves_those_that_have_one():
    inputs = keras.Input((4,))
    x = layers.Dropout(0.5)(inputs)
    x = layers.Dropout(0.5, seed=99)(x)
    model = keras.Model(inputs, layers.Dropout(0.5)(x))
    seeds = [layer.seed for layer in with_precision(model, "float32", seed=7).layers[1:]]
    assert seeds == [7, 99, 8]


def test_nested_layers_are_found():
    inner = keras.Sequential([layers.Input((3,)), layers.Dense(2, name="inner")])
    model = keras.Sequential([layers.Input((3,)), inner, layers.Dense(1, name="outer")])
    names = [layer.name for layer in all_layers(model)]
    assert {"inner", "outer"} <= set(names)
    assert names.index("inner") < names.index("outer")
