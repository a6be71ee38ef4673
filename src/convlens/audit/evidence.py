"""Evidence: what was measured of a finding, in words and numbers for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from convlens.audit.finding import Finding
from convlens.evaluation.scores import Score
from convlens.files import and_more
from convlens.language import N_, _, all_of, listed

# The images, the labels and the splits stand below the images themselves.
SHOWN_ELSEWHERE = ("kind", "labels", "splits", "difference", "rules", "box")
MOST_NAMED = 8  # of a list

# What "value" is, by the code.
VALUES = {
    "blank": N_("spread of the grey levels (of 255)"),
    "one_colour": N_("spread of the grey levels (of 255)"),
    "dark": N_("98 % of its pixels are no brighter than (of 255)"),
    "bright": N_("98 % of its pixels are no darker than (of 255)"),
    "blurred": N_("sharpness (variance of the Laplacian over that of the grey levels)"),
    "extreme_shape": N_("long side divided by short side"),
}
NAMES = {
    "accuracy": N_("accuracy"),
    "bounds": N_("from, to"),
    "by": N_("told by"),
    "by_class": N_("images by class"),
    "bytes": N_("size of the file (bytes)"),
    "camera": N_("camera"),
    "class": N_("class"),
    "classes": N_("classes"),
    "column": N_("part"),
    "confidence": N_("confidence"),
    "confused": N_("taken for one another"),
    "distance": N_("distance to its class"),
    "elsewhere": N_("other images that have it"),
    "expected": N_("accuracy elsewhere"),
    "flatness": N_("share of neighbouring pixels that are equal"),
    "format": N_("content"),
    "format_of_name": N_("suffix of"),
    "group": N_("group"),
    "images": N_("images"),
    "label": N_("label"),
    "largest": N_("largest class"),
    "largest_class": N_("share of the largest class"),
    "of_class": N_("images of the class that have it"),
    "p": N_("p-value"),
    "pixels": N_("pixels"),
    "problem": N_("problem"),
    "smallest": N_("smallest class"),
    "suggested": N_("suggested label"),
    "taken": N_("taken"),
    "times": N_("times"),
    "value": N_("value"),
}
METADATA = {
    "width": N_("width"),
    "height": N_("height"),
    "width/height": N_("width / height"),
    "bytes": N_("size of the file (bytes)"),
    "bytes/pixel": N_("bytes per pixel"),
    "mode": N_("colour mode"),
    "format": N_("file format"),
    "camera": N_("camera"),
    "software": N_("software"),
    "suffix": N_("suffix"),
    "brightness": N_("brightness"),
    "contrast": N_("contrast"),
    "sharpness": N_("sharpness"),
    "colourfulness": N_("colourfulness"),
    "folder": N_("folder"),
    "split": N_("split"),
}
CONDITIONS = {
    "<=": N_("{name} at most {value}"),
    ">": N_("{name} above {value}"),
    "=": N_("{name} is {value}"),
    "!=": N_("{name} is not {value}"),
}
# The conditions on images without a camera, for example.
NOT_GIVEN = {"=": N_("{name} is not given"), "!=": N_("{name} is given")}
PLACES = (  # of a patch, by the third of the height and that of the width in which its middle lies
    (N_("at the top left"), N_("at the top"), N_("at the top right")),
    (N_("at the left"), N_("in the middle"), N_("at the right")),
    (N_("at the bottom left"), N_("at the bottom"), N_("at the bottom right")),
)
ALL_OVER = 2 / 3  # of both sides; what is longer lies in no third
SHARES = ("confidence", "expected", "flatness", "largest_class")


def facts_of(finding: Finding) -> list[tuple[str, str]]:
    """Return names and values of what was measured, in the chosen language.

    A name that is not known is shown as it is.
    """
    return [
        (_name(name, finding.code), _text(name, value))
        for name, value in finding.evidence.items()
        if name not in SHOWN_ELSEWHERE and value not in (None, "", [], {})
    ] + _sameness(finding)


def _sameness(finding: Finding) -> list[tuple[str, str]]:
    """Return that copies have the same bytes, so that no difference of them is drawn."""
    is_same = finding.evidence.get("kind") == "bytes"
    return [(_("difference"), _("none: the files have the same bytes"))] if is_same else []


def _name(name: str, code: str) -> str:
    if name == "value" and code in VALUES:
        return _(VALUES[code])
    return _(NAMES[name]) if name in NAMES else name.replace("_", " ")


def _text(name: str, value: Any) -> str:
    """Return a value of the evidence as text."""
    if name == "column":
        return fact_name(value)
    if (score := as_score(value)) is not None:
        return str(score)
    if isinstance(value, Mapping):
        rows = [
            _("{name}: {value}").format(name=one, value=_text(name, value[one])) for one in value
        ]
        return and_more(rows, MOST_NAMED)
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = [_text(name, one) for one in value[:MOST_NAMED]]
        return and_more(shown, MOST_NAMED, total=len(value))
    if isinstance(value, float):
        return f"{100 * value:.1f} %" if name in SHARES else _number(name, value)
    return f"{value:,}" if isinstance(value, int) else value


def _number(name: str, value: float) -> str:
    if name == "p":
        return "{:.2g}".format(value) if value >= 1e-4 else "< 0.0001"
    return number_text(value)


def number_text(value: float) -> str:
    """Return a number of four digits, or of more before its point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def as_score(value: Any) -> Score | None:
    """Return a score that was written as plain data, or None for anything else."""
    if not isinstance(value, Mapping) or not {"value", "low", "high", "n"} <= value.keys():
        return None
    if value["value"] is None:
        return None
    return Score(value["value"], value["low"], value["high"], value["n"])


