"""The images that the files, folders and globs of `convlens predict` name."""

import glob
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from convlens.data.dataset import note_if
from convlens.data.labels import natural_key
from convlens.data.walk import (
    OF_RUNS,
    Found,
    as_spelled,
    counted,
    is_system_name,
    refuse_run,
    walk,
)
from convlens.errors import ConfigError, DataError
from convlens.files import expanded
from convlens.image_file import CONVERT, usual_suffixes
from convlens.language import _
from convlens.reasons import system_reason
from convlens.run_folder import is_run


def find_images(patterns: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return the images that files, folders and globs name, in order and each once, and notes.

    The images of a folder are those that a training on this folder would find. A file that does not
    exist is returned too, so that it is skipped like a damaged one. Runs beside images are left out
    and counted, since a glob, or the shell in its place, may name them along with the images.

    Raises:
        ConfigError: If there are no patterns.
        DataError: If a folder cannot be read or has no image, if a glob has no image, or if nothing
            but runs is named.
    """
    if not patterns:
        raise ConfigError(
            _(
                "say which images: convlens predict RUN IMAGE..., or --model NAME IMAGE...; files, "
                "folders or globs."
            )
        )
    places = [as_spelled(expanded(pattern)) for pattern in patterns]
    if all(map(is_run, places)):
        refuse_run(places[0])
    found: dict[Path, None] = {}
    notes = []
    for pattern, path in zip(patterns, places, strict=True):
        is_glob = glob.has_magic(str(path)) and not path.exists()
        named = _matches(path) if is_glob else [path]
        inside = {folder: _walk(folder) for folder in named if folder.is_dir()}
        some = [
            image for one in named for image in (inside[one].images if one in inside else [one])
        ]
        ignored = sum((one.ignored for one in inside.values()), Counter[str]())
        counts = counted(ignored)
        message = _("{pattern}: this folder has no image ({suffixes}); found {counts}. {advice}")
        if not counts:
            message = _("{pattern}: this folder has no image ({suffixes}).")
        if is_glob:
            message = _("{pattern}: there is no such image ({suffixes}).")
        if is_glob and counts:
            message = _("{pattern}: there is no such image ({suffixes}); found {counts}.")
        if not some and not is_run(path):
            raise DataError(
                message.format(
                    pattern=pattern, suffixes=usual_suffixes(), counts=counts, advice=_(CONVERT)
                )
            )
        found.update(dict.fromkeys(some))
        notes += note_if(counts, _("{pattern}: ignored {counts}"), pattern=pattern, counts=counts)
    return list(found), notes


def _matches(pattern: Path) -> list[Path]:
    """Return what a glob matches, in natural order; system files only where it names them.

    For what is inside a run that the glob does not name, this is the folder of the run.
    """
    found: dict[Path, Path] = {}
    # The name of a folder that exists is no pattern, even if it has brackets.
    base = next(folder for folder in pattern.parents if folder.exists())
    matches = glob.glob(str(pattern.relative_to(base)), root_dir=base, recursive=True)  # noqa: PTH207
    paths = [base / match for match in sorted(matches, key=natural_key)]
    folders = {folder for path in paths for folder in path.parents if base in folder.parents}
    runs = set(filter(is_run, folders))
    for match in paths:
        path = next((folder for folder in reversed(match.parents) if folder in runs), match)
        if not any(is_system_name(part) for part in path.parts if part not in pattern.parts):
            # A link that leads back shows the same files again.
            found.setdefault(path.parent.resolve() / path.name, path)
    return list(found.values())


def _walk(folder: Path) -> Found:
    """Return what is inside a folder.

    Raises:
        DataError: If it cannot be read.
    """
    if is_run(folder):
        return Found(ignored=Counter([OF_RUNS]))
    try:
        return walk(folder)
    except OSError as error:
        raise DataError(
            _("{path}: this cannot be read ({reason}).").format(
                path=error.filename or folder, reason=system_reason(error)
            )
        ) from error
