"""The bootstrap is repeatable, holds little in memory, and draws no more than it needs."""

import time
import tracemalloc

import numpy as np
import pytest

from convlens.evaluation import bootstrap, metrics
from tests.evaluation.test_metrics import predictions


def test_the_sums_of_resampled_rows():
    values = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    sums = bootstrap.resampled_sums(values, 500, seed=0)
    assert sums.shape == (500, 2)
    assert np.array_equal(sums[:, 1], 10 * sums[:, 0])
    possible = {a + b + c for a in (1, 2, 4) for b in (1, 2, 4) for c in (1, 2, 4)}
    assert set(sums[:, 0]) == possible
    assert sums[:, 0].mean() == pytest.approx(7, abs=0.3)


def test_redrawn_counts_keep_their_total_and_empty_cells():
    counts = np.array([[8, 0], [1, 3]])
    drawn = np.concatenate(list(bootstrap.redrawn_counts(counts, 400, seed=0)))
    assert drawn.shape == (400, 2, 2)
    assert (drawn.sum((1, 2)) == 12).all()
    assert not drawn[:, 0, 1].any()
    assert drawn.mean(0) == pytest.approx(counts, abs=0.4)


def test_bootstrap_intervals_agree_with_images_drawn_anew():
    labels, probabilities = predictions(500, sharpness=1.0)
    predicted, random = probabilities.argmax(1), np.random.default_rng(1)
    losses, scores = [], []
    for _ in range(1000):
        drawn = random.integers(500, size=500)
        scores.append(
            metrics._macro(metrics.confusion_matrix(labels[drawn], predicted[drawn], 6)[None])[0, 2]
        )
        losses.append(-np.log(probabilities[drawn, labels[drawn]]).mean())
    f1 = metrics.macro_scores(metrics.confusion_matrix(labels, predicted, 6))["macro_f1"]
    np.testing.assert_allclose([f1.low, f1.high], np.percentile(scores, (2.5, 97.5)), atol=0.006)
    loss = metrics.log_loss(labels, probabilities)
    np.testing.assert_allclose(
        [loss.low, loss.high], np.percentile(losses, (2.5, 97.5)), atol=0.012
    )


def test_the_same_images_give_the_same_intervals():
    labels, probabilities = predictions()
    assert metrics.log_loss(labels, probabilities) == metrics.log_loss(labels, probabilities)
    confusion = metrics.confusion_matrix(labels, probabilities.argmax(1), 6)
    assert metrics.macro_scores(confusion) == metrics.macro_scores(confusion)
    assert metrics.macro_scores(confusion) != metrics.macro_scores(confusion, seed=1)


@pytest.mark.parametrize("score", [metrics.log_loss, metrics.expected_calibration_error])
def test_the_bootstrap_of_many_images_keeps_its_memory(score):
    labels, probabilities = predictions(200_000, 2)
    tracemalloc.start()
    score(labels, probabilities, resamples=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 100 MB hold the drawn images, and the score itself needs some. All 100 at once take 480 MB.
    assert peak < 200e6


def test_the_bootstrap_of_many_classes_keeps_its_memory():
    tracemalloc.start()
    metrics.macro_scores(np.diag(np.full(1000, 3)), resamples=40)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 170e6


def test_how_many_are_drawn_at_once_does_not_change_the_interval(monkeypatch):
    labels, probabilities = predictions()
    scores = (metrics.log_loss, metrics.expected_calibration_error)
    whole = [score(labels, probabilities) for score in scores]
    monkeypatch.setattr(bootstrap, "CELLS", 7 * len(labels))
    for score, before in zip(scores, whole, strict=True):
        after = score(labels, probabilities)
        assert (after.low, after.high) == pytest.approx((before.low, before.high), abs=1e-9)


class Counting:
    """A random generator that counts the numbers it draws."""

    drawn = 0

    def __init__(self, seed):
        self.generator = np.random.Generator(np.random.PCG64(seed))

    def __getattr__(self, name):
        def draw(*args, **kwargs):
            numbers = getattr(self.generator, name)(*args, **kwargs)
            Counting.drawn += numbers.size
            return numbers

        return draw


def score_all(n, classes):
    labels, probabilities = predictions(n, classes)
    metrics.macro_scores(metrics.confusion_matrix(labels, probabilities.argmax(1), classes))
    metrics.log_loss(labels, probabilities)
    metrics.expected_calibration_error(labels, probabilities)


def test_the_work_grows_with_the_images_and_not_with_the_square_of_the_classes(monkeypatch):
    """An image is drawn three times a resample at most, and a cell of the matrix once."""
    labels, probabilities = predictions(500, 40)
    confusion = metrics.confusion_matrix(labels, probabilities.argmax(1), 40)
    monkeypatch.setattr(np.random, "default_rng", Counting)
    metrics.macro_scores(confusion)
    assert Counting.drawn == 1000 * np.count_nonzero(confusion) <= 1000 * 500
    Counting.drawn = 0
    metrics.log_loss(labels, probabilities)
    metrics.expected_calibration_error(labels, probabilities)
    assert Counting.drawn == 3 * 1000 * 500


@pytest.mark.slow
def test_ten_thousand_images_of_a_hundred_classes_take_under_five_seconds():
    """The seconds are those of the processor (1.2 were measured), whatever else it is doing."""
    start = time.process_time()
    score_all(10_000, 100)
    assert time.process_time() - start < 5
