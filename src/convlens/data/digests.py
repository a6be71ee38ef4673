"""Digests: what tells that two images have the same content, without decoding them."""

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from convlens.data.elsewhere import elsewhere
from convlens.preprocess import ImageArray

BATCH = 256  # images that a thread digests at a time
DIGEST_BYTES = 16
Digests = NDArray[np.uint8]


def digests_of(images: Sequence[Path] | ImageArray) -> Digests:
    """Return (n, 16) uint8 digests of the bytes of image files, or of the pixels of an array."""
    other = elsewhere(images)
    if other is not None:
        return other.digests(cast(Sequence[Path], images))

    def some(start: int) -> bytes:
        indices = range(start, min(start + BATCH, len(images)))
        return b"".join(digest_of(_content_of(images[index]), index) for index in indices)

    # A thread digests many images at a time, since files of a few kB are read in microseconds.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        joined = b"".join(pool.map(some, range(0, len(images), BATCH)))
    return np.frombuffer(bytearray(joined), np.uint8).reshape(-1, DIGEST_BYTES)


def no_digests() -> Digests:
    """Return the digests of no images."""
    return np.empty((0, DIGEST_BYTES), np.uint8)


def _content_of(image: Path | ImageArray) -> bytes | None:
    return read_file(image) if isinstance(image, Path) else image.tobytes()


def read_file(path: Path) -> bytes | None:
    """Return the content of a file, or None if it cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, ValueError):  # ValueError: the path cannot be the name of a file.
        return None


def digest_of(content: bytes | None, index: int) -> bytes:
    """Return the digest of the content of an image.

    Args:
        content: The bytes of a file, or of the pixels of an image. None stands for a file that
            cannot be read, whose digest follows from its index.
        index: The number of the image in its data set.
    """
    if content is None:
        return digest_of_unreadable(index)
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


def digest_of_unreadable(index: int) -> bytes:
    """Return the digest of an image that cannot be read, which no other image has."""
    return hashlib.blake2b(f"unreadable {index}".encode(), digest_size=DIGEST_BYTES).digest()


def fingerprint(digests: Digests, labels: NDArray[np.int64], class_names: Sequence[str]) -> str:
    """Return a SHA-256 of contents, labels and class names that ignores the order of the images.

    Args:
        digests: (n, 16) digests of the images.
        labels: (n,) class indices.
        class_names: The names of the classes.
    """
    rows = sorted(
        digest.tobytes() + int(label).to_bytes(8, "big")
        for digest, label in zip(digests, labels, strict=True)
    )
    return hashlib.sha256(b"".join(rows) + json.dumps(list(class_names)).encode()).hexdigest()


def order_of(digests: Digests, labels: NDArray[np.int64]) -> str:
    """Return a SHA-256 of contents and labels in the order of the images; see `fingerprint`."""
    numbers = np.ascontiguousarray(labels, np.int64)
    return hashlib.sha256(digests.tobytes() + numbers.tobytes()).hexdigest()
