"""Labels: from numbers, text or one-hot rows to class indices and class names."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import refuse_if
from convlens.errors import DataError
from convlens.files import and_more
from convlens.language import _
from convlens.text import printable


def natural_key(name: str) -> tuple[list[Any], str]:
    """Return the key that sorts the numbers inside names by their value.

    >>> sorted(["10", "9", "b2", "b10"], key=natural_key)
    ['9', '10', 'b2', 'b10']
    """
    parts: list[Any] = [part.casefold() for part in re.split(r"(\d+)", name)]
    digits = [part.lstrip("0") for part in parts[1::2]]
    # Of two whole numbers, the one with fewer digits is the smaller; int() refuses very long ones.
    parts[1::2] = [(len(part), part) for part in digits]
    return parts, name


def flatten_labels(labels: NDArray[Any], where: str) -> NDArray[Any]:
    """Return labels as (n,) integers or text.

    Args:
        labels: (n,) or (n, 1) whole numbers or text, or (n, k) one-hot rows.
        where: The file and the array, for messages.

    Raises:
        DataError: If the labels have another shape, or are neither whole numbers nor text.
    """
    if labels.ndim == 2 and labels.shape[1] > 1 and labels.dtype.kind in "buif":
        refuse_if(
            not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()),
            _("{where}: labels of shape {shape} must be one-hot, with a single 1 in each row."),
            where=where,
            shape=labels.shape,
        )
        return np.asarray(labels.argmax(axis=1), np.int64)
    refuse_if(
        labels.ndim != 1 and labels.shape[1:] != (1,),
        _("{where}: labels must have the shape (n,), (n, 1) or (n, classes); found {shape}."),
        where=where,
        shape=labels.shape,
    )
    labels = decode_text(labels.ravel())
    if labels.dtype.kind == "U":
        return labels
    if labels.dtype.kind in "bui":
        return labels.astype(np.int64)
    wrong = labels
    if labels.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            wrong = labels[labels % 1 != 0]  # also NaN and infinity
    if not len(wrong):
        return labels.astype(np.int64)
    raise DataError(
        _("{where}: labels must be whole numbers or text; found {dtype}, such as {label}.").format(
            where=where, dtype=labels.dtype, label=wrong[0]
        )
    )


def decode_text(values: NDArray[Any]) -> NDArray[Any]:
    """Return bytes as text, and anything else unchanged."""
    return np.asarray(np.char.decode(values, "utf-8")) if values.dtype.kind == "S" else values


def encode_labels(
    labels: Sequence[NDArray[Any]], class_names: Sequence[str] | None, where: str
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return ((n,) class indices, class names) of the labels of all splits.

    Args:
        labels: One array of numbers or of text for each split.
        class_names: The names of the classes. A number is an index into them, and a text is one of
            them. None takes the values that occur, in natural order.
        where: The file, for messages.

    Raises:
        DataError: If numbers and text are mixed, a label is negative or is not among the class
            names, or a class name is repeated.
    """
    refuse_if(
        len({values.dtype.kind for values in labels}) > 1,
        _("{where}: labels must be all numbers or all text; found both."),
        where=where,
    )
    if class_names is not None:
        class_names = list(map(printable, class_names))
    repeated = [name for name, number in Counter(class_names or ()).items() if number > 1]
    if repeated:
        raise DataError(
            _(
                "{where}: class_names must differ from each other; found {name!r} more than once."
            ).format(where=where, name=repeated[0])
        )
    joined = np.concatenate(labels)
    if joined.dtype.kind != "U" and class_names is not None:
        _require_range(joined, len(class_names), where)
        return joined, tuple(class_names)
    values, indices = np.unique(joined, return_inverse=True)
    if values.dtype.kind != "U" and values.min() < 0:
        raise DataError(
            _("{where}: labels must be 0 or more; found {label} at row {row}.").format(
                where=where, label=values.min(), row=joined.argmin()
            )
        )
    found = [printable(value) for value in values]
    names = list(class_names or sorted(found, key=natural_key))
    unknown = [name for name in found if name not in names]
    refuse_if(
        unknown,
        _("{where}: labels must be among class_names; found {unknown}."),
        where=where,
        unknown=and_more(unknown, 3),
    )
    return np.array([names.index(name) for name in found], np.int64)[indices], tuple(names)


def _require_range(labels: NDArray[np.int64], num_classes: int, where: str) -> None:
    """Raise DataError for labels that are no index of a class."""
    wrong = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if len(wrong):
        raise DataError(
            _(
                "{where}: labels must be 0 to {last}, as there are {number} class_names; found "
                "{label} at row {row} ({wrong:,} such)."
            ).format(
                where=where,
                last=num_classes - 1,
                number=num_classes,
                label=labels[wrong[0]],
                row=wrong[0],
                wrong=len(wrong),
            )
        )
