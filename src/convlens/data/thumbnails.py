"""Thumbnails: find folders whose images are small copies of images in other folders.

Programs keep them beside the originals. As images of their own they would be copies in training and
test, which are not exact and so are not found by their content.
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from heapq import nlargest
from pathlib import Path

import numpy as np
from PIL import ImageOps

from convlens.data.walk import suffix_of
from convlens.decode import read_header
from convlens.errors import ImageError
from convlens.image_file import IMAGE_SUFFIXES
from convlens.preprocess import open_image

# What programs add to the names of thumbnails: thumb_1.jpg, 1-150x150.jpg, 1_small.jpg
AFFIX = r"thumb(?:nail)?s?|tn|small|mini|preview|\d+x\d+|[sm]"
AFFIXES = re.compile(rf"^(?:{AFFIX})[-_ .]+(?=.)|(?<=.)[-_ .]+(?:{AFFIX})$")
LOOKED_AT = 8  # images of a folder, and originals for each
MOST_OF_A_NAME = 200  # originals of one name; where every class has a 1.jpg there are many
SMALLER = 0.8  # the largest width and height of a thumbnail, as a share of the original's
SIDE = 16  # pixels to which images are reduced before they are compared
LARGEST_DIFFERENCE = 6  # mean of the differences between two reduced images, of 255
LEAST_CONTRAST = 5  # standard deviation; flat images would all look alike


def thumbnail_folders(images: Sequence[Path]) -> dict[Path, tuple[Path, Path]]:
    """Return the folders of thumbnails only, each with a thumbnail and its original.

    Few images of each folder are opened: those for which there is another image of a like name.
    """
    folders: dict[str, list[Path]] = defaultdict(list)
    by_name: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    for image in images:
        folder, name = _folder_and_name(str(image))
        folders[folder].append(image)
        by_name[name].append((folder, image))
    size_of = cache(lambda image: read_header(image).size)

    def original(image: Path) -> Path | None:
        """Return the image elsewhere that an image is a smaller copy of, or None."""
        folder, name = _folder_and_name(str(image))
        others = [other for place, other in by_name[name][:MOST_OF_A_NAME] if place != folder]
        if len(others) > LOOKED_AT:
            parts = set(image.parts)
            others = nlargest(LOOKED_AT, others, key=lambda other: len(parts & {*other.parts}))
        return next((other for other in others if _is_copy(image, other, size_of)), None)

    found = {}
    for folder, members in folders.items():
        if len(folders) == 1 or original(members[0]) is None:
            continue
        places = np.linspace(0, len(members) - 1, min(LOOKED_AT, len(members))).astype(int)
        originals = [original(members[place]) for place in places]
        if originals[0] is not None and None not in originals:
            found[Path(folder)] = (members[0], originals[0])
    return found


def _folder_and_name(image: str) -> tuple[str, str]:
    """Return the folder of an image, and its name without what thumbnails are called.

    Some programs make a folder for each image, as 1.jpg/small.jpg; the name is that of the folder.
    """
    folder, file = os.path.split(image)
    if suffix_of(folder) in IMAGE_SUFFIXES:
        folder, file = os.path.split(folder)
    stem = file.rpartition(".")[0] or file
    return folder, AFFIXES.sub("", stem.casefold())


def _is_copy(image: Path, original: Path, size_of: Callable[[Path], tuple[int, int]]) -> bool:
    try:
        width, height = size_of(image)
        full_width, full_height = size_of(original)
        if width > SMALLER * full_width or height > SMALLER * full_height:
            return False
        reduced = [
            np.asarray(ImageOps.fit(open_image(path).convert("L"), (SIDE, SIDE)), np.float64)
            for path in (image, original)
        ]
    except ImageError:
        return False
    difference = np.abs(reduced[0] - reduced[1]).mean()
    return bool(difference < LARGEST_DIFFERENCE and reduced[0].std() > LEAST_CONTRAST)
