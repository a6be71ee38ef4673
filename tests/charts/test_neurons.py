"""A network by hand: its weights, values, gradients and biases stand where they belong."""

import numpy as np
import pytest

from convlens import backprop
from convlens.charts.neurons import RADIUS, show_neurons
from convlens.charts.sketch import mixed
from convlens.charts.style import BLUE, ORANGE
from convlens.errors import ConfigError
from tests.charts.drawing import drawn, words

STEP = backprop.take_step(backprop.LECTURE_NETWORK, backprop.LECTURE_EXAMPLE)
# The new weights of lecture 003 are those before, less half the gradients.
BEFORE = [0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55]
AFTER = [0.149780716, 0.199561432, 0.249751144, 0.299502287]
AFTER += [0.358916480, 0.408666186, 0.511301270, 0.561370121]


def show(step=STEP, **given):
    weights = [layer.weights for layer in step.before]
    values = [step.example.inputs, *(layer.outputs for layer in step.forward)]
    return drawn(show_neurons(weights, values, **given), "png", "svg")


def full(step=STEP, digits=9):
    return show(
        step,
        biases=[layer.bias for layer in step.before],
        targets=step.example.targets,
        gradients=[layer.weights for layer in step.backward],
        digits=digits,
    )


def middles(figure):
    return {text.get_text(): text.get_position() for text in figure.axes[0].texts}


def test_the_numbers_of_lecture_003():
    said = words(full())
    for text in ("i1", "i2", "h1", "h2", "o1", "o2", "0.593269992", "0.596884378"):
        assert text in said, text
    for text in ("0.75136507", "0.772928465", "target 0.01", "target 0.99", "b1 = 0.35"):
        assert text in said, text
    gradients = {text.split(" = ")[0]: float(text.split(" = ")[1]) for text in said if "∂E" in text}
    for number, (before, after) in enumerate(zip(BEFORE, AFTER, strict=True), 1):
        assert f"w{number} = {before:g}" in said
        assert gradients[f"∂E/∂w{number}"] == pytest.approx(2 * (before - after), abs=3e-9)


def test_without_gradients_biases_and_targets_there_are_weights_and_values_only():
    said = set(words(show(digits=3)))
    values = ("i1", "0.05", "i2", "0.1", "h1", "0.593", "h2", "0.597", "o1", "0.751", "o2", "0.773")
    weights = {f"w{number} = {weight:g}" for number, weight in enumerate(BEFORE, 1)}
    assert said == {*values, *weights, "input", "hidden layer", "output"}


def test_a_weight_stands_on_its_line():
    """w3 leads from the first input to the second hidden neuron: weights are counted by neuron."""
    figure = full()
    place = middles(figure)
    i1, h2, w3 = (np.array(place[name]) for name in ("i1", "h2", "w3 = 0.25"))
    way = h2 - i1
    away = abs(np.cross(np.append(way, 0), np.append(w3 - i1, 0))[2]) / np.hypot(*way)
    assert away < 0.3  # the names of neurons stand 0.15 above their middles
    assert 0 < np.dot(w3 - i1, way) / np.dot(way, way) < 0.5


def test_lines_tell_sign_and_size():
    axes = show_neurons([[[2.0], [-1.0]]], [[1, 1], [1]]).axes[0]
    positive, negative = axes.lines
    assert positive.get_color() == mixed(BLUE, 0.55)
    assert negative.get_color() == mixed(ORANGE, 0.55)
    assert positive.get_linewidth() == pytest.approx(3.0)
    assert negative.get_linewidth() == pytest.approx(1.8)


def test_every_neuron_may_have_its_bias_and_hidden_layers_have_numbers():
    network = backprop.make_network((2, 3, 2, 1), np.linspace(-1, 1, 14), np.arange(6) / 10)
    step = backprop.take_step(network, backprop.Example(np.array([1.0, -2.0]), np.array([0.5])))
    said = words(full(step, digits=3))
    for text in ("h1.3", "h2.2", "o1", "b1 = 0", "b6 = 0.5", "w1 = -1", "w14 = 1", "-2"):
        assert text in said, text


@pytest.mark.parametrize("digits", [3, 9])
def test_labels_do_not_overlap(digits):
    figure = full(digits=digits)
    figure.canvas.draw()
    texts = [text for text in figure.axes[0].texts if text.get_rotation() % 360 in (0, 360)]
    boxes = [text.get_window_extent() for text in texts]
    for index, box in enumerate(boxes):
        others = [text.get_text() for text, other in zip(texts, boxes, strict=True)
                  if other is not boxes[index] and box.overlaps(other)]  # fmt: skip
        assert not others, (texts[index].get_text(), others)
    widest = max(box.width for text, box in zip(texts, boxes, strict=True)
                 if text.get_text().startswith("0."))  # fmt: skip
    assert widest < 2 * RADIUS * figure.dpi


def test_shapes_that_do_not_fit():
    with pytest.raises(ConfigError, match=r"weights shaped \[\(2, 2\)\]; found \[\(2, 3\)\]"):
        show_neurons([np.ones((2, 3))], [[1, 1], [1, 1]])
    with pytest.raises(ConfigError, match=r"gradients shaped \[\(2, 2\)\]; found \[\(1, 2\)\]"):
        show_neurons([np.ones((2, 2))], [[1, 1], [1, 1]], gradients=[np.ones((1, 2))])


def test_gradients_end_before_the_lines_cross():
    """The lines of w2 and w3 cross halfway."""
    figure = full()
    figure.canvas.draw()
    crossing = figure.axes[0].transData.transform(
        (np.array(middles(figure)["h1"]) + middles(figure)["i2"]) / 2
    )
    for text in figure.axes[0].texts:
        if text.get_text().startswith(("∂E/∂w2", "∂E/∂w3")):
            assert text.get_window_extent().x1 < crossing[0] - 10
