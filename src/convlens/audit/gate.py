"""Gate: the short form of an audit, which runs before every training and says what was found."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from convlens.audit import time_limit
from convlens.audit.audit import NO_TIME, Audit, audit_data
from convlens.audit.codes import CODES
from convlens.audit.in_short import counted, in_short
from convlens.data.prepared import Prepared
from convlens.files import and_more
from convlens.language import _, listed, recalled, recorded

MOST_CODES = 5  # lines
MOST_NAMED = 3  # findings in a line
MOST_RECORDED = 1000  # findings in data.json
# Notes on the images say so already.
SAID = ("unreadable", "truncated", "empty_file", "missing_file")


def check_before_training(prepared: Prepared) -> Prepared:
    """Return decoded images with what an audit found among their notes and in their record.

    The checks that do not fit into a tenth of the first epoch, or into 30 s, are left out and
    named. What decides splits is not among them.

    Args:
        prepared: The images, decoded and split.
    """
    found = audit_data(prepared, seconds=time_limit.time_for(prepared))
    notes = [recorded(note) for note in short_form(found, limited=prepared.whole is not None)]
    return as_checked(prepared, record_of(found) | {"notes": notes})


def as_checked(prepared: Prepared, record: Mapping[str, Any] | None) -> Prepared:
    """Return decoded images with what an audit has recorded of them, as a resumed run says it.

    Args:
        prepared: The images.
        record: What data.json has of the audit; None if there was none.
    """
    if record is None:
        return prepared
    # Runs of earlier versions have not recorded the notes.
    notes = (*map(recalled, record.get("notes", ())), *prepared.more_notes)
    return replace(prepared, audit=record, more_notes=notes)


def short_form(found: Audit, *, limited: bool = False) -> list[str]:
    """Return a line for each of the worst codes with examples, and how to see the rest.

    Args:
        found: What was found.
        limited: Whether `--limit` has left some of the images, while the command audits all.
    """
    codes = [code for code in found.codes if code not in SAID]
    serious = [code for code in codes if found.of(code)[0].level != "note"]
    lines: list[str] = [
        _("{title}: {count} ({example})").format(
            title=_(CODES[code].title),
            count=counted(found.of(code)),
            example=and_more(
                [in_short(one) for one in found.of(code)[:MOST_NAMED]],
                MOST_NAMED,
                total=found.codes[code],
            ),
        )
        for code in serious[:MOST_CODES]
    ]
    lists = [word for one in found.dataset.lists for word in ("--using", str(one.list.path))]
    command = shlex.join(["convlens", "audit", found.dataset.source, *lists])
    if limited:
        command = _("{command} (of all images, not only those that --limit left)").format(
            command=command
        )
    others = [_(CODES[code].title) for code in codes if code not in serious[:MOST_CODES]]
    if others:
        lines.append(
            _("also found: {titles}; to see all of it: {command}").format(
                titles=and_more(others, 4), command=command
            )
        )
    elif lines:
        lines.append(_("to see all of it, with advice: {command}").format(command=command))
    late = [check for check, reason in found.left_out if reason == _(NO_TIME)]
    if late:
        lines.append(
            _("not checked, since it would have delayed the training: {checks}; {command}").format(
                checks=listed(late), command=command
            )
        )
    lines += [
        _("not checked: {check}; {reason}").format(check=check, reason=reason)
        for check, reason in found.left_out
        if reason != _(NO_TIME)
    ]
    return lines


def record_of(found: Audit) -> dict[str, Any]:
    """Return what data.json records; of very many findings only the worst."""
    record = found.to_dict()
    record["findings"] = record["findings"][:MOST_RECORDED]
    return {
        name: record[name]
        for name in ("format", "levels", "codes", "findings", "left_out", "seconds")
    }
