"""Audit: all checks on the images of a data set, before anything is trained on them."""

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.audit.checks.classes import check_classes
from convlens.audit.checks.copies import check_copies
from convlens.audit.checks.files import check_files
from convlens.audit.checks.leaks import check_leaks
from convlens.audit.checks.metadata import check_metadata
from convlens.audit.checks.nothing import check_nothing
from convlens.audit.checks.odd import check_odd
from convlens.audit.checks.patches import check_patches
from convlens.audit.checks.unlike import check_unlike
from convlens.audit.codes import CODES, LEVELS
from convlens.audit.copy_sets import copy_sets
from convlens.audit.finding import Finding
from convlens.audit.material import Material
from convlens.config import DataConfig
from convlens.data.clusters import belonging_together
from convlens.data.dataset import Dataset
from convlens.data.decoding import Progress
from convlens.data.duplicates import Pairs, captures, find_pairs
from convlens.data.input_shape import choose_preprocessing
from convlens.data.prepared import Prepared
from convlens.data.store import Store, open_store
from convlens.language import N_, _, ngettext

FORMAT = 1  # of `Audit.to_dict`; raised when an entry gets another meaning
NO_TIME = N_("there was no time")  # why a check was left out
ORDER = {code: place for place, code in enumerate(CODES)}


@dataclass(frozen=True, eq=False)
class Audit:
    """What was found.

    Attributes:
        dataset: The images.
        findings: The findings, the worst first.
        left_out: The checks that were left out, and why, in the chosen language.
        seconds: How long the checks took, without decoding; of `convlens audit`, how long all of it
            took until the findings were printed.
    """

    dataset: Dataset
    findings: tuple[Finding, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0

    @property
    def codes(self) -> dict[str, int]:
        """The number of findings by code, the worst first."""
        return dict(Counter(finding.code for finding in self.findings))

    @property
    def levels(self) -> dict[str, int]:
        """The number of findings by level, the worst first."""
        counts = Counter(finding.level for finding in self.findings)
        return {level: counts[level] for level in LEVELS}

    def of(self, code: str) -> list[Finding]:
        """Return the findings of one code."""
        return [finding for finding in self.findings if finding.code == code]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, with keys that stay the same."""
        return {
            "format": FORMAT,
            "source": self.dataset.source,
            "path": self.dataset.path,
            "images": len(self.dataset),
            "class_names": list(self.dataset.class_names),
            "notes": list(self.dataset.notes),
            "levels": self.levels,
            "codes": self.codes,
            "findings": [finding.to_dict() for finding in self.findings],
            "left_out": [{"check": check, "reason": reason} for check, reason in self.left_out],
            "seconds": round(self.seconds, 3),
        }


def sorted_findings(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings with the worst first, those of a code together."""
    worst = {
        code: min(LEVELS.index(one.level) for one in findings if one.code == code)
        for code in {one.code for one in findings}
    }
    return tuple(
        sorted(
            findings,
            key=lambda one: (
                worst[one.code],
                ORDER[one.code],
                LEVELS.index(one.level),
                -one.evidence.get("confidence", 0.0),
                one.indices,
            ),
        )
    )


def audit_data(
    images: Dataset | Prepared,
    *,
    store: Store | None = None,
    features: NDArray[np.floating] | None = None,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Check images before anything is trained on them.

    Args:
        images: A data set from `load_data`, or one that is decoded and split already.
        store: The decoded images of a data set, if there are any.
        features: (n, d) features of the images, by which those unlike their class are found.
        seconds: The time after which no further check begins; None is no limit. What splits depend
            on is found in any case.
        progress: A function that is called with (done, number) while images are decoded, and while
            copies are searched for.

    Raises:
        DataError: If no image can be read.
        StorageError: If the cache folder cannot be written.

    Example:
        >>> found = audit_data(load_data("photos"))  # doctest: +SKIP
        >>> found.codes  # doctest: +SKIP
        {'two_labels': 3, 'near_duplicate': 12}
    """
    pairs = None
    if isinstance(images, Dataset):
        dataset = images
        if store is None:
            preprocessing = choose_preprocessing(dataset, DataConfig(), progress=progress)
            store = open_store(dataset, preprocessing, progress, survive=True)
    else:
        dataset, store = images.dataset, images.store
        pairs = images.pairs
    if pairs is None:
        pairs = find_pairs(store, progress=progress)
    clusters = belonging_together(dataset, store, pairs)
    material = Material(dataset, store, pairs, captures(store.looks), features)
    checks = _Checks(seconds, _not_compared(pairs))
    checks.run_all(material, clusters)
    return Audit(
        dataset, sorted_findings(checks.findings), tuple(checks.left_out), checks.seconds_used
    )


class _Checks:
    """Runs the checks one after the other, as long as there is time, and keeps what they find.

    Args:
        seconds: The time after which no further check begins; None is no limit.
        left_out: What is left out already, and why.
    """

    def __init__(self, seconds: float | None, left_out: list[tuple[str, str]]) -> None:
        self.findings: list[Finding] = []
        self.left_out = left_out
        self._seconds = math.inf if seconds is None else seconds
        self._began = time.perf_counter()

    @property
    def seconds_used(self) -> float:
        """The seconds since the first check began."""
        return time.perf_counter() - self._began

    def run_all(self, material: Material, clusters: NDArray[np.int64]) -> None:
        """Run all checks.

        Args:
            material: The images.
            clusters: (n,) numbers, equal for images that belong together.
        """
        self._run(N_("files"), check_files, material)
        nothing = self._run(N_("images that show nothing"), check_nothing, material)
        shown = material.without(index for finding in nothing for index in finding.indices)
        sets = copy_sets(shown)
        self._run(N_("leaks"), check_leaks, shown, sets)
        self._run(N_("copies"), check_copies, shown, sets)
        self._run(N_("classes"), check_classes, shown)
        self._run(N_("odd images"), check_odd, shown)
        self._run(N_("metadata"), check_metadata, shown, clusters)
        self._run(N_("patches that tell the class"), check_patches, shown, clusters)
        self._run(N_("images unlike their class"), check_unlike, shown)

    def _run(self, name: str, check: Callable[..., list[Finding]], *given: Any) -> list[Finding]:
        """Return and keep what a check finds, unless there is no time for it."""
        if self.seconds_used > self._seconds:
            self.left_out.append((_(name), _(NO_TIME)))
            return []
        found = check(*given)
        self.findings += found
        return found


def _not_compared(pairs: Pairs) -> list[tuple[str, str]]:
    """Return why near-duplicates may have been missed, if they may."""
    reasons = []
    if not pairs.complete:
        reasons.append(_("of the pairs that are alike, only those most alike were compared"))
    if pairs.crowded:
        reasons.append(
            ngettext(
                "{number:,} image has too many others like it",
                "{number:,} images have too many others like them",
                pairs.crowded,
            ).format(number=pairs.crowded)
        )
    return [(_("some near-duplicates"), reason) for reason in reasons]
