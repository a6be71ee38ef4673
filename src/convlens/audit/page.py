"""The page of an audit: one file that opens offline, in both languages.

It says what was found, how many and how bad, what it does to the score, and shows the images side
by side. `audit.html` is its template, `audit.css` its look, and `audit.js` filters findings and
draws the map.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.audit.audit import Audit
from convlens.audit.cards import MOST_BYTES, PER_CODE, Card, classes_of, make_cards, splits_of
from convlens.audit.codes import ACTION_NAMES, CODES
from convlens.audit.effect import Effect
from convlens.audit.effect_words import explanation, headline
from convlens.audit.finding import Finding
from convlens.audit.map import ImageMap, map_data, map_sentence
from convlens.charts.difference import LIMIT, STEP, scale_colours
from convlens.charts.html import render_page, script_data
from convlens.charts.style import CLASS_COLOURS
from convlens.data.dataset import SPLITS
from convlens.evaluation.scores import Score
from convlens.files import write_atomically
from convlens.language import N_, _, ngettext, sentences
from convlens.preprocess import ImageArray
from convlens.text import printable
from convlens.unit import Unit

MOST_LISTED = 1000  # findings of one code that are named without their images
MOST_NAMES = 6  # of a finding in such a list
LEVEL_NAMES = {
    "error": (N_("error"), N_("errors")),
    "warning": (N_("warning"), N_("warnings")),
    "note": (N_("note"), N_("notes")),
}


@dataclass(frozen=True, eq=False)
class Measured:
    """What the page shows besides the findings.

    Attributes:
        effects: What findings do to the score.
        map: The images as a map, or None.
        images: (n, height, width, channels) uint8, from which the small images of the map are made.
        splits: (n,) the splits of the images where the source has none, as those of a run.
        share: The expected share of wrong labels, or None.
        unit: The unit of deep images, see `Preprocessing.unit`; None if it is not known.
    """

    effects: Sequence[Effect] = ()
    map: ImageMap | None = None
    images: ImageArray | None = None
    splits: NDArray[np.str_] | None = None
    share: Score | None = None
    unit: Unit | str | None = None


def write_page(path: str | Path, audit: Audit, measured: Measured = Measured()) -> Path:
    """Write the page of an audit; return its path.

    Args:
        path: The file.
        audit: What was found.
        measured: What was measured besides.

    Raises:
        StorageError: If the file cannot be written.
    """
    path = Path(path)
    write_atomically(path, render(audit, measured), _("the page of the audit"))
    return path


def render(audit: Audit, measured: Measured = Measured()) -> str:
    """Return the page of an audit as HTML."""
    dataset = audit.dataset
    splits = dataset.splits if dataset.splits is not None else measured.splits
    findings = tuple(audit.findings)
    cards = make_cards(dataset, findings, splits, measured.unit)
    sections = [_section(code, findings, cards[code], audit, splits) for code in audit.codes]
    drawn = ""
    if measured.map is not None and measured.images is not None:
        content = map_data(measured.map, dataset, findings, splits, measured.images)
        content["colours"] = CLASS_COLOURS
        drawn = script_data(content)
    shown = sum(len(section["cards"]) for section in sections)
    values = {
        "dataset": dataset,
        "title": printable(dataset.name),
        "source": printable(dataset.source),
        "day": datetime.now(UTC).date().isoformat(),
        "levels": audit.levels,
        "level_names": LEVEL_NAMES,
        "actions": ACTION_NAMES,
        "verdict": _verdict(audit),
        "sections": sections,
        "limits": _limits(shown, len(findings)),
        "effects": [_effect(one) for one in measured.effects],
        "share": measured.share,
        "map": drawn,
        "map_sentence": map_sentence(measured.map) if measured.map is not None else "",
        "left_out": audit.left_out,
        "seconds": audit.seconds,
        "splits": [] if splits is None else [one for one in SPLITS if (splits == one).any()],
        "scale": {"colours": scale_colours(), "limit": LIMIT, "step": STEP},
    }
    return render_page("convlens.audit", "audit.html", values)


def _verdict(audit: Audit) -> str:
    """Return in one or two sentences how bad it is."""
    levels = audit.levels
    if levels["error"]:
        said = _("Errors make the score wrong or images unusable. Settle them before a training.")
    elif levels["warning"]:
        said = _("No error was found. Warnings often change what a network learns; look at them.")
    elif levels["note"]:
        said = _("Nothing was found that makes a score wrong. The notes are worth knowing.")
    else:
        said = _("Nothing was found.")
    return sentences(said, _("No file was changed, moved or deleted."))


def _section(
    code: str,
    findings: Sequence[Finding],
    cards: list[Card],
    audit: Audit,
    splits: NDArray[np.str_] | None,
) -> dict[str, Any]:
    """Return what the page shows of all findings of a code."""
    own = [(number, finding) for number, finding in enumerate(findings) if finding.code == code]
    numbers = {card.number for card in cards}
    rest = [one for one in own if one[0] not in numbers]
    images = {index for _number, finding in own for index in finding.indices}
    return {
        "code": code,
        "about": CODES[code],
        "level": own[0][1].level,
        "count": len(own),
        "images": len(images),
        "cards": cards,
        "rest": len(rest),
        "listed": [_row(number, one, audit, splits) for number, one in rest[:MOST_LISTED]],
        "has_scale": any(one.difference for card in cards for one in card.shown),
    }


def _row(
    number: int, finding: Finding, audit: Audit, splits: NDArray[np.str_] | None
) -> dict[str, Any]:
    """Return a finding that is only named."""
    return {
        "number": number,
        "names": [printable(name) for name in finding.files[:MOST_NAMES]],
        "more": max(0, len(finding.files) - MOST_NAMES),
        "classes": classes_of(finding, audit.dataset),
        "splits": splits_of(finding, splits),
    }


def _limits(shown: int, count: int) -> str:
    """Return what the page leaves out, or nothing."""
    if shown == count:
        return ""
    return ngettext(
        "{shown:,} of {count:,} finding is shown with its images: at most {most} of a kind, and "
        "{megabytes} MB in all. convlens audit with --format json or --fix has all of them.",
        "{shown:,} of {count:,} findings are shown with their images: at most {most} of a kind, "
        "and {megabytes} MB in all. convlens audit with --format json or --fix has all of them.",
        count,
    ).format(shown=shown, count=count, most=PER_CODE, megabytes=MOST_BYTES // 10**6)


def _effect(effect: Effect) -> dict[str, Any]:
    """Return both scores and where they lie on an axis that begins at a round number."""
    start = max(0, int(20 * (min(effect.learned.low, effect.without.low) - 0.01)) / 20)

    def place(share: float) -> float:
        return round(100 * (share - start) / (1 - start), 2)

    names = {
        "labels": (N_("with the wrong labels"), N_("without them")),
    }.get(effect.kind, (N_("with the leak"), N_("without the leak")))
    rows = [
        {
            "name": _(name),
            "score": score,
            "low": place(score.low),
            "high": place(score.high),
            "value": place(score.value),
        }
        for name, score in zip(names, (effect.learned, effect.without), strict=True)
    ]
    return {
        "rows": rows,
        "start": start,
        "headline": headline(effect),
        "explanation": explanation(effect),
    }
