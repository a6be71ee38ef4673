"""NPZ: images and labels as arrays in an `.npz` file."""

import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from convlens.data.cache import Part, gather
from convlens.data.dataset import Dataset, note_if, refuse_if
from convlens.data.deep import recorded_values
from convlens.data.formats.npz_array import StoredImages, read_whole
from convlens.data.labels import decode_text, encode_labels, flatten_labels
from convlens.errors import DataError
from convlens.files import DAMAGE
from convlens.language import _, listed
from convlens.reasons import damage_reason
from convlens.unit import Unit, choose_unit, joined

# For each split, the accepted names of its images and of its labels.
NPZ_KEYS: dict[str | None, tuple[tuple[str, str], ...]] = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels")),
    "val": (("x_val", "y_val"), ("x_valid", "y_valid"), ("val_images", "val_labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
    None: (("x", "y"), ("images", "labels")),
}
CLASS_KEYS = ("class_names", "classes", "label_names")


def load_npz(path: Path) -> Dataset:
    """Return the images of an `.npz` file with x_train and y_train, or with x and y.

    The arrays x_val, y_val, x_test, y_test and class_names may follow. Images have the shape
    (n, height, width) or (n, height, width, 1, 3 or 4). Pixels of type uint8 are kept; what is
    black and white in others follows from all of them, see `convlens.unit`. Labels are whole
    numbers or text of shape (n,) or (n, 1), or one-hot rows (n, k).

    Raises:
        DataError: If the file is not an .npz file or is damaged, if shapes, lengths or values do
            not fit, or if it holds Python objects.
        StorageError: If the unpacked images do not fit on the disk.
    """
    refuse_if(
        not zipfile.is_zipfile(path),
        _(
            "{path}: this must be an .npz file as np.savez writes it; it is truncated or has "
            "another format."
        ),
        path=path,
    )
    try:
        with np.load(path, allow_pickle=False) as archive:
            return _dataset(path, archive)
    except DAMAGE as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> DataError:
    """Return the error for a file whose content cannot be read."""
    message = _("{path}: the file is damaged ({reason}). Use an undamaged copy.")
    return DataError(message.format(path=path, reason=damage_reason(error)))


def _dataset(path: Path, archive: Any) -> Dataset:
    keys = {key.lower(): key for key in archive.files}
    parts = []
    labels = []
    splits, notes = _splits(path, keys)
    members = [StoredImages(path, archive.zip, keys[x_key]) for x_key, y_key in splits.values()]
    unit, found = _choose_unit(path, members)
    notes += found
    for member, (__, y_key) in zip(members, splits.values(), strict=True):
        parts.append(Part(member.key, member.image_shape, partial(member.chunks, unit)))
        notes += note_if(
            member.dtype != np.uint8,
            _(
                "{key} is {dtype}; its values from {unit[0]:g} (black) to {unit[1]:g} (white) were "
                "converted to whole numbers 0..255"
            ),
            key=member.key,
            dtype=member.dtype,
            unit=unit,
        )
        numbers = read_whole(path, archive, keys[y_key])
        labels.append(flatten_labels(numbers, f"{path}: {keys[y_key]}"))
        refuse_if(
            len(numbers) != member.shape[0],
            _(
                "{path}: {x_key} and {y_key} must have the same length; found {images:,} images "
                "and {labels:,} labels."
            ),
            path=path,
            x_key=member.key,
            y_key=keys[y_key],
            images=member.shape[0],
            labels=len(numbers),
        )
    class_names = None
    class_key = next((keys[key] for key in CLASS_KEYS if key in keys), None)
    if class_key is not None:
        stored = decode_text(read_whole(path, archive, class_key))
        class_names = [str(name) for name in stored.ravel()]
    indices, encoded_names = encode_labels(labels, class_names, str(path))
    names = [str(split) for split in splits]
    return Dataset(
        source=str(path),
        kind=_("an .npz file"),
        images=gather(parts, [path], path.stem),
        labels=indices,
        class_names=encoded_names,
        splits=None if None in splits else np.repeat(names, [len(rows) for rows in labels]),
        notes=tuple(notes),
        unit=unit,
    )


def _choose_unit(path: Path, members: Sequence[StoredImages]) -> tuple[Unit | None, list[str]]:
    """Return the unit of arrays that are not uint8, and a note on values that lie outside."""
    if all(member.dtype == np.uint8 for member in members):
        return None, []
    values = recorded_values([path], lambda: joined(member.values() for member in members))
    if values is None:
        return None, []
    unit = choose_unit(values)
    notes = note_if(
        values.low < unit[0] or values.high > unit[1],
        _(
            "the values reach from {values.low:g} to {values.high:g}; those below {unit[0]:g} "
            "became black and those above {unit[1]:g} white"
        ),
        values=values,
        unit=unit,
    )
    return unit, list(notes)


def _splits(
    path: Path, keys: dict[str, str]
) -> tuple[dict[str | None, tuple[str, str]], list[str]]:
    """Return the names of images and labels by split, and notes for the user.

    The split is None if there is only one. A val or test without labels is left out.

    Args:
        path: The file, for messages.
        keys: The names of the arrays, by their name in lower case.
    """
    # The first of several names wins.
    found = {
        split: pair
        for split, pairs in NPZ_KEYS.items()
        for pair in reversed(pairs)
        if pair[0] in keys
    }
    if "train" in found:
        found.pop(None, None)
    refuse_if(
        not found,
        _(
            "{path}: an .npz file must have the arrays x_train and y_train (or x and y); found "
            "{found}."
        ),
        path=path,
        found=listed(keys.values()),
    )
    notes: list[str] = []
    for split, (x_key, y_key) in list(found.items()):
        if y_key not in keys and split in ("val", "test") and "train" in found:
            del found[split]
            note = _("{images} was left out, because there are no labels, {labels}")
            notes.append(note.format(images=keys[x_key], labels=y_key))
            continue
        refuse_if(
            y_key not in keys,
            _("{path}: {x_key} must come with its labels, {y_key}; there is none."),
            path=path,
            x_key=keys[x_key],
            y_key=y_key,
        )
    return found, notes
