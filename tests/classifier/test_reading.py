"""Images of every form that a classifier is asked about."""

import io
import os
import threading

import numpy as np
import pytest
from PIL import Image

from convlens.errors import ImageError
from tests.classifier.test_classifier import IMAGES, make


def test_files_arrays_and_pillow_images_get_the_same_prediction(tmp_path):
    classifier = make()
    Image.fromarray(IMAGES[0]).save(tmp_path / "p.png")
    rows = classifier.predict(
        [tmp_path / "p.png", str(tmp_path / "p.png"), Image.fromarray(IMAGES[0]), IMAGES[0]]
    )
    assert [row.image for row in rows[:2]] == [str(tmp_path / "p.png")] * 2
    for row in rows:
        assert np.allclose(row.probabilities, classifier.probabilities(IMAGES[:1])[0], atol=1e-6)
        assert row.label == classifier.class_names[row.probabilities.argmax()]
        assert row.probability == pytest.approx(row.probabilities.max())
    assert len(classifier.predict(IMAGES)) == 5
    assert len(classifier.predict(IMAGES[0])) == 1
    assert len(classifier.predict(IMAGES[..., 0])) == 5  # (n, height, width): grey images


def test_an_unreadable_image_is_raised_or_skipped(tmp_path):
    classifier = make()
    (tmp_path / "bad.png").write_bytes(b"x")
    with pytest.raises(ImageError, match=r"bad\.png"):
        classifier.predict([IMAGES[0], tmp_path / "bad.png"])
    skipped = []
    assert len(classifier.predict([IMAGES[0], tmp_path / "bad.png"], skip=skipped.append)) == 1
    assert len(skipped) == 1


def test_bytes_streams_and_pipes_are_images(tmp_path):
    classifier = make()
    image = Image.fromarray(IMAGES[0])
    image.save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    written = io.BytesIO()
    image.save(written, "PNG")  # its position is at its end
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(content))
    writer.start()
    with (tmp_path / "a.png").open("rb") as file:
        found = classifier.predict([content, written, file, tmp_path / "pipe", tmp_path / "a.png"])
    writer.join()
    assert len({one.probability for one in found}) == 1
    file = str(tmp_path / "a.png")
    assert [one.image for one in found] == [
        "image 0", "image 1", file, str(tmp_path / "pipe"), file,
    ]  # fmt: skip
    for single in (content, written, bytearray(content)):
        assert classifier.predict([single])[0].probability == found[0].probability
    assert len(classifier.predict(content)) == len(classifier.predict(written)) == 1
    for wrong, message in (
        (b"", "0 bytes"),
        (content[:40], "damaged|not an image"),
        (None, "a stream, a Pillow image or an array; found NoneType"),
        (tmp_path, "this is a folder"),
    ):
        with pytest.raises(ImageError, match=message):
            classifier.predict(wrong)
