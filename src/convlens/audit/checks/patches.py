"""Patches that tell the class: a place that looks the same in many images of one class only.

A mark, a caption, a frame or a backdrop is easier to learn than what the images show. A fifth of
the horses of PASCAL VOC have the same copyright notice, and classifiers relied on it (Lapuschkin et
al., "Unmasking Clever Hans predictors and assessing what machines really learn", 2019).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convlens.audit.finding import Finding, found
from convlens.audit.material import CHUNK, Material
from convlens.audit.strata import places_in_class
from convlens.data.looks import Looks
from convlens.evaluation import metrics

SIDE = 32  # cells of an image across and down, of 2 x 2 pixels of its look
LEVELS = 32  # grey levels of a cell, of 8 of the 256 each; two neighbours are called the same
SAME = 0.9  # the share of the cells of a patch that an image must have
PATCH = 0.8  # of the largest gain: the cells that belong to a patch
SMALL = 20  # images of a class, of which half choose the patch
MOST = 20_000  # images, drawn alike from all
# Of a class, a patch must be in so many images, and be so many times as frequent as in the others.
# In photographs of cats and dogs and in CIFAR-10 nothing comes near; docs/decisions/audit.md.
LEAST = 0.2
TIMES = 10
# The share of the cells in which most images are the same: 0 in photographs of cats and dogs and in
# CIFAR-10, and 0.31 to 0.88 in digits, MNIST and Fashion-MNIST, also of two classes only.
EVEN = 0.2
SURE = 0.01  # p-value, corrected for the number of classes
SEED = 0


@dataclass(frozen=True, eq=False)
class Patch:
    """Cells of an image and the grey levels that they have in many images of a class.

    Attributes:
        cells: (k,) the numbers of the cells, row by row.
        lowest: (k,) the lower one of the two levels of each cell.
    """

    cells: NDArray[np.int64]
    lowest: NDArray[np.int64]

    def is_in(self, levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return (n,) whether images have the patch; `levels` is (n, cells of an image)."""
        own = levels[:, self.cells]
        same = (own == self.lowest) | (own == self.lowest + 1)
        return np.asarray(same.mean(axis=1) >= SAME)

    @property
    def box(self) -> list[float]:
        """Its top, left, bottom and right as shares of the height and the width."""
        rows, columns = np.divmod(self.cells, SIDE)
        edges = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
        return [round(float(edge) / SIDE, 3) for edge in edges]


def check_patches(material: Material, clusters: NDArray[np.int64]) -> list[Finding]:
    """Return a finding for each class in many images of which one place looks the same.

    Things on an even ground, such as digits and clothes, are passed over: there the shapes of the
    classes themselves fill the same cells from image to image.

    Args:
        material: The images.
        clusters: (n,) numbers, equal for images that belong together. One image of each number
            counts, so that copies of one image make no patch.
    """
    kept = np.unique(clusters[material.seen], return_index=True)[1]
    rng = np.random.default_rng(SEED)
    kept = rng.permutation(kept)[:MOST]
    labels = material.dataset.labels[material.seen[kept]]
    names = material.dataset.class_names
    tested = np.flatnonzero(np.bincount(labels, minlength=len(names)) >= SMALL)
    if len(np.unique(labels)) < 2:
        return []
    levels = _levels(material.looks, material.seen[kept])
    chooses = places_in_class(labels) % 2 == 0  # half of each class
    total = _counts(levels[chooses])
    if (total.max(axis=1) > len(levels[chooses]) / 2).mean() > EVEN:
        return []
    findings = []
    for label in tested:
        patch = _choose(levels[chooses], labels[chooses] == label, total)
        evidence = _measure(patch.is_in(levels[~chooses]), labels[~chooses] == label, len(tested))
        if evidence is None:
            continue
        members = material.seen[material.dataset.labels[material.seen] == label]
        having = members[patch.is_in(_levels(material.looks, members))]
        facts = {"class": names[label], "box": patch.box, **evidence}
        findings.append(found("patch_tells_class", material.dataset, having, facts))
    return findings


def _levels(looks: Looks, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return (n, cells) the level of each cell, the mean of 2 x 2 pixels of the looks."""
    parts = [np.zeros((0, SIDE * SIDE), np.uint8)]
    for start in range(0, len(indices), CHUNK):
        grey = looks["grey"][indices[start : start + CHUNK]]
        rows = grey[:, ::2].astype(np.uint16) + grey[:, 1::2]
        sums = rows[:, :, ::2] + rows[:, :, 1::2]
        parts.append((sums // (4 * 256 // LEVELS)).astype(np.uint8).reshape(len(grey), -1))
    return np.concatenate(parts)


def _counts(levels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return (cells, LEVELS - 1) how many images have one of two neighbouring levels in a cell."""
    counts = np.zeros(SIDE * SIDE * LEVELS, np.int64)
    cells = np.arange(SIDE * SIDE) * LEVELS
    for start in range(0, len(levels), CHUNK):
        places = levels[start : start + CHUNK] + cells
        counts += np.bincount(places.ravel(), minlength=len(counts))
    table = counts.reshape(-1, LEVELS)
    return np.asarray(table[:, :-1] + table[:, 1:])


def _choose(
    levels: NDArray[np.uint8], is_own: NDArray[np.bool_], total: NDArray[np.int64]
) -> Patch:
    """Return the cells, with their levels, that are most of all the same in a class only.

    Args:
        levels: (n, cells) the images that choose.
        is_own: (n,) whether they are of the class.
        total: `_counts` of them.
    """
    own = _counts(levels[is_own])
    gain = own / is_own.sum() - (total - own) / max(1, (~is_own).sum())
    best = gain.max(axis=1)
    cells = np.flatnonzero(best >= PATCH * best.max())
    return Patch(cells, gain[cells].argmax(axis=1))


def _measure(
    has: NDArray[np.bool_], is_own: NDArray[np.bool_], tested: int
) -> dict[str, object] | None:
    """Return how many images of a class and of the others have its patch; None if it tells nothing.

    Args:
        has: (n,) whether the images that did not choose the patch have it.
        is_own: (n,) whether they are of the class.
        tested: The number of classes for which a patch is looked for.
    """
    from scipy.stats import fisher_exact  # here, since few sets come so far

    own, others = int(has[is_own].sum()), int(has[~is_own].sum())
    of_class = metrics.wilson(own, int(is_own.sum()))
    elsewhere = metrics.wilson(others, int((~is_own).sum()))
    if of_class.value < max(LEAST, TIMES * elsewhere.value):
        return None
    table = [[own, of_class.n - own], [others, elsewhere.n - others]]
    p = min(1.0, tested * float(fisher_exact(table, alternative="greater").pvalue))
    if p > SURE:
        return None
    return {"of_class": of_class.to_dict(), "elsewhere": elsewhere.to_dict(), "p": p}
