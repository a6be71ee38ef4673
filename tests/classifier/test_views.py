"""A second view is taken where the first one leaves doubt, and changes nothing elsewhere."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from convlens.classifier.prediction import Predictor
from convlens.classifier.views import PART, SURE, WithMirror, together
from convlens.preprocess import ImageArray, Preprocessing


@dataclass(eq=False)
class LeftBrightness(Predictor):
    """Says "left" as surely as the left column of an image is bright, and counts what it saw."""

    class_names: tuple[str, ...] = ("left", "right")
    preprocessing: Preprocessing = field(
        default_factory=lambda: Preprocessing(height=2, width=2, channels=1)
    )
    threshold: float | None = 0.5
    seen: list[int] = field(default_factory=list)

    def probabilities(
        self, images: ImageArray, *, batch_size: int | None = None
    ) -> NDArray[np.float32]:
        self.seen.append(len(images))
        left = images[:, 0, 0, 0] / np.float32(255)
        return np.stack([left, 1 - left], axis=1)


def image(left: int, right: int) -> ImageArray:
    return np.uint8([[[left], [right]], [[left], [right]]])


def test_a_doubtful_image_is_looked_at_from_both_sides():
    predictor = LeftBrightness()
    images = np.stack([image(255, 0), image(153, 0), image(102, 204)])
    rows = WithMirror.of(predictor).probabilities(images)
    assert predictor.seen == [3, 2]  # the first image leaves no doubt
    assert rows[0].tolist() == [1, 0]
    # Of the second image, the mirror image is surely "right", of the third "left" with 0.8.
    assert rows[1, 1] > 0.999
    # The mean logit of 0.4 and 0.8 is that of sqrt(0.4 * 0.8) against sqrt(0.6 * 0.2).
    expected = np.sqrt(0.32) / (np.sqrt(0.32) + np.sqrt(0.12))
    assert rows[2, 0] == pytest.approx(expected, abs=1e-6)
    assert rows.sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_what_is_sure_stays_the_same_bits():
    predictor = LeftBrightness()
    images = np.stack([image(left, 0) for left in range(256)])
    once = predictor.probabilities(images)
    sure = once.max(axis=1) >= SURE
    twice = WithMirror.of(predictor).probabilities(images)
    assert sure.sum() > 40
    assert twice[sure].tobytes() == once[sure].tobytes()
    assert (twice[~sure] != once[~sure]).any(axis=1).all()


def test_an_image_gets_the_same_answer_in_every_batch_and_by_its_index():
    views = WithMirror.of(LeftBrightness())
    images = np.stack([image(left % 256, left % 7) for left in range(PART + 60)])
    together_ = views.probabilities(images)
    assert views.probabilities(images[:0]).shape == (0, 2)
    assert np.array_equal(views.probabilities(images[9:12]), together_[9:12])
    chosen = np.array([300, 2])
    assert np.array_equal(views.probabilities(images, indices=chosen), together_[chosen])


def test_predictions_have_the_threshold_of_the_predictor():
    predictions = WithMirror.of(LeftBrightness()).predict([image(140, 112)])
    # 0.549 and 0.439 together are 0.494 for "left": the answer is "right", which is known.
    assert (predictions[0].label, predictions[0].known) == ("right", True)


def test_two_views_without_a_doubt_between_them_are_one():
    row = np.float32([[0.7, 0.2, 0.1]])
    assert together(row, row) == pytest.approx(row, abs=1e-6)
    assert np.isfinite(together(np.float32([[1, 0]]), np.float32([[0, 1]]))).all()
