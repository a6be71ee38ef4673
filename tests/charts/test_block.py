"""Blocks as they are drawn: VGG, Inception, residual, dense, transition."""

import keras
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from convlens.charts.block import show_block
from convlens.charts.sketch import HUES
from convlens.zoo.create import create_model
from convlens.zoo.densenet import dense_block, transition
from convlens.zoo.googlenet import Branches, inception_module
from convlens.zoo.vgg import vgg_block
from tests.charts.drawing import drawn, words


def model_of(block, *shape):
    inputs = keras.Input(shape)
    return keras.Model(inputs, block(inputs))


def boxes(figure):
    return [one for one in figure.axes[0].patches if isinstance(one, FancyBboxPatch)]


def arrows(figure):
    return [one for one in figure.axes[0].patches if isinstance(one, FancyArrowPatch)]


def test_the_vgg_block():
    model = model_of(lambda x: vgg_block(x, 64), 224, 224, 3)
    said = words(drawn(show_block(model), "png", "svg"))
    assert said[2:6] == ["conv 3×3 + ReLU", "64 filters", "224 × 224 × 64", "1,792 parameters"]
    assert said[-4:-1] == ["max pooling 2×2", "strides 2", "112 × 112 × 64"]
    assert said[-1] == "38,720 parameters in all"


def test_the_inception_modules_of_the_lecture():
    """The 1x1 convolutions reduce 403,424 parameters to 122,064."""
    for branches, count, params in (
        (Branches(64, None, 128, None, 32, None), 6, "403,424 parameters in all"),
        (Branches(64, 64, 128, 16, 32, 32), 9, "122,064 parameters in all"),
    ):
        model = model_of(lambda x, given=branches: inception_module(x, given, "m"), 10, 10, 200)
        figure = drawn(show_block(model))
        assert words(figure)[-1] == params
        assert len(boxes(figure)) == count
        lefts = {round(box.get_x(), 3) for box in boxes(figure)}
        assert len(lefts) == 5  # four branches, and the input over the concatenation


def test_the_shortcut_of_a_residual_block():
    figure = drawn(
        show_block(create_model("resnet20"), "stage1_block1_relu2", "stage1_block2_relu2")
    )
    colored = [one for one in arrows(figure) if to_hex(one.get_edgecolor()) == HUES[0].lower()]
    assert len(colored) == 1
    assert len(arrows(figure)) == len(boxes(figure))  # one more than a path has
    assert words(figure)[-1] == "4,736 parameters in all"


def test_the_dense_block():
    model = model_of(lambda x: dense_block(x, 3, 12, "b", bottleneck=False), 32, 32, 16)
    figure = drawn(show_block(model))
    colors = [to_hex(one.get_edgecolor()) for one in arrows(figure)]
    assert [colors.count(hue.lower()) for hue in HUES[:3]] == [3, 2, 1]
    for text in ("32 × 32 × 28", "32 × 32 × 40", "32 × 32 × 52"):
        assert text in words(figure)


def test_the_transition_layer():
    figure = drawn(show_block(model_of(lambda x: transition(x, "t"), 32, 32, 112)))
    for text in ("56 filters", "average pooling 2×2", "16 × 16 × 56", "6,720 parameters in all"):
        assert text in words(figure)


@pytest.mark.parametrize("stage", ["stage1_block3_relu2", "stem_relu"])
def test_texts_stay_in_their_boxes_and_in_the_figure(stage):
    figure = show_block(create_model("resnet20"), stage, "stage2_block1_add")
    figure.canvas.draw()
    rooms = [box.get_window_extent() for box in boxes(figure)]
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        if "in all" not in text.get_text():
            assert any(
                room.x0 < box.x0 and box.x1 < room.x1 for room in rooms if room.overlaps(box)
            )
    for index, room in enumerate(rooms):
        assert not any(room.overlaps(other) for other in rooms[index + 1 :])
