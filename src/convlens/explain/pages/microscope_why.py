"""Microscope why: what the microscope page holds of the maps of the most probable classes."""

from collections.abc import Callable
from typing import Any

from convlens.charts.heat import FAINTEST, scale_colours, scale_numbers
from convlens.explain.microscope import classes
from convlens.explain.microscope.classes import ExplainedClasses
from convlens.explain.microscope.layer import Numbers
from convlens.explain.microscope.microscope import Microscope
from convlens.language import N_, _, listed
from convlens.maps.evidence import Checked
from convlens.maps.heat import largest, method_name

MEANINGS = {  # of the numbers of the maps, by their method
    "exact": N_(
        "Each number is the score of its place for the class: their mean plus the bias "
        "is the logit."
    ),
    "occlusion": N_("Each number is how far the logit falls when its place is covered."),
}
SIZE = N_(
    "The numbers of the maps take {size:.1f} kB of this page, which holds {most:,} kB of them at "
    "most."
)
LEFT_OUT = N_(
    "A map takes {size:,.1f} kB, so that there is no room for {names}; convlens explain shows "
    "their maps."
)
NO_ROOM = N_(
    "The maps of this network are too large for a page, which holds {most:,} kB of them at most; "
    "convlens explain shows them."
)


def why_content(
    explained: ExplainedClasses, pack: Callable[[Numbers], dict[str, Any]]
) -> dict[str, Any]:
    """Return what the script of the page computes with: the numbers of the maps that are drawn.

    Args:
        explained: The maps.
        pack: Returns an array as plain data.
    """
    return {
        "largest": _scale(explained),
        "maps": [_numbers(one, pack) if one.drawn else None for one in explained.maps],
    }


def _numbers(one: Checked, pack: Callable[[Numbers], dict[str, Any]]) -> dict[str, Any]:
    heat = one.map
    return {
        **pack(heat.values[..., None]),
        "logit": heat.logit,
        "bias": heat.bias,
        "absolute": None if heat.bias is None else heat.absolute,
    }


def why_values(explained: ExplainedClasses, microscope: Microscope) -> dict[str, Any]:
    """Return what the template shows of the maps."""
    names = microscope.classifier.class_names
    probabilities = microscope.prediction.probabilities
    maps = [
        {
            "label": names[one.map.target.label],
            "percent": f"{100 * probabilities[one.map.target.label]:.1f}",
            "drawn": one.drawn,
            "refusal": one.refusal,
            "checks": one.checks,
        }
        for one in explained.maps
    ]
    method = explained.maps[0].map.method if maps else None
    return {
        "maps": maps,
        "any_drawn": any(one.drawn for one in explained.maps),
        "method": None if method is None else method_name(method),
        "meaning": None if method is None else _(MEANINGS[method]),
        "faintest": FAINTEST,
        "colours": scale_colours(),
        "ends": scale_numbers(_scale(explained)),
        "notes": explained.notes,
        "sizes": _size_notes(explained),
    }


def _size_notes(explained: ExplainedClasses) -> list[str]:
    """Return what is said of the size of the maps, and which have no room."""
    most = classes.BUDGET // 1000
    if not explained.maps:
        return [_(NO_ROOM).format(most=most)] if explained.left_out else []
    notes: list[str] = [_(SIZE).format(size=explained.size / 1000, most=most)]
    if explained.left_out:
        each = explained.size / len(explained.maps) / 1000
        notes.append(_(LEFT_OUT).format(size=each, names=listed(explained.left_out)))
    return notes


def _scale(explained: ExplainedClasses) -> float:
    return largest(one.map for one in explained.maps if one.drawn)
