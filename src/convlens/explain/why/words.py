"""Words: what is said of an explanation, the same in the terminal and on a page."""

from convlens.language import N_, _, sentences
from convlens.maps.evidence import Checked
from convlens.maps.explanation import Explanation, Neighbour, Region
from convlens.maps.heat import HeatMap, method_name

KEEPS = N_(
    "{share:.1f} % of the image are enough: with everything else covered, the answer stays {label} "
    "({probability:.1f} %)."
)
FLIPS = N_(
    "If {share:.1f} % of the image are covered, the answer becomes {label} ({probability:.1f} %)."
)
NEVER_FLIPS = N_("However much of the image is covered, the answer stays {label}.")
MEANINGS = {  # what the values of a map are, by its method
    "exact": N_(
        "Each number is what its place adds to the logit. Their mean plus the bias of {bias:.3f} "
        "is the logit of {logit:.3f}."
    ),
    "occlusion": N_("Each number is how far the logit falls when its place is covered."),
    "rise": N_("Each number is how far the logit rises as its place is shown."),
    "gradient": N_(
        "Each number is what its place adds by the slope of the network. Their mean plus a "
        "remainder of {remainder:.3f}, which belongs to no place, is the logit of {logit:.3f}."
    ),
    "grad-cam": N_(
        "An approximation: each number is what its place adds by the mean slope of the network, "
        "without what speaks against the class."
    ),
}


def explained(explanation: Explanation) -> str:
    """Return what is explained: a class, or one class against another, with the logit."""
    logit = float(explanation.target.of(explanation.logits[None])[0])
    if explanation.against is None:
        said = _("{label}, logit {logit:.3f}")
        return said.format(label=explanation.label, logit=logit)
    said = _("{label} against {against}, difference of the logits {logit:.3f}")
    return said.format(label=explanation.label, against=explanation.against, logit=logit)


def meaning(heat: HeatMap) -> str:
    """Return what the values of a map are."""
    return _(MEANINGS[heat.method]).format(
        bias=heat.bias or 0.0, remainder=heat.remainder or 0.0, logit=heat.logit
    )


def title(one: Checked) -> str:
    """Return the name of the method of a map."""
    return method_name(one.map.method)


def keeps(explanation: Explanation) -> str:
    """Return what the smallest region is that keeps the answer; empty if it was not looked for."""
    return "" if explanation.keeps is None else _region(KEEPS, explanation.keeps)


def flips(explanation: Explanation) -> str:
    """Return what the smallest region is whose loss changes the answer."""
    if explanation.flips is not None:
        return _region(FLIPS, explanation.flips)
    if explanation.keeps is None:
        return ""
    return _(NEVER_FLIPS).format(label=explanation.label)


def _region(template: str, region: Region) -> str:
    return _(template).format(
        share=100 * region.share, label=region.label, probability=100 * region.probability
    )


def neighbour(one: Neighbour) -> str:
    """Return what is known of a near training image: its label, and the doubt of the audit."""
    said = _("{label} ({similarity:.3f})").format(label=one.label, similarity=one.similarity)
    if not one.doubt:
        return said
    doubt = _("the audit doubts this label and suggests {label}").format(label=one.doubt)
    return _("{said}; {other}").format(said=said, other=doubt)


def checks(one: Checked) -> str:
    """Return what the checks of a map have shown, in sentences."""
    return sentences(*(check.meaning for check in one.checks))
