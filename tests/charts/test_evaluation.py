import io
import warnings

import numpy as np
import pytest
from matplotlib.colors import to_hex

from convlens import plots
from convlens.charts.evaluation import FIRST
from convlens.charts.style import GREEN, INK, RED, percent, shorten
from convlens.evaluation.evaluate import evaluate

RANDOM = np.random.default_rng(0)
HISTORY = [
    {
        "epoch": i,
        "loss": 1 / i,
        "accuracy": 1 - 0.5 / i,
        "val_loss": 1.1 / i,
        "val_accuracy": accuracy,
        "learning_rate": 0.1,
    }
    for i, accuracy in ((1, 0.5), (2, 0.8), (3, 0.7))
]


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def drawn(figure):
    """The figure as PNG, so that whatever fails in drawing fails here."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")
    return figure


def words(figure):
    axes = [one for axes in figure.axes for one in axes.texts]
    return [text.get_text() for text in axes]


@pytest.mark.parametrize("shape", [(12, 10), (12, 10, 1), (12, 10, 3), (200, 300, 3)])
def test_images_are_titled_predicted_and_true_green_where_right_red_where_wrong(shape):
    images = RANDOM.integers(0, 255, (2, *shape), dtype=np.uint8)
    figure = drawn(plots.show_images(images, [0, 1], probabilities=np.array([[0.9, 0.1], [0.996, 0.004]]),
                                     class_names=["cat", "dog"]))  # fmt: skip
    assert [axes.get_title() for axes in figure.axes] == ["cat (cat)\n90 %", "cat (dog)\n> 99 %"]
    assert [to_hex(axes.title.get_color()) for axes in figure.axes] == [GREEN.lower(), RED.lower()]


def test_images_without_predictions_are_titled_with_their_class_and_without_anything_not_at_all():
    images = np.zeros((3, 4, 4), np.uint8)
    titles = [axes.get_title() for axes in drawn(plots.show_images(images, [2, 0, 1])).axes]
    assert titles == ["2", "0", "1"]
    figure = drawn(plots.show_images(images, predicted=[1, 1, 0], class_names=["a", "b"]))
    assert [axes.get_title() for axes in figure.axes] == ["b", "b", "a"]
    assert to_hex(figure.axes[0].title.get_color()) == INK
    assert not any(axes.get_title() for axes in drawn(plots.show_images(images)).axes)


def test_the_first_n_images():
    images, labels = np.zeros((300, 4, 4), np.uint8), np.arange(300)
    figure = drawn(plots.show_images(images, labels, probabilities=np.eye(300), n=3))
    assert [axes.get_title() for axes in figure.axes] == [
        "0 (0)\n100 %",
        "1 (1)\n100 %",
        "2 (2)\n100 %",
    ]
    assert figure.get_supxlabel() == ""
    figure = plots.show_images(images, labels)
    assert len(figure.axes) == FIRST == 100
    assert figure.get_supxlabel() == "and 200 more; n=... says how many are shown"


def test_long_names_take_two_lines_and_an_ellipsis():
    names = ["a very long class name indeed", "b"]
    figure = plots.show_images(np.zeros((1, 4, 4), np.uint8), [1], predicted=[0], class_names=names)
    assert figure.axes[0].get_title() == "a very long class n…\n(b)"
    assert shorten("臺灣藍鵲", 5) == "臺灣…"


def test_small_images_are_enlarged_pixel_by_pixel():
    small, large = (plots.show_images(np.zeros((1, side, side, 3), np.uint8)) for side in (28, 224))
    assert small.axes[0].images[0].get_interpolation() == "nearest"
    assert large.axes[0].images[0].get_interpolation() != "nearest"


def test_an_image_of_grey_keeps_its_brightness():
    axes = plots.show_images(np.full((1, 4, 4, 1), 100, np.uint8)).axes[0]
    assert axes.images[0].get_clim() == (0, 255)


def labels_of(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_history_marks_the_best_epoch_by_validation_accuracy_or_as_told():
    assert labels_of(drawn(plots.show_history(HISTORY))) == ["train", "validation", "best epoch: 2"]
    assert labels_of(drawn(plots.show_history(HISTORY, best=3)))[-1] == "best epoch: 3"


def test_history_from_csv_is_the_same(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(
        "\n".join([",".join(HISTORY[0])] + [",".join(map(str, row.values())) for row in HISTORY])
    )
    ours, theirs = plots.show_history(HISTORY), plots.show_history(path)
    for one, other in zip(ours.axes, theirs.axes, strict=True):
        np.testing.assert_array_equal(one.lines[0].get_ydata(), other.lines[0].get_ydata())


@pytest.mark.parametrize(
    "rows", [[], HISTORY[:1], [{"epoch": 1, "loss": 2.0, "accuracy": 0.5}] * 2]
)
def test_history_of_no_epoch_one_epoch_and_no_validation(rows):
    drawn(plots.show_history(rows))


@pytest.mark.parametrize("classes", [2, 14, 26, 27, 100])
def test_confusion_is_drawn_for_any_number_of_classes(classes):
    matrix = RANDOM.poisson(1, (classes, classes)) + 50 * np.eye(classes, dtype=int)
    figure = drawn(plots.show_confusion(matrix, [f"class {i}" for i in range(classes)]))
    numbers = words(figure)
    assert bool(numbers) == (classes <= 26)
    assert any(text.endswith("%") for text in numbers) == (classes <= 14)
    assert 2 <= len(figure.axes[0].get_xticklabels()) <= 34


def test_confusion_writes_the_count_and_the_share_of_the_row():
    figure = plots.show_confusion([[3, 1], [0, 0]], ["a", "b"])
    assert words(figure) == ["3", "75 %", "1", "25 %"]
    assert figure.axes[0].get_ylabel() == "true class"


def test_a_class_name_is_text_and_no_formula():
    figure = drawn(plots.show_confusion(np.eye(2, dtype=int), ["$5", r"$\frac$"]))
    assert figure.axes[0].get_xticklabels()[1].get_text() == r"$\frac$"


@pytest.mark.parametrize("n", [1, 300])
def test_calibration_is_drawn_from_filled_bins(n):
    probabilities = RANDOM.dirichlet([1, 1], n)
    evaluation = evaluate(RANDOM.integers(2, size=n), probabilities, ["a", "b"])
    figure = drawn(plots.show_calibration(evaluation.bins))
    assert len(figure.axes[1].patches) == sum(one.accuracy.n > 0 for one in evaluation.bins)


def test_sheet_has_a_row_for_each_class_and_says_how_many_it_left_out():
    images = [
        np.zeros((8, 9, 3), np.uint8),
        np.zeros((30, 20), np.uint8),
        np.zeros((5, 5, 1), np.uint8),
    ]
    figure = drawn(
        plots.show_sheet(
            images, [0, 0, 2], ["a", "b", "c"], counts=[1200, 0, 1], per_class=3, max_classes=2
        )
    )
    assert words(figure) == ["a", "1,200 images", "b", "0 images"]
    assert figure.get_supxlabel() == "and 1 more class"
    assert sum(bool(axes.images) for axes in figure.axes) == 2


def test_a_figure_shows_itself_in_a_notebook_without_pyplot():
    assert plots.show_history(HISTORY)._repr_png_().startswith(b"\x89PNG")


def test_confidence_is_never_rounded_to_certainty():
    assert [percent(share) for share in (0, 0.0001, 0.5, 0.994, 0.9999, 1)] == [
        "0 %",
        "< 1 %",
        "50 %",
        "99 %",
        "> 99 %",
        "100 %",
    ]
