"""Files of an audit: the page, the list of corrections and the cleaned copy that it writes."""

from pathlib import Path
from typing import TYPE_CHECKING

from convlens.cli.output import refuse_folder
from convlens.errors import ConfigError
from convlens.files import and_more
from convlens.language import _, ngettext
from convlens.screen import Screen
from convlens.text import in_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convlens.audit.audit import Audit
    from convlens.data.correction_lists import Correction
    from convlens.data.dataset import Dataset
    from convlens.data.prepared import Prepared
    from convlens.evaluation.scores import Score


def check_places(out: Path | None, fix: Path | None, export: Path | None) -> None:
    """Refuse files and folders that cannot be written before anything is computed.

    A list may have been edited, and is therefore never replaced.

    Raises:
        ConfigError: If the list or the folder exists, or if the page is a folder.
    """
    if export is not None:
        from convlens.audit.cleaned import refuse_existing

        refuse_existing(export)
    if fix is not None and fix.exists():
        raise ConfigError(
            _(
                "{path}: this list exists, and may have been edited; give --fix another name."
            ).format(path=fix)
        )
    refuse_folder("--out", out, "audit.html")


def write_files(  # noqa: PLR0913 - one argument for each file and what it is made of
    found: "Audit",
    prepared: "Prepared | None",
    share: "Score | None",
    out: Path | None,
    fix: Path | None,
    export: Path | None,
    folder: Path | None,
    screen: Screen,
) -> None:
    """Write the files that were asked for, and say where they are."""
    from convlens.audit.fix import corrections_of
    from convlens.data.correction_lists import write_list

    written: list[tuple[str, str]] = []
    corrections = corrections_of(found.findings, "" if folder is None else folder.name)
    if out is not None:
        page = _write_page(out, found, prepared, share, screen, of_run=folder is not None)
        written.append((_("page"), str(page)))
    if fix is not None:
        write_list(fix, corrections)
        rows = ngettext("{path} ({rows:,} row)", "{path} ({rows:,} rows)", len(corrections))
        written.append((_("list"), rows.format(path=fix, rows=len(corrections))))
    if export is not None:
        written.append((_("copy"), _write_copy(export, found.dataset, corrections, screen)))
    if written:
        screen.say()
        screen.facts(written)


def _write_page(
    out: Path,
    found: "Audit",
    prepared: "Prepared | None",
    share: "Score | None",
    screen: Screen,
    *,
    of_run: bool,
) -> Path:
    """Write the page, with what is measured for it, and return its path."""
    from convlens import backend

    backend.start()  # before anything imports the engine
    from convlens.audit.measure import measure
    from convlens.audit.page import Measured, write_page

    measured = Measured(share=share)
    if prepared is not None:
        with screen.counter(_("features")) as progress:
            measured = measure(
                prepared, found.findings, of_run=of_run, share=share, progress=progress
            )
    return write_page(out, found, measured)


def _write_copy(
    export: Path, dataset: "Dataset", corrections: "Sequence[Correction]", screen: Screen
) -> str:
    """Write the cleaned copy, and return where it is and what is in it."""
    from convlens.audit.cleaned import export_cleaned

    with screen.counter(_("copying")) as progress:
        copy = export_cleaned(dataset, export, corrections, progress)
    if copy.missing:
        screen.note(
            _("files that could not be opened are not in the copy: {files}").format(
                files=in_line(and_more(copy.missing))
            )
        )
    return _(
        "{path} (images: {copied:,}; left out: {excluded:,}; with another label: {relabelled:,})"
    ).format(path=export, copied=copy.copied, excluded=copy.excluded, relabelled=copy.relabelled)
