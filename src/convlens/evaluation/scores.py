"""Score: a value with its 95 % interval and its number of images; plain data that `metrics` computes."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """A score, its 95 % interval and the number of images behind it.

    Attributes:
        value: the score; NaN where it is not defined.
        low: lower end of the 95 % interval.
        high: upper end of the 95 % interval.
        n: number of images it was computed from.
        percent: whether it is a share, to be shown in percent.
    """

    value: float
    low: float
    high: float
    n: int
    percent: bool = True

    def to_dict(self) -> dict[str, float | int | None]:
        """Return value, low, high and n; None where a number is not defined."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {
            name: None if math.isnan(number) else number for name, number in numbers.items()
        } | {"n": self.n}

    @property
    def value_text(self) -> str:
        """The value for the eye: "97.3 %", "0.0912", or "not defined"."""
        return (
            self._number(self.value) + (" %" if self.percent else "")
            if self.defined
            else "not defined"
        )

    @property
    def interval_text(self) -> str:
        """The interval for the eye: "[96.1, 98.2]", or nothing."""
        return f"[{self._number(self.low)}, {self._number(self.high)}]" if self.defined else ""

    @property
    def defined(self) -> bool:
        """Whether there were images to compute it from."""
        return not math.isnan(self.value)

    def _number(self, number: float) -> str:
        return f"{100 * number:.1f}" if self.percent else f"{number:.3f}"

    def __str__(self) -> str:
        """Return the score in one line.

        >>> print(Score(0.973, 0.961, 0.981, 1000))
        97.3 % [96.1, 98.1] n=1,000
        """
        return " ".join(
            part for part in (self.value_text, self.interval_text, f"n={self.n:,}") if part
        )


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall and F1 of one class; `images` are truly of it, `predicted` were said to be."""

    name: str
    images: int
    predicted: int
    precision: Score
    recall: Score
    f1: Score


@dataclass(frozen=True)
class Bin:
    """Images whose confidence is in (low, high]: how many, their mean confidence, and the share that was right."""

    low: float
    high: float
    confidence: float
    accuracy: Score
