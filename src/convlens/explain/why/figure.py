"""Figure: explanations as one figure; a map that fails a check is replaced by what that means."""

from collections.abc import Sequence
from pathlib import Path

from convlens.charts.heat import Panel, draw_heat, pale_levels
from convlens.charts.style import Chart
from convlens.explain.arithmetic.writing import write_number
from convlens.explain.why import words
from convlens.language import _
from convlens.maps.evidence import Checked
from convlens.maps.explanation import Explanation
from convlens.maps.heat import largest


def draw_explanations(explanations: Sequence[Explanation]) -> Chart:
    """Return a figure with a row for each image; all maps share one scale of colours.

    Args:
        explanations: What `Classifier.explain` has returned for each image.
    """
    drawn = [one.map for explanation in explanations for one in explanation.maps if one.drawn]
    scale = largest(drawn)
    rows = [
        (one.pixels, _title(one), [_panel(checked, one, scale) for checked in one.maps])
        for one in explanations
    ]
    unit = _("for the class (above 0) and against it (below 0), in logits")
    return draw_heat(rows, scale, unit)


def _title(explanation: Explanation) -> str:
    """Return the name of an image, and below it the answer."""
    predicted = _("predicted: {label}").format(label=words.answer(explanation))
    return f"{Path(explanation.image).name}\n{predicted}"


def _panel(checked: Checked, explanation: Explanation, scale: float) -> Panel:
    title = words.title(checked.map, explanation)
    if not checked.drawn:
        return Panel(title, text=checked.refusal)
    values = checked.map.enlarged(*explanation.pixels.shape[:2])
    pale = pale_levels(checked.map.values, scale)
    if pale is None:
        return Panel(title, values)
    levels, step = pale
    return Panel(title, values, words.lines(write_number(step)), levels)
