"""Examples: images in the file of a classifier that are classified again whenever it is opened.

The file holds their probabilities. Others show that the network does not compute what it did.
"""

import base64
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.errors import ClassifierError
from convlens.language import _
from convlens.preprocess import ImageArray

# How far a probability may differ from the recorded one when the examples are replayed.
TOLERANCE = {"float32": 1e-4, "bfloat16": 2e-2}


def pack_examples(images: ImageArray, probabilities: NDArray[np.floating]) -> dict[str, Any]:
    """Return images (m, height, width, channels) and their (m, num_classes) as JSON has them."""
    return {
        "images": base64.b64encode(np.ascontiguousarray(images).tobytes()).decode(),
        "probabilities": probabilities.astype(np.float64).tolist(),
    }


def unpack_examples(
    packed: dict[str, Any], shape: tuple[int, int, int]
) -> tuple[ImageArray, NDArray[np.float64]]:
    """Return the images (m, height, width, channels) and the recorded (m, num_classes)."""
    images = np.frombuffer(base64.b64decode(packed["images"]), np.uint8)
    return images.reshape(-1, *shape), np.asarray(packed["probabilities"], np.float64)


def check_examples(
    path: Path,
    found: NDArray[np.floating],
    recorded: NDArray[np.float64],
    precision: str,
    temperature: float,
) -> None:
    """Check that the examples of a file get the probabilities that it recorded.

    Args:
        path: The file, for the message.
        found: (m, num_classes) what the network computes now.
        recorded: (m, num_classes) what the file holds.
        precision: The precision in which the network computes.
        temperature: What the logits are divided by.

    Raises:
        ClassifierError: If they get others.
    """
    difference = np.abs(found - recorded).max()
    # Dividing by a temperature below 1 enlarges every difference of the logits.
    allowed = TOLERANCE[precision] / min(1, temperature)
    if not difference <= allowed:
        raise ClassifierError(
            _(
                "{path}: the examples of the file must get the recorded probabilities within "
                "{allowed:g}; in {precision} they differ by {difference:.2g}."
            ).format(path=path, allowed=allowed, precision=precision, difference=difference)
        )
