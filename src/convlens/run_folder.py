"""The folders of runs: where one lies, what its files are called, and what they say of it."""

import json
import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from convlens.errors import RunError
from convlens.files import with_present_names
from convlens.folders import TEMPORARY
from convlens.language import N_, _
from convlens.reasons import damage_reason
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
TRIALS = "trials.csv"  # a row for each trial of a search that has ended
RESULTS = {COMPARISON_FACTS: "ranking", SEARCH_FACTS: "best"}  # what these files have at the end
CONTINUED_BY = {COMPARISON_FACTS: "compare", SEARCH_FACTS: "search"}  # other runs, by train
NETWORK_DONE = "trained.json"  # marks a network of a comparison as trained
FOLD_DONE = "state/scored.npz"  # marks a fold as done; the probabilities of its held-out images
HELD_OUT = N_("{k} held-out folds")  # what report.json says in every language
# What a run, a search or several trainings have before they can be continued.
BEGUN = {"state", "plots", "data.json", "lists", "SHA256SUMS", SEARCH_FACTS, ASKED}


def place(name: str | Path) -> Path:
    """Return where a run of that name lies.

    A path goes where it says, even if a folder before ".." does not exist.

    >>> str(place("pets")), str(place("missing/../../pets")), str(place("..")), str(place("."))
    ('runs/pets', '../pets', '..', '.')
    """
    path = Path(os.path.normpath(name))
    is_name = len(path.parts) == 1 and path.name not in ("", "..")
    if len(Path(name).parts) > 1 or not is_name:
        return path
    return RUNS / path


def folder_of(name: str | Path) -> Path:
    """Return the folder that a name means: a path, or what lies under `runs/`.

    A folder of images may have the name of a run, which is then meant.
    """
    # A name that is not UTF-8 is also known by the text that is printed for it.
    places = [Path(name), place(original(str(name)))]
    return next(filter(is_run, places), places[0] if places[0].is_dir() else places[1])


def is_of_run(path: Path) -> bool:
    """Return whether a file is the classifier of a run, and not a file elsewhere."""
    return path.name == CLASSIFIER and (path.parent / SETTINGS).is_file()


def resume_command(folder: Path) -> str:
    """Return what a user types to continue a run, or the whole study that it is a part of."""
    whole = study_of(folder) or folder
    return shlex.join(["convlens", continuing(whole), "--run", str(whole), "--resume"])


def study_of(folder: Path) -> Path | None:
    """Return the study of several trainings that a run is a part of, or None."""
    # The folder that holds "." or a plain name does not follow from the name.
    outer = folder.parent if folder.parent.name else folder.resolve().parent
    if not is_begun(outer):
        return None
    if continuing(outer) != "train":
        return outer
    with suppress(RunError):  # What is damaged tells of no parts.
        return outer if {"folds", "few"} & read_json(outer / "data.json").keys() else None
    return None


def continuing(folder: Path) -> str:
    """Return the command of `convlens` that continues what lies in a folder."""
    made = (command for name, command in CONTINUED_BY.items() if (folder / name).exists())
    return next(made, "train")


def is_begun(folder: Path) -> bool:
    """Return whether a folder is a run, a search or a comparison that can be continued."""
    return (folder / SETTINGS).is_file() or (folder / COMPARISON_FACTS).is_file()


def is_run(folder: Path) -> bool:
    """Return whether a folder is a run, a search or a comparison, also one that has not begun."""
    return is_begun(folder) or is_claimed(folder)


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
        raise RunError(message.format(path=path, reason=damage_reason(error))) from error


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


def folds_in_words(seen: str) -> str:
    """Return which folds were scored, in the chosen language; "" if other images were.

    >>> folds_in_words("4 held-out folds"), folds_in_words("test")
    ('4 held-out folds', '')
    """
    number = seen.partition(" ")[0]
    return _(HELD_OUT).format(k=number) if seen == HELD_OUT.format(k=number) else ""


def files_of(folder: Path) -> list[Path]:
    """Return all files in a folder, those of its folders included; links are not followed."""
    return [
        Path(place) / name for place, _folders, names in os.walk(folder) for name in sorted(names)
    ]
