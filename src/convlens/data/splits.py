"""Splits: which images train, which validate, and which test.

They are drawn by `convlens.data.draws`, seeded and stratified by class. Images that belong together
stay in one split; see `convlens.data.clusters`. The others keep their split when images are added,
left out or given another label; see docs/decisions/splits.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import SPLITS, note_if, refuse_if
from convlens.data.digests import Digests
from convlens.data.draws import Indices, draw, ranks_of
from convlens.files import and_more
from convlens.language import _

EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class Splits:
    """Ascending indices into a data set; the three splits do not overlap.

    Attributes:
        train: (n_train,).
        val: (n_val,), empty if no validation was asked for.
        test: (n_test,), empty if no test was asked for.
        notes: Remarks for the user.
    """

    train: Indices
    val: Indices
    test: Indices
    notes: tuple[str, ...] = ()


def make_splits(  # noqa: PLR0913 - each argument is one fact about the splits
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    clusters: Indices,
    usable: NDArray[np.bool_],
    digests: Digests,
    *,
    given: NDArray[np.str_] | None = None,
    val: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
    limited: bool = False,
    name_of: Callable[[int], str] = str,
) -> Splits:
    """Split the usable images.

    A copy, or a near-duplicate, that the source has in two of its own splits stays in the test set,
    or else in the validation set, and is left out of the others.

    Args:
        labels: (n,) class indices.
        class_names: The names of the classes, for messages.
        clusters: (n,) cluster numbers, from `clusters_of`.
        usable: (n,) False for images that could not be read.
        digests: (n, 16) digests of the images, which decide on the order of the draw.
        given: (n,) "train", "val" and "test" if the source splits its images; these are kept.
        val: The share of the training images that validates, if the source has no validation set.
        test: The share of all images that tests, if the source has no test set.
        seed: The seed of the draw.
        limited: Whether these are the images that `--limit` has drawn, for messages.
        name_of: Returns the name of an image, for messages.

    Raises:
        DataError: If a class has no image left to train on.
    """
    pool = np.flatnonzero(usable).astype(np.int64)
    split_of_image = np.full(len(labels), "train") if given is None else given

    def drawn(name: str, share: float) -> Indices:
        """Draw images of the training set for another one, and take them out of it."""
        ranks = ranks_of(digests, f"{seed} {name}", clusters)
        part = draw(splits["train"], labels, clusters, share, ranks)
        splits["train"] = np.setdiff1d(splits["train"], part)
        return part

    splits = {name: pool[split_of_image[pool] == name] for name in SPLITS}
    for name, share in (("test", test), ("val", val)):
        if not len(splits[name]):
            splits[name] = drawn(name, share)
    has_val = len(splits["val"]) > 0
    left_out = _take_out_copies(splits, clusters)
    notes = _left_out_note(left_out, splits, clusters, name_of)
    copied = left_out[split_of_image[left_out] == "train"]
    _require_training(labels, class_names, splits["train"], usable, copied, limited=limited)
    if has_val and not len(splits["val"]):
        notes.append(_("every image of val is in test, too; other images validate, from train"))
        splits["val"] = drawn("val", val)
    return Splits(**splits, notes=tuple(notes))


def _take_out_copies(splits: dict[str, Indices], clusters: Indices) -> Indices:
    """Leave out images that belong to one of a later set, and return these images."""
    before = dict(splits)
    splits["val"] = _without(splits["val"], splits["test"], clusters)
    held_out = np.concatenate([splits["val"], splits["test"]])
    splits["train"] = _without(splits["train"], held_out, clusters)
    return np.concatenate([np.setdiff1d(before[name], splits[name]) for name in ("train", "val")])


def _left_out_note(
    left_out: Indices, splits: dict[str, Indices], clusters: Indices, name_of: Callable[[int], str]
) -> list[str]:
    """Return a note on images that were left out, with examples and the images that stay."""
    held_out = np.concatenate([splits["val"], splits["test"]])
    examples = [
        _("{image} and {other}").format(
            image=name_of(index),
            other=name_of(held_out[clusters[held_out] == clusters[index]][-1]),
        )
        for index in left_out[:EXAMPLES]
    ]
    return note_if(
        len(left_out),
        _(
            "training images that belong to an image of another of the source's splits, as copies, "
            "captures of one second or groups do, were left out ({number:,}): {examples}"
        ),
        number=len(left_out),
        # The names of the others are not needed, as they are only counted.
        examples=and_more([*examples, *[""] * (len(left_out) - len(examples))], EXAMPLES),
    )


def _without(indices: Indices, others: Indices, clusters: Indices) -> Indices:
    return indices[~np.isin(clusters[indices], clusters[others])]


def _require_training(
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    train: Indices,
    usable: NDArray[np.bool_],
    copied: Indices,
    *,
    limited: bool,
) -> None:
    """Raise DataError for classes without a training image.

    The unusable images count, too: a class whose images are all unreadable would never be
    predicted.

    Args:
        labels: (n,) class indices of all images.
        class_names: The names of the classes, for messages.
        train: The training images.
        usable: (n,) False for images that could not be read.
        copied: The images that were taken out of the training because val or test has them.
        limited: Whether these are the images that `--limit` has drawn.
    """
    only_copies = np.setdiff1d(labels[copied], labels[train])
    refuse_if(
        len(only_copies),
        _(
            "each class needs images in train that val and test do not have; all training images "
            "of {classes} are there, too, as copies or in the same group. Remove them from "
            "one of the splits."
        ),
        classes=and_more(
            [
                "'{name}' ({number:,})".format(
                    name=class_names[label], number=np.count_nonzero(labels[copied] == label)
                )
                for label in only_copies
            ]
        ),
    )
    missing = [
        _("'{name}' ({readable:,} of its {number:,} images can be read)").format(
            name=class_names[label],
            readable=np.count_nonzero(labels[usable] == label),
            number=np.count_nonzero(labels == label),
        )
        for label in np.setdiff1d(labels, labels[train])
    ]
    message = _(
        "every class needs an image to train on; none is left for {classes}. Add images, "
        "remove the class, or lower --val and --test."
    )
    if limited:
        message = _(
            "every class needs an image to train on; of those that --limit has drawn, none is left "
            "for {classes}. Give a higher --limit, remove the images that cannot be read, or lower "
            "--val and --test."
        )
    refuse_if(missing, message, classes=and_more(missing))
