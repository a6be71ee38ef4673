"""Metadata that tell the class: a small tree predicts labels from everything but the pixels.

Size, format, camera and the bytes of a pixel say nothing about what an image shows. Where they
predict its class, each class was collected or saved in its own way, and a network may learn that
instead.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.audit.finding import Finding, found
from convlens.audit.material import Material
from convlens.audit.small_tree import Tree, grow
from convlens.audit.strata import stratified_folds
from convlens.evaluation import metrics
from convlens.evaluation.paired import mcnemar

FOLDS = 5
DEPTH = 3  # at most eight leaves, so that the tree finds rules and not single images
LEAF = 10  # images
MOST = 20_000  # images, drawn alike from all; more say nothing new
# The tree must be better than the largest class beyond doubt, and remove so much of its errors.
# In photographs of cats and dogs the texture removes a fifth, by way of the bytes of a pixel.
SURE = 0.01
REMOVED = 0.35
WORDS = ("mode", "format", "camera", "software")
LEAST_IMPORTANCE = 0.05  # of what the evidence names, as a share of the gain of all splits
SEED = 0


def check_metadata(material: Material, clusters: NDArray[np.int64]) -> list[Finding]:
    """Return a finding if metadata predict the class better than the largest class does.

    Args:
        material: The images.
        clusters: (n,) numbers, equal for images that belong together. One image of each number
            counts, so that no copy is in another fold.
    """
    if isinstance(material.dataset.images, np.ndarray) or not len(material.seen):
        return []  # the images of an array all have the same
    names, values = metadata_of(material)
    labels = material.dataset.labels[material.seen]
    kept = np.unique(clusters[material.seen], return_index=True)[1]
    if len(kept) > MOST:
        kept = np.sort(np.random.default_rng(SEED).choice(kept, MOST, replace=False))
    counts = np.bincount(labels[kept], minlength=material.dataset.num_classes)
    kept = kept[counts[labels[kept]] >= 2 * FOLDS]
    if not names or len(np.unique(labels[kept])) < 2:
        return []
    evidence = _evidence(names, values[kept], labels[kept], material.dataset.class_names)
    removed = (evidence["accuracy"]["value"] - evidence["largest_class"]) / (
        1 - evidence["largest_class"]
    )
    if evidence["p"] > SURE or removed < REMOVED:
        return []
    return [found("metadata_tells_class", material.dataset, [], evidence)]


def _evidence(
    names: list[str],
    values: NDArray[np.float64],
    labels: NDArray[np.int64],
    class_names: tuple[str, ...],
) -> dict[str, Any]:
    """Return the cross-validated accuracy of the tree, that of the largest class, and the test."""
    folds = stratified_folds(labels, FOLDS, np.random.default_rng(SEED))
    predicted = np.empty_like(labels)
    for fold in range(FOLDS):
        held = folds == fold
        predicted[held] = grow(values[~held], labels[~held], DEPTH, LEAF).predict(values[held])
    correct = predicted == labels
    is_largest = labels == np.bincount(labels).argmax()
    tree = grow(values, labels, DEPTH, LEAF)
    gains = np.zeros(len(names))
    for split in tree.splits():
        gains[split.column] += split.gain
    best = np.argsort(-gains, kind="stable")[:3]
    return {
        "accuracy": metrics.accuracy(labels, predicted).to_dict(),
        "largest_class": float(is_largest.mean()),
        "p": mcnemar(int((correct & ~is_largest).sum()), int((is_largest & ~correct).sum())),
        "by": [names[i].strip() for i in best if gains[i] > LEAST_IMPORTANCE * gains.sum()],
        "rules": list(_rules(tree, names, class_names)),
    }


def _rules(
    tree: Tree,
    names: list[str],
    class_names: tuple[str, ...],
    conditions: tuple[tuple[str, str, Any], ...] = (),
) -> Iterator[dict[str, Any]]:
    """Yield what each leaf of a tree says: its conditions, its class, and how often it is right.

    A condition is a name, one of "<=", ">", "=" and "!=", and a number or a word, which is empty
    for what is not given.
    """
    if tree.split is None:
        yield {
            "if": [list(one) for one in conditions],
            "class": class_names[tree.counts.argmax()],
            "share": float(tree.counts.max() / tree.counts.sum()),
            "images": int(tree.counts.sum()),
        }
        return
    name, is_word, word = names[tree.split.column].partition(" ")
    limit: Any = word if is_word else tree.split.limit
    signs = ("!=", "=") if is_word else ("<=", ">")
    for sign, branch in zip(signs, tree.branches, strict=True):
        yield from _rules(branch, names, class_names, (*conditions, (name, sign, limit)))


def metadata_of(material: Material) -> tuple[list[str], NDArray[np.float64]]:
    """Return the names of all metadata that vary, and (n, names) their values.

    A word, such as the name of a camera, is 1 for the images that have it and 0 for the others. Its
    column is called "camera EOS 5D", and "camera " for the images of no known camera.
    """
    width = material.measured("width")
    height = material.measured("height")
    num_bytes = material.measured("bytes")
    columns = {
        "width": width,
        "height": height,
        "width/height": width / np.maximum(1, height),
        "bytes": num_bytes,
        "bytes/pixel": num_bytes / np.maximum(1, width * height),
    }
    words = {name: material.words(name) for name in WORDS}
    suffixes = [Path(material.dataset.image_name(index)).suffix for index in material.seen]
    words["suffix"] = np.char.lower(np.array(suffixes, dtype=np.str_))
    for name, column in words.items():
        known, counts = np.unique(column, return_counts=True)
        for word in known[counts >= LEAF]:
            columns[f"{name} {word}"] = (column == word).astype(np.float64)
    varying = {name: values for name, values in columns.items() if np.ptp(values) > 0}
    return list(varying), np.stack(list(varying.values()), axis=1) if varying else np.zeros((0, 0))
