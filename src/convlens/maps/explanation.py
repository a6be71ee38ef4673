"""Explanation: what is known of why a network gave an answer, with the evidence."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.prediction import Prediction
from convlens.maps.evidence import Checked
from convlens.maps.heat import Floats, HeatMap, Target
from convlens.preprocess import ImageArray


@dataclass(frozen=True, eq=False)
class Region:
    """The smallest part of the image, in the order of a map, that decides about the answer.

    Attributes:
        chosen: (rows, columns) whether each region of the grid belongs to it.
        label: The class that the network predicts then.
        probability: The probability of that class.
    """

    chosen: NDArray[np.bool_]
    label: str
    probability: float

    @property
    def share(self) -> float:
        """The share of the image that belongs to it."""
        return float(self.chosen.mean())

    def to_dict(self) -> dict[str, Any]:
        """Return the region as plain data."""
        return {
            "share": self.share,
            "label": self.label,
            "probability": self.probability,
            "regions": self.chosen.astype(int).tolist(),
        }


@dataclass(frozen=True, eq=False)
class Place:
    """The part of the image, of all parts of one size, whose covering costs most.

    Attributes:
        chosen: (rows, columns) whether each region of the grid belongs to it.
        fall: How far the number that is explained falls when it is covered.
        rows: Its first and its last row of pixels.
        columns: Its first and its last column of pixels.
        is_near_peak: Whether it meets the cell with the largest number of the map, or one beside
            that cell.
    """

    chosen: NDArray[np.bool_]
    fall: float
    rows: tuple[int, int]
    columns: tuple[int, int]
    is_near_peak: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the place as plain data."""
        return {
            "fall": self.fall,
            "rows": list(self.rows),
            "columns": list(self.columns),
            "is_near_peak": self.is_near_peak,
        }


@dataclass(frozen=True, eq=False)
class Neighbour:
    """A training image whose deciding features are near those of the image.

    Attributes:
        index: Its index into the data set.
        name: Its file name, or its number.
        label: The label that it has.
        similarity: The cosine of the angle between the features, 1 for the same direction.
        doubt: What the audit suggests in place of its label; empty where it has no doubt.
        pixels: (height, width, channels) uint8 as the network takes it.
        same: Whether its pixels are those of the image, which the network has learned then.
    """

    index: int
    name: str
    label: str
    similarity: float
    doubt: str
    pixels: ImageArray
    same: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return what is known of the neighbour as plain data."""
        return {
            "index": self.index,
            "name": self.name,
            "label": self.label,
            "similarity": self.similarity,
            "doubt": self.doubt or None,
            "same": self.same,
        }


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a network gave an answer for an image.

    Attributes:
        image: The path of the image, or what stands for it.
        pixels: (height, width, channels) uint8, the image as the network takes it.
        prediction: The prediction of the classifier.
        class_names: The names of the classes.
        target: The logit, or the difference of two, that is explained.
        logits: (num_classes,) the logits before the temperature.
        maps: The maps with their evidence. The exact map of a difference is followed by those of
            both classes.
        place: Where covering costs the number that is explained most; None if no map of it is
            drawn, or if it falls nowhere.
        keeps: The smallest region that alone keeps the answer; None if it was not looked for.
        flips: The smallest region without which the answer is another one; None if there is none.
        neighbours: The nearest training images.
        notes: What the reader should know besides.
        none_of_these: That the image counts as none of the classes, and by which threshold; empty
            if it counts as one of them.
    """

    image: str
    pixels: ImageArray
    prediction: Prediction
    class_names: tuple[str, ...]
    target: Target
    logits: Floats
    maps: tuple[Checked, ...]
    place: Place | None = None
    keeps: Region | None = None
    flips: Region | None = None
    neighbours: tuple[Neighbour, ...] = ()
    notes: tuple[str, ...] = ()
    none_of_these: str = ""

    @property
    def label(self) -> str:
        """The class that is explained."""
        return self.class_names[self.target.label]

    @property
    def against(self) -> str | None:
        """The class against which it is explained, if there is one."""
        return None if self.target.against is None else self.class_names[self.target.against]

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, and before them that the image counts as none of the classes."""
        return (*filter(None, (self.none_of_these,)), *self.notes)

    @property
    def leading(self) -> HeatMap | None:
        """The first drawn map of the predicted class, in whose order regions decide."""
        best = int(self.prediction.probabilities.argmax())
        fitting = (one.map for one in self.maps if one.drawn and one.map.target.label == best)
        return next(fitting, None)

    @property
    def answering(self) -> HeatMap | None:
        """The first drawn map of what is explained."""
        fitting = (one.map for one in self.maps if one.drawn and one.map.target == self.target)
        return next(fitting, None)

    def named(self, target: Target) -> dict[str, str | None]:
        """Return the classes of a target by their names."""
        against = None if target.against is None else self.class_names[target.against]
        return {"explained": self.class_names[target.label], "against": against}

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain data; maps that fail a check have no values."""
        probabilities = self.prediction.probabilities.tolist()
        return {
            "image": self.image,
            "predicted": self.prediction.label,
            "probability": self.prediction.probability,
            "known": self.prediction.known,
            **self.named(self.target),
            "probabilities": dict(zip(self.class_names, probabilities, strict=True)),
            "logits": dict(zip(self.class_names, self.logits.tolist(), strict=True)),
            "maps": [{**self.named(one.map.target), **one.to_dict()} for one in self.maps],
            "place": None if self.place is None else self.place.to_dict(),
            "keeps": None if self.keeps is None else self.keeps.to_dict(),
            "flips": None if self.flips is None else self.flips.to_dict(),
            "neighbours": [one.to_dict() for one in self.neighbours],
            "notes": list(self.all_notes),
        }
