"""Heat: what a map says of an image, cell by cell, in the unit of the logits."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convlens.errors import ConfigError
from convlens.language import N_, _, listed

Floats = NDArray[np.float64]

METHODS = ("exact", "occlusion", "rise", "gradient", "grad-cam")
NAMES = {  # of the methods, for people
    "exact": N_("exact class activation map"),
    "occlusion": N_("occlusion"),
    "rise": N_("random masks (RISE)"),
    "gradient": N_("gradient times activation"),
    "grad-cam": N_("Grad-CAM, an approximation"),
}


def method_name(method: str) -> str:
    """Return the name of a method for people, in the chosen language."""
    return _(NAMES[method])


def check_method(method: str) -> None:
    """Raise ConfigError if there is no method of this name."""
    if method not in METHODS:
        raise ConfigError(
            _("the method of an explanation must be one of {known}; found {found!r}.").format(
                known=listed(METHODS), found=method
            )
        )


@dataclass(frozen=True)
class Target:
    """The number that is explained: the logit of a class, or the difference of two logits.

    Attributes:
        label: The class.
        against: The class whose logit is subtracted; None to explain the logit of `label` itself.
    """

    label: int
    against: int | None = None

    def of(self, logits: Any) -> Any:
        """Return the number, (n,), of logits (n, num_classes), which are arrays or tensors."""
        if self.against is None:
            return logits[:, self.label]
        return logits[:, self.label] - logits[:, self.against]

    @property
    def parts(self) -> "tuple[Target, ...]":
        """The two logits of which it is the difference; nothing for the logit of a class."""
        return () if self.against is None else (Target(self.label), Target(self.against))


@dataclass(frozen=True, eq=False)
class HeatMap:
    """A map of one image. Its cell (i, j) stands for the cell (i, j) of a grid over the image.

    Attributes:
        method: One of METHODS.
        target: The number that is explained.
        values: (rows, columns) in the unit of the logits: above 0 what speaks for the class, below
            0 what speaks against it.
        logit: The number that is explained, before the temperature.
        bias: Of an exact map: the mean of the values plus the bias is the logit.
        remainder: Of gradient times activation: the mean of the values plus the remainder is the
            logit.
        absolute: The sum of the absolute terms that the logit is a sum of, by which an error of
            that sum is measured; NaN where the logit is no such sum.
    """

    method: str
    target: Target
    values: Floats
    logit: float
    bias: float | None = None
    remainder: float | None = None
    absolute: float = float("nan")

    @property
    def peak(self) -> tuple[int, int]:
        """The (row, column) of the largest value."""
        row, column = np.unravel_index(int(self.values.argmax()), self.values.shape)
        return int(row), int(column)

    def enlarged(self, height: int, width: int) -> Floats:
        """Return the values (height, width), interpolated between the middles of the cells."""
        return enlarge(self.values, height, width)

    @property
    def rest(self) -> float | None:
        """What is added to the mean of the values to give the logit; None if there is no sum."""
        return self.remainder if self.bias is None else self.bias

    @property
    def added(self) -> Floats | None:
        """(rows, columns) what each cell adds to the logit; None if they do not add up to it."""
        return None if self.rest is None else self.values / self.values.size

    @property
    def shares(self) -> Floats | None:
        """(rows, columns) the same without signs, as shares of all that is added or taken away.

        The rest counts among it, so that the shares of the cells and of the rest give 1.
        """
        if self.rest is None:
            return None
        amounts = np.abs(self.values) / self.values.size
        return np.asarray(amounts / (float(amounts.sum() + abs(self.rest)) or 1.0))

    def to_dict(self) -> dict[str, Any]:
        """Return the map as plain data."""
        numbers = {"bias": self.bias, "remainder": self.remainder}
        grids = {"values": self.values, "added": self.added, "shares": self.shares}
        return {
            "method": self.method,
            "logit": self.logit,
            "mean": float(self.values.mean()),
            **{name: value for name, value in numbers.items() if value is not None},
            **{name: value.tolist() for name, value in grids.items() if value is not None},
        }


def enlarge(values: Floats, height: int, width: int) -> Floats:
    """Return values (rows, columns) as (height, width), interpolated between cells' middles."""
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR))


def largest(maps: Iterable[HeatMap]) -> float:
    """Return the largest absolute value of maps that share one scale of colours; 1 for none."""
    return max((float(np.abs(one.values).max()) for one in maps), default=0.0) or 1.0
