"""`fast_cnn`: its first layer is computed from images, and its filters begin as the identity."""

import keras
import numpy as np
import pytest

from convlens.classifier.assembly import assemble
from convlens.preprocess import Preprocessing
from convlens.zoo.create import build, create_model
from convlens.zoo.fast import LEAST_VARIANCE, whiten


def network(side: int, channels: int) -> keras.Model:
    seen = Preprocessing(side, side, channels)
    return assemble(lambda x: build("fast_cnn", x, 3), seen, 3, "fast_cnn")


def smooth_images(number: int, side: int, channels: int) -> np.ndarray:
    """Return images whose neighbouring pixels are alike, as those of photographs are."""
    random = np.random.default_rng(0)
    coarse = random.normal(128, 40, (number, side // 4 + 1, side // 4 + 1, channels))
    fine = coarse.repeat(4, axis=1).repeat(4, axis=2)[:, :side, :side]
    return np.clip(fine + random.normal(0, 10, fine.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("side", "channels"), [(32, 3), (28, 1), (64, 3), (96, 3)])
def test_the_whitened_patches_have_no_correlation_and_equal_variance(side, channels):
    model = network(side, channels)
    images = smooth_images(200, side, channels)
    whiten(model, images)
    layer = model.get_layer("whiten")
    found = keras.Model(model.inputs, layer.output).predict(images, verbose=0)
    values = found.reshape(-1, found.shape[-1]).astype(np.float64)
    half = values.shape[1] // 2
    assert np.allclose(values[:, :half], -values[:, half:], atol=1e-4)
    assert np.abs(values.mean(axis=0)).max() < 1e-3
    expected = np.diag(np.ones(half))
    assert np.allclose(np.cov(values[:, :half].T), expected, atol=0.1)
    assert not layer.trainable_weights


def test_a_constant_colour_is_not_divided_by_nothing():
    model = network(8, 3)
    whiten(model, np.full((20, 8, 8, 3), 90, np.uint8))
    kernel, bias = model.get_layer("whiten").get_weights()
    assert np.isfinite(kernel).all()
    assert np.isfinite(bias).all()
    assert np.abs(kernel).max() <= 1.01 / np.sqrt(LEAST_VARIANCE)


def test_a_convolution_begins_as_the_identity_on_its_first_channels():
    model = create_model("fast_cnn")
    layer = model.get_layer("group1_1_conv")
    x = np.random.default_rng(0).random((1, 6, 6, 24), np.float32)
    assert np.allclose(layer(x)[..., :24], x, atol=1e-6)
    assert not np.allclose(layer(x)[..., 24:], 0)


@pytest.mark.parametrize(("name", "filters"), [("wide", (64, 128, 128)), ("large", (64, 256, 256))])
def test_the_filters_of_the_larger_ones(name, filters):
    model = create_model(f"fast_cnn_{name}")
    layers = [model.get_layer(f"group{group}_2_conv") for group in (1, 2, 3)]
    assert tuple(layer.filters for layer in layers) == filters
