"""Images unlike the rest of their class: those far from every image of it, by their features."""

import numpy as np
from numpy.typing import NDArray

from convlens.audit.finding import Finding, found
from convlens.audit.material import Material

NEIGHBOURS = 5
SMALLEST = 30  # images of a class, below which its spread is unknown
FAR = 6.0  # robust standard deviations of the distance to the nearest images of the class
LEAST_SPREAD = 1e-6  # of distances between features of length 1, which float32 tells apart
MOST = 20_000  # images of a class; the search compares each with each
SCALE = 1.4826  # from the median absolute deviation to the standard deviation of a normal one


def check_unlike(material: Material) -> list[Finding]:
    """Return a finding for each image that is far from all others of its class.

    Without features there are none: the pixels of two photographs of one class are as far apart as
    those of any two.
    """
    if material.features is None:
        return []
    dataset = material.dataset
    findings = []
    for label, name in enumerate(dataset.class_names):
        members = material.seen[dataset.labels[material.seen] == label]
        if not SMALLEST <= len(members) <= MOST:
            continue
        far = _distances(material.features[members])
        for place in np.flatnonzero(far > FAR):
            evidence = {"class": name, "distance": round(float(far[place]), 2)}
            findings.append(found("unlike_class", dataset, [members[place]], evidence))
    return findings


def _distances(features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (n,) distances to the nearest other images, in robust standard deviations.

    Where most images are copies of others, nothing is known of the spread, and none is far.
    """
    from sklearn.neighbors import NearestNeighbors  # here, since most data sets have no features

    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(lengths, 1e-12)
    found_ones = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(unit).kneighbors(unit)[0]
    mean = found_ones[:, 1:].mean(axis=1)
    centre = np.median(mean)
    spread = SCALE * float(np.median(np.abs(mean - centre)))
    if spread < LEAST_SPREAD:
        return np.zeros(len(mean))
    return np.asarray((mean - centre) / spread, np.float64)