def place_of(box: Sequence[float]) -> str:
    """Return where a patch lies in its images.

    Args:
        box: Its top, left, bottom and right as shares of the height and the width.
    """
    top, left, bottom, right = box
    if min(bottom - top, right - left) > ALL_OVER:
        return _("in several places")
    middle = ((top + bottom) / 2, (left + right) / 2)
    row, column = (min(2, int(3 * place)) for place in middle)
    return _(PLACES[row][column])


def rule_of(finding: Finding) -> str:
    """Return in a few words how metadata or a patch tell the class; nothing for other findings."""
    if finding.code == "patch_tells_class":
        return _patch_rule(finding.evidence)
    accuracy = as_score(finding.evidence.get("accuracy"))
    if finding.code != "metadata_tells_class" or accuracy is None:
        return ""
    return _(
        "A tree of a few questions that sees no pixel, only {by}, predicts the class of "
        "{accuracy.value_text} {accuracy.interval_text} of {accuracy.n:,} images (in a "
        "cross-validation). Always saying the largest class is correct for {largest:.1f} %."
    ).format(
        by=listed(dict.fromkeys(fact_name(name) for name in finding.evidence["by"])),
        accuracy=accuracy,
        largest=100 * finding.evidence["largest_class"],
    )


def _patch_rule(evidence: Mapping[str, Any]) -> str:
    of_class, elsewhere = as_score(evidence["of_class"]), as_score(evidence["elsewhere"])
    assert of_class is not None
    assert elsewhere is not None
    return _(
        "The same grey levels lie {place} in {own} {own_interval} of {count:,} images of {name}, "
        "and in {others} {others_interval} of {rest:,} other images. The patch was chosen on one "
        "half of the images and measured on the other half."
    ).format(
        place=place_of(evidence["box"]),
        own=of_class.value_text,
        own_interval=of_class.interval_text,
        count=of_class.n,
        name=evidence["class"],
        others=elsewhere.value_text,
        others_interval=elsewhere.interval_text,
        rest=elsewhere.n,
    )


def rules_of(finding: Finding) -> list[str]:
    """Return the rules by which metadata tell the class, one in a line; nothing for others."""
    return [
        _("{conditions}: {name} ({share:.0f} % of {n:,} images)").format(
            conditions=all_of(_condition(*one) for one in rule["if"]),
            name=rule["class"],
            share=100 * rule["share"],
            n=rule["images"],
        )
        for rule in finding.evidence.get("rules", ())
    ]


def _condition(name: str, relation: str, limit: Any) -> str:
    template = CONDITIONS[relation] if limit != "" else NOT_GIVEN[relation]
    value = limit if isinstance(limit, str) else number_text(limit)
    return _(template).format(name=fact_name(name), value=value)


def fact_name(name: str) -> str:
    """Return the name of a fact of images, such as "format PNG", without the word after it."""
    known = name.split(" ")[0]
    return _(METADATA[known]) if known in METADATA else name
