"""Figure: explanations as one figure; a map that fails a check is replaced by what that means."""

from collections.abc import Sequence

from convlens.charts.heat import Panel, draw_heat
from convlens.charts.style import Chart
from convlens.explain.why import words
from convlens.language import _
from convlens.maps.evidence import Checked
from convlens.maps.explanation import Explanation
from convlens.maps.heat import largest


def draw_explanations(explanations: Sequence[Explanation]) -> Chart:
    """Return a figure with a row for each image; all maps share one scale of colours."""
    rows = [
        (
            one.pixels,
            _("predicted: {label}").format(label=one.prediction.label),
            [_panel(checked, one) for checked in one.maps],
        )
        for one in explanations
    ]
    drawn = [one.map for explanation in explanations for one in explanation.maps if one.drawn]
    unit = _("for the class (above 0) and against it (below 0), in logits")
    return draw_heat(rows, largest(drawn), unit)


def _panel(checked: Checked, explanation: Explanation) -> Panel:
    title = words.title(checked.map, explanation)
    if not checked.drawn:
        return Panel(title, text=checked.refusal)
    return Panel(title, checked.map.enlarged(*explanation.pixels.shape[:2]))
