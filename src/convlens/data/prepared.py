"""Prepared: a data set that is decoded, checked and split, ready to train on."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.config import Config
from convlens.data.clusters import find_clusters
from convlens.data.dataset import SPLITS, Dataset, note_if
from convlens.data.decoding import Progress
from convlens.data.deep import with_unit
from convlens.data.digests import Digests, fingerprint, order_of
from convlens.data.draws import Indices
from convlens.data.duplicates import Pairs, find_pairs
from convlens.data.input_shape import NO_DEMANDS, Demands, as_demanded, choose_preprocessing
from convlens.data.limited import Whole, limited
from convlens.data.splits import Splits, make_splits
from convlens.data.store import Store, open_store
from convlens.language import _, recalled, recorded
from convlens.preprocess import Preprocessing


@dataclass(frozen=True, eq=False)
class Prepared:
    """A data set with its decoded images and its splits.

    Attributes:
        dataset: The data set, or those of its images that `--limit` leaves.
        preprocessing: How its images are brought to the input of the network.
        store: The decoded images.
        splits: Which images train, validate and test.
        enlarged_from: The (height, width) that the images suggested, if it was too small for the
            network.
        more_notes: Remarks of the network and of the audit on the images, for the user.
        pairs: The copies that splits keep together, or None if only exact copies count.
        audit: What the audit before the training found, as `data.json` records it; None without.
        whole: The data set of which `--limit` has left these images; None if they are all.
        recorded_notes: Remarks that a resumed run cannot find again, as `recorded` gives them.
    """

    dataset: Dataset
    preprocessing: Preprocessing
    store: Store
    splits: Splits
    enlarged_from: tuple[int, int] | None = None
    more_notes: tuple[str, ...] = ()
    pairs: Pairs | None = None
    audit: Mapping[str, Any] | None = None
    whole: Whole | None = None
    recorded_notes: tuple[Any, ...] = ()

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """(n,) cluster numbers, which are equal for images that belong together."""
        return find_clusters(self.dataset, self.store, self.pairs).numbers

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of contents, labels and class names, of the whole data set."""
        return self._by(self.store.contents) if self.whole is None else self.whole.fingerprint

    def _by(self, digests: Digests) -> str:
        return fingerprint(digests, self.dataset.labels, self.dataset.class_names)

    def has_fingerprint(self, known: str | None) -> bool:
        """Return whether a fingerprint is that of these images."""
        if known is None:
            return False
        if known == self.fingerprint:
            return True
        # Without a limit, earlier versions did not count the content of unreadable images.
        return self.whole is None and known == self._by(self.store.digests)

    @property
    def size(self) -> int:
        """The number of images of the whole data set."""
        return len(self.dataset) if self.whole is None else self.whole.size

    @cached_property
    def order(self) -> str:
        """SHA-256 of contents and labels in the order by which splits count the images."""
        return order_of(self.store.contents, self.dataset.labels)

    def has_order(self, known: str) -> bool:
        """Return whether an order is that of these images, as `has_fingerprint` does."""
        return known in (self.order, order_of(self.store.digests, self.dataset.labels))

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks for the user on the source, unreadable images, copies and the splits."""
        problems = list(self.store.problems.values())
        return (
            *self.dataset.notes,
            *note_if(
                problems,
                _("{number:,} of {total:,} images cannot be read and are skipped"),
                number=len(problems),
                total=len(self.dataset),
            ),
            *(_("skipped {problem}").format(problem=problem) for problem in problems[:5]),
            *note_if(
                self.store.coloured,
                _(
                    "images with colour were converted to grey ({number:,}); --channels rgb keeps "
                    "the colour if the network accepts it"
                ),
                number=self.store.coloured,
            ),
            *self.store.notes,
            *note_if(
                self.enlarged_from,
                _(
                    "at {own[0]} x {own[1]} the images are too small for the network; they are "
                    "enlarged to {used.height} x {used.width}"
                ),
                own=self.enlarged_from,
                used=self.preprocessing,
            ),
            *self.more_notes,
            *map(recalled, self.recorded_notes),
            *self.splits.notes,
        )

    def divided(self, recorded: Mapping[str, Sequence[int]]) -> "Prepared":
        """Return the images with the splits that `to_dict` has recorded."""
        indices = {name: np.array(recorded[name], np.int64) for name in SPLITS}
        if self.whole is not None:
            drawn = self.whole.drawn
            indices = {name: np.searchsorted(drawn, own) for name, own in indices.items()}
        return dataclasses.replace(self, splits=Splits(**indices, notes=self.splits.notes))

    def as_recorded(self, facts: Mapping[str, Any]) -> "Prepared":
        """Return the images with the remarks that `to_dict` has recorded of them.

        They are those that only the network and the audit of a training can make.

        Args:
            facts: What data.json has; earlier versions recorded those of the audit only.
        """
        notes = facts.get("more_notes", (facts.get("audit") or {}).get("notes", ()))
        height, width = facts.get("enlarged_from", (0, 0))
        return dataclasses.replace(
            self,
            enlarged_from=(height, width) if height else None,
            more_notes=tuple(map(recalled, notes)),
            recorded_notes=tuple(facts.get("recorded_notes", ())),
        )

    def in_whole(self, indices: Indices) -> list[int]:
        """Return the indices that images have in the whole data set."""
        found: list[int] = (indices if self.whole is None else self.whole.drawn[indices]).tolist()
        return found

    def counts(self, split: str) -> list[int]:
        """Return the number of images of each class in "train", "val" or "test"."""
        labels = self.dataset.labels[getattr(self.splits, split)]
        counts: list[int] = np.bincount(labels, minlength=self.dataset.num_classes).tolist()
        return counts

    def summary(self) -> dict[str, Any]:
        """Return what a classifier file records of its data."""
        lists = [one.to_dict() for one in self.dataset.lists]
        return {
            "source": self.dataset.source,
            "kind": self.dataset.kind,
            "class_names": list(self.dataset.class_names),
            "images": self.size,
            "counts": {name: self.counts(name) for name in SPLITS},
            "fingerprint": self.fingerprint,
            **({"lists": lists} if lists else {}),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return what `data.json` records: the summary, the path, the splits, unreadable images.

        The splits are indices into the whole data set. Where a limit has left some images only,
        those that it has drawn are recorded, too.
        """
        named = {self.dataset.image_name(i): text for i, text in self.store.problems.items()}
        return {
            **self.summary(),
            "path": self.dataset.path,
            "notes": list(self.notes),
            "splits": {name: self.in_whole(getattr(self.splits, name)) for name in SPLITS},
            "order": self.order,
            **({"drawn": self.whole.drawn.tolist()} if self.whole is not None else {}),
            **({"more_notes": recorded(self.more_notes)} if self.more_notes else {}),
            **({"enlarged_from": list(self.enlarged_from)} if self.enlarged_from else {}),
            **({"recorded_notes": list(self.recorded_notes)} if self.recorded_notes else {}),
            **({"audit": dict(self.audit)} if self.audit is not None else {}),
            "unreadable": {
                name: text.removeprefix(name).lstrip(":： ") for name, text in named.items()
            },
        }


