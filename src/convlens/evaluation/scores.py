"""Scores: a value with its 95 % interval and its number of images, as `metrics` computes them."""

import math
from dataclasses import dataclass
from typing import Any

from convlens.language import _

LEAST_SEEN = 5e-4  # smallest difference of accuracies that one decimal of a percentage can show


@dataclass(frozen=True)
class Score:
    """A score with its 95 % interval and the number of images behind it.

    Attributes:
        value: The score. It is NaN where it is not defined.
        low: The lower end of the 95 % interval.
        high: The upper end of the 95 % interval.
        n: The number of images from which it was computed.
        percent: Whether the score is a proportion, which is shown in percent.
    """

    value: float
    low: float
    high: float
    n: int
    percent: bool = True

    def to_dict(self) -> dict[str, float | int | None]:
        """Return value, low, high and n, with None for a number that is not defined."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        plain = {name: None if math.isnan(one) else one for name, one in numbers.items()}
        return plain | {"n": self.n}

    @property
    def defined(self) -> bool:
        """Whether there were images to compute the score from."""
        return not math.isnan(self.value)

    @property
    def value_text(self) -> str:
        """The value as it is shown: "97.3 %", "0.091", or "not defined"."""
        if not self.defined:
            return _("not defined")
        return f"{self._number(self.value)} %" if self.percent else self._number(self.value)

    @property
    def interval_text(self) -> str:
        """The interval as it is shown: "[96.1, 98.2]", or nothing if it is not defined."""
        return f"[{self._number(self.low)}, {self._number(self.high)}]" if self.defined else ""

    def _number(self, number: float) -> str:
        return f"{100 * number:.1f}" if self.percent else f"{number:.3f}"

    def __str__(self) -> str:
        """Return the score in one line.

        >>> print(Score(0.973, 0.961, 0.981, 1000))
        97.3 % [96.1, 98.1] n=1,000
        """
        return " ".join(filter(None, (self.value_text, self.interval_text, f"n={self.n:,}")))


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall and F1 of one class.

    Attributes:
        name: The name of the class.
        images: How many images belong to the class.
        predicted: How many images were predicted as the class.
        precision: The share of the predicted images that belong to the class.
        recall: The share of the images of the class that were predicted as it.
        f1: The harmonic mean of precision and recall.
    """

    name: str
    images: int
    predicted: int
    precision: Score
    recall: Score
    f1: Score

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as plain data."""
        return {
            "name": self.name,
            "images": self.images,
            "predicted": self.predicted,
            "precision": self.precision.to_dict(),
            "recall": self.recall.to_dict(),
            "f1": self.f1.to_dict(),
        }


@dataclass(frozen=True)
class Bin:
    """The images whose confidence is greater than `low` and at most `high`.

    Attributes:
        low: The lower end of the bin.
        high: The upper end of the bin.
        confidence: The mean confidence of the images. It is NaN in an empty bin.
        accuracy: The accuracy of the images.
    """

    low: float
    high: float
    confidence: float
    accuracy: Score

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as plain data, with None for a number that is not defined."""
        return {
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence if self.accuracy.n else None,
            "accuracy": self.accuracy.to_dict(),
        }
