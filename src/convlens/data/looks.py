"""Looks: what is noted of every image while it is decoded, so that nothing is decoded twice.

A look is a record of fixed size. The looks of a data set lie in one array beside the decoded
images, from which near-duplicates and odd images are found, whatever the size of the network.
"""

import hashlib
import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convlens.file_facts import FileFacts
from convlens.preprocess import ImageArray

LOOKS_VERSION = 3  # to be raised when looks of the same images become others
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


def look_at(image: Image.Image, facts: FileFacts, num_bytes: int) -> Looks:
    """Return the look at an upright image of mode L or RGB, an array without dimensions.

    The digest covers the grey levels of all pixels, or of blocks of pixels where the image is
    larger than WORKING_SIDE, and the colours of the reduction.

    Args:
        image: The image.
        facts: What its file says of itself.
        num_bytes: The size of its file.
    """
    factor = min(image.size) // WORKING_SIDE
    pixels = np.asarray(image.reduce(factor) if factor > 1 else image)
    small = _reduced(pixels)
    grey = _grey(pixels)
    small_grey = _grey(small)
    digest = hashlib.sha256(f"{image.size}".encode(), usedforsecurity=False)
    digest.update(np.ascontiguousarray(grey).data)
    digest.update(np.ascontiguousarray(small).data)
    brightness, contrast = cv2.meanStdDev(small_grey)
    colours = cv2.resize(small, (COLOUR_SIDE, COLOUR_SIDE), interpolation=cv2.INTER_AREA)
    look = np.zeros((), LOOK)
    look["pixels"] = np.frombuffer(digest.digest()[:16], np.uint8)
    look["grey"] = small_grey
    look["colours"] = colours if colours.ndim == 3 else colours[..., None]
    look["width"], look["height"] = image.size
    look["bytes"] = num_bytes
    look["brightness"] = brightness[0, 0]
    look["contrast"] = contrast[0, 0]
    look["commonest"] = _commonest(small)
    look["sharpness"] = _sharpness(grey)
    look["colourfulness"] = _colourfulness(small) if small.ndim == 3 else 0
    for name in ("mode", "format", "camera", "software", "taken"):
        look[name] = getattr(facts, name).encode("utf-8", "replace")[: LOOK[name].itemsize]
    return look


def _reduced(pixels: ImageArray) -> ImageArray:
    """Return (64, 64[, 3]) pixels.

    Interpolation, which is quick, makes each side shorter by less than a half, so that no pixel is
    left out; then blocks of pixels are averaged.
    """
    height, width = (SIDE << max(0, (side // SIDE).bit_length() - 1) for side in pixels.shape[:2])
    whole_blocks = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(whole_blocks, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def _grey(pixels: ImageArray) -> ImageArray:
    return pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def _sharpness(grey: ImageArray) -> float:
    """Return the variance of the Laplacian over that of the grey levels; 0 for a blank image."""
    detail = cv2.Laplacian(grey, cv2.CV_16S)
    # OpenCV's meanStdDev takes more than ten times as long as these two sums for 16 bits.
    mean = cv2.sumElems(detail)[0] / grey.size
    variance = max(0.0, cv2.norm(detail, cv2.NORM_L2SQR) / grey.size - mean**2)
    _, contrast = cv2.meanStdDev(grey)
    return float(variance / (1 + contrast[0, 0] ** 2))


def _commonest(pixels: ImageArray) -> float:
    """Return the share of pixels of the most frequent colour, of 4 bits a channel."""
    channels = list(range(pixels.shape[2] if pixels.ndim == 3 else 1))
    levels = [1 << COLOUR_BITS] * len(channels)
    counts = cv2.calcHist([pixels], channels, None, levels, [0, 256] * len(channels))
    return float(counts.max() / (SIDE * SIDE))


def _colourfulness(colours: ImageArray) -> float:
    """Return the colourfulness of Hasler and Süsstrunk, "Measuring Colourfulness", 2003.

    It is 0 for grey images, about 15 for slightly colourful ones and above 80 for gaudy ones.
    """
    # From red, green and blue to red - green, and to (red + green) / 2 - blue.
    opponents = np.array([[1, -1, 0], [0.5, 0.5, -1]], np.float32)
    mean, spread = cv2.meanStdDev(cv2.transform(colours.astype(np.float32), opponents))
    return math.hypot(*spread.ravel()) + 0.3 * math.hypot(*mean.ravel())
