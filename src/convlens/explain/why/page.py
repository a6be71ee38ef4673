"""The page of explanations: one file that opens offline, in both languages.

Beside the other pages of `explain.pages` lie its template `why.html`, its look `why.css`, and
`why.js`, which shows the number of the cell that is pointed at or reached with the arrow keys.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from convlens.charts.heat import FAINTEST, scale_colours
from convlens.charts.html import each_language, image_uri, render_page
from convlens.charts.images import SMALL
from convlens.explain.why import words
from convlens.explain.why.numbers import rounded
from convlens.explain.why.region_path import fill_path, outline_path
from convlens.explain.why.shown_map import DIGITS, shown_maps
from convlens.language import _
from convlens.maps.explanation import Explanation, Neighbour, Place, Region
from convlens.maps.heat import largest
from convlens.maps.regions import covering
from convlens.preprocess import ImageArray
from convlens.text import printable

SIDE = 320  # pixels of the longest side of an image
NEAR_SIDE = 128  # the same, of a near training image
CLASSES = 5  # whose probability is shown, besides those that are explained


def render(explanations: Sequence[Explanation], network: str, skipped: Sequence[str] = ()) -> str:
    """Return the page of explanations as HTML.

    Args:
        explanations: The explanations; all their maps share one scale of colours.
        network: The name of the network.
        skipped: What is wrong with each image that cannot be read.
    """
    drawn = [one.map for explanation in explanations for one in explanation.maps if one.drawn]
    scale = largest(drawn)
    notes = [
        note for note in explanations[0].notes if all(note in one.notes for one in explanations)
    ]
    values = {
        "words": words,
        "network": printable(network),
        "day": datetime.now(UTC).date().isoformat(),
        "notes": notes,
        "skipped": skipped,
        "scale": _scale(scale) if drawn else None,
        "faintest": FAINTEST,
        "images": [_image(number, one, scale) for number, one in enumerate(explanations)],
        "texts": json.dumps(
            {tag: {name: _(text) for name, text in words.CELLS.items()} for tag in each_language()},
            ensure_ascii=False,
        ),
    }
    return render_page("convlens.explain.pages", "why.html", values)


def _scale(end: float) -> dict[str, Any]:
    """Return the colours of the scale from -end to end, and numbers at equal distances."""
    numbers = end * np.asarray([[-1, -0.5, 0, 0.5, 1]])
    return {"colours": scale_colours(), "numbers": rounded(numbers, DIGITS)[0]}


def _image(number: int, one: Explanation, scale: float) -> dict[str, Any]:
    """Return what the page shows of an image."""
    height, width = one.pixels.shape[:2]
    return {
        "id": f"i{number}",
        "name": printable(Path(one.image).name),
        "width": width,
        "height": height,
        "picture": _picture(one.pixels, SIDE),
        "of": one,
        "classes": _classes(one),
        "groups": shown_maps(one, scale),
        "regions": shown_regions(one),
        "neighbours": [_neighbour(near) for near in one.neighbours],
    }


def _picture(pixels: ImageArray, side: int) -> dict[str, Any]:
    """Return an image, and whether each of its pixels is to be seen."""
    return {"source": image_uri(pixels, side), "is_small": max(pixels.shape[:2]) <= SMALL}


def _classes(one: Explanation) -> list[dict[str, Any]]:
    """Return the most probable classes and those that are explained, with their numbers."""
    order = np.argsort(-one.prediction.probabilities, kind="stable")
    explained = [label for label in (one.target.label, one.target.against) if label is not None]
    chosen = [*order[:CLASSES], *(label for label in explained if label not in order[:CLASSES])]
    return [
        {
            "name": one.class_names[label],
            "logit": f"{one.logits[label]:.3f}",
            "percent": f"{100 * one.prediction.probabilities[label]:.1f}",
            "is_explained": label in explained,
        }
        for label in chosen
    ]


def shown_regions(one: Explanation) -> list[dict[str, str]]:
    """Return the place that costs most and the regions that decide; nothing without any."""
    height, width = one.pixels.shape[:2]
    colour = covering(one.pixels)[0, 0]
    red, green, blue = np.broadcast_to(colour, 3)
    shown: list[tuple[Region | Place | None, str, bool]] = [(one.place, words.place(one), False)]
    if one.leading is not None:
        shown += [(one.keeps, words.keeps(one), True), (one.flips, words.flips(one), False)]
    return [
        {
            "said": said,
            "covered": fill_path(region.chosen != is_kept, height, width),
            "outline": outline_path(region.chosen, height, width),
            "colour": f"#{red:02x}{green:02x}{blue:02x}",
        }
        if region is not None
        else {"said": said}
        for region, said, is_kept in shown
        if said
    ]


def _neighbour(near: Neighbour) -> dict[str, Any]:
    """Return what the page shows of a near training image."""
    return {
        **_picture(near.pixels, NEAR_SIDE),
        "name": printable(near.name),
        "said": words.neighbour(near),
        "doubt": near.doubt,
    }