def prepare_data(  # noqa: PLR0913 - all but two have defaults
    dataset: Dataset,
    config: Config,
    *,
    demands: Demands = NO_DEMANDS,
    preprocessing: Preprocessing | None = None,
    progress: Progress | None = None,
    survive: bool = False,
    drawn: Indices | None = None,
) -> Prepared:
    """Decode, check and split a data set, or what `--limit` leaves of it.

    Args:
        dataset: A data set from `load_data`.
        config: The configuration; its data section and its seed are used.
        demands: What the network requires of its images.
        preprocessing: The preprocessing of an existing classifier, which is used as it is.
        progress: A function that is called with (done, number) while images are decoded, and while
            copies are searched for.
        survive: Whether images that change or vanish meanwhile are left out; see `open_store`.
        drawn: The images that a run uses, in place of those that the limit draws now.

    Raises:
        DataError: If no image can be read, or if a class has none to train on.
        StorageError: If the cache folder cannot be written.
        ConfigError: If the limit leaves too few images of a class.
    """
    dataset, whole = limited(dataset, config, drawn)
    enlarged_from = None
    if preprocessing is not None:
        preprocessing = with_unit(preprocessing, dataset, progress)
    else:
        suggested = choose_preprocessing(dataset, config.data, demands.scale, progress)
        preprocessing = as_demanded(suggested, demands, fixed=config.data.size != "auto")
        if demands.shape[:2] == (None, None) and preprocessing.height != suggested.height:
            enlarged_from = (suggested.height, suggested.width)
    store = open_store(dataset, preprocessing, progress, survive=survive)
    pairs = find_pairs(store, progress=progress) if config.data.audit else None
    clusters = find_clusters(dataset, store, pairs)
    splits = make_splits(
        dataset.labels,
        dataset.class_names,
        clusters.numbers,
        store.usable,
        store.digests,
        given=dataset.splits,
        val=config.data.val,
        test=config.data.test,
        seed=config.training.seed,
        limited=whole is not None,
        name_of=dataset.image_name,
    )
    notes = tuple(clusters.notes(dataset))
    return Prepared(dataset, preprocessing, store, splits, enlarged_from, notes, pairs, whole=whole)
