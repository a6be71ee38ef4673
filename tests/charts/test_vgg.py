"""The table of VGG is that of its paper, and the networks are built from it."""

import keras
import pytest
from matplotlib.colors import to_rgb

from convlens.charts.vgg import NAMES, NEW, show_vgg
from convlens.errors import ConfigError
from convlens.zoo.create import create_model
from convlens.zoo.vgg import CONFIGURATIONS
from tests.charts.drawing import drawn, words


def test_table_1():
    said = words(drawn(show_vgg(), "png", "svg"))
    assert said[1:7] == list(CONFIGURATIONS) == ["A", "A-LRN", "B", "C", "D", "E"]
    assert said[7:14] == ["layers with weights", "11", "11", "13", "16", "16", "19"]
    counts = {name: said.count(name) for name in ("LRN", "conv3-64", "conv1-256", "conv3-512")}
    assert counts == {"LRN": 1, "conv3-64": 10, "conv1-256": 1, "conv3-512": 30}
    assert said.count("max pooling 2×2") == 5
    assert said.count("dense, 4,096 units") == 2
    assert said.count("dense, 1,000 units") == 1
    for side in (224, 112, 56, 28, 14):
        assert f"{side} × {side}" in said
    assert said[-14:-7] == ["parameters", "133 M", "133 M", "133 M", "134 M", "138 M", "144 M"]


def test_new_layers_are_darker():
    axes = show_vgg(["B", "C", "D"]).axes[0]
    new = [
        text.get_text()
        for text in axes.texts
        for patch in axes.patches
        if to_rgb(patch.get_facecolor()) == pytest.approx(NEW)
        and patch.get_bbox().contains(*text.get_position())
    ]
    assert new == ["conv1-256", "conv3-256", "conv1-512", "conv3-512", "conv1-512", "conv3-512"]


def test_a_column_is_the_network_of_its_name():
    network = create_model(NAMES["B"])
    layers = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    built = [f"conv{layer.kernel_size[0]}-{layer.filters}" for layer in layers]
    assert [text for text in words(show_vgg(["B"])) if text.startswith("conv")] == built


def test_texts_stay_in_their_cells():
    figure = show_vgg()
    figure.canvas.draw()
    cells = [patch.get_window_extent() for patch in figure.axes[0].patches]
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
        if text.get_text().startswith("conv"):
            assert any(cell.x0 < box.x0 and box.x1 < cell.x1 for cell in cells)


@pytest.mark.parametrize("names", [["F"], []])
def test_other_configurations(names):
    with pytest.raises(ConfigError, match="of VGG are A, A-LRN, B, C, D, E; found"):
        show_vgg(names)
