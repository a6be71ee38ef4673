"""Odd images: dark, bright, blurred, or of extreme shape.

An image is odd among others, so that the limits are relative to the set: no image of a set of night
skies is dark. They were chosen on 4,000 photographs of cats and dogs, on CIFAR-10 and on MNIST, in
which next to nothing may be odd; docs/decisions/audit.md has the numbers.
"""

import numpy as np
from numpy.typing import NDArray

from convlens.audit.finding import Finding, found
from convlens.audit.material import Material

Mask = NDArray[np.bool_]

SHARE = 0.05  # of a set; what more images are is a property of the set, and not odd
DARK = 50  # grey level that 98 % of the pixels do not exceed; the least are 93 and 59
BRIGHT = 220  # grey level that 98 % of the pixels exceed; the largest are 147 and 219
# Times less detail than the median. A blur of 2 pixels at a side of 224 makes it 80 times less, and
# the least sharp photograph has 33 times less.
BLURRED = 40
DETAIL = 0.05  # the median of a set in which lack of detail can be odd
EXTREME_RATIO = 4.0  # 99.9 % of the photographs are below 2.5


def check_odd(material: Material) -> list[Finding]:
    """Return a finding for each image that is unlike the others of the set, for the first reason.

    Args:
        material: The images, without those that show nothing.
    """
    if not len(material.seen):
        return []
    sharpness = material.measured("sharpness")
    greys = material.greys
    detail = float(np.median(sharpness))
    blurred = (sharpness < detail / BLURRED) & (detail > DETAIL)
    rows = (
        ("dark", greys.brightest < DARK, greys.brightest),
        ("bright", greys.darkest > BRIGHT, greys.darkest),
        ("blurred", blurred, sharpness),
        ("extreme_shape", material.ratios >= EXTREME_RATIO, material.ratios),
    )
    findings = []
    known = np.zeros(len(sharpness), bool)
    for code, mask, measure in rows:
        odd = rare(mask)
        findings += [
            found(
                code,
                material.dataset,
                [material.seen[place]],
                {"value": round(float(measure[place]), 4)},
            )
            for place in np.flatnonzero(odd & ~known)
        ]
        known |= odd
    return findings


def rare(mask: Mask) -> Mask:
    """Return the mask, or an empty one where it holds for more than few images of the set."""
    return mask if mask.sum() <= max(1, SHARE * len(mask)) else np.zeros_like(mask)
