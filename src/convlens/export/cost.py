"""Cost: how much of the accuracy a lower precision takes away, on the same labelled images."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.errors import ExportError
from convlens.evaluation.paired import difference_interval, mcnemar
from convlens.language import _

MOST = 0.01  # of the accuracy may be lost for certain; more is refused


class LossError(ExportError):
    """A lower precision costs too much accuracy; whoever wants the folder may accept that."""


@dataclass(frozen=True)
class Cost:
    """The accuracies of a classifier in float32 and of its network in a lower precision.

    Attributes:
        n: How many images both have classified.
        labelled: Whether the images have labels. If not, the classes that the classifier predicts
            stand for them, so that every changed class counts as an error.
        before: The accuracy of the classifier.
        after: The accuracy of the exported network.
        before_only: How many images only the classifier classifies correctly.
        after_only: How many images only the exported network classifies correctly.
        low: The lower end of the 95 % interval of `loss`.
        high: Its upper end.
        p: The p-value of the exact two-sided McNemar test.
    """

    n: int
    labelled: bool
    before: float
    after: float
    before_only: int
    after_only: int
    low: float
    high: float
    p: float

    @property
    def loss(self) -> float:
        """How much lower the accuracy is; negative if it is higher."""
        return self.before - self.after

    @property
    def too_much(self) -> bool:
        """Whether more than one point was lost, and the interval says that it was no chance."""
        return self.loss > MOST and self.low > 0

    def __str__(self) -> str:
        """Return the change of the accuracy in points, with its interval and the p-value.

        >>> print(Cost(1000, True, 0.95, 0.93, 25, 5, 0.0091, 0.0308, 0.0003))
        -2.0 points [-3.1, -0.9], p = 0.0003 (McNemar)
        """
        return _("{change:+.1f} points [{low:+.1f}, {high:+.1f}], {p} (McNemar)").format(
            change=100 * (self.after - self.before),
            low=-100 * self.high,
            high=-100 * self.low,
            p=f"p = {self.p:.2g}" if self.p >= 1e-4 else "p < 0.0001",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return every number, as proof.json has it."""
        return {**asdict(self), "loss": self.loss, "too_much": self.too_much}


def measure_cost(
    expected: NDArray[np.float32], found: NDArray[np.float32], labels: NDArray[np.int64] | None
) -> Cost:
    """Return what a lower precision costs.

    Args:
        expected: (n, classes) probabilities of the classifier in float32.
        found: (n, classes) probabilities of the exported network.
        labels: (n,) the classes of the images; None if they are not known.
    """
    before = expected.argmax(1)
    after = found.argmax(1)
    truth = before if labels is None else labels
    before_right = before == truth
    after_right = after == truth
    before_only = int((before_right & ~after_right).sum())
    after_only = int((after_right & ~before_right).sum())
    low, high = difference_interval(before_only, after_only, len(truth))
    return Cost(
        n=len(truth),
        labelled=labels is not None,
        before=float(before_right.mean()),
        after=float(after_right.mean()),
        before_only=before_only,
        after_only=after_only,
        low=low,
        high=high,
        p=mcnemar(before_only, after_only),
    )
