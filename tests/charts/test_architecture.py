"""The boxes of an architecture, and what is written around them."""

import keras
import pytest
from keras import layers
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle
from rich.cells import cell_len

from convlens.anatomy.stages import divide
from convlens.anatomy.summary import layer_table
from convlens.charts.architecture import (
    LOWEST,
    SHORT_LINE,
    TALLEST,
    show_architecture,
    wrapped_layers,
)
from convlens.charts.style import INK
from convlens.zoo.create import create_model
from tests.charts.drawing import drawn


def draw(model, title="net"):
    return drawn(show_architecture(divide(layer_table(model)), title), "png", "svg").axes[0]


def words(axes):
    return [text.get_text().replace("\xa0", " ") for text in axes.texts]


def fronts(axes):
    """(width, height) of the boxes' fronts, the third face of each."""
    faces = [patch.get_xy() for patch in axes.patches if isinstance(patch, Polygon)]
    return [
        (front[:, 0].max() - front[:, 0].min(), front[:, 1].max() - front[:, 1].min())
        for front in faces[2::3]
    ]


def test_boxes_are_as_tall_as_their_maps_and_as_wide_as_their_channels():
    axes = draw(create_model("cifar_4conv"), "cifar_4conv")
    sizes = fronts(axes)
    assert len(sizes) == 9  # image, two convolutions, pooling and two, pooling, two dense layers
    heights = [height for _, height in sizes]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] == pytest.approx(TALLEST)
    assert heights[-1] == pytest.approx(LOWEST)
    steps = [heights[0] - heights[3], heights[3] - heights[6]]  # 32, 16, 8: equal steps
    assert steps[0] == pytest.approx(steps[1])
    assert sizes[0][0] < sizes[1][0] < sizes[4][0] < sizes[7][0]  # 3, 32, 64, 512 channels


def test_it_says_sizes_contents_and_shares():
    axes = draw(create_model("cifar_4conv"), "cifar_4conv")
    said = words(axes)
    for text in (
        "cifar_4conv",
        "2.17 M parameters, 26.6 M multiply-adds",
        "32 × 32 × 32",
        "sees 14 × 14",
        "sees all",
        "max pool 2x2 /2\n2 × conv 3x3 64",
        "flatten\ndense 512",
        "97",
        "53",
        "< 1",
    ):
        assert text in said, text
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    dark = [
        bar.get_height()
        for bar in bars
        if bar.get_facecolor()[:3] == pytest.approx((0x22 / 255,) * 3)
    ]
    assert INK == "#222222"
    assert max(dark) / sum(dark) == pytest.approx(2_097_664 / 2_168_362)


def test_a_block_has_stripes_or_an_arc():
    inputs = keras.Input((8, 8, 4))

    def conv(x, size=3):
        return layers.Conv2D(4, size, padding="same")(x)

    def extra(end):
        """Lines and arcs beyond those of a network without blocks."""
        axes = draw(keras.Model(inputs, layers.Conv2D(4, 3, strides=2)(end)))
        return len(axes.lines) - 3, sum(
            isinstance(one, FancyArrowPatch) for one in axes.patches
        ) - 2

    assert extra(conv(inputs)) == (0, 0)
    assert extra(layers.Add()([inputs, conv(inputs)])) == (0, 1)
    assert extra(layers.Concatenate()([conv(inputs), inputs])) == (0, 1)
    assert extra(layers.Concatenate()([conv(inputs), conv(inputs, 1), conv(inputs, 5)])) == (2, 0)


@pytest.mark.parametrize("shape", [(1, 1, 1), (64, 8, 3), (5, 200, 1)])
def test_any_image(shape):
    draw(create_model("small_resnet", input_shape=shape, num_classes=2))


def test_a_vector_alone():
    draw(create_model("logistic"))


def test_boxes_of_a_stage_share_the_width_that_there_is():
    x = inputs = keras.Input((8, 8, 4))
    for _ in range(40):
        x = layers.Conv2D(256, 1)(x)
    axes = draw(keras.Model(inputs, x))
    sizes = fronts(axes)
    assert len(sizes) == 41
    assert sum(width for width, _ in sizes[1:]) == pytest.approx(2.3)


def test_texts_of_neighbours_do_not_overlap():
    figure = show_architecture(divide(layer_table(create_model("resnet20"))), "resnet20")
    figure.canvas.draw()
    boxes = [
        text.get_window_extent()
        for text in figure.axes[0].texts
        if "\n" in text.get_text() or "×" in text.get_text()
    ]
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_layers_are_wrapped_behind_commas_and_before_bars_by_cells():
    english = "  (conv 1x1 64 | conv 3x3 128 | max pool 3x3), dense 96"
    assert [line.replace("\xa0", " ") for line in wrapped_layers(english)] == [
        "  (conv 1x1 64 | conv 3x3 128",
        "    | max pool 3x3), dense 96",
    ]
    chinese = "卷積 3x3 64、批次正規化、最大池化、卷積 1x1 256"
    lines = [line.replace("\xa0", " ") for line in wrapped_layers(chinese)]
    assert lines == ["卷積 3x3 64、批次正規化、", "  最大池化、卷積 1x1 256"]
    assert max(map(cell_len, lines)) <= SHORT_LINE < cell_len(chinese)
