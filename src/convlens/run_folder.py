"""The folders of runs: how one is named and claimed, and how it is found again by its name."""

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from convlens.errors import RunError
from convlens.files import and_more, claim_folder, numbered, with_present_names
from convlens.folders import TEMPORARY
from convlens.language import _, sentences
from convlens.lock import is_locked
from convlens.reasons import system_reason
from convlens.text import original

RUNS = Path("runs")
SETTINGS = "run.toml"
CLASSIFIER = "classifier.keras"
HISTORY = "history.csv"
REGULARISATION = "regularisation.csv"  # the strengths that were tried for a linear head
LIVE = Path("state") / "live.json"  # the worst mistakes of the last epoch
ASKED = "asked.toml"  # the settings of several trainings, before "auto" was decided
SEARCH_FACTS = "search.json"
COMPARISON_FACTS = "compare.json"
RESULTS = {COMPARISON_FACTS: "ranking", SEARCH_FACTS: "best"}  # what these files have at the end
CONTINUED_BY = {COMPARISON_FACTS: "compare", SEARCH_FACTS: "search"}  # other runs, by train
NETWORK_DONE = "trained.json"  # marks a network of a comparison as trained
FOLD_DONE = "state/scored.npz"  # marks a fold as done; the probabilities of its held-out images
# What a run, a search or several trainings have before they can be continued.
BEGUN = {"state", "plots", "data.json", "lists", "SHA256SUMS", SEARCH_FACTS, ASKED}


def place(name: str | Path) -> Path:
    """Return where a run of that name lies."""
    path = Path(name)
    return path if len(path.parts) > 1 else RUNS / path


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
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in default)
    return next(
        folder
        for folder in numbered(RUNS / safe)
        if not _is_taken(folder) and claim_folder(folder / "state", _("the run folder"))
    )


def refuse_taken(folder: Path) -> None:
    """Raise RunError if a new run in this folder would overwrite something."""
    if _is_taken(folder):
        raise _taken_error(folder)


def find(name: str | Path) -> Path:
    """Return the folder of an existing run by its path or its name under `runs/`.

    Raises:
        RunError: If there is no run of that name, or it was killed before it could be continued.
    """
    # A name that is not UTF-8 is also known by the text that is printed for it.
    folder = Path(name) if Path(name).is_dir() else place(original(str(name)))
    if (folder / SETTINGS).is_file():
        return folder
    refuse_study(folder)
    refuse_begun(folder)
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


def is_of_run(path: Path) -> bool:
    """Return whether a file is the classifier of a run, and not a file elsewhere."""
    return path.name == CLASSIFIER and (path.parent / SETTINGS).is_file()


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


def resume_command(folder: Path) -> str:
    """Return what a user types to continue a run, or the whole study that it is a part of."""
    whole = study_of(folder) or folder
    return shlex.join(["convlens", _continuing(whole), "--run", str(whole), "--resume"])


def refuse_study_part(folder: Path) -> None:
    """Raise RunError if a folder is a search, a comparison or a part of any study."""
    whole = study_of(folder)
    maker = _continuing(folder)
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


def study_of(folder: Path) -> Path | None:
    """Return the study of several trainings that a run is a part of, or None."""
    # The folder that holds "." or a plain name does not follow from the name.
    outer = folder.parent if folder.parent.name else folder.resolve().parent
    if not is_begun(outer):
        return None
    if _continuing(outer) != "train":
        return outer
    with suppress(RunError):  # What is damaged tells of no parts.
        return outer if {"folds", "few"} & read_json(outer / "data.json").keys() else None
    return None


def _continuing(folder: Path) -> str:
    """Return the command of `convlens` that continues what lies in a folder."""
    made = (command for name, command in CONTINUED_BY.items() if (folder / name).exists())
    return next(made, "train")


def is_begun(folder: Path) -> bool:
    """Return whether a folder is a run, a search or a comparison that can be continued."""
    return (folder / SETTINGS).is_file() or (folder / COMPARISON_FACTS).is_file()


def is_finished(folder: Path) -> bool:
    """Return whether a run, a search or a comparison has its result; damaged files hold none."""
    for name, result in RESULTS.items():
        if (folder / name).exists():
            with suppress(RunError):
                return result in read_json(folder / name)
            return False
    return (folder / "report.json").exists()


def is_claimed(folder: Path) -> bool:
    """Return whether a folder was made for a run that cannot be continued yet.

    It holds nothing but what is written before, and for a comparison the folders of its networks.
    """
    return (folder / "state").is_dir() and all(
        path.name in BEGUN or TEMPORARY.fullmatch(path.name) or (path / "state").is_dir()
        for path in folder.iterdir()
    )


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file of a run, with the present names of its keys.

    Raises:
        RunError: If the file is missing or damaged.
    """
    try:
        content: Any = with_present_names(json.loads(path.read_text(encoding="utf-8")))
        if not isinstance(content, dict):
            raise ValueError(_("it holds no JSON object"))
        return content
    except (OSError, ValueError) as error:
        message = _("{path}: this file of the run cannot be read; {reason}.")
        raise RunError(message.format(path=path, reason=system_reason(error))) from error


def images_used(data: Mapping[str, Any]) -> int | None:
    """Return how many images were used, or how many there are where data.json has no counts.

    Fewer are used than there are where `--limit` was given, or where some cannot be read.
    """
    counts = data.get("counts")
    return data.get("images") if counts is None else sum(map(sum, counts.values()))


def images_in_words(number: int | None, used: int | None) -> str:
    """Return a number of images, and how many of them were used if these are fewer.

    >>> images_in_words(2000, 200), images_in_words(2000, 2000), images_in_words(None, None)
    ('200 of 2,000', '2,000', '-')
    """
    if number is None:
        return "-"
    if used is None or used == number:
        return f"{number:,}"
    return _("{used:,} of {number:,}").format(used=used, number=number)


def files_of(folder: Path) -> list[Path]:
    """Return all files in a folder, those of its folders included; links are not followed."""
    return [
        Path(place) / name for place, _folders, names in os.walk(folder) for name in sorted(names)
    ]


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
            "{folder}: a new run needs a folder that does not exist yet; this one begins just now, "
            "or was killed before it could be continued. Use another --run name, or remove it."
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
