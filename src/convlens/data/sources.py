"""Sources: recognise what a path or a name stands for and load it as a Dataset."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

import numpy as np

from convlens.data.corrections import obey
from convlens.data.dataset import Dataset, check, note_if
from convlens.data.formats.folder import BY_FILE_NAME, a_data_source_is, load_folder, says_lost
from convlens.data.formats.idx import IDX_NAME
from convlens.data.formats.named import NAMES, load_named
from convlens.data.formats.npz import load_npz
from convlens.data.formats.table import load_csv
from convlens.data.thumbnails import thumbnail_folders
from convlens.data.walk import as_spelled, passing_over, refuse_run
from convlens.errors import ConfigError, DataError
from convlens.files import and_more, expanded
from convlens.image_file import IMAGE_SUFFIXES
from convlens.language import _, one_of, sentences
from convlens.reasons import system_reason
from convlens.run_folder import folder_of

LOADERS = {".npz": load_npz, ".csv": load_csv, ".tsv": load_csv, ".txt": load_csv}
PACKED_SUFFIXES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".xz", ".bz2")


def load_data(
    source: str | Path,
    *,
    pattern: str | None = None,
    layout: str = "auto",
    for_training: bool = True,
    using: Sequence[str | Path] = (),
) -> Dataset:
    """Return the labelled images of a folder, a file or a known data set.

    The layout is recognised: a folder per class (also inside train, val and test), images with
    their label in the file name, a CSV file, an .npz file, a folder of IDX files, or a name.

    Args:
        source: A path, or a name such as "mnist5k". A path that exists takes precedence.
        pattern: A regular expression with a group `(?P<label>...)`, which is searched in the file
            names to find the labels.
        layout: Whether folders with names such as "train" are "splits" or "classes". "auto" takes
            them as splits, unless images of folders beside them would be lost.
        for_training: Whether the data set must be fit to train on. This is not needed for images
            that are only evaluated.
        using: Lists of corrections, see `convlens.data.corrections`: which images are left out,
            belong to another class, or stay in one split. The files themselves stay as they are.

    Raises:
        DataError: If nothing is found, the layout is not recognised, the data is malformed, or
            `check` finds it unfit to train on.
        ConfigError: If `pattern` is not a regular expression or lacks the group.
        StorageError: If the cache for large arrays cannot be written.

    Example:
        >>> dataset = load_data("digits")
        >>> len(dataset), dataset.num_classes
        (1797, 10)
    """
    compiled = None if pattern is None else _compiled(pattern)
    path = as_spelled(expanded(source))
    name = str(source).strip().lower().replace("-", "_")
    dataset = _load(path, name, compiled, layout)
    unused = (
        *note_if(
            name in NAMES and path.exists(),
            _("the path {path} was used, not the data set of this name"),
            path=path,
        ),
        *_unused_options(dataset, pattern, layout),
    )
    notes = (*_thumbnails(dataset), *dataset.notes, *_absent(dataset), *unused)
    dataset = replace(dataset, notes=notes)
    if using:
        dataset = obey(dataset, using)
    if for_training:
        _check(dataset)
    return dataset


def _unused_options(dataset: Dataset, pattern: str | None, layout: str) -> tuple[str, ...]:
    """Return notes on the options of `load_data` that these images do not read."""
    return (
        *note_if(
            pattern is not None and dataset.labelled_by != BY_FILE_NAME,
            _("the pattern was not used because the labels are not in the file names"),
        ),
        *note_if(
            layout != "auto" and dataset.labelled_by is None,
            _("the layout was not used because the labels are not those of a folder"),
        ),
    )


def load_to_check(
    source: str | Path,
    *,
    pattern: str | None = None,
    layout: str = "auto",
    using: Sequence[str | Path] = (),
) -> Dataset:
    """Return labelled images that are only checked, without the folders that cannot be read.

    Its notes name these folders; for the arguments, see `load_data`.

    Raises:
        DataError: If nothing is found, or the layout is not recognised.
        ConfigError: If the pattern is malformed.
    """
    with passing_over() as closed:
        try:
            dataset = load_data(
                source, pattern=pattern, layout=layout, for_training=False, using=using
            )
        except DataError as error:
            if not closed:
                raise
            raise DataError(sentences(*error.args, *_closed_folders(closed))) from error
    return replace(dataset, notes=(*_closed_folders(closed), *dataset.notes))


def _closed_folders(closed: Mapping[str, str]) -> list[str]:
    """Return a sentence for each folder that cannot be read, by the reasons for them."""
    template: str = _("{folder}: this folder cannot be read ({reason}) and was left out.")
    return [template.format(folder=folder, reason=reason) for folder, reason in closed.items()]


def _load(path: Path, name: str, pattern: re.Pattern[str] | None, layout: str) -> Dataset:
    """Return the images of a path, or of a name where there is no such path."""
    try:
        if path.is_dir():
            refuse_run(path)
            return load_folder(path, pattern, layout)
        if path.exists():
            return _load_file(path)
        if name in NAMES:
            return load_named(name)
    except OSError as error:
        raise DataError(
            _("{path}: this cannot be read ({reason}).").format(
                path=error.filename or path, reason=system_reason(error)
            )
        ) from error
    refuse_run(folder_of(path))
    raise _nothing_there(path, name)


def _check(dataset: Dataset) -> None:
    """Check that a data set is fit to train on; see `check`."""
    try:
        check(dataset)
    except DataError as error:
        # What is missing may be a class whose images cannot be read.
        missing = filter(says_lost, dataset.notes)
        raise DataError(sentences(*error.args, *missing)) from error


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            _("--pattern must be a regular expression; found {pattern!r}: {error}.").format(
                pattern=pattern, error=error
            )
        ) from error
    if "label" not in compiled.groupindex:
        raise ConfigError(
            _(
                "--pattern must have a group (?P<label>...) that matches the label; found "
                "{pattern!r}."
            ).format(pattern=pattern)
        )
    return compiled


def _nothing_there(path: Path, name: str) -> DataError:
    """Return the error for a path that does not exist, which names what is close to it."""
    folder = path.parent
    near = get_close_matches(name, NAMES, n=2)
    advice: str = _("The folder {folder} does not exist either.").format(folder=folder)
    if folder.is_file():
        advice = _("{folder} is a file and not a folder.").format(folder=folder)
    elif folder.is_dir():
        with suppress(OSError):  # The folder may be one whose entries cannot be listed.
            beside = [entry.name for entry in folder.iterdir()]
            near += [str(folder / match) for match in get_close_matches(path.name, beside, n=2)]
        advice = a_data_source_is()
        if near:
            advice = _("Did you mean {near}?").format(near=one_of(near))
    message = _("{path}: there is no such file or folder, nor a known data set of this name.")
    return DataError(sentences(message.format(path=path), advice))


def _load_file(path: Path) -> Dataset:
    suffix = path.suffix.lower()
    if suffix in LOADERS:
        return LOADERS[suffix](path)
    advice = a_data_source_is()
    if suffix in IMAGE_SUFFIXES:
        message = _("{path}: this is a single image; a data source has many, with labels.")
    elif IDX_NAME.fullmatch(path.name):
        message = _("{path}: this is one of several IDX files; name their folder, {folder}.")
        advice = ""
    elif suffix in PACKED_SUFFIXES:
        message = _("{path}: this is a packed archive; unpack it and name the folder.")
        advice = ""
    else:
        message = _("{path}: this kind of file is not recognised.")
    raise DataError(sentences(message.format(path=path, folder=path.parent), advice))


def _absent(dataset: Dataset) -> list[str]:
    """Return a note for each of val and test that lacks classes."""
    given = () if dataset.splits is None else np.unique(dataset.splits)
    absent = {split: dataset.absent(split) for split in ("val", "test") if split in given}
    return [
        _("{split} has no images of {classes}").format(split=split, classes=and_more(classes, 3))
        for split, classes in absent.items()
        if classes
    ]


def _thumbnails(dataset: Dataset) -> list[str]:
    """Return a note for each folder of thumbnails, up to three."""
    if isinstance(dataset.images, np.ndarray):
        return []
    return [
        _(
            "{folder}: its images look like thumbnails of others, such as {small} of {original}; "
            "remove the folder, or copies of an image come into both training and test"
        ).format(folder=folder, small=small.name, original=original)
        for folder, (small, original) in islice(thumbnail_folders(dataset.images).items(), 3)
    ]
