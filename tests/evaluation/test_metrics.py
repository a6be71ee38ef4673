import warnings

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from convlens.evaluation import metrics

NAMES = tuple("abcdef")


def predictions(n=400, classes=6, seed=0, sharpness=2.0):
    """Labels and probabilities that are correct more often than not."""
    random = np.random.default_rng(seed)
    labels = random.integers(classes, size=n)
    scores = random.normal(size=(n, classes)) + sharpness * np.eye(classes)[labels]
    probabilities = np.exp(scores)
    return labels, probabilities / probabilities.sum(1, keepdims=True)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),  # as (0, 20), from the other side
    ],
)
def test_wilson_gives_the_intervals_of_newcombe_1998_table_1_method_3(successes, n, low, high):
    score = metrics.wilson(successes, n)
    assert (round(score.low, 4), round(score.high, 4)) == (low, high)
    assert score.value == successes / n


def test_accuracy_and_top_k_are_scikit_learns():
    labels, probabilities = predictions()
    predicted = probabilities.argmax(1)
    assert metrics.accuracy(labels, predicted).value == sk.accuracy_score(labels, predicted)
    for k in (1, 2, 3, 5):
        expected = sk.top_k_accuracy_score(labels, probabilities, k=k)
        assert metrics.top_k_accuracy(labels, probabilities, k).value == expected


def test_equal_probabilities_do_not_count_as_found():
    # A saturated softmax says nothing about the classes 1 to 4.
    probabilities = np.tile([1.0, 0, 0, 0, 0], (4, 1))
    assert metrics.top_k_accuracy(np.array([4, 4, 4, 4]), probabilities, 3).value == 0


def test_confusion_and_class_scores_are_scikit_learns():
    labels, probabilities = predictions(sharpness=1.0)
    predicted = probabilities.argmax(1)
    confusion = metrics.confusion_matrix(labels, predicted, 6)
    np.testing.assert_array_equal(confusion, sk.confusion_matrix(labels, predicted))
    expected = sk.precision_recall_fscore_support(labels, predicted)
    ours = metrics.class_scores(confusion, NAMES)
    np.testing.assert_allclose([one.precision.value for one in ours], expected[0])
    np.testing.assert_allclose([one.recall.value for one in ours], expected[1])
    np.testing.assert_allclose([one.f1.value for one in ours], expected[2])
    assert [one.images for one in ours] == expected[3].tolist()
    assert all(
        score.low < score.value < score.high
        for one in ours
        for score in (one.precision, one.recall, one.f1)
    )


def test_macro_scores_are_scikit_learns():
    labels, probabilities = predictions(sharpness=1.0)
    predicted = probabilities.argmax(1)
    ours = metrics.macro_scores(metrics.confusion_matrix(labels, predicted, 6))
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        labels, predicted, average="macro"
    )
    found = [
        ours[name].value
        for name in ("macro_precision", "macro_recall", "macro_f1", "balanced_accuracy")
    ]
    np.testing.assert_allclose(
        found, [precision, recall, f1, sk.balanced_accuracy_score(labels, predicted)]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_loss_is_scikit_learns_also_where_a_probability_is_zero(dtype):
    labels, probabilities = predictions()
    probabilities = probabilities.astype(dtype)
    assert metrics.log_loss(labels, probabilities).value == pytest.approx(
        sk.log_loss(labels, probabilities), rel=1e-6
    )
    certain = np.eye(6, dtype=dtype)[(labels + 1) % 6]
    assert metrics.log_loss(labels, certain).value == pytest.approx(
        sk.log_loss(labels, certain), rel=1e-6
    )


def test_calibration_bins_are_scikit_learns():
    labels, probabilities = predictions(2000)
    right = probabilities.argmax(1) == labels
    accuracies, confidences = calibration_curve(right, probabilities.max(1), n_bins=15)
    filled = [one for one in metrics.calibration_bins(labels, probabilities) if one.accuracy.n]
    np.testing.assert_allclose([one.accuracy.value for one in filled], accuracies)
    np.testing.assert_allclose([one.confidence for one in filled], confidences)
    assert sum(one.accuracy.n for one in filled) == 2000


def test_calibration_error_by_hand():
    # Two of the 15 bins are filled. Four predictions at 0.9, two of them correct, and four at 0.6,
    # three of them correct: (4 * 0.4 + 4 * 0.15) / 8.
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.6, 0.4]] * 4)
    labels = np.array([0, 0, 1, 1, 0, 0, 0, 1])
    assert metrics.expected_calibration_error(labels, probabilities).value == pytest.approx(0.275)


def test_the_interval_of_the_calibration_error_holds_the_value_and_the_truth():
    covered = 0
    for seed in range(40):
        # The labels are drawn from the probabilities themselves, so that the true error is 0.
        _, probabilities = predictions(300, seed=seed)
        draws = np.random.default_rng(seed).random((300, 1))
        labels = np.minimum((probabilities.cumsum(1) < draws).sum(1), 5)
        score = metrics.expected_calibration_error(labels, probabilities, resamples=200)
        assert 0 <= score.low <= score.value <= score.high
        covered += score.low == 0
    # Percentiles of the bootstrap would cover the true error in none of the cases.
    assert covered >= 34


def test_a_class_without_images_and_one_never_predicted_are_not_defined_and_say_nothing_aloud():
    labels, predicted = np.array([0, 0, 1, 1, 2]), np.array([0, 0, 1, 3, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        confusion = metrics.confusion_matrix(labels, predicted, 5)
        _, _, never_predicted, no_image, neither = metrics.class_scores(confusion, NAMES[:5])
        macro = metrics.macro_scores(confusion)
    assert not never_predicted.precision.defined
    assert never_predicted.recall.value == never_predicted.f1.value == 0
    assert no_image.precision.value == 0
    assert not no_image.recall.defined
    assert not no_image.f1.defined
    assert not neither.precision.defined
    expected = sk.precision_recall_fscore_support(
        labels, predicted, labels=[0, 1, 2], average="macro", zero_division=0
    )
    np.testing.assert_allclose(
        [macro[f"macro_{name}"].value for name in ("precision", "recall", "f1")], expected[:3]
    )


def test_without_a_mistake_the_interval_is_not_a_point():
    macro = metrics.macro_scores(np.diag([5, 5]))
    assert macro["macro_f1"].low == metrics.wilson(10, 10).low < macro["macro_f1"].high == 1


def test_macro_intervals_are_never_of_zero_width():
    """With one class all correct and the other all wrong, the bootstrap gives [50 %, 50 %]."""
    for score in metrics.macro_scores(np.array([[4, 0], [4, 0]])).values():
        assert score.low < score.value < score.high


@pytest.mark.parametrize("images", [1, 3])
def test_macro_intervals_hold_their_value_where_many_classes_have_few_images(images):
    """The percentiles of the resamples do not: with 3 images of each, they lie below the F1."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(500), images)
    wrong = random.random(len(labels)) < 0.4
    predicted = np.where(wrong, random.integers(500, size=len(labels)), labels)
    confusion = metrics.confusion_matrix(labels, predicted, 500)
    scores = metrics.macro_scores(confusion, resamples=200)
    assert all(score.low <= score.value <= score.high for score in scores.values())
    assert scores["macro_f1"].low + 0.005 < scores["macro_f1"].value
    assert scores["macro_f1"].value < scores["macro_f1"].high - 0.005
