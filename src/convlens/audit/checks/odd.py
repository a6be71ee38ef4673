"""Odd images: blank, dark, bright, blurred, of extreme shape, or placeholders.

An image is odd among others, so that most limits are relative to the set: no image of a set of
night skies is dark. The limits were chosen on 4,000 photographs of cats and dogs, on CIFAR-10 and
on MNIST, in which next to nothing may be odd; docs/decisions/audit.md has the numbers.
"""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.audit.copy_sets import CopySet
from convlens.audit.finding import Finding, found
from convlens.audit.material import Material

Mask = NDArray[np.bool_]

SHARE = 0.05  # of a set; what more images are is a property of the set, and not odd
BLANK = 0.5  # standard deviation of the grey levels, which JPEG may add to one colour
ONE_COLOUR = 4.0  # the least contrast is 14 among photographs and 5.5 in CIFAR-10
DARK = 50  # grey level that 98 % of the pixels do not exceed; the least are 93 and 59
BRIGHT = 220  # grey level that 98 % of the pixels exceed; the largest are 147 and 219
# Times less detail than the median. A blur of 2 pixels at a side of 224 makes it 80 times less, and
# the least sharp photograph has 33 times less.
BLURRED = 40
DETAIL = 0.05  # the median of a set in which lack of detail can be odd
EXTREME_RATIO = 4.0  # 99.9 % of the photographs are below 2.5
FLAT = 0.45  # of neighbouring pixels that are equal; see `Material.shows_photographs`
BACKGROUND = (
    0.3  # share of the most frequent colour of a drawing; 98 % of the photographs have less
)
MANY = 3  # equal images under different names
NOTICE = re.compile(
    r"(image|photo|picture|pic|img)?[ _-]?(not[ _-]?(found|available)|unavailable|missing)"
    r"|no[ _-]?(image|photo|picture|pic|img)|placeholder",
    re.IGNORECASE,
)


def check_odd(material: Material, sets: list[CopySet]) -> list[Finding]:
    """Return findings on images that are unlike the others of the set.

    What is blank or a placeholder is nothing else besides.

    Args:
        material: The images.
        sets: The sets of copies, among which placeholders are found.
    """
    if not len(material.seen):
        return []
    findings = _placeholders(material, sets)
    named = {index for finding in findings for index in finding.indices}
    known = np.isin(material.seen, list(named))
    for code, mask, measure in _measured(material):
        places = np.flatnonzero(mask & ~known)
        findings += [
            found(code, material.dataset, [material.seen[place]], {"value": measure(int(place))})
            for place in places
        ]
        known |= mask
    return findings


def _measured(material: Material) -> list[tuple[str, Mask, Callable[[int], float]]]:
    """Return codes with the images that they apply to, and what was measured of one."""
    contrast = material.measured("contrast")
    sharpness = material.measured("sharpness")
    greys = material.greys
    blank = (contrast < BLANK) & (material.measured("commonest") > 0.999)
    detail = float(np.median(sharpness))
    blurred = sharpness < detail / BLURRED if detail > DETAIL else np.zeros(len(contrast), bool)
    rows = (
        ("blank", blank, contrast),
        ("one_colour", _rare(contrast < ONE_COLOUR), contrast),
        ("dark", _rare(greys.brightest < DARK), greys.brightest),
        ("bright", _rare(greys.darkest > BRIGHT), greys.darkest),
        ("blurred", _rare(blurred), sharpness),
        ("extreme_shape", _rare(material.ratios >= EXTREME_RATIO), material.ratios),
    )
    return [(code, mask, _rounded(values)) for code, mask, values in rows]


def _rounded(values: NDArray[np.float64]) -> Callable[[int], float]:
    return lambda place: round(float(values[place]), 4)


def _rare(mask: Mask) -> Mask:
    """Return the mask, or an empty one where it holds for more than few images of the set."""
    return mask if mask.sum() <= max(1, SHARE * len(mask)) else np.zeros_like(mask)


def _placeholders(material: Material, sets: list[CopySet]) -> list[Finding]:
    """Return findings on drawings among photographs that stand where an image was missing.

    A drawing is flat. It is a placeholder if it is of another format than the others, says so in
    its name, or is there several times, such as under several labels.
    """
    if not material.shows_photographs:
        return []
    flat = _drawn(material)
    odd = _of_another_format(material) & (flat | _flat_palette(material))
    odd |= flat & _named_as_notice(material)
    findings = []
    known = set()
    flat_images = set(material.seen[flat].tolist())
    for one in sets:
        if one.kind not in ("bytes", "pixels") or not flat_images.issuperset(one.members.tolist()):
            continue
        labels = np.unique(material.dataset.labels[one.members])
        if len(one.members) >= MANY or len(labels) > 1:
            counted = {"times": len(one.members), "labels": len(labels)}
            findings.append(found("placeholder", material.dataset, one.members, counted))
            known.update(one.members.tolist())
    for place in np.flatnonzero(odd):
        index = int(material.seen[place])
        if index not in known:
            flatness = round(float(material.greys.flatness[place]), 3)
            evidence = {"format": str(material.words("format")[place]), "flatness": flatness}
            findings.append(found("placeholder", material.dataset, [index], evidence))
    return findings


def _drawn(material: Material) -> Mask:
    """Return which images have areas of one colour, as drawings, and are nothing else that is odd.

    Without contrast, every image is flat.
    """
    greys = material.greys
    shows = (greys.brightest >= DARK) & (greys.darkest <= BRIGHT)
    contrast = material.measured("contrast") >= ONE_COLOUR
    background = material.measured("commonest") > BACKGROUND
    return (greys.flatness > FLAT) & background & contrast & shows


def _of_another_format(material: Material) -> Mask:
    """Return which images have another file format than nearly all others."""
    formats, numbers, counts = np.unique(
        material.looks["format"][material.seen], return_inverse=True, return_counts=True
    )
    return (
        _rare(counts[numbers.reshape(-1)] < counts.max()) if len(formats) > 1 else _none(material)
    )


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
        return _none(material)
    return np.array([_says_missing(images[index]) for index in material.seen], bool)


def _says_missing(path: Path) -> bool:
    return NOTICE.search(path.stem) is not None


def _none(material: Material) -> Mask:
    return np.zeros(len(material.seen), bool)
