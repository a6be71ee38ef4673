"""Components: features as their principal components, also where all of them are equal."""

import numpy as np
from sklearn.decomposition import PCA

from convlens.transfer.heads import Floats


def principal_components(features: Floats, most: int, solver: str = "auto") -> Floats:
    """Return (n, width) principal components, those that vary most first.

    Args:
        features: (n, width) features of one image or more. Where all rows are equal, or there is
            one only, all components are 0.
        most: The largest number of components.
        solver: A solver of scikit-learn's PCA.
    """
    count = min(most, *features.shape)
    if not np.ptp(features, axis=0).any():
        return np.zeros((len(features), count), np.float32)
    components: Floats = PCA(count, svd_solver=solver, random_state=0).fit_transform(features)
    return components.astype(np.float32)
