"""Words: what is said of an explanation, the same in the terminal and on a page."""

from collections.abc import Sequence

from convlens.language import N_, _, sentences
from convlens.maps.evidence import CHECK_NAMES, Check, Checked
from convlens.maps.explanation import Explanation, Neighbour, Region
from convlens.maps.heat import HeatMap, Target, method_name
from convlens.maps.methods import PERTURBING

KEEPS = N_(
    "{share:.1f} % of the image are enough: with everything else covered, the most probable class "
    "stays {label} ({probability:.1f} %)."
)
FLIPS = N_(
    "If {share:.1f} % of the image are covered, the most probable class becomes {label} "
    "({probability:.1f} %)."
)
NEVER_FLIPS = N_("However much of the image is covered, the most probable class stays {label}.")
PLACE = N_(
    "Of all parts of the image of this size, this one costs most: with pixel rows {top} to "
    "{bottom} and columns {left} to {right} covered, the logit falls by {fall:.3f}."
)
PLACE_OF_DIFFERENCE = N_(
    "Of all parts of the image of this size, this one costs most: with pixel rows {top} to "
    "{bottom} and columns {left} to {right} covered, the difference of the logits falls by "
    "{fall:.3f}."
)
BESIDE = N_(
    "The largest number of the map lies elsewhere: a cell of it answers to more of the image than "
    "what lies below it."
)
ANOTHER = N_(
    "No map is shown that answers the question. Occlusion covers places of the image itself and "
    "proves itself more often: --method occlusion."
)
MEANINGS = {  # what the values of a map are, by its method
    "exact": N_(
        "Each number is the score of its place. Their mean plus the bias of {bias:.3f} "
        "is the logit of {logit:.3f}."
    ),
    "occlusion": N_("Each number is how far the logit falls when its place is covered."),
    "rise": N_("Each number is how far the logit rises as its place is shown."),
    "gradient": N_(
        "Each number is the score of its place by the slope of the network. Their mean plus a "
        "remainder of {remainder:.3f}, which belongs to no place, is the logit of {logit:.3f}."
    ),
    "grad-cam": N_(
        "An approximation: each number is what its place adds by the mean slope of the network, "
        "without what speaks against the class."
    ),
}
CELLS = {  # what is said of a cell of a map, by whether its numbers add up to the logit
    "value": N_("row {row}, column {column}: {value}"),
    "sum": N_(
        "row {row}, column {column}: {value}; divided by {count} places, it adds {added} to the "
        "sum, {share} % of all that is added or taken away"
    ),
}
RANDOMISATION = CHECK_NAMES["randomisation"]  # the check that may be missing
QUESTIONS = {  # that the checks answer
    "additivity": N_("Is the map the sum that the network computes?"),
    "origin": N_("Was the map made for this network and this image?"),
    "deletion": N_("Does the answer depend on the places that the map ranks first?"),
    "randomisation": N_("Does the map depend on what the network has learned?"),
}
MEASURES = {  # the value of a check, and how it is written
    "additivity": (N_("relative error"), ".1e"),
    "origin": (N_("relative error"), ".1e"),
    "deletion": ("p", ".3f"),  # not translated: the sign of a p-value
    "randomisation": (N_("rank correlation"), ".2f"),
}


def answer(explanation: Explanation) -> str:
    """Return the predicted class, or that the image is none of the classes."""
    prediction = explanation.prediction
    return prediction.label if prediction.known else _("none of these")


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


def subject(explanation: Explanation, target: Target) -> str:
    """Return the class that is explained, or one class against another."""
    label = explanation.class_names[target.label]
    if target.against is None:
        return label
    against = explanation.class_names[target.against]
    return _("{label} against {against}").format(label=label, against=against)


def title(heat: HeatMap, explanation: Explanation) -> str:
    """Return what a map explains, and by which method."""
    return _("{label}: {method}").format(
        label=subject(explanation, heat.target), method=method_name(heat.method)
    )


