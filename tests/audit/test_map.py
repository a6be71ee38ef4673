"""The map: similar images lie close together, and findings are never left out of it."""

import base64
import io

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from convlens.audit import map as module
from convlens.audit.finding import found
from convlens.audit.map import make_map, map_data, map_sentence
from convlens.data.dataset import Dataset


def test_digits_lie_among_their_like(monkeypatch):
    features, labels = load_digits(return_X_y=True)
    monkeypatch.setattr(module, "MOST_POINTS", 500)
    dataset = Dataset(
        "d", "d", features.reshape(-1, 8, 8).astype(np.uint8), labels, (*"0123456789",)
    )
    findings = [found("dark", dataset, [3, 1700])]
    made = make_map(features.astype(np.float32), np.arange(len(labels)), findings, "raw")
    assert len(made.indices) == len(set(made.indices.tolist())) == 500
    assert {3, 1700} <= set(made.indices.tolist())
    assert made.points.min() == 0
    assert made.points[:, 0].max() == 1
    assert 0.3 < made.height <= 1
    own = labels[made.indices]
    assert KNeighborsClassifier(5).fit(made.points, own).score(made.points, own) > 0.9
    assert map_sentence(made).startswith("The map shows 500 of 1,797 images")
    again = make_map(features.astype(np.float32), np.arange(len(labels)), findings, "raw")
    np.testing.assert_array_equal(again.indices, made.indices)


def test_few_images_and_few_features_have_a_map_too():
    for shape in ((1, 3), (5, 1), (7, 4)):
        features = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        made = make_map(features, np.arange(shape[0]) + 10, [], "raw")
        assert made.indices.tolist() == list(range(10, 10 + shape[0]))
        assert np.isfinite(made.points).all()
    assert map_sentence(made).startswith("The map shows all 7 images")


def test_the_sheet_has_the_images_in_their_order():
    images = np.full((60, 6, 6, 1), 255, np.uint8)
    images[55] = 0
    dataset = Dataset("d", "d", images, np.zeros(60, int), ("a",))
    made = make_map(np.eye(60, 5, dtype=np.float32), np.arange(60), [], "raw")
    content = map_data(made, dataset, [], None, images)
    sheet = Image.open(io.BytesIO(base64.b64decode(content["sheet"].split(",")[1])))
    assert sheet.size == (50 * 40, 2 * 40)
    assert sheet.getpixel((5 * 40 + 20, 60)) < (40, 40, 40)
    assert sheet.getpixel((6 * 40 + 20, 60)) > (215, 215, 215)
    assert content["split"] == []


def test_many_equal_images_lie_on_one_point():
    made = make_map(np.ones((120, 4), np.float32), np.arange(120), [], "raw")
    assert made.points.tolist() == [[0, 0]] * 120
    assert made.height == 0.2
