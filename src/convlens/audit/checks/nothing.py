"""Nothing: images that show nothing, which are blank, nearly of one colour, or placeholders.

Such an image is one finding with all of its exact copies, whatever their labels and splits. No
check that follows looks at it: that copies of a placeholder have two labels says nothing new.
docs/decisions/audit.md says how the limits were chosen.
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.audit.checks.odd import BRIGHT, DARK, SHARE, Mask, rare
from convlens.audit.copy_sets import exact_copies
from convlens.audit.finding import Finding, found
from convlens.audit.material import Material

BLANK = 0.5  # standard deviation of the grey levels, which JPEG may add to one colour
ONE_COLOUR = 4.0  # the least contrast is 14 among photographs and 5.5 in CIFAR-10
FLAT = 0.45  # of neighbouring pixels that are equal; see `Material.shows_photographs`
# The share of the most frequent colour of a drawing; 98 % of the photographs have less.
BACKGROUND = 0.3
# Grey levels of a reduced drawing; those that were tried had 52 to 96, and photographs in a frame
# had 150 to 238.
LEVELS = 120
MANY = 3  # equal images under different names
NOTICE = re.compile(
    r"(image|photo|picture|pic|img)?[ _-]?(not[ _-]?(found|available)|unavailable|missing)"
    r"|no[ _-]?(image|photo|picture|pic|img)|placeholder",
    re.IGNORECASE,
)


def check_nothing(material: Material) -> list[Finding]:
    """Return a finding for each image that shows nothing, with the exact copies of it."""
    if not len(material.seen):
        return []
    numbers = exact_copies(material)[material.seen]
    contrast = material.measured("contrast")
    firsts = np.unique(numbers, return_index=True)[1]
    is_plain = contrast < ONE_COLOUR
    # Copies count once: a notice that is there many times is no property of the set.
    is_rare = rare(is_plain[firsts]).any()
    kinds = (
        ("blank", (contrast < BLANK) & (material.measured("commonest") > 0.999)),
        ("placeholder", _placeholders(material, numbers)),
        ("one_colour", is_plain & is_rare),
    )
    findings = []
    known = np.zeros(len(numbers), bool)
    for code, mask in kinds:
        # What is equal to an image that shows nothing shows nothing either.
        chosen = np.flatnonzero(np.isin(numbers, numbers[mask & ~known]))
        known[chosen] = True
        order = chosen[np.argsort(numbers[chosen], kind="stable")]
        ends = np.flatnonzero(np.diff(numbers[order])) + 1
        findings += [
            _finding(material, code, places) for places in np.split(order, ends) if len(places)
        ]
    return findings


def _finding(material: Material, code: str, places: NDArray[np.int64]) -> Finding:
    """Return the finding on an image and its copies; an error if a copy is in another split.

    Args:
        material: The images.
        code: The code of the finding.
        places: (m,) the places of the image and its copies among those that were read.
    """
    dataset = material.dataset
    members = material.seen[places]
    if code == "placeholder":
        evidence: dict[str, Any] = {
            "format": bytes(material.looks["format"][members[0]]).decode(),
            "flatness": round(float(material.greys.flatness[places[0]]), 3),
        }
    else:
        evidence = {"value": round(float(material.looks["contrast"][members[0]]), 4)}
    changes = {}
    if len(members) > 1:
        evidence["times"] = len(members)
        evidence["labels"] = [dataset.class_names[label] for label in dataset.labels[members]]
        if dataset.splits is not None:
            evidence["splits"] = dataset.splits[members]
            changes = {"level": "error"} if len(np.unique(evidence["splits"])) > 1 else {}
    return found(code, dataset, members, evidence, **changes)


def _placeholders(material: Material, numbers: NDArray[np.int64]) -> Mask:
    """Return which images are drawings among photographs, in the place of a missing image.

    A drawing is flat. It is a placeholder if it is of another format than the others, says so in
    its name, or is there several times or under several labels.

    Args:
        material: The images.
        numbers: (m,) numbers of the images that were read, equal for exact copies.
    """
    if not material.shows_photographs:
        return np.zeros(len(material.seen), bool)
    drawn = _drawn(material)
    labelled = np.stack([numbers, material.dataset.labels[material.seen]], axis=1)
    times = np.bincount(numbers)
    labels = np.bincount(np.unique(labelled, axis=0)[:, 0])
    repeated = ((times >= MANY) | (labels > 1))[numbers]
    of_other_format = _of_another_format(material) & (drawn | _flat_palette(material))
    mask: Mask = of_other_format | (drawn & (repeated | _named_as_notice(material)))
    return mask


def _drawn(material: Material) -> Mask:
    """Return which images have areas of one colour, as drawings, and are nothing else that is odd.

    Without contrast, every image is flat. A photograph in a frame, as in a screenshot, is flat,
    too, but it has nearly all grey levels.
    """
    greys = material.greys
    shows = (greys.brightest >= DARK) & (greys.darkest <= BRIGHT)
    contrast = material.measured("contrast") >= ONE_COLOUR
    background = material.measured("commonest") > BACKGROUND
    drawn: Mask = (greys.flatness > FLAT) & background & contrast & shows
    for place in np.flatnonzero(drawn):
        drawn[place] = len(np.unique(material.looks["grey"][material.seen[place]])) <= LEVELS
    return drawn


def _of_another_format(material: Material) -> Mask:
    """Return which images have a file format that hardly any other image has."""
    words = material.looks["format"][material.seen]
    _, numbers, counts = np.unique(words, return_inverse=True, return_counts=True)
    few = (counts < counts.max()) & (counts <= max(1, SHARE * len(words)))
    mask: Mask = few[numbers.reshape(-1)]
    return mask


def _flat_palette(material: Material) -> Mask:
    """Return which images have few colours, and are flatter than most of the set.

    A photograph that was saved with a palette is dithered, so that it is not flat.
    """
    flatness = material.greys.flatness
    palette = np.isin(material.looks["mode"][material.seen], (b"P", b"1", b"PA"))
    return palette & (flatness > np.quantile(flatness, 0.9))


def _named_as_notice(material: Material) -> Mask:
    """Return which files have a name such as no_image.png."""
    images = material.dataset.images
    if isinstance(images, np.ndarray):
        return np.zeros(len(material.seen), bool)
    return np.array([NOTICE.search(images[index].stem) is not None for index in material.seen])
