"""Digests: what tells that two images have the same content, without decoding them."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.preprocess import ImageArray

BATCH = 256  # images that a thread digests at a time
DIGEST_BYTES = 16
Digests = NDArray[np.uint8]


def digests_of(images: Sequence[Path] | ImageArray) -> Digests:
    """Return (n, 16) uint8 digests of the bytes of image files, or of the pixels of an array."""

    def some(start: int) -> bytes:
        indices = range(start, min(start + BATCH, len(images)))
        return b"".join(digest_of(images[index], index) for index in indices)

    # A thread digests many images at a time, since files of a few kB are read in microseconds.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        joined = b"".join(pool.map(some, range(0, len(images), BATCH)))
    return np.frombuffer(bytearray(joined), np.uint8).reshape(-1, DIGEST_BYTES)


def digest_of(image: Path | ImageArray, index: int) -> bytes:
    """Return the digest of one image; that of a file which cannot be read follows from its index.

    Args:
        image: A file, or the pixels of an image.
        index: The number of the image in its data set.
    """
    try:
        content = image.read_bytes() if isinstance(image, Path) else image.tobytes()
    except (OSError, ValueError):  # ValueError: the path cannot be the name of a file.
        return digest_of_unreadable(index)
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


def digest_of_unreadable(index: int) -> bytes:
    """Return the digest of an image that cannot be read, which no other image has."""
    return hashlib.blake2b(f"unreadable {index}".encode(), digest_size=DIGEST_BYTES).digest()
