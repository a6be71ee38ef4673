"""Reading: the images that a classifier is asked about, as arrays that its network takes."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from PIL import Image

from convlens.errors import ImageError
from convlens.image_file import ImageLike
from convlens.language_choice import language, speak
from convlens.preprocess import ImageArray, Preprocessing, fit_image, read_image


class Fitted(NamedTuple):
    """An image that was read and fitted to the input of a network.

    Attributes:
        name: Its name for messages, see `convlens.image_file.name_of`.
        array: (height, width, channels) uint8.
        remarks: What the user should know about the image, see `convlens.preprocess`.
        loses_colours: Whether it is a colour image, and the network takes grey ones.
    """

    name: str
    array: ImageArray
    remarks: tuple[str, ...]
    loses_colours: bool


def as_images(images: ImageLike | Iterable[ImageLike]) -> Iterable[ImageLike]:
    """Return the images as an iterable, also where a single image was passed."""
    if isinstance(images, np.ndarray):
        is_single = images.ndim < 3 or (images.ndim == 3 and images.shape[2] in (1, 3, 4))
        return [images] if is_single else images
    if isinstance(images, str | Path | bytes | Image.Image) or hasattr(images, "read"):
        return [cast(ImageLike, images)]
    return images if isinstance(images, Iterable) else [images]


def read_images(
    batch: Sequence[tuple[str, ImageLike]],
    preprocessing: Preprocessing,
    skip: Callable[[ImageError], None] | None = None,
) -> list[Fitted]:
    """Read images in parallel, and return them in their order.

    Args:
        batch: Images with their names.
        preprocessing: How an image is brought to the input of the network.
        skip: A function that is called with the error of an image that cannot be read. The image is
            then left out. If None, the error is raised.

    Raises:
        ImageError: If an image cannot be read and `skip` is None.
    """

    def read(named: tuple[str, ImageLike]) -> Fitted | ImageError:
        name, image = named
        try:
            reading = read_image(image, preprocessing.unit)
            return Fitted(
                name,
                fit_image(reading.image, preprocessing),
                reading.remarks,
                loses_colours=reading.image.mode == "RGB" and preprocessing.channels == 1,
            )
        except ImageError as error:
            return error

    found = []
    with ThreadPoolExecutor(os.cpu_count(), initializer=speak, initargs=(language(),)) as pool:
        for result in pool.map(read, batch):
            if isinstance(result, Fitted):
                found.append(result)
            elif skip is not None:
                skip(result)
            else:
                raise result
    return found
