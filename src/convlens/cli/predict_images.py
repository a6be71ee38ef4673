"""The images that the files, folders and globs of `convlens predict` name."""

import glob
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from convlens.data.dataset import note_if
from convlens.data.labels import natural_key
from convlens.data.walk import Found, as_spelled, counted, is_system_name, walk
from convlens.errors import ConfigError, DataError
from convlens.files import expanded
from convlens.image_file import CONVERT, usual_suffixes
from convlens.language import _
from convlens.reasons import system_reason
from convlens.run_folder import is_begun, is_claimed


def find_images(patterns: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return the images that files, folders and globs name, in order and each once, and notes.

    The images of a folder are those that a training on this folder would find. A file that does not
    exist is returned too, so that it is skipped like a damaged one.

    Raises:
        ConfigError: If there are no patterns.
        DataError: If a folder cannot be read, has no image or is a run, or if a glob has no image.
    """
    if not patterns:
        raise ConfigError(
            _(
                "say which images: convlens predict RUN IMAGE..., or --model NAME IMAGE...; files, "
                "folders or globs."
            )
        )
    found: dict[Path, None] = {}
    notes = []
    for pattern in patterns:
        path = as_spelled(expanded(pattern))
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
        if not some:
            raise DataError(
                message.format(
                    pattern=pattern, suffixes=usual_suffixes(), counts=counts, advice=_(CONVERT)
                )
            )
        found.update(dict.fromkeys(some))
        notes += note_if(counts, _("{pattern}: ignored {counts}"), pattern=pattern, counts=counts)
    return list(found), notes


def _matches(pattern: Path) -> list[Path]:
    """Return what a glob matches, in natural order; system files only where it names them."""
    found: dict[Path, Path] = {}
    # The name of a folder that exists is no pattern, even if it has brackets.
    base = next(folder for folder in pattern.parents if folder.exists())
    matches = glob.glob(str(pattern.relative_to(base)), root_dir=base, recursive=True)  # noqa: PTH207
    for path in (base / match for match in sorted(matches, key=natural_key)):
        if not any(is_system_name(part) for part in path.parts if part not in pattern.parts):
            # A link that leads back shows the same files again.
            found.setdefault(path.parent.resolve() / path.name, path)
    return list(found.values())


def _walk(folder: Path) -> Found:
    """Return what is inside a folder.

    Raises:
        DataError: If it cannot be read, or is a run, whose charts would be taken as images.
    """
    if is_begun(folder) or is_claimed(folder):
        raise DataError(
            _(
                "{folder}: a folder of images is needed here; this one is a run. Name images, or "
                "see what it holds: {command}"
            ).format(folder=folder, command=shlex.join(["convlens", "run", "show", str(folder)]))
        )
    try:
        return walk(folder)
    except OSError as error:
        raise DataError(
            _("{path}: this cannot be read ({reason}).").format(
                path=error.filename or folder, reason=system_reason(error)
            )
        ) from error
