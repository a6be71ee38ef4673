"""Predictions of any predictor: here one that knows the mean of an image."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from PIL import Image

from convlens.classifier.prediction import Predictor
from convlens.errors import ImageError
from convlens.preprocess import FRAMES, Preprocessing


@dataclass
class Brightness(Predictor):
    """A predictor that says how bright an image is, and counts how many it got at a time."""

    class_names: tuple[str, ...] = ("dark", "bright")
    preprocessing: Preprocessing = field(default_factory=lambda: Preprocessing(4, 4, 1))
    threshold: float | None = None

    def probabilities(self, images, *, batch_size=None):
        batches.append(len(images))
        bright = images.mean((1, 2, 3)) / 255
        return np.stack([1 - bright, bright], 1).astype(np.float32)


batches: list[int] = []


def grey(level, dtype=np.uint8):
    return np.full((6, 5), level, dtype)


def test_the_most_probable_class_is_the_label():
    dark, bright = Brightness().predict([grey(51), grey(204)])
    assert (dark.label, bright.label) == ("dark", "bright")
    assert dark.probability == pytest.approx(0.8)
    assert bright.probabilities == pytest.approx([0.2, 0.8])
    assert (dark.image, bright.image) == ("image 0", "image 1")


@pytest.mark.parametrize(("threshold", "known"), [(None, True), (0.8, True), (0.81, False)])
def test_the_threshold_decides_what_is_known(threshold, known):
    (one,) = Brightness(threshold=threshold).predict(grey(255 * 4 // 5))
    assert one.probability == pytest.approx(0.8)
    assert one.known is known


def test_images_are_taken_in_batches_from_any_iterable():
    batches.clear()
    predictions = Brightness().predict((grey(level) for level in range(0, 250, 25)), batch_size=4)
    assert batches == [4, 4, 2]
    assert [one.probabilities[1] for one in predictions] == pytest.approx(
        [level / 255 for level in range(0, 250, 25)]
    )


def test_files_are_named_and_what_cannot_be_read_is_skipped_or_raised(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"nothing")
    Image.fromarray(grey(255)).save(tmp_path / "good.png")
    files = [tmp_path / "bad.png", tmp_path / "good.png"]
    errors: list[ImageError] = []
    (one,) = Brightness().predict(files, skip=errors.append)
    assert (one.image, one.label) == (str(tmp_path / "good.png"), "bright")
    assert "bad.png" in str(errors[0])
    assert Brightness().predict(files[:1], skip=errors.append) == []
    with pytest.raises(ImageError, match=r"bad\.png"):
        Brightness().predict(files)


def test_deep_images_of_one_call_share_a_unit():
    predictor = Brightness()
    values = [grey(1000, np.uint16), grey(100, np.uint16)]
    values[0][0, 0] = 1023
    assert predictor.with_unit_of(values).preprocessing.unit == (0, 1023)
    assert predictor.preprocessing.unit is None
    bright, dark = predictor.predict(values)
    assert bright.probabilities[1] > 0.95
    assert dark.probabilities[1] == pytest.approx(100 / 1024, abs=0.01)
    learned = replace(predictor, preprocessing=Preprocessing(4, 4, 1, unit=(0, 65535)))
    assert learned.with_unit_of(values) is learned


def test_remarks_come_with_the_prediction(tmp_path):
    frames = [Image.fromarray(grey(level)) for level in (0, 255)]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    (one,) = Brightness().predict(tmp_path / "two.gif")
    assert one.remarks == (FRAMES,)
    assert one.label == "dark"
