"""Checking: the checks of the maps of one image, which share their passes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from convlens.maps.deletion import delete_each
from convlens.maps.evidence import (
    Check,
    Checked,
    check_additivity,
    check_deletion,
    check_origin,
)
from convlens.maps.heat import HeatMap
from convlens.maps.network import OpenedNetwork, compute
from convlens.maps.randomisation import Randomised
from convlens.maps.regions import Regions
from convlens.preprocess import ImageArray


def check_each(
    network: OpenedNetwork,
    pixels: ImageArray,
    maps: Sequence[HeatMap],
    randomised: Mapping[str, Randomised],
    *,
    choices: int,
) -> list[Checked]:
    """Return maps with their checks, of which the deletion tests are not corrected yet.

    Args:
        network: The network that the maps are said to explain.
        pixels: (height, width, channels) uint8, the image.
        maps: Maps of one shape.
        randomised: The results of the randomisation check, by method.
        choices: The random choices of the deletion test.
    """
    (rows,) = compute(network.model, pixels[None])
    found = []
    for heat in maps:
        logit = float(heat.target.of(rows.astype(np.float64))[0])
        if heat.method == "exact":
            own = replace(heat, logit=logit)
            found.append((own, check_additivity(own)))
        else:
            found.append((heat, check_origin(heat, logit)))
    deletions = delete_each([heat for heat, _ in found], pixels, network.logits, choices=choices)
    regions = len(Regions.over(*pixels.shape[:2]))
    checked = []
    for (heat, first), deletion in zip(found, deletions, strict=True):
        checks: list[Check] = [first, check_deletion(deletion, regions)]
        if heat.method in randomised:
            checks.append(randomised[heat.method].check)
        checked.append(Checked(heat, tuple(checks)))
    return checked