def cell(row: int, column: int, count: int, texts: Sequence[str]) -> str:
    """Return what is said of a cell of a map.

    Args:
        row: The row, counted from 0.
        column: The column, counted from 0.
        count: The number of cells.
        texts: The texts of the cell, see `numbers.cell_texts`.
    """
    place = {"row": row, "column": column}
    if len(texts) == 1:
        return _(CELLS["value"]).format(**place, value=texts[0])
    value, added, share = texts
    return _(CELLS["sum"]).format(**place, value=value, count=count, added=added, share=share)


def extent(most: str, end: str, step: str) -> str:
    """Return how far the numbers of a map go beside the scale of colours.

    Args:
        most: Its largest number, without its sign.
        end: The number at the end of the scale.
        step: The step between the lines of equal numbers; empty if the map has none.
    """
    said = _("The largest number of this map is {most}, without its sign.").format(most=most)
    if not step:
        return said
    return sentences(
        said,
        _(
            "It is pale because the colours end at {end}: its numbers are small beside those of "
            "another map, and not less certain. The lines therefore follow equal numbers in steps "
            "of {step}, solid above 0 and dashed below."
        ).format(end=end, step=step),
    )


def lines(step: str) -> str:
    """Return what stands below a map of a figure that has lines of equal numbers."""
    return _(
        "Pale, because its numbers are small on the scale; lines of equal numbers in steps of "
        "{step}, solid above 0 and dashed below."
    ).format(step=step)


def measure(check: Check) -> tuple[str, str, str]:
    """Return the name of the value of a check, the value, and its limit."""
    name, form = MEASURES[check.name]
    return _(name), format(check.value, form), format(check.limit, form)


def place(explanation: Explanation) -> str:
    """Return where covering costs most; empty if it was not looked for.

    Where the peak of a map of positions lies elsewhere, this is said.
    """
    found = explanation.place
    if found is None:
        return ""
    (top, bottom), (left, right) = found.rows, found.columns
    said = _(PLACE if explanation.against is None else PLACE_OF_DIFFERENCE).format(
        top=top, bottom=bottom, left=left, right=right, fall=found.fall
    )
    heat = explanation.answering
    if found.is_near_peak or heat is None or heat.method in PERTURBING:
        return said
    return sentences(said, _(BESIDE))


def another(explanation: Explanation) -> str:
    """Return what may help if no map of what is explained has passed its checks; else nothing."""
    methods = {one.map.method for one in explanation.maps}
    if explanation.answering is not None or methods & set(PERTURBING):
        return ""
    return _(ANOTHER)


def keeps(explanation: Explanation) -> str:
    """Return what the smallest region is that keeps the answer; empty if it was not looked for."""
    return "" if explanation.keeps is None else _region(KEEPS, explanation.keeps)


def flips(explanation: Explanation) -> str:
    """Return what the smallest region is whose loss changes the answer."""
    if explanation.flips is not None:
        return _region(FLIPS, explanation.flips)
    if explanation.keeps is None:
        return ""
    return _(NEVER_FLIPS).format(label=explanation.prediction.label)


def _region(template: str, region: Region) -> str:
    return _(template).format(
        share=100 * region.share, label=region.label, probability=100 * region.probability
    )


def neighbour(one: Neighbour) -> str:
    """Return what is known of a near training image: its label, and what to know about it."""
    said = _("{label} ({similarity:.3f})").format(label=one.label, similarity=one.similarity)
    others = []
    if one.same:
        others.append(_("this very image, which the network has learned"))
    if one.doubt:
        others.append(_("the audit doubts this label and suggests {label}").format(label=one.doubt))
    for other in others:
        said = _("{said}; {other}").format(said=said, other=other)
    return said


def checks(one: Checked) -> str:
    """Return what the checks of a map have shown, in sentences."""
    return sentences(*(check.meaning for check in one.checks))
