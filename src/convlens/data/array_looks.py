"""Array looks: the looks of images that need no decoding, many at a time.

Images of arrays are small, so that what is called for each of them costs more than its pixels do.
Many are therefore measured at once; `convlens.data.looks` measures images of files.
"""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convlens.data.cache import REMEDY, write_header
from convlens.data.digests import BATCH
from convlens.data.looks import (
    COLOUR_BITS,
    COLOUR_SIDE,
    LOOK,
    SIDE,
    WORKING_SIDE,
    Looks,
    look_at,
)
from convlens.data.sealed import seal
from convlens.file_facts import FileFacts
from convlens.files import write_atomically
from convlens.language import _
from convlens.preprocess import ImageArray

GREY = np.array([0.299, 0.587, 0.114], np.float32)
DIGEST_BYTES = LOOK["pixels"].itemsize
AT_ONCE = 16  # batches whose looks are in memory


def take_looks(images: ImageArray, file: Path) -> None:
    """Write the looks of images that need no decoding.

    Args:
        images: (n, height, width[, channels]) uint8.
        file: The file to write.

    Raises:
        StorageError: If the disk is full or cannot be written to.
    """

    def some(start: int) -> bytes:
        return looks_of_arrays(images[start : start + BATCH]).tobytes()

    def write(temporary: Path) -> None:
        with temporary.open("wb") as stream, ThreadPoolExecutor(os.cpu_count()) as pool:
            write_header(stream, (len(images),), LOOK)
            for start in range(0, len(images), BATCH * AT_ONCE):
                stop = min(start + BATCH * AT_ONCE, len(images))
                stream.writelines(pool.map(some, range(start, stop, BATCH)))
        seal(temporary)

    write_atomically(file, write, _("the summaries of the images"), REMEDY)


def looks_of_arrays(images: ImageArray) -> Looks:
    """Return the looks of images that need no decoding.

    Args:
        images: (n, height, width) or (n, height, width, channels) uint8; a fourth channel is the
            opacity.
    """
    shaped = images[..., None] if images.ndim == 3 else images
    height, width, channels = shaped.shape[1:]
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    if channels == 4 or max(height, width) > WORKING_SIDE // 2:
        facts = FileFacts(mode, "array")
        plain = shaped[..., 0] if channels == 1 else shaped
        opened = (_on_white(Image.fromarray(image)) for image in plain)
        return np.stack([look_at(image, facts, shaped[0].size) for image in opened])
    levels = shaped.astype(np.float32)
    grey = levels[..., 0] if channels == 1 else levels @ GREY
    looks = _measured(levels, shaped)
    looks["grey"] = np.rint(_resized(grey, SIDE))
    colours = np.stack([_resized(levels[..., c], COLOUR_SIDE) for c in range(channels)], axis=3)
    looks["colours"] = np.rint(colours)
    looks["sharpness"] = _laplacian_variance(grey) / (1 + grey.var(axis=(1, 2)))
    looks["pixels"] = [_digest(image) for image in images]
    looks["width"] = width
    looks["height"] = height
    looks["bytes"] = shaped[0].size
    looks["mode"] = mode
    looks["format"] = "array"
    return looks


def _digest(image: ImageArray) -> NDArray[np.uint8]:
    digest = hashlib.blake2b(image.tobytes(), digest_size=DIGEST_BYTES).digest()
    return np.frombuffer(digest, np.uint8)


def _on_white(image: Image.Image) -> Image.Image:
    """Return an image without transparency; see `convlens.preprocess.read_image`."""
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _resized(grey: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return (n, side, side) images of (n, height, width) ones."""
    resized = _weights(grey.shape[1], side) @ grey @ _weights(grey.shape[2], side).T
    return resized.astype(np.float32, copy=False)


@cache
def _weights(size: int, wanted: int) -> NDArray[np.float32]:
    """Return the (wanted, size) matrix with which Pillow resizes a row of pixels."""
    rows = Image.fromarray(np.eye(size, dtype=np.float32))
    return np.asarray(rows.resize((wanted, size), Image.Resampling.BILINEAR)).T


def _laplacian_variance(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the variance of the Laplacian of each image, mirrored at the border as by OpenCV."""
    padded = np.pad(grey, ((0, 0), (1, 1), (1, 1)), mode="reflect")
    around = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
    found: NDArray[np.float32] = (around - 4 * grey).var(axis=(1, 2))
    return found


def _measured(levels: NDArray[np.float32], pixels: ImageArray) -> Looks:
    """Return looks with what follows from the colours.

    Args:
        levels: (n, height, width, 1 or 3) the pixels as numbers that can be computed with.
        pixels: The same in uint8.
    """
    looks = np.zeros(len(pixels), LOOK)
    grey = levels[..., 0] if levels.shape[3] == 1 else levels @ GREY
    looks["brightness"] = grey.mean(axis=(1, 2))
    looks["contrast"] = grey.std(axis=(1, 2))
    looks["commonest"] = _commonest(pixels)
    if levels.shape[3] == 3:
        looks["colourfulness"] = _colourfulness(levels)
    return looks


def _commonest(pixels: ImageArray) -> NDArray[np.float64]:
    """Return the share of pixels of the most frequent colour, of 4 bits a channel."""
    parts = (pixels >> (8 - COLOUR_BITS)).astype(np.int32)
    codes = parts[..., 0]
    for channel in range(1, pixels.shape[3]):
        codes = (codes << COLOUR_BITS) | parts[..., channel]
    number = 1 << pixels.shape[3] * COLOUR_BITS
    rows = np.arange(len(pixels))[:, None, None] * number
    counts = np.bincount((codes + rows).ravel(), minlength=len(pixels) * number)
    most: NDArray[np.float64] = counts.reshape(-1, number).max(axis=1) / codes[0].size
    return most


def _colourfulness(colours: NDArray[Any]) -> NDArray[Any]:
    """Return the colourfulness of Hasler and Süsstrunk, "Measuring Colourfulness", 2003.

    It is 0 for grey images, about 15 for slightly colourful ones and above 80 for gaudy ones.
    """
    red, green, blue = np.moveaxis(colours, -1, 0)
    one = red - green
    other = (red + green) / 2 - blue
    spread = np.hypot(one.std(axis=(1, 2)), other.std(axis=(1, 2)))
    offset = np.hypot(one.mean(axis=(1, 2)), other.mean(axis=(1, 2)))
    found: NDArray[Any] = spread + 0.3 * offset
    return found
