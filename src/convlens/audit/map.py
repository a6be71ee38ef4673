"""Map: the images as points of a plane, in which images with similar features lie close together.

Source      van der Maaten, Hinton, "Visualizing Data using t-SNE", 2008
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from convlens.audit.components import principal_components
from convlens.audit.finding import Finding
from convlens.charts.html import data_uri
from convlens.data.dataset import Dataset
from convlens.language import _
from convlens.preprocess import ImageArray
from convlens.text import printable
from convlens.transfer.heads import Floats

MOST_POINTS = 5000
COMPONENTS = 50  # principal components from which t-SNE begins, as its authors advise
PERPLEXITY = 30
STEPS = 400
# Between exact forces and fast ones. At 0.5, the default, a map takes half as long again.
ANGLE = 0.8
RESOLUTION = 10_000  # of the coordinates in the page
TILE = 40  # pixels of the side of an image on the sheet
COLUMNS = 50  # images in a row of the sheet
QUALITY = 70
SEED = 0

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ImageMap:
    """Points of a plane.

    Attributes:
        indices: (m,) the images, as indices into the data set.
        points: (m, 2) where they lie: from 0 to 1 across, and from 0 to `height` down.
        of: The number of images from which they were drawn.
        features: The name of the features.
    """

    indices: Indices
    points: NDArray[np.float64]
    of: int
    features: str

    @property
    def height(self) -> float:
        """The height of the map where its width is 1."""
        return max(0.2, float(self.points[:, 1].max()))


def make_map(
    features: Floats,
    indices: Indices,
    findings: Sequence[Finding],
    name: str,
    *,
    of: int | None = None,
) -> ImageMap:
    """Return the map of at most MOST_POINTS images, with those of findings among them.

    Args:
        features: (n, width) features.
        indices: (n,) these images, as indices into the data set.
        findings: The findings.
        name: The name of the features.
        of: The number of images of the set, if these are some of them.
    """
    chosen = _chosen(indices, findings)
    points = _layout(np.asarray(features[chosen], np.float32))
    # A page is wider than high.
    points = points[:, np.argsort(-np.ptp(points, axis=0), kind="stable")]
    spread = float(np.ptp(points[:, 0])) or 1.0
    placed = (points - points.min(axis=0)) / spread
    return ImageMap(indices[chosen], placed, len(indices) if of is None else of, name)


def _chosen(indices: Indices, findings: Sequence[Finding]) -> Indices:
    """Return the ascending places of the images that are shown."""
    rng = np.random.default_rng(SEED)
    named = np.unique([index for one in findings for index in one.indices]).astype(np.int64)
    is_named = np.isin(indices, named)
    order = np.concatenate(
        [rng.permutation(np.flatnonzero(is_named)), rng.permutation(np.flatnonzero(~is_named))]
    )
    return np.sort(order[:MOST_POINTS])


def _layout(features: Floats) -> NDArray[np.float64]:
    """Return (m, 2) points by t-SNE; by principal components where there are hardly any images."""
    if len(features) < 2:
        return np.zeros((len(features), 2))
    reduced = principal_components(features, COMPONENTS, "randomized")
    if len(features) <= 3 * PERPLEXITY or not reduced.any():
        plane = np.zeros((len(features), 2))
        plane[:, : reduced.shape[1]] = reduced[:, :2]
        return plane
    tsne = TSNE(
        init="pca", perplexity=PERPLEXITY, max_iter=STEPS, angle=ANGLE, random_state=SEED, n_jobs=1
    )
    # A thread that waits for another one on a busy machine takes several times as long.
    with threadpool_limits(1):
        points: NDArray[np.float64] = tsne.fit_transform(reduced).astype(np.float64)
    return points


def map_sentence(of: ImageMap) -> str:
    """Return what the map shows and how it was made."""
    shown = len(of.indices)
    if shown < of.of:
        return _(
            "The map shows {shown:,} of {of:,} images: those of findings, and others drawn at "
            "random. It was made by t-SNE of their features ({features})."
        ).format(shown=shown, of=of.of, features=of.features)
    return _(
        "The map shows all {of:,} images. It was made by t-SNE of their features ({features})."
    ).format(of=of.of, features=of.features)


def map_data(
    of: ImageMap,
    dataset: Dataset,
    findings: Sequence[Finding],
    splits: NDArray[np.str_] | None,
    images: ImageArray,
) -> dict[str, object]:
    """Return the map as the page reads it: plain data.

    Args:
        of: The map.
        dataset: The images.
        findings: The findings; their codes and numbers are told for each point.
        splits: (n,) the splits of the images, or None.
        images: (n, height, width, channels) uint8, from which the small images are made.
    """
    numbers: dict[int, list[int]] = {}
    for number, finding in enumerate(findings):
        for index in finding.indices:
            numbers.setdefault(index, []).append(number)
    whole = np.rint(of.points * RESOLUTION).astype(int)
    return {
        "x": whole[:, 0].tolist(),
        "y": whole[:, 1].tolist(),
        "label": dataset.labels[of.indices].tolist(),
        "split": [] if splits is None else splits[of.indices].tolist(),
        "name": [printable(dataset.file_name(index)) for index in of.indices],
        "findings": [numbers.get(int(index), [])[:20] for index in of.indices],
        "codes": [finding.code for finding in findings],
        "classes": list(dataset.class_names),
        "tile": TILE,
        "columns": COLUMNS,
        "resolution": RESOLUTION,
        "height": of.height,
        "sheet": _sheet(images, of.indices),
    }


def _sheet(images: ImageArray, indices: Indices) -> str:
    """Return all images in small in one JPEG file, as a data URI."""
    rows = -(-len(indices) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * TILE, rows * TILE), "white")
    for place, index in enumerate(indices):
        pixels = np.asarray(images[index])
        plain = pixels[..., 0] if pixels.shape[2:] == (1,) else pixels
        small = Image.fromarray(plain).resize((TILE, TILE), Image.Resampling.BILINEAR)
        row, column = divmod(place, COLUMNS)
        sheet.paste(small, (column * TILE, row * TILE))
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=QUALITY)
    return data_uri(file.getvalue(), "jpeg")
