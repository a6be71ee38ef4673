"""Principal components keep the distances, and need no features that differ."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from convlens.audit.components import principal_components


@pytest.mark.parametrize("solver", ["auto", "full", "covariance_eigh"])
def test_all_components_keep_the_distances_and_the_first_vary_most(solver):
    features = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32) * np.arange(1, 7)
    found = principal_components(features.astype(np.float32), 50, solver)
    assert found.shape == (30, 6)
    assert found.dtype == np.float32
    np.testing.assert_allclose(pdist(found), pdist(features), rtol=1e-3)
    assert (np.diff(found.var(axis=0)) < 0).all()
    assert principal_components(features, 2, solver) == pytest.approx(found[:, :2], abs=1e-3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("images", "shape"), [(1, (1, 1)), (5, (5, 3))])
def test_one_image_and_equal_ones_have_components_of_zero_without_a_warning(images, shape):
    found = principal_components(np.full((images, 3), 7, np.float32), 4)
    assert found.shape == shape
    assert not found.any()
