"""Evidence: the checks of a map. A map that fails one of them is not drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from convlens.evaluation.paired import holm
from convlens.language import N_, _, listed, sentences
from convlens.maps.deletion import Deletion
from convlens.maps.exact import additivity_error
from convlens.maps.heat import HeatMap, method_name

ADDITIVITY = 1e-5  # of the sum of the absolute terms
ORIGIN = 1e-3  # of a logit, by which two engines differ at most
LEVEL = 0.05  # of the deletion test, after the correction for all maps of a page

ADDS_UP = {  # by whether the check passed
    True: N_(
        "The mean of the map and the bias add up to the logit: {sum:.4f} against {logit:.4f}, an "
        "error of {value:.1e} of the absolute terms."
    ),
    False: N_(
        "The mean of the map and the bias do not add up to the logit: {sum:.4f} against "
        "{logit:.4f}. The map does not belong to this image and this network."
    ),
}
OF_THIS = {
    True: N_("The map belongs to this network and image: it explains the logit of {logit:.4f}."),
    False: N_(
        "The map explains a logit of {sum:.4f}, and this network computes {logit:.4f} for the "
        "image: it was made for another network or image."
    ),
}
DELETED = N_(
    "Without the {count:,} regions that the map ranks first ({share:.0f} % of the image), the "
    "logit changes by {change:+z.2f}; without as many regions chosen at random, by "
    "{random_change:+z.2f} in the mean ({choices:,} choices; p = {value:.3f}, corrected for the "
    "number of maps, {maps:,})."
)
BY_CHANCE = N_(
    "That may be chance: as far as this test can tell, the network does not depend on these places "
    "more than on others."
)
RANDOMISED = {
    True: N_(
        "If the weights are replaced by random ones, the map changes: the rank correlation with "
        "it is {value:.2f} ({limit:.2f} at most is allowed)."
    ),
    False: N_(
        "If the weights are replaced by random ones, the map stays much the same: the rank "
        "correlation with it is {value:.2f} ({limit:.2f} at most is allowed). It shows the image "
        "rather than what the network has learned."
    ),
}
MEANINGS = {
    "additivity": ADDS_UP,
    "origin": OF_THIS,
    "deletion": {True: DELETED, False: DELETED},
    "randomisation": RANDOMISED,
}
CHECK_NAMES = {
    "additivity": N_("additivity"),
    "origin": N_("origin"),
    "deletion": N_("deletion"),
    "randomisation": N_("randomisation"),
}
REFUSED = N_("The map ({method}) is not drawn, as it fails these checks: {checks}.")


@dataclass(frozen=True)
class Check:
    """A check of a map.

    Attributes:
        name: "additivity" of an exact map, "origin" of any other; "deletion", "randomisation".
        passed: Whether the map has passed it.
        value: The relative error, the p-value, or the mean rank correlation.
        limit: The largest value that passes.
        facts: Further numbers of `meaning`, by the names of its fields.
    """

    name: str
    passed: bool
    value: float
    limit: float
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name of the check for people."""
        return _(CHECK_NAMES[self.name])

    @property
    def meaning(self) -> str:
        """What was measured, and what that means."""
        template = _(MEANINGS[self.name][self.passed])
        facts = {"value": self.value, "limit": self.limit, **self.facts}
        if self.name == "deletion":  # A fall may be negative, which a sentence cannot call a fall.
            facts |= {"change": -facts["fall"], "random_change": -facts["random"]}
        said = template.format(**facts)
        by_chance = self.name == "deletion" and not self.passed
        return sentences(said, _(BY_CHANCE)) if by_chance else said

    def to_dict(self) -> dict[str, Any]:
        """Return the check as plain data."""
        facts = {"passed": self.passed, "value": self.value, "limit": self.limit}
        return {"name": self.name, **facts, **self.facts}


@dataclass(frozen=True, eq=False)
class Checked:
    """A map with its evidence.

    Attributes:
        map: The map.
        checks: Its checks.
    """

    map: HeatMap
    checks: tuple[Check, ...]

    @property
    def drawn(self) -> bool:
        """Whether the map has passed all checks, so that it may be shown."""
        return all(check.passed for check in self.checks)

    @property
    def refusal(self) -> str:
        """What stands in the place of the map: which checks it fails; empty if it is drawn."""
        failed = [check for check in self.checks if not check.passed]
        if not failed:
            return ""
        names = listed([check.title for check in failed])
        said = _(REFUSED).format(method=method_name(self.map.method), checks=names)
        return sentences(said, *(check.meaning for check in failed))

    def to_dict(self) -> dict[str, Any]:
        """Return the map and its checks as plain data; a map that fails has no values."""
        hidden = () if self.drawn else ("values", "mean", "added", "shares")
        return {
            **{name: value for name, value in self.map.to_dict().items() if name not in hidden},
            "name": method_name(self.map.method),
            "drawn": self.drawn,
            "refusal": self.refusal,
            "checks": [check.to_dict() for check in self.checks],
        }


def check_additivity(heat: HeatMap) -> Check:
    """Return whether an exact map adds up to the logit."""
    error = additivity_error(heat)
    total = float(heat.values.mean()) + (heat.bias or 0.0)
    facts = {"sum": total, "logit": heat.logit}
    return Check("additivity", error <= ADDITIVITY, error, ADDITIVITY, facts)


def check_origin(heat: HeatMap, logit: float) -> Check:
    """Return whether a map explains the logit that the network computes of the image.

    Args:
        heat: The map; one by gradient times activation has its logit as a sum with a remainder.
        logit: The logit that the network computes.
    """
    own = heat.logit
    if heat.remainder is not None:
        own = float(heat.values.mean()) + heat.remainder
    error = abs(own - logit) / max(1.0, abs(logit))
    passed = bool(np.isfinite(heat.values).all() and error <= ORIGIN)
    return Check("origin", passed, error, ORIGIN, {"sum": own, "logit": logit})


def check_deletion(deletion: Deletion, regions: int) -> Check:
    """Return whether the logit depends on the regions of a map more than on others.

    Args:
        deletion: The outcome of the test.
        regions: The number of regions of the image.
    """
    facts = {
        "fall": deletion.fall,
        "random": float(deletion.random_falls.mean()),
        "count": deletion.count,
        "share": 100 * deletion.count / regions,
        "choices": len(deletion.random_falls),
        "uncorrected": deletion.p,
        "maps": 1,
    }
    return Check("deletion", deletion.p <= LEVEL, deletion.p, LEVEL, facts)


def corrected(maps: Sequence[Checked]) -> list[Checked]:
    """Return the maps of a page with the p-values of all their deletion tests corrected by Holm."""
    places = [
        (number, place)
        for number, one in enumerate(maps)
        for place, check in enumerate(one.checks)
        if check.name == "deletion"
    ]
    found = [list(one.checks) for one in maps]
    values = holm([found[number][place].facts["uncorrected"] for number, place in places])
    for (number, place), p in zip(places, values, strict=True):
        check = found[number][place]
        facts = {**check.facts, "maps": len(places)}
        found[number][place] = replace(check, value=p, passed=p <= check.limit, facts=facts)
    return [replace(one, checks=tuple(checks)) for one, checks in zip(maps, found, strict=True)]
