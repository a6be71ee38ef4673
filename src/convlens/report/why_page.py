"""Why page: what the report shows of the mistakes that are explained."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convlens.charts.heat import FAINTEST, heat_image, scale_colours, scale_numbers
from convlens.charts.html import data_uri
from convlens.language import N_, _

if TYPE_CHECKING:  # what imports Keras
    from convlens.maps.evidence import Checked
    from convlens.report.why import Why

SIDE = 96  # pixels of the longest side of the colours of a map, which the browser enlarges
ROLES = (N_("predicted: {label}"), N_("true: {label}"))
SUM = N_("logit {logit:.3f}: mean of the map {mean:.3f}, bias {bias:.3f}")
MAP = N_(
    "map of {label}, from {least:.2f} to {most:.2f}; the largest number at row {row}, column "
    "{column}"
)


def why_values(
    why: "Why | None",
    class_names: Sequence[str],
    cards: Sequence[Mapping[str, str]],
) -> dict[str, Any] | None:
    """Return what the template shows of the mistakes that are explained; None if nothing is said.

    Args:
        why: Why the mistakes were made.
        class_names: The names of the classes.
        cards: What the page shows of each of the mistakes, with at least those that are explained,
            in the same order.
    """
    if why is None:
        return None
    scale = why.scale
    return {
        "notes": why.notes,
        "faintest": FAINTEST,
        "colours": scale_colours(),
        "ends": scale_numbers(scale) if scale else [],
        "mistakes": [
            {
                **card,
                "height": mistake.pixels.shape[0],
                "width": mistake.pixels.shape[1],
                "maps": [
                    _map_values(one, role, mistake.pixels.shape[:2], class_names, scale)
                    for one, role in zip(mistake.maps, ROLES, strict=True)
                ],
            }
            for mistake, card in zip(why.mistakes, cards, strict=False)
        ],
    }


def _map_values(
    one: "Checked",
    role: str,
    size: tuple[int, ...],
    class_names: Sequence[str],
    scale: float | None,
) -> dict[str, Any]:
    """Return what is shown of a map, or of why it is not drawn."""
    label = class_names[one.map.target.label]
    values = one.map.values
    found = {
        "title": _(role).format(label=label),
        "sum": _(SUM).format(
            logit=one.map.logit, mean=float(values.mean()), bias=one.map.bias or 0.0
        ),
        "checks": one.checks,
        "refusal": one.refusal,
    }
    if not one.drawn or scale is None:
        return found
    row, column = one.map.peak
    factor = SIDE / max(size)
    height, width = (max(1, round(factor * side)) for side in size)
    return found | {
        "source": data_uri(heat_image(one.map.enlarged(height, width), scale), "png"),
        "said": _(MAP).format(
            label=label, least=values.min(), most=values.max(), row=row, column=column
        ),
    }
