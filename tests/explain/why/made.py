"""Explanations of a network that finds a red mark, with near training images, for the page."""

from dataclasses import replace

from convlens.maps.evidence import corrected
from convlens.maps.explainer import Explainer
from convlens.maps.explanation import Explanation, Neighbour
from tests.maps.networks import marked, red_finder

NEAR = (
    Neighbour(7, "train/<b>7.png", "marked", 0.987654, "", marked(7)),
    Neighbour(9, "train/9.png", "plain", 0.876543, "marked", marked(9)),
)


def explained(methods=None, against=None, *, metrics=True, hidden=False) -> Explanation:
    """Return an explanation of an image with a mark."""
    explainer = Explainer(red_finder(metrics=metrics, hidden=hidden))
    for method in methods or explainer.methods[:1]:
        explainer.randomise(method, explainer.classifier.examples)
    found = explainer.explain(marked(), "marked" if against else None, against, methods)
    return replace(found, image="photos/a <i>mark.png", neighbours=NEAR)


def with_failed_deletion(explanation: Explanation) -> Explanation:
    """Return an explanation whose first map fails the deletion test."""
    first, *others = explanation.maps
    checks = tuple(
        replace(one, facts={**one.facts, "uncorrected": 0.4}) if one.name == "deletion" else one
        for one in first.checks
    )
    maps = corrected([replace(first, checks=checks), *others])
    return replace(explanation, maps=tuple(maps), keeps=None, flips=None)
