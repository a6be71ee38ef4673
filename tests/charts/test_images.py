"""Images with their labels and predictions, and examples of each class."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from convlens.charts.images import FIRST, show_images, show_sheet
from convlens.charts.style import GREEN, INK, RED
from tests.charts.drawing import drawn, words

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(12, 10), (12, 10, 1), (12, 10, 3), (200, 300, 3)])
def test_images_are_titled_predicted_and_true_green_if_correct_red_if_not(shape):
    images = RANDOM.integers(0, 255, (2, *shape), dtype=np.uint8)
    rows = np.array([[0.9, 0.1], [0.996, 0.004]])
    figure = drawn(show_images(images, [0, 1], probabilities=rows, class_names=["cat", "dog"]))
    assert [axes.get_title() for axes in figure.axes] == ["cat (cat)\n90 %", "cat (dog)\n> 99 %"]
    assert [to_hex(axes.title.get_color()) for axes in figure.axes] == [GREEN.lower(), RED.lower()]


def test_images_without_predictions_are_titled_with_their_class_and_without_anything_not_at_all():
    images = np.zeros((3, 4, 4), np.uint8)
    titles = [axes.get_title() for axes in drawn(show_images(images, [2, 0, 1])).axes]
    assert titles == ["2", "0", "1"]
    figure = drawn(show_images(images, predicted=[1, 1, 0], class_names=["a", "b"]))
    assert [axes.get_title() for axes in figure.axes] == ["b", "b", "a"]
    assert to_hex(figure.axes[0].title.get_color()) == INK
    assert not any(axes.get_title() for axes in drawn(show_images(images)).axes)


def test_the_first_n_images():
    images, labels = np.zeros((300, 4, 4), np.uint8), np.arange(300)
    figure = drawn(show_images(images, labels, probabilities=np.eye(300), n=3))
    assert [axes.get_title() for axes in figure.axes] == [
        "0 (0)\n100 %",
        "1 (1)\n100 %",
        "2 (2)\n100 %",
    ]
    assert figure.get_supxlabel() == ""
    figure = show_images(images, labels)
    assert len(figure.axes) == FIRST == 100
    assert figure.get_supxlabel() == "and 200 more; n=... sets how many are shown"


def test_long_names_take_two_lines_and_an_ellipsis():
    names = ["a very long class name indeed", "b"]
    figure = show_images(np.zeros((1, 4, 4), np.uint8), [1], predicted=[0], class_names=names)
    assert figure.axes[0].get_title() == "a very long class n…\n(b)"


def test_small_images_are_enlarged_pixel_by_pixel():
    small, large = (show_images(np.zeros((1, side, side, 3), np.uint8)) for side in (28, 224))
    assert small.axes[0].images[0].get_interpolation() == "nearest"
    assert large.axes[0].images[0].get_interpolation() != "nearest"


def test_an_image_of_grey_keeps_its_brightness():
    axes = show_images(np.full((1, 4, 4, 1), 100, np.uint8)).axes[0]
    assert axes.images[0].get_clim() == (0, 255)


def test_sheet_has_a_row_for_each_class_and_says_how_many_it_left_out():
    images = [
        np.zeros((8, 9, 3), np.uint8),
        np.zeros((30, 20), np.uint8),
        np.zeros((5, 5, 1), np.uint8),
    ]
    figure = drawn(
        show_sheet(
            images, [0, 0, 2], ["a", "b", "c"], counts=[1200, 0, 1], per_class=3, max_classes=2
        )
    )
    assert words(figure) == ["a", "1,200 images", "b", "0 images"]
    assert figure.get_supxlabel() == "and 1 more class"
    assert sum(bool(axes.images) for axes in figure.axes) == 2


def test_names_of_classes_may_be_an_array():
    figure = show_images(np.zeros((2, 4, 4), np.uint8), [1, 0], class_names=np.array(["a", "b"]))
    assert [axes.get_title() for axes in drawn(figure).axes] == ["b", "a"]
