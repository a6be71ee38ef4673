"""Terminal: explanations as text, with the numbers of each map that has passed its checks."""

from collections.abc import Mapping, Sequence

from convlens.explain.pages.page import Block, Lines, Page, Row, Table
from convlens.explain.pages.terminal import print_page
from convlens.explain.why import words
from convlens.explain.why.numbers import number_grid
from convlens.explain.why.trust import Trust
from convlens.language import N_, _
from convlens.maps.evidence import Checked
from convlens.maps.explanation import Explanation
from convlens.maps.heat import largest, method_name

TRUST_LINES = (
    (
        N_("deletion passed"),
        N_("the share of images for which p is at most 0.05; maps at random would reach 5 %"),
    ),
    (N_("worst sum"), N_("the largest error of an exact map, as a share of the absolute terms")),
    (
        N_("shuffled"),
        N_("the rank correlation with the maps of shuffled weights; at most 0.50 is allowed"),
    ),
)


def print_explanations(explanations: Sequence[Explanation]) -> None:
    """Print explanations one below the other; all their maps share one scale."""
    scale = largest(
        one.map for explanation in explanations for one in explanation.maps if one.drawn
    )
    for number, explanation in enumerate(explanations):
        if number:
            print()  # noqa: T201
        print_page(text_page(explanation, scale))


def text_page(explanation: Explanation, scale: float) -> Page:
    """Return an explanation as a page for the terminal.

    Args:
        explanation: The explanation.
        scale: The largest absolute value of the maps that are printed together.
    """
    prediction = explanation.prediction
    predicted = _("{label} ({probability:.1f} %)").format(
        label=prediction.label, probability=100 * prediction.probability
    )
    if not prediction.known:
        predicted = _("none of these; most probable: {shares}").format(shares=predicted)
    facts = [(_("prediction"), predicted), (_("explained"), words.explained(explanation))]
    facts += [(_("note"), note) for note in explanation.all_notes]
    blocks: list[Block] = []
    for one in explanation.maps:
        blocks += _map_blocks(one, explanation, scale)
    if another := words.another(explanation):
        blocks.append(Lines((("", another),)))
    found = (words.place(explanation), words.keeps(explanation), words.flips(explanation))
    decided = [text for text in found if text]
    if decided:
        blocks.append(Lines(tuple(("", text) for text in decided), _("what decides")))
    if explanation.neighbours:
        lines = tuple((one.name, words.neighbour(one)) for one in explanation.neighbours)
        blocks.append(Lines(lines, _("nearest training images, with the cosine of the features")))
    return Page(explanation.image, tuple(facts), tuple(blocks))


def _map_blocks(one: Checked, explanation: Explanation, scale: float) -> list[Block]:
    """Return a map with its evidence, or why it is not shown."""
    if not one.drawn:
        return [Lines((("", one.refusal),), words.title(one.map, explanation))]
    grid = number_grid(one.map, scale, words.title(one.map, explanation))
    passed = tuple((check.title, check.meaning) for check in one.checks)
    return [Row((grid,)), Lines((("", words.meaning(one.map)), *passed))]


def print_trust(
    results: Sequence[Trust], reasons: Mapping[str, str], notes: Sequence[str], count: int
) -> None:
    """Print a row for each method, and why the network has not got the others.

    Args:
        results: What was measured of each method.
        reasons: Why the network has not got a method, by the method.
        notes: What else should be known of the network.
        count: The number of images.
    """
    rows = tuple(
        (
            method_name(one.method),
            str(one.drawn),
            one.passed.value_text,
            "" if one.worst_sum is None else f"{one.worst_sum:.1e}",
            "" if one.correlations is None else f"{max(one.correlations):.2f}",
            one.verdict,
        )
        for one in results
    )
    columns = (
        _("method"),
        _("maps that pass all checks"),
        _("deletion passed"),
        _("worst sum"),
        _("shuffled"),
        _("verdict"),
    )
    lines = [(method_name(method), reason) for method, reason in reasons.items()]
    lines += [(_("note"), note) for note in notes if note not in reasons.values()]
    blocks: list[Block] = [Table(columns, rows)]
    blocks.append(Lines(tuple((_(name), _(text)) for name, text in TRUST_LINES)))
    if lines:
        blocks.append(Lines(tuple(lines)))
    title = _("which explanations may be trusted, measured on {count:,} images")
    print_page(Page(title.format(count=count), (), tuple(blocks)))
