"""Leak-free: the score without the images that the classifier has learned from, nearly or exactly.

A test image leaks if the run trained or validated on a copy of it, on a near-duplicate, or on
another photograph of the same capture, or of the same group where the run's own test images are
scored. The score without such images is that of a subset, so that both scores are not independent.
What is compared are the images that leak and those that do not: their difference, times the share
that leaks, is the difference of the two scores.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from convlens.data.clusters import belonging_together
from convlens.data.decoding import Progress
from convlens.data.duplicates import captures, find_pairs, pairs_of
from convlens.data.joining import join, pairs_within
from convlens.data.prepared import Prepared
from convlens.evaluation import metrics
from convlens.evaluation.scores import Score
from convlens.language import _
from convlens.report.results import Scored
from convlens.screen import Screen

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class LeakFree:
    """The accuracy with and without the images that leak.

    Attributes:
        given: The accuracy of all images.
        without: The accuracy of those that do not leak.
        leaked: The accuracy of those that do.
        gain: By how much the images that leak raise the accuracy, with its 95 % interval. It is not
            defined if all images leak.
        p: The probability of such a difference by chance, by Fisher's exact test; None if all
            images leak.
        files: The names of the images that leak.
    """

    given: Score
    without: Score
    leaked: Score
    gain: Score
    p: float | None
    files: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return every number as plain data."""
        scores = {name: getattr(self, name) for name in ("given", "without", "leaked", "gain")}
        numbers = {name: score.to_dict() for name, score in scores.items()}
        return {**numbers, "p": self.p, "files": list(self.files)}


def leak_free(scored: Scored, learned: Prepared, progress: Progress | None = None) -> LeakFree:
    """Return the accuracy of scored images without those that leak.

    Args:
        scored: The images with their labels and predictions.
        learned: The images of the run and its split; the same object where its own test images were
            scored.
        progress: A function that is called with (done, number) while copies are searched for.
    """
    if scored.prepared is learned:
        leaks = leaking_own(learned, progress)
    else:
        leaks = leaking_other(scored.prepared, learned, progress)
    chosen = leaks[scored.indices]
    evaluation = scored.evaluation
    correct = evaluation.predicted == evaluation.labels
    dataset = scored.prepared.dataset
    return compare_leak(
        correct, chosen, tuple(dataset.file_name(int(i)) for i in scored.indices[chosen])
    )


def compare_leak(
    correct: NDArray[np.bool_], leaks: NDArray[np.bool_], files: tuple[str, ...] = ()
) -> LeakFree:
    """Return the accuracy with and without images that leak.

    The interval of the gain is Newcombe's for the difference of two proportions (1998, method 10),
    times the share of the images that leak.

    Args:
        correct: (n,) whether each image was classified correctly.
        leaks: (n,) whether it leaks.
        files: The names of the images that leak.

    Of 100 images 20 leak, all classified correctly; of the others, three quarters are:

    >>> found = compare_leak(np.arange(100) < 80, np.arange(100) < 20)
    >>> print(found.given, "/", found.without)
    80.0 % [71.1, 86.7] n=100 / 75.0 % [64.5, 83.2] n=80
    >>> round(found.gain.value, 3), found.p < 0.02
    (0.05, True)
    """
    given = metrics.wilson(int(correct.sum()), len(correct))
    without = metrics.wilson(int(correct[~leaks].sum()), int((~leaks).sum()))
    leaked = metrics.wilson(int(correct[leaks].sum()), int(leaks.sum()))
    if not without.n:
        unknown = Score(math.nan, math.nan, math.nan, len(correct))
        return LeakFree(given, without, leaked, unknown, None, files)
    if not leaked.n:
        return LeakFree(given, without, leaked, Score(0.0, 0.0, 0.0, len(correct)), 1.0, files)
    share = float(leaks.mean())
    difference = leaked.value - without.value
    below = np.hypot(leaked.value - leaked.low, without.high - without.value)
    above = np.hypot(leaked.high - leaked.value, without.value - without.low)
    gain = Score(
        share * difference,
        float(share * (difference - below)),
        float(share * (difference + above)),
        len(correct),
    )
    table = [[int(correct[where].sum()), int((~correct[where]).sum())] for where in (leaks, ~leaks)]
    return LeakFree(given, without, leaked, gain, float(fisher_exact(table).pvalue), files)


def leaking_own(prepared: Prepared, progress: Progress | None = None) -> NDArray[np.bool_]:
    """Return (n,) which images of a run belong together with one that it has learned from."""
    pairs = find_pairs(prepared.store, progress=progress)
    numbers = belonging_together(prepared.dataset, prepared.store, pairs)
    return np.isin(numbers, numbers[learned_from(prepared)])


def leaking_other(
    other: Prepared, learned: Prepared, progress: Progress | None = None
) -> NDArray[np.bool_]:
    """Return (n,) which of other images are copies of one that a run has learned from."""
    own = learned_from(learned)
    looks = np.concatenate([learned.store.looks[own], other.store.looks])
    digests = np.concatenate([learned.store.digests[own], other.store.digests])
    pairs = pairs_of(looks, digests, progress=progress)
    numbers = join(np.arange(len(looks)), pairs.first, pairs.second)
    numbers = join(numbers, *pairs_within(captures(looks)))
    leaking: NDArray[np.bool_] = np.isin(numbers[len(own) :], numbers[: len(own)])
    return leaking


def learned_from(prepared: Prepared) -> Indices:
    """Return the images that a run has trained or validated on."""
    return np.concatenate([prepared.splits.train, prepared.splits.val])


def show_leak(found: LeakFree, screen: Screen) -> None:
    """Print both scores beside each other, and what may be said of their difference."""
    screen.say()
    if not found.leaked.n:
        screen.say(_("no scored image has a copy among those that the run has learned from"))
        return
    scores = (
        (_("all images"), found.given),
        (_("without the leak"), found.without),
        (_("images that leak"), found.leaked),
    )
    rows: list[list[str]] = [[_("accuracy"), _("value"), _("95 % interval"), _("images")]]
    rows += [
        [name, score.value_text, score.interval_text, f"{score.n:,}"] for name, score in scores
    ]
    screen.columns(rows, left=(0, 2))
    if found.p is None:
        screen.say(_("All scored images leak, so that there is no score without the leak."))
        return
    screen.say(
        _(
            "The images that leak change the accuracy by {gain:+.1f} points [{low:+.1f}, "
            "{high:+.1f}] (p = {p:.2g}, Fisher's exact test of those that leak against the others)."
        ).format(
            gain=100 * found.gain.value,
            low=100 * found.gain.low,
            high=100 * found.gain.high,
            p=found.p,
        )
    )
