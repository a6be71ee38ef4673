"""Looks: what is noted of every image while it is decoded, so that nothing is decoded twice.

A look is a record of fixed size. The looks of a data set lie in one array beside the decoded
images, from which near-duplicates and odd images are found, whatever the size of the network.
"""

import hashlib
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convlens.decode import FileFacts
from convlens.preprocess import ImageArray

LOOKS_VERSION = 1  # to be raised when looks of the same images become others
SIDE = 64  # pixels of the grey reduction, whose aspect ratio is that of a square
COLOUR_SIDE = 8
WORKING_SIDE = 256  # pixels; larger images are reduced by a whole number until just above it
COLOUR_BITS = 4  # of each channel, where it is counted how often a colour occurs

Looks = NDArray[np.void]
"""Structured arrays of the type LOOK."""

LOOK = np.dtype(
    [
        ("pixels", np.uint8, 16),  # a digest; equal for images that decode to the same pixels
        ("grey", np.uint8, (SIDE, SIDE)),  # the upright image, stretched to a square
        ("colours", np.uint8, (COLOUR_SIDE, COLOUR_SIDE, 3)),  # the same in few pixels, as RGB
        ("width", np.int32),  # of the upright image, in pixels; 0 for one that cannot be read
        ("height", np.int32),
        ("bytes", np.int64),  # of the file; for arrays, of the pixels
        ("mode", "S8"),  # Pillow's mode before any conversion: b"RGB", b"L", b"P", b"I;16"
        ("format", "S12"),  # Pillow's name of the file format: b"JPEG"; b"array" for arrays
        ("brightness", np.float32),  # mean grey level, 0 to 255
        ("contrast", np.float32),  # standard deviation of the grey levels
        ("commonest", np.float32),  # share of the pixels that have the most frequent colour
        ("sharpness", np.float32),  # variance of the Laplacian over the variance of the grey levels
        ("colourfulness", np.float32),  # 0 for grey images; see `_colourfulness`
        ("camera", "S64"),  # make and model in the EXIF data; empty where there are none
        ("software", "S48"),
        ("taken", "S32"),  # b"2026:05:01 12:30:59.123": DateTimeOriginal with its subseconds
    ]
)


class Glimpse(NamedTuple):
    """What is taken from one image; `looks_of` makes looks of many at a time.

    Attributes:
        small: (64, 64, 3) uint8.
        digest: The digest of the pixels.
        size: (width, height) in pixels.
        sharpness: See LOOK.
        facts: What the file says of itself.
        num_bytes: The size of the file.
    """

    small: ImageArray
    digest: bytes
    size: tuple[int, int]
    sharpness: float
    facts: FileFacts
    num_bytes: int


def glimpse(image: Image.Image, facts: FileFacts, num_bytes: int) -> Glimpse:
    """Return what a look needs of an upright image of mode L or RGB.

    The digest covers the grey levels of all pixels, or of blocks of pixels where the image is
    larger than WORKING_SIDE, and the colours of the reduction.

    Args:
        image: The image.
        facts: What its file says of itself.
        num_bytes: The size of its file.
    """
    factor = min(image.size) // WORKING_SIDE
    working = image.reduce(factor) if factor > 1 else image
    small = np.asarray(working.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=1.5))
    grey = np.asarray(working if working.mode == "L" else working.convert("L"))
    digest = hashlib.sha256(f"{image.size}".encode(), usedforsecurity=False)
    digest.update(grey.data)
    digest.update(np.ascontiguousarray(small).data)
    colour = small if small.ndim == 3 else np.repeat(small[..., None], 3, axis=2)
    return Glimpse(colour, digest.digest()[:16], image.size, _sharpness(grey), facts, num_bytes)


def _sharpness(grey: ImageArray) -> float:
    """Return the variance of the Laplacian over that of the grey levels; 0 for a blank image."""
    _, detail = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    _, contrast = cv2.meanStdDev(grey)
    return float(detail[0, 0] ** 2 / (1 + contrast[0, 0] ** 2))


def looks_of(glimpses: list[Glimpse | None]) -> Looks:
    """Return the looks of several images; those of None, which cannot be read, are empty."""
    looks = np.zeros(len(glimpses), LOOK)
    there = [index for index, seen in enumerate(glimpses) if seen is not None]
    seen = [item for item in glimpses if item is not None]
    if not seen:
        return looks
    small = np.stack([item.small for item in seen])
    levels = small.astype(np.float32)
    found = _measured(levels, small)
    found["grey"] = np.rint(levels @ GREY)
    found["colours"] = np.rint(_in_blocks(levels))
    found["pixels"] = [np.frombuffer(item.digest, np.uint8) for item in seen]
    found["width"] = [item.size[0] for item in seen]
    found["height"] = [item.size[1] for item in seen]
    found["bytes"] = [item.num_bytes for item in seen]
    found["sharpness"] = [item.sharpness for item in seen]
    for name in ("mode", "format", "camera", "software", "taken"):
        found[name] = [_fixed(getattr(item.facts, name), LOOK[name].itemsize) for item in seen]
    looks[there] = found
    return looks


def _in_blocks(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (n, 8, 8, 3) means of blocks of (n, 64, 64, 3) pixels."""
    block = SIDE // COLOUR_SIDE
    parts = levels.reshape(-1, COLOUR_SIDE, block, COLOUR_SIDE, block, 3)
    means: NDArray[np.float32] = parts.mean(axis=(2, 4))
    return means


def _fixed(text: str, size: int) -> bytes:
    return text.encode("utf-8", "replace")[:size]


def looks_of_arrays(images: ImageArray, digests: NDArray[np.uint8]) -> Looks:
    """Return the looks of images that need no decoding.

    Args:
        images: (n, height, width) or (n, height, width, channels) uint8; a fourth channel is the
            opacity.
        digests: (n, 16) digests of their pixels.
    """
    shaped = images[..., None] if images.ndim == 3 else images
    channels = shaped.shape[3]
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    if channels == 4 or max(shaped.shape[1:3]) > WORKING_SIDE // 2:
        facts = FileFacts(mode, "array")
        glimpses = [
            glimpse(_on_white(Image.fromarray(image)), facts, image.nbytes) for image in images
        ]
        looks = looks_of(list(glimpses))
        looks["pixels"] = digests
        return looks
    height, width = shaped.shape[1:3]
    levels = shaped.astype(np.float32)
    grey = levels[..., 0] if channels == 1 else levels @ GREY
    looks = _measured(levels, shaped)
    looks["grey"] = np.rint(_resized(grey, SIDE))
    colours = np.stack([_resized(levels[..., c], COLOUR_SIDE) for c in range(channels)], axis=3)
    looks["colours"] = np.rint(colours)
    looks["sharpness"] = _laplacian_variance(grey) / (1 + grey.var(axis=(1, 2)))
    looks["pixels"] = digests
    looks["width"] = width
    looks["height"] = height
    looks["bytes"] = shaped[0].size
    looks["mode"] = mode
    looks["format"] = "array"
    return looks


def _on_white(image: Image.Image) -> Image.Image:
    """Return an image without transparency; see `convlens.preprocess.read_image`."""
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


GREY = np.array([0.299, 0.587, 0.114], np.float32)


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
