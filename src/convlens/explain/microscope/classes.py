"""Classes: the maps of the most probable classes of an opened image, with their evidence."""

from dataclasses import dataclass

import numpy as np

from convlens.errors import ModelError
from convlens.explain.microscope.microscope import Microscope
from convlens.maps.deletion import choices_for
from convlens.maps.evidence import Checked, corrected
from convlens.maps.explainer import Explainer
from convlens.maps.heat import Target
from convlens.maps.perturbing import Progress
from convlens.maps.regions import Regions
from convlens.report.stored import randomise_once, read_randomised
from convlens.run import Run

MOST = 5  # classes
BUDGET = 1_000_000  # bytes of float32 of the maps in a page


@dataclass(frozen=True, eq=False)
class ExplainedClasses:
    """The maps of the most probable classes.

    Attributes:
        maps: The maps with their evidence, the most probable class first; all of one shape.
        size: The bytes of float32 that the numbers of the maps may take.
        left_out: The classes for whose maps BUDGET has no room.
        notes: What the reader should know, such as why there are no maps.
    """

    maps: tuple[Checked, ...] = ()
    size: int = 0
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def explain_classes(
    microscope: Microscope, run: Run | None = None, progress: Progress | None = None
) -> ExplainedClasses:
    """Return the best maps of the most probable classes, as many as BUDGET has room for.

    The check by shuffled weights is computed and kept for exact maps. Of occlusion it takes
    thousands of passes; it is part of the evidence if `convlens explain` has made it for the run.

    Args:
        microscope: The microscope of a network and an image.
        run: The run of the classifier, which keeps the check by shuffled weights.
        progress: Called with the number of passes that are done, and of all.
    """
    classifier = microscope.classifier
    try:
        explainer = Explainer(classifier, None if run is None else read_randomised(run))
        method = explainer.best_method
    except ModelError as reason:
        return ExplainedClasses(notes=(reason.args[0],))
    rows, columns = map_shape(explainer, microscope)
    size = 4 * rows * columns
    order = np.argsort(-microscope.prediction.probabilities, kind="stable")[:MOST]
    count = min(len(order), BUDGET // size)
    left_out = tuple(classifier.class_names[label] for label in order[count:])
    if not count:
        return ExplainedClasses(left_out=left_out)
    if method == "exact":
        randomise_once(explainer, method, run, progress)
    targets = [Target(int(label)) for label in order[:count]]
    maps = explainer.explain_each(
        microscope.pixels, targets, choices=choices_for(count), progress=progress
    )
    return ExplainedClasses(tuple(corrected(maps)), count * size, left_out, explainer.notes())


def map_shape(explainer: Explainer, microscope: Microscope) -> tuple[int, int]:
    """Return the (rows, columns) of the best maps of an image, before they are computed."""
    if explainer.best_method == "exact":
        _, rows, columns, _ = explainer.network.sum.map.shape
        return rows, columns
    regions = Regions.over(*microscope.pixels.shape[:2])
    return regions.rows, regions.columns
