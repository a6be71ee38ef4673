"""Features of images by patches and by backbones, and images that are decoded when needed."""

import dataclasses
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from convlens.audit import features as module
from convlens.audit.features import (
    audit_features,
    features_of_all,
    features_of_patches,
    require_both_backbones,
    thorough_features,
)
from convlens.config import Config
from convlens.data.on_demand import OnDemand
from convlens.data.prepared import prepare_data
from convlens.errors import ModelError
from convlens.preprocess import Preprocessing, prepare
from convlens.screen import Screen
from convlens.transfer.wanted import Wanted
from tests.data.photographs import photograph


@pytest.fixture
def prepared(digits, monkeypatch):
    def missing(name):
        raise ModelError(name)

    monkeypatch.setattr(module, "package_file", missing)
    return prepare_data(digits, Config().replace(audit=False))


def test_without_a_backbone_images_of_one_digit_lie_closer_than_by_their_pixels(prepared):
    told = []
    indices = np.arange(600)
    found = audit_features(prepared, indices, lambda *of: told.append(of))
    assert found.name == "patches"
    assert found.values.dtype == np.float32
    assert found.values.shape == (600, 256)
    assert told == [(256, 600), (512, 600), (600, 600)]
    np.testing.assert_array_equal(audit_features(prepared, indices).values, found.values)
    pixels = prepared.store.images[indices].reshape(600, -1).astype(float)
    labels = prepared.dataset.labels[indices]

    def ratio(points):
        """Return the mean distance within digits, as a share of that between them."""
        distances = squareform(pdist(points))
        same = labels[:, None] == labels
        return distances[same].mean() / distances[~same].mean()

    assert ratio(found.values) < 0.95 * ratio(pixels)


def test_a_small_image_is_enlarged_smoothly_and_a_large_one_shrunk_by_its_mean(prepared):
    small = prepared.store.images[:40]
    smooth = np.stack([cv2.resize(image, (32, 32)) for image in small])[..., None]
    large = smooth.repeat(4, axis=1).repeat(4, axis=2)
    values = [features_of_patches(some, np.arange(40)) for some in (small, smooth, large)]
    np.testing.assert_array_equal(values[0], values[1])
    np.testing.assert_array_equal(values[2], values[1])


def test_a_thorough_audit_has_the_features_of_both_backbones_which_count_as_much(
    digits, monkeypatch
):
    asked = []

    def of_backbone(prepared, indices, progress, name, screen):
        asked.append(name)
        scale = {"efficientnet_lite0": 10, "efficientnet_lite2": 0.1}[name]
        return scale * np.random.default_rng(len(name)).normal(3, 1, (len(indices), 5))

    monkeypatch.setattr(module, "package_file", lambda name: None)
    monkeypatch.setattr(module, "_of_backbone", of_backbone)
    prepared = prepare_data(digits, Config().replace(audit=False))
    found = thorough_features(prepared, np.arange(50), Screen(quiet=True))
    assert asked == ["efficientnet_lite0", "efficientnet_lite2"]
    assert found.name == "efficientnet_lite0 + efficientnet_lite2"
    assert found.values.mean(axis=0) == pytest.approx(0, abs=1e-6)
    variances = found.values.var(axis=0)
    assert variances[:5].sum() == pytest.approx(1)
    assert variances[5:].sum() == pytest.approx(1)


def test_a_thorough_audit_needs_the_weights_of_both(monkeypatch):
    def only_the_first(name):
        if name != "efficientnet_lite0":
            raise ModelError(name)

    monkeypatch.setattr(module, "package_file", only_the_first)
    with pytest.raises(ModelError, match="efficientnet_lite2"):
        require_both_backbones()


@pytest.mark.parametrize(("missing", "said"), [(1000, True), (100, False), (0, False)])
def test_long_work_is_announced_with_its_time(monkeypatch, capsys, missing, said):
    class Cache:
        def missing(self, store, indices):
            return indices[:missing]

    computed = []
    clock = iter([10.0, 14.0])
    monkeypatch.setattr(module, "compute_missing", lambda one: computed.append(len(one.indices)))
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(clock))
    prepared = SimpleNamespace(store=None)
    wanted = Wanted(None, None, Cache(), prepared, np.arange(2000))
    module._say_time(wanted, "efficientnet_lite2", Screen())
    text = " ".join(capsys.readouterr().out.split())
    # 4 s for 64 images, and 1000 - 128 are left: 54.5 s.
    assert ("the features of efficientnet_lite2 take about 54 s" in text) is said
    assert computed == ([64, 64] if said else [])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("indices", [[4], [4, 4]])
def test_one_image_and_equal_images_have_features_without_a_warning(prepared, indices):
    found = audit_features(prepared, np.array(indices)).values
    assert found.shape[0] == len(indices)
    assert np.allclose(found, 0)


def test_images_are_decoded_as_they_are_needed(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for number, path in enumerate(paths):
        photograph(number, (30 + number, 40)).save(path)
    seen = Preprocessing(16, 12, 3)
    found = OnDemand(paths, seen)[np.array([3, 1])]
    assert found.shape == (2, 16, 12, 3)
    np.testing.assert_array_equal(found[0], prepare(paths[3], seen))
    np.testing.assert_array_equal(found[1], prepare(paths[1], seen))


def test_features_of_all_images_are_those_of_the_backbone_and_zeros_where_none_can_be_read(
    digits, monkeypatch
):
    whole = prepare_data(digits, Config().replace(audit=False))
    unreadable = dataclasses.replace(whole.store, problems={2: "broken"})
    prepared = dataclasses.replace(whole, store=unreadable)
    monkeypatch.setattr(module, "_has_backbone", lambda: True)
    monkeypatch.setattr(
        module, "_of_backbone", lambda prepared, indices, progress: indices[:, None] + np.ones(3)
    )
    values = features_of_all(prepared)
    assert values.shape == (len(digits), 3)
    assert values[[0, 1, 2, 3], 0].tolist() == [1, 2, 0, 4]
    monkeypatch.setattr(module, "MOST_OF_ALL", len(digits) - 1)
    assert features_of_all(prepared) is None


def test_without_a_backbone_there_are_no_features_of_all_images(prepared):
    assert features_of_all(prepared) is None
