"""Sheets follow the shapes of a network, and show its feature maps."""

import keras
import numpy as np
import pytest
from keras import layers
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle

from convlens.charts.path import LEAST, TALLEST, show_path
from convlens.charts.stops import find_stops
from convlens.zoo.create import create_model
from tests.charts.drawing import drawn, words

DIGIT = np.random.default_rng(0).random((28, 28), np.float32)


@pytest.fixture(scope="module")
def network():
    """The network of lecture 001."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(36, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def sheets(figure):
    """(width, height) of each sheet and vector."""
    patches = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    return [(patch.get_width(), patch.get_height()) for patch in patches]


def test_28_14_7(network):
    figure = drawn(show_path(network), "png", "svg")
    widths = [width for width, _ in sheets(figure)]
    sides = sorted(set(np.round(widths, 6)))
    assert sides[1:] == pytest.approx([TALLEST / 4, TALLEST / 2, TALLEST])  # the first: vectors
    # 1 channel, 16 and 36 channels, and three vectors: a sheet more for each doubling.
    assert len(widths) == 1 + 5 + 5 + 6 + 6 + 3
    said = words(figure)
    for text in ("28 × 28 × 1", "14 × 14 × 16", "7 × 7 × 36", "1764", "conv 5×5", "36 filters"):
        assert text in said, text
    assert said.count("max pooling 2×2") == 2
    arrows = [one for one in figure.axes[0].patches if isinstance(one, FancyArrowPatch)]
    fans = [one for one in figure.axes[0].patches if type(one) is Polygon]
    assert (len(arrows), len(fans)) == (4, 3)
    assert not figure.axes[0].images


def test_sheets_show_the_feature_maps_of_an_image(network):
    figure = drawn(show_path(network, DIGIT))
    stops = find_stops(network, DIGIT)
    shown = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    assert (shown[0] == DIGIT).all()
    maps = [image for image in shown if image.shape == (28, 28)][1:]
    assert len(maps) == 5
    spread = stops[1].values.std(axis=(0, 1))
    most = sorted(np.argsort(-spread)[:5])
    # The sheets are drawn from the last to the first.
    for image, channel in zip(reversed(maps), most, strict=True):
        assert (image == stops[1].values[..., channel]).all()
    vectors = [image.ravel() for image in shown if image.shape[-1] == 1]
    assert [len(vector) for vector in vectors] == [1764, 128, 10]
    assert (vectors[0] == stops[4].values.ravel()).all()


def test_the_last_values_have_names(network):
    names = [f"class {digit}" for digit in range(10)]
    said = words(show_path(network, DIGIT, class_names=names))
    shares = find_stops(network, DIGIT)[-1].values
    for digit in range(10):
        assert f"class {digit}  {100 * shares[digit]:.0f} %" in said
    assert "9" in words(show_path(network))
    logits = create_model("mlp_256_128")
    value = find_stops(logits, DIGIT)[-1].values[3]
    assert f"3  {value:.3g}" in words(show_path(logits, DIGIT))


@pytest.mark.parametrize("pixels", [1.0, 255.0])
def test_a_colour_image_keeps_its_colours(pixels):
    image = np.random.default_rng(0).random((32, 32, 3), np.float32)
    figure = drawn(show_path(create_model("cifar_4conv"), image * pixels))
    first = [one for one in figure.axes[0].images if one.get_array().shape == (32, 32, 3)]
    assert len(first) == 3
    np.testing.assert_allclose(first[0].get_array(), image, rtol=1e-6)


@pytest.mark.parametrize("shape", [(64, 8, 3), (5, 200, 1)])
def test_small_maps_keep_their_proportions(shape):
    model = create_model("small_resnet", input_shape=shape, num_classes=2)
    for width, height in sheets(drawn(show_path(model)))[:-2]:
        assert min(width, height) > LEAST - 1e-6
    width, height = sheets(show_path(model))[0]
    assert width / height == pytest.approx(shape[1] / shape[0])


@pytest.mark.parametrize("names", [(), [f"類別的名稱很長 {digit}" for digit in range(10)]])
@pytest.mark.parametrize("image", [None, DIGIT])
def test_texts_do_not_overlap_and_stay_in_the_figure(network, names, image):
    figure = show_path(network, image, class_names=names)
    figure.canvas.draw()
    frame = figure.bbox
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    for index, box in enumerate(boxes):
        assert frame.x0 <= box.x0 < box.x1 <= frame.x1
        assert frame.y0 <= box.y0
        assert not any(box.shrunk(1, 0.8).overlaps(other) for other in boxes[index + 1 :])
