"""Two views: the score of a classifier that looks at mirror images, too, beside the given one.

Both scores are of the same images, so that they are compared by a paired test.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from convlens.classifier.classifier import Classifier
from convlens.classifier.views import SURE, WithMirror
from convlens.evaluation import metrics
from convlens.evaluation.paired import Pair, compare_pairs
from convlens.evaluation.scores import Score
from convlens.language import _, ngettext
from convlens.report.results import Scored
from convlens.screen import Screen


@dataclass(frozen=True)
class TwoViews:
    """The accuracy with one view and with two.

    Attributes:
        given: The accuracy with one view of each image.
        together: The accuracy with two views of the images of which the first leaves doubt.
        doubted: How many images these are.
        pair: What the paired test says of the two.
    """

    given: Score
    together: Score
    doubted: int
    pair: Pair

    def to_dict(self) -> dict[str, Any]:
        """Return every number as plain data."""
        return {
            "second_view": "mirror",
            "given": self.given.to_dict(),
            "together": self.together.to_dict(),
            "doubted": self.doubted,
            "pair": self.pair.to_dict(),
        }


def two_views(scored: Scored, classifier: Classifier) -> TwoViews:
    """Return the accuracy of scored images with one view and with two.

    Args:
        scored: The images with their labels and predictions.
        classifier: The classifier that has predicted them.
    """
    evaluation = scored.evaluation
    images = scored.prepared.store.images
    rows = WithMirror.of(classifier).probabilities(images, indices=scored.indices)
    correct = np.stack(
        [evaluation.predicted == evaluation.labels, rows.argmax(axis=1) == evaluation.labels]
    )
    given, together = (metrics.wilson(int(one.sum()), len(one)) for one in correct)
    doubted = int((evaluation.probabilities.max(axis=1) < SURE).sum())
    names = (_("the single view"), _("the pair of views"))
    return TwoViews(given, together, doubted, compare_pairs(names, correct)[0])


def show_views(found: TwoViews, screen: Screen) -> None:
    """Print both scores beside each other, and what may be said of their difference."""
    screen.say()
    rows: list[list[str]] = [[_("accuracy"), _("value"), _("95 % interval"), _("images")]]
    rows += [
        [name, score.value_text, score.interval_text, f"{score.n:,}"]
        for name, score in (
            (_("the single view"), found.given),
            (_("the pair of views"), found.together),
        )
    ]
    screen.columns(rows, left=(0, 2))
    screen.say(
        ngettext(
            "{pair}. The mirror image was looked at, too, where the first view leaves the answer "
            "below {sure:.0f} %: {doubted:,} image.",
            "{pair}. The mirror image was looked at, too, where the first view leaves the answer "
            "below {sure:.0f} %: {doubted:,} images.",
            found.doubted,
        ).format(pair=found.pair, sure=100 * SURE, doubted=found.doubted)
    )
