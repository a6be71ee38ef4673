"""Prediction: what a network says of images of any size and kind, whatever engine computes it.

Nothing here imports an engine, so that an exported network answers at once.
"""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.reading import as_images, read_images
from convlens.data.deep import find_values
from convlens.errors import ImageError
from convlens.image_file import ImageLike, name_of, readable
from convlens.language import _
from convlens.preprocess import ImageArray, Preprocessing
from convlens.unit import choose_unit

BATCH = 64  # images that are decoded and classified at a time


@dataclass(frozen=True, eq=False)
class Prediction:
    """The prediction of a classifier for one image.

    Attributes:
        image: The path of the image, or its number if it was passed as an array.
        label: The most probable class.
        probability: The probability of that class.
        probabilities: (num_classes,) float32, in the order of the classifier's `class_names`.
        known: Whether the probability reaches the classifier's threshold. If it does not, the
            image counts as "none of these".
        remarks: What the user should know about the image, see `convlens.preprocess`.
        loses_colours: Whether it is a colour image, and the network takes grey ones.
    """

    image: str
    label: str
    probability: float
    probabilities: NDArray[np.float32]
    known: bool = True
    remarks: tuple[str, ...] = ()
    loses_colours: bool = False


class Predictor(ABC):
    """What predicts the classes of images: a classifier, or a network that was exported.

    The subclasses are dataclasses.

    Attributes:
        class_names: The names of the classes, in the order of the probabilities.
        preprocessing: How an image is brought to the input of the network.
        threshold: The least probability with which an image is assigned to a class. If None, every
            image is.
    """

    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    threshold: float | None

    @abstractmethod
    def probabilities(
        self, images: ImageArray, *, batch_size: int | None = None
    ) -> NDArray[np.float32]:
        """Return (n, num_classes) for uint8 (n, height, width, channels), as `prepare` gives."""

    def predict(
        self,
        images: ImageLike | Iterable[ImageLike],
        *,
        batch_size: int = BATCH,
        skip: Callable[[ImageError], None] | None = None,
    ) -> list[Prediction]:
        """Classify one image or several: files, bytes, streams, Pillow images or arrays.

        Args:
            images: One image or an iterable of images of any size. An array (n, height, width[,
                channels]) holds n images. See `convlens.unit` for arrays of other types than uint8.
            batch_size: How many images are decoded and classified at a time.
            skip: A function that is called with the error of an image that cannot be read. The
                image is then left out. If None, the error is raised.

        Raises:
            ImageError: If an image cannot be read and `skip` is None.
        """
        listed = as_images(images)
        if not isinstance(listed, Iterator):
            listed = list(map(readable, listed))
            self = self.with_unit_of(listed)
        predictions: list[Prediction] = []
        named = (
            (name_of(image) or _("image {index}").format(index=index), image)
            for index, image in enumerate(listed)
        )
        while batch := list(itertools.islice(named, batch_size)):
            for answer in self.answer(batch):
                if isinstance(answer, Prediction):
                    predictions.append(answer)
                elif skip is None:
                    raise answer
                else:
                    skip(answer)
        return predictions

    def with_unit_of(self, images: Sequence[ImageLike]) -> Self:
        """Return a predictor that has the unit of some images, if it has learned none itself."""
        values = None if self.preprocessing.unit is not None else find_values(images)
        if values is None:
            return self
        preprocessing = replace(self.preprocessing, unit=choose_unit(values))
        return replace(self, preprocessing=preprocessing)  # type: ignore[type-var]

    def answer(self, batch: Sequence[tuple[str, ImageLike]]) -> list[Prediction | ImageError]:
        """Return what is said of each image of a batch, or why it cannot be read, in their order.

        Args:
            batch: Images with their names, which are decoded and classified at the same time.
        """
        errors: list[ImageError] = []
        numbered = [(str(number), image) for number, (_name, image) in enumerate(batch)]
        found = read_images(numbered, self.preprocessing, errors.append)
        if not found:
            return list(errors)
        rows = self.probabilities(np.stack([one.array for one in found]), batch_size=len(found))
        answers: dict[int, Prediction] = {}
        for one, row in zip(found, rows, strict=True):
            number = int(one.name)
            answers[number] = replace(
                self.prediction(batch[number][0], row),
                remarks=one.remarks,
                loses_colours=one.loses_colours,
            )
        failed = iter(errors)
        return [answers[n] if n in answers else next(failed) for n in range(len(batch))]

    def prediction(self, image: str, row: NDArray[np.float32]) -> Prediction:
        """Return the prediction that follows from the (num_classes,) probabilities of an image."""
        best = int(row.argmax())
        known = self.threshold is None or bool(row[best] >= self.threshold)
        return Prediction(image, self.class_names[best], float(row[best]), row, known)
