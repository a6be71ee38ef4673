"""The file of a classifier: a standard `.keras` archive with one more entry, `convlens.json`.

The entry holds what Keras does not keep: the class names, the preprocessing, where the classifier
came from, a few example images with their probabilities, and a checksum over the whole archive.
`keras.models.load_model` ignores the entry, so that the file can be used without convlens.
"""

import base64
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.errors import ClassifierError
from convlens.files import DAMAGE, with_present_names, write_atomically
from convlens.preprocess import ImageArray
from convlens.text import ESCAPE

ENTRY = "convlens.json"
# The format of that entry. A file with a larger number was made by a newer convlens.
FORMAT = 3


def write_archive(path: Path, model: keras.Model, facts: dict[str, Any]) -> None:
    """Write a classifier file; the previous file stays whole until the new one is complete.

    Args:
        path: The file to write.
        model: The network, from uint8 images to probabilities.
        facts: What `convlens.json` holds besides its format and its checksum.

    Raises:
        StorageError: If the file cannot be written, for example because the disk is full.
    """

    def write(target: Path) -> None:
        model.save(target)
        with zipfile.ZipFile(target, "a") as archive:
            content = {"format": FORMAT, **facts}
            content["checksum"] = checksum(archive, content)
            text = json.dumps(content, ensure_ascii=False, indent=1)
            archive.writestr(ENTRY, text.encode(errors=ESCAPE))

    write_atomically(path, write, "the classifier")


def read_archive(path: Path) -> tuple[keras.Model, dict[str, Any]]:
    """Return the network of a classifier file, and the content of its `convlens.json`.

    Raises:
        ClassifierError: If the file is missing, cut, changed, not a classifier, or made by a newer
            convlens, or if Keras cannot build its network.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            facts = with_present_names(_checked_facts(path, archive))
    except FileNotFoundError as error:
        raise ClassifierError(
            "{path}: there is no classifier file here.".format(path=path)
        ) from error
    except OSError as error:
        raise ClassifierError(
            "{path}: the file cannot be read; {reason}.".format(
                path=path, reason=error.strerror or error
            )
        ) from error
    except DAMAGE as error:
        raise ClassifierError(
            "{path}: the file is damaged or is not a classifier ({reason}). "
            "Use an undamaged copy.".format(path=path, reason=error)
        ) from error
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True), facts
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise ClassifierError(
            "{path}: Keras cannot build the network of this file; {reason}".format(
                path=path, reason=str(error).strip().splitlines()[0]
            )
        ) from error


def _checked_facts(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    if ENTRY not in archive.namelist():
        raise ClassifierError(
            "{path}: a classifier file must contain {entry} with its class names; this file has "
            "none. If it is a plain Keras model, pass it to "
            "convlens.train(dataset, model=...).".format(path=path, entry=ENTRY)
        )
    facts: dict[str, Any] = json.loads(archive.read(ENTRY))
    if facts["format"] > FORMAT:
        raise ClassifierError(
            "{path}: the file was made by a newer convlens (its format is {found}; this version "
            "reads formats up to {known}). Upgrade with: pip install --upgrade convlens.".format(
                path=path, found=facts["format"], known=FORMAT
            )
        )
    if facts.get("checksum") != checksum(archive, facts):
        raise ClassifierError(
            "{path}: the file was changed after it was saved. Use an unchanged copy.".format(
                path=path
            )
        )
    return facts


def checksum(archive: zipfile.ZipFile, facts: dict[str, Any]) -> str:
    """Return the SHA-256 of every entry and of the facts without their own checksum."""
    digest = hashlib.sha256()
    for name in sorted(set(archive.namelist()) - {ENTRY}):
        digest.update(name.encode() + b"\0" + hashlib.sha256(archive.read(name)).digest())
    plain = {key: value for key, value in facts.items() if key != "checksum"}
    digest.update(json.dumps(plain, sort_keys=True).encode())
    return digest.hexdigest()


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
