"""Shown: explanations and near training images as plain data for the page."""

from collections.abc import Sequence
from typing import Any

from convlens.charts.heat import FAINTEST, scale_colours, scale_numbers
from convlens.charts.html import image_uri
from convlens.charts.images import SMALL
from convlens.explain.why import words
from convlens.explain.why.page import shown_regions
from convlens.explain.why.shown_map import ShownMap, shown_maps
from convlens.language import N_, _, sentences
from convlens.maps.evidence import Check
from convlens.maps.explanation import Explanation, Neighbour
from convlens.maps.heat import largest
from convlens.maps.nearest import RARE
from convlens.preprocess import ImageArray
from convlens.text import printable

SIDE = 448  # pixels of the longest side of an image
NEAR_SIDE = 160  # the same, of a near training image
NEARNESS = (  # how near a training image is, from the nearest on
    N_("as near as training images usually are to one another"),
    N_("less near than training images usually are to one another"),
    N_("farther than {share:.0f} % of the training images are from all others"),
)


def shown_explanation(one: Explanation) -> dict[str, Any]:
    """Return an explanation."""
    drawn = [checked.map for checked in one.maps if checked.drawn]
    scale = largest(drawn)
    (maps,) = shown_maps(one, scale)
    return {
        "label": one.label,
        "against": one.against,
        "explained": words.explained(one),
        "title": words.title(one.maps[0].map, one),
        **_size(one.pixels),
        "picture": _picture(one.pixels, SIDE),
        "faintest": FAINTEST,
        "scale": {"colours": scale_colours(), "numbers": scale_numbers(scale)} if drawn else None,
        "maps": [_map(shown) for shown in maps],
        "regions": shown_regions(one),
        "notes": list(one.notes),
    }


def _size(pixels: ImageArray) -> dict[str, int]:
    return {"width": pixels.shape[1], "height": pixels.shape[0]}


def _picture(pixels: ImageArray, side: int) -> dict[str, Any]:
    """Return an image, and whether each of its pixels is to be seen."""
    return {"source": image_uri(pixels, side), "is_small": max(pixels.shape[:2]) <= SMALL}


def _map(shown: ShownMap) -> dict[str, Any]:
    """Return a map with its evidence, or why it is not drawn."""
    checked = shown.checked
    found = {
        "subject": shown.subject,
        "drawn": checked.drawn,
        "refusal": checked.refusal,
        "checks": [_check(check) for check in checked.checks],
    }
    if not checked.drawn:
        return found
    return {
        **found,
        "source": shown.source,
        "lines": shown.lines,
        "said": sentences(words.meaning(shown.map), shown.extent),
    }


def _check(check: Check) -> dict[str, Any]:
    name, value, limit = words.measure(check)
    return {
        "title": check.title,
        "passed": check.passed,
        "measure": f"{name} {value} {'≤' if check.passed else '>'} {limit}",
        "question": _(words.QUESTIONS[check.name]),
        "meaning": check.meaning,
    }


def shown_neighbours(near: Sequence[Neighbour], usual: tuple[float, float]) -> dict[str, Any]:
    """Return near training images.

    Args:
        near: The images.
        usual: See `convlens.maps.nearest.usual_cosines`.
    """
    least, middle = usual
    rows = []
    for one in near:
        place = 0 if one.similarity >= middle else 1 if one.similarity >= least else 2
        rows.append(
            {
                "file": one.name,
                "name": printable(one.name),
                "label": one.label,
                "similarity": one.similarity,
                "said": _(NEARNESS[place]).format(share=100 * (1 - RARE)),
                "is_far": place == 2,
                "doubt": one.doubt,
                **_picture(one.pixels, NEAR_SIDE),
            }
        )
    return {"rows": rows}
