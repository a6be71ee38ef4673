"""Features of images: those of the pixels, and images that are decoded as they are needed."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import pdist

from convlens.audit import features as module
from convlens.audit.features import SIDE, audit_features, features_of_all
from convlens.config import Config
from convlens.data.on_demand import OnDemand
from convlens.data.prepared import prepare_data
from convlens.errors import ModelError
from convlens.preprocess import Preprocessing, prepare
from tests.data.photographs import photograph


@pytest.fixture
def prepared(digits, monkeypatch):
    def missing(name):
        raise ModelError(name)

    monkeypatch.setattr(module, "package_file", missing)
    return prepare_data(digits, Config().replace(audit=False))


def test_without_a_backbone_distances_are_those_of_the_pixels(prepared):
    indices = np.array([3, 5, 8, 13, 21, 34])
    found = audit_features(prepared, indices)
    assert found.name == "pixels"
    assert found.values.dtype == np.float32
    assert found.values.shape == (6, 6)
    small = [
        np.asarray(Image.fromarray(prepared.store.images[index][..., 0]).resize((SIDE, SIDE)))
        for index in indices
    ]
    pixels = np.stack(small).reshape(6, -1).astype(float)
    assert np.corrcoef(pdist(found.values), pdist(pixels))[0, 1] > 0.98


def test_many_images_have_as_many_components_as_are_kept(prepared):
    told = []
    indices = np.arange(600)
    found = audit_features(prepared, indices, lambda *of: told.append(of)).values
    assert found.shape == (600, 256)
    assert told == [(256, 600), (512, 600)]
    # The images have 8 x 8 pixels. All components after the first 64 are rounding errors.
    variances = found.var(axis=0)[:50]
    assert (np.diff(variances) < 1e-2 * variances[:-1]).all()
    np.testing.assert_array_equal(audit_features(prepared, indices).values, found)


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
