"""`convlens run`: what runs there are, whether they are whole, and how one is removed."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter
from rich.filesize import decimal

from convlens import run_access, run_folder
from convlens.cli import removing, versions
from convlens.cli.output import print_json
from convlens.errors import ConfigError, RunError
from convlens.files import and_more
from convlens.language import N_, _, ngettext, sentences
from convlens.screen import Screen

if TYPE_CHECKING:
    from convlens.inventory import Entry

Format = Annotated[Literal["table", "json"], Parameter(help=N_("how to print"))]
Name = Annotated[str, Parameter(help=N_("name of a run under runs/, or its folder"))]

runs = App(
    name="run",
    help=N_("List runs, show what can be resumed, check that files are whole, or remove a run."),
    help_format="plaintext",
)
runs.command(versions.compare, help=versions.HELP)


@runs.command(name="list", help=N_("List the runs of a folder, the newest first."))
def list_runs(
    folder: Annotated[Path, Parameter(help=N_("folder that holds runs"))] = run_folder.RUNS,
    *,
    format: Format = "table",  # noqa: A002 - the name of the flag
) -> None:
    """List the runs of a folder, the newest first."""
    from convlens.inventory import DAMAGED, find_runs

    # Before the first training there is no such folder.
    found = [] if folder == run_folder.RUNS and not folder.exists() else find_runs(folder)
    if format == "json":
        print_json([entry.to_dict() for entry in found], indent=1)
        return
    screen = Screen()
    total = ngettext("{size} in {count:,} run", "{size} in {count:,} runs", len(found)).format(
        size=decimal(sum(entry.size for entry in found)), count=len(found)
    )
    screen.facts([(_("folder"), str(folder)), (_("size"), total)])
    if not found:
        return
    screen.say()
    headings = [_("run"), _("began"), _("network"), _("images"), _("done"), _("accuracy")]
    headings += [_("size"), _("state")]
    screen.columns([headings, *map(_cells, found)], left=(0, 1, 2, 4, 7))
    for entry in found:
        if entry.state == DAMAGED:
            screen.note(entry.problems[0])


def _cells(entry: "Entry") -> list[str]:
    return [
        entry.folder.name,
        _date(entry),
        entry.network,
        run_folder.images_in_words(entry.images, entry.used),
        entry.progress,
        _score(entry),
        decimal(entry.size),
        _state(entry),
    ]


@runs.command(help=N_("Show what a run holds, whether it can be resumed, and how."))
def show(
    run: Name,
    *,
    format: Format = "table",  # noqa: A002 - the name of the flag
) -> None:
    """Show what a run holds, whether it can be resumed, and how.

    Raises:
        RunError: If there is no such run.
    """
    from convlens.inventory import FINISHED, bytes_of, look
    from convlens.memory import why_killed

    folder = _find(run)
    entry = look(folder)
    parts: dict[str, int] = {}
    for path in run_folder.files_of(folder):
        first, *inside = path.relative_to(folder).parts
        first += "/" if inside else ""
        parts[first] = parts.get(first, 0) + bytes_of(path)
    if format == "json":
        print_json(entry.to_dict() | {"files": parts}, indent=1)
        return
    screen = Screen()
    # Of a finished run, another command was killed, such as evaluate, and not the training.
    notes = [] if entry.state == FINISHED else [why_killed(folder)]
    facts = [
        (_("run"), str(folder)),
        (_("kind"), _(entry.kind)),
        (_("state"), _state(entry)),
        *((_("problem"), problem) for problem in entry.problems),
        *((_("memory"), note) for note in notes if note),
        (_("began"), _date(entry)),
        (_("network"), entry.network),
        (_("images"), run_folder.images_in_words(entry.images, entry.used)),
        (_("done"), entry.progress),
        (_("accuracy"), _score(entry)),
        (_("size"), decimal(entry.size)),
    ]
    facts += [(_("next"), command) for command in _next(entry)]
    screen.facts(facts)
    screen.say()
    largest_first = sorted(parts.items(), key=lambda part: -part[1])
    rows = [(name, decimal(size)) for name, size in largest_first]
    screen.columns([(_("files"), _("size")), *rows])


@runs.command(
    help=N_("Check that the files of a run are whole, by their checksums.")
    + "\n\n"
    + N_(
        "A run has a checksum of each file when it is finished. The files of others are checked by "
        "their content. The exit code is 5 if a file is not what was written."
    )
)
def verify(
    run: Name,
    *,
    format: Format = "table",  # noqa: A002 - the name of the flag
) -> None:
    """Check that the files of a run are whole, by their checksums.

    Raises:
        RunError: If there is no such run, it is being trained, or a file is not whole.
    """
    from convlens.lock import refuse_locked
    from convlens.run_check import SOUND, UNKNOWN, WHOLE, check_files

    folder = _find(run)
    refuse_locked(folder)
    verdicts = check_files(folder)
    if format == "json":
        print_json([vars(one) for one in verdicts], indent=1)
    else:
        screen = Screen()
        rows = [(one.name, decimal(one.size), _(one.verdict)) for one in verdicts]
        screen.columns([(_("file"), _("size"), _("verdict")), *rows], left=(0, 2))
        count = {kind: sum(one.verdict == kind for one in verdicts) for kind in (WHOLE, SOUND)}
        unknown = sum(one.verdict == UNKNOWN for one in verdicts)
        screen.say()
        if count[SOUND] or unknown:
            screen.note(
                _(
                    "{count:,} of {total:,} files have no checksum: the run is not finished, an "
                    "earlier version made it, or they were added later"
                ).format(count=count[SOUND] + unknown, total=len(verdicts))
            )
        said = _("{sealed:,} of {total:,} files by their checksums, {sound:,} by their content")
        facts = {"sealed": count[WHOLE], "sound": count[SOUND], "total": len(verdicts)}
        screen.facts([(_("whole"), said.format(**facts))])
    wrong = [f"{one.name} ({_(one.verdict)})" for one in verdicts if one.is_wrong]
    if wrong:
        raise RunError(
            _(
                "{folder}: the files of a run must be as they were written; these are not: "
                "{files}. Use a copy of the run, or train it again."
            ).format(folder=folder, files=and_more(wrong))
        )


@runs.command(help=N_("Remove runs, with all their files."))
def remove(
    run: Name,
    *others: Name,
    yes: Annotated[bool, Parameter(negative=(), help=N_("remove them without asking"))] = False,
) -> None:
    """Remove runs, with all their files; none is removed if one of them cannot be.

    Raises:
        ConfigError: If nobody can be asked, and --yes was not given.
        RunError: If a folder is no run, or a run that is being trained.
        StorageError: If one cannot be removed.
    """
    from convlens.inventory import look

    try:
        named = {folder.resolve(): folder for folder in map(_removable, (run, *others))}
    except RunError as error:
        raise RunError(sentences(str(error), _("Nothing was removed."))) from error
    # A part of a study goes with the study.
    folders = [one for place, one in named.items() if not named.keys() & set(place.parents)]
    entries = [look(folder) for folder in folders]
    screen = Screen()
    rows = [(str(one.folder), _state(one), decimal(one.size)) for one in entries]
    screen.columns([(_("run"), _("state"), _("size")), *rows], left=(0, 1))
    screen.say()
    if not yes and not _is_confirmed(folders):
        screen.say(_("nothing was removed"))
        return
    for folder in folders:
        removing.remove(folder)
        screen.fact(_("removed"), str(folder))
    if len(entries) > 1:
        total = ngettext("{size} in {count:,} run", "{size} in {count:,} runs", len(entries))
        size = decimal(sum(one.size for one in entries))
        screen.fact(_("total"), total.format(size=size, count=len(entries)))


def _removable(name: str) -> Path:
    """Return the folder of a run that can be removed.

    Raises:
        RunError: If there is no such run, or if it is being trained.
    """
    from convlens.lock import refuse_locked

    folder = _find(name)
    if folder.is_symlink():
        message = _("{folder}: this is a link to a run; remove the run where it lies: {target}.")
        raise RunError(message.format(folder=folder, target=folder.resolve()))
    own = ("data.json", run_folder.COMPARISON_FACTS)
    if not run_folder.is_claimed(folder) and not any((folder / name).exists() for name in own):
        message = _(
            "{folder}: a run has data.json beside run.toml; this folder has none, so convlens may "
            "not have made it. Remove it by hand if you want to."
        )
        raise RunError(message.format(folder=folder))
    refuse_locked(folder)
    return folder


def _is_confirmed(folders: Sequence[Path]) -> bool:
    """Ask whether runs are to be removed.

    Raises:
        ConfigError: If nobody can be asked.
    """
    named = and_more(folders)
    if not sys.stdin.isatty():
        message = _("{folder}: to remove a run where nobody can be asked, give --yes.")
        raise ConfigError(message.format(folder=named))
    question = _("Remove {folders} and all files inside? [y/N] ").format(folders=named)
    try:
        return input(question).strip().lower() in ("y", "yes", _("yes"))
    except EOFError:  # Ctrl-D answers nothing
        Screen().say()
        return False


def _find(name: str) -> Path:
    """Return the folder of a run, a search or a comparison, also of one that has not begun.

    Raises:
        RunError: If there is none of this name.
    """
    folder = run_folder.folder_of(name)
    if run_folder.is_run(folder):
        return folder
    return run_access.find(name)  # whose error names those that are there


def _state(entry: "Entry") -> str:
    return _("killed; can be resumed") if entry.killed and entry.resume else _(entry.state)


def _next(entry: "Entry") -> list[str]:
    """Return the commands that go on with a run: it is continued, checked or removed."""
    from convlens.inventory import ALTERED, DAMAGED, NOT_BEGUN

    name = str(entry.folder)
    verify = shlex.join(["convlens", "run", "verify", name])
    remove = shlex.join(["convlens", "run", "remove", name])
    if entry.state in (ALTERED, DAMAGED):
        return [verify, remove]
    if entry.state == NOT_BEGUN:
        return [remove]
    return [entry.resume] if entry.resume else []


def _date(entry: "Entry") -> str:
    return "-" if entry.began is None else "{:%Y-%m-%d %H:%M}".format(entry.began.astimezone())


def _score(entry: "Entry") -> str:
    if entry.score is None:
        return "-"
    value = "{value:.1f} %".format(value=100 * entry.score)
    if entry.scored != "test":
        images = run_folder.folds_in_words(entry.scored) or _(entry.scored)
        value = _("{value}, {images}").format(value=value, images=images)
    from convlens.run_contents import OF_SEVERAL

    return _(OF_SEVERAL.get(entry.kind, "{value}")).format(value=value)
