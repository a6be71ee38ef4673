"""Classes: small and unequal ones, names that are alike, and grey images among coloured ones."""

import unicodedata
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from convlens.audit.finding import Finding, found
from convlens.audit.material import Material

# Of 20 images, 4 test; whether 3 or 4 of them are classified correctly says next to nothing.
SMALL = 20
UNEQUAL = 10  # times the images of the smallest class
COLOURED = 0.8  # the share of a set from which on grey images are odd
GREY = 1.0  # colourfulness; photographs that were saved in colour have 2.5 and more
# The same as a share of the contrast, since a photograph in colour that is nearly black has little
# of both.
GREY_SHARE = 0.05
BLANK = 0.5  # contrast; a black image is not grey, but blank
UNEVEN = 0.001  # probability that the shares of grey images differ as much by chance
# A class in which so many images are grey can be told by it. In CIFAR-10 the shares differ beyond
# chance, but no class has more than 4 %.
TELLING = 0.1


def check_classes(material: Material) -> list[Finding]:
    """Return findings on classes as a whole."""
    checks = (_one, _small, _alike, _unequal, _grey)
    return [finding for check in checks for finding in check(material)]


def _one(material: Material) -> list[Finding]:
    """Return a finding if all images that could be read have the same label."""
    dataset = material.dataset
    counts = _counts(material)
    there = np.flatnonzero(counts)
    if len(there) != 1:
        return []
    evidence = {"class": dataset.class_names[there[0]], "images": int(counts[there[0]])}
    return [found("one_class", dataset, [], evidence)]


def _small(material: Material) -> list[Finding]:
    dataset = material.dataset
    counts = _counts(material)
    findings = []
    for label in np.flatnonzero((counts < SMALL) & (dataset.counts() > 0)):
        evidence = {"class": dataset.class_names[label], "images": int(counts[label])}
        members = material.seen[dataset.labels[material.seen] == label]
        findings.append(found("small_class", dataset, members, evidence))
    return findings


def _alike(material: Material) -> list[Finding]:
    """Return a finding for each name of a class that is there in several spellings."""
    dataset = material.dataset
    spellings = defaultdict(list)
    for label in np.flatnonzero(_counts(material)):
        name = dataset.class_names[label]
        usual = unicodedata.normalize("NFKC", name).casefold()
        spellings["".join(usual.split())].append(name)
    return [
        found("alike_names", dataset, [], {"classes": names})
        for names in spellings.values()
        if len(names) > 1
    ]


def _unequal(material: Material) -> list[Finding]:
    dataset = material.dataset
    counts = _counts(material)
    there = np.flatnonzero(counts)
    if len(there) < 2 or counts.max() < UNEQUAL * counts[there].min():
        return []
    largest = int(counts.argmax())
    smallest = int(there[counts[there].argmin()])
    evidence = {
        "largest": dataset.class_names[largest],
        "smallest": dataset.class_names[smallest],
        "images": [int(counts[largest]), int(counts[smallest])],
    }
    return [found("unequal_classes", dataset, [], evidence)]


def _counts(material: Material) -> NDArray[np.int64]:
    """Return (num_classes,) the number of images of each class that could be read."""
    labels = material.dataset.labels[material.seen]
    return np.bincount(labels, minlength=material.dataset.num_classes).astype(np.int64)


def _grey(material: Material) -> list[Finding]:
    """Return a finding on all grey images of a coloured set; a warning if classes differ in them.

    A network that sees colour then learns that grey images are of one class.
    """
    dataset = material.dataset
    contrast = material.measured("contrast")
    limit = np.minimum(GREY, GREY_SHARE * contrast)
    grey = (material.measured("colourfulness") < limit) & (contrast > BLANK)
    if not grey.any() or grey.mean() > 1 - COLOURED:
        return []
    labels = dataset.labels[material.seen]
    table = np.array(
        [np.bincount(labels[mask], minlength=dataset.num_classes) for mask in (grey, ~grey)]
    )
    chance = _chance(table[:, table.sum(axis=0) > 0])
    counts = np.bincount(labels[grey], minlength=dataset.num_classes)
    shares = counts / np.maximum(1, np.bincount(labels, minlength=dataset.num_classes))
    evidence = {
        "images": int(grey.sum()),
        "by_class": {dataset.class_names[i]: int(counts[i]) for i in np.flatnonzero(counts)},
        "p": chance,
    }
    level = "warning" if chance < UNEVEN and shares.max() > TELLING else "note"
    return [found("grey_in_colour", dataset, material.seen[grey], evidence, level=level)]


def _chance(table: NDArray[np.int64]) -> float:
    """Return how probable it is that shares differ as much by chance: Pearson's chi-squared test.

    Of two classes it has Yates' correction, as in `scipy.stats.chi2_contingency`, which takes 0.4 s
    to import.

    Args:
        table: (2, num_classes) the numbers of images that have something, and that have not.
    """
    freedom = table.shape[1] - 1
    if freedom == 0:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    off = np.abs(table - expected)
    if freedom == 1:
        off -= np.minimum(0.5, off)
    return float(chdtrc(freedom, (off**2 / expected).sum()))
