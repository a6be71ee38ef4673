"""Run access: whether a run may be begun, opened or continued, and where it lies then."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from convlens.errors import RunError
from convlens.files import and_more, claim_folder, numbered
from convlens.language import _, sentences
from convlens.lock import is_locked
from convlens.run_folder import (
    CLASSIFIER,
    RUNS,
    SETTINGS,
    continuing,
    folder_of,
    is_begun,
    is_claimed,
    is_finished,
    place,
    resume_command,
    study_of,
)


def claim(name: str | Path | None, default: str) -> Path:
    """Create the folder of a new run, and return it; see `convlens.run.Run.create`.

    Raises:
        RunError: If the folder that the user asked for has content.
        StorageError: If the folder cannot be created.
    """
    if name is not None:
        folder = place(name)
        refuse_taken(folder)
        if not claim_folder(folder / "state", _("the run folder")):
            raise _taken_error(folder)
        return folder
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in default).lstrip("-")
    return next(
        folder
        for folder in numbered(RUNS / safe)
        if not _is_taken(folder) and claim_folder(folder / "state", _("the run folder"))
    )


def refuse_taken(folder: Path) -> None:
    """Raise RunError if a new run in this folder would overwrite something, or look like a flag."""
    if folder.name.startswith("-"):
        raise RunError(
            _(
                "the name of a run must not begin with a dash, as commands would read it as an "
                "option; found {name}. Use another --run name."
            ).format(name=folder.name)
        )
    if _is_taken(folder):
        raise _taken_error(folder)


def find(name: str | Path) -> Path:
    """Return the folder of an existing run by its path or its name under `runs/`.

    Raises:
        RunError: If there is no run of that name, or it was killed before it could be continued.
    """
    folder = folder_of(name)
    if (folder / SETTINGS).is_file():
        return folder
    refuse_begun(folder)
    refuse_study(folder)
    message = _("{name}: a run is a folder that `convlens train` made, with run.toml inside.")
    others = [path.name for path in _newest_first(RUNS.glob(f"*/{SETTINGS}"))]
    advice = _("Runs here, newest first: {others}.").format(others=and_more(others))
    raise RunError(sentences(message.format(name=name), advice if others else ""))


def find_classifier(name: str | Path) -> Path:
    """Return the classifier file of a run, or the file itself.

    Raises:
        RunError: If there is no such run, or if the folder is a search or a comparison, whose runs
            lie inside.
    """
    if Path(name).is_file():
        return Path(name)
    folder = find(name)
    if not (folder / CLASSIFIER).is_file():
        refuse_study(folder)
    return folder / CLASSIFIER


def refuse_begun(folder: Path) -> None:
    """Raise RunError if a folder was killed before it could be continued."""
    if is_claimed(folder):
        raise RunError(
            _(
                "{folder}: this was killed before it could be continued, and nothing was trained. "
                "Remove the folder, and start again."
            ).format(folder=folder)
        )


def refuse_study(folder: Path) -> None:
    """Raise RunError if a folder is a search or a comparison, and name the runs inside."""
    kinds = [kind for kind in ("search", "compare") if (folder / f"{kind}.json").is_file()]
    if not kinds:
        return
    inner = _newest_first(folder.rglob(CLASSIFIER))
    message = _(
        "{folder}: this was made by `convlens {kind}` and is no run itself; no run inside has a "
        "classifier."
    )
    if inner:
        message = _(
            "{folder}: this was made by `convlens {kind}` and is no run itself; its runs with a "
            "classifier, newest first: {names}."
        )
    raise RunError(message.format(folder=folder, kind=kinds[0], names=and_more(inner)))


def refuse_study_part(folder: Path) -> None:
    """Raise RunError if a folder is a search, a comparison or a part of any study."""
    whole = study_of(folder)
    maker = continuing(folder)
    if whole is not None and is_finished(whole):
        message = _(
            "{folder}: this run is a part of {whole}, which is finished. To train its classifier "
            "further: --from {folder}."
        )
    elif whole is not None:
        message = _("{folder}: this run is a part of {whole} and goes on with it: {command}")
    elif maker != "train":
        message = _(
            "{folder}: this was made by `convlens {continuing}`, which alone can continue it: "
            "{command}"
        )
    else:
        return
    command = resume_command(folder)
    raise RunError(message.format(folder=folder, whole=whole, continuing=maker, command=command))


def _newest_first(files: Iterator[Path]) -> list[Path]:
    """Return the folders of some files, those of the newest files first."""
    newest = sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent for path in newest]


def _is_taken(folder: Path) -> bool:
    """Return whether a folder has content, or is a file."""
    return folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))


def _taken_error(folder: Path) -> RunError:
    whole = study_of(folder) or folder
    command = resume_command(folder)
    if is_locked(whole) and not is_finished(whole):
        message = _(
            "{folder}: a new run needs a folder that does not exist yet; this one is in training "
            "now. Use another --run name."
        )
    elif is_claimed(folder):
        message = _(
            "{folder}: a new run needs a folder that does not exist yet; this one is just being "
            "started, or was killed before it could be continued. Use another --run name, or "
            "remove it."
        )
    elif not is_begun(folder):
        message = _(
            "{folder}: a new run needs a folder that does not exist yet; something else lies here. "
            "Use another --run name."
        )
    elif is_finished(whole):
        command = shlex.join(["convlens", "run", "remove", str(folder)])
        message = _(
            "{folder}: a new run needs a folder that does not exist yet; this one is finished, so "
            "it cannot be continued. Use another --run name, or remove it: {command}"
        )
    elif whole != folder:
        message = _(
            "{folder}: a new run needs a folder that does not exist yet; this one is a part of "
            "{whole}. Use another --run name, or continue the whole: {command}"
        )
    else:
        message = _(
            "{folder}: a new run needs a folder that does not exist yet. Use another --run name, "
            "or continue this one: {command}"
        )
    return RunError(message.format(folder=folder, whole=whole, command=command))
