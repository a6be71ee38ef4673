"""Folder: an exported folder, its format, its files, and the network in it.

Nothing here imports Keras, so that `convlens predict FOLDER` answers at once.

convlens.json has the digest of every other file that decides about an answer, and proof.json has
that of convlens.json. The card may be edited.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.prediction import Predictor
from convlens.errors import BackendError, ExportError
from convlens.export.standalone import Network
from convlens.files import DAMAGE
from convlens.language import _, listed
from convlens.preprocess import ImageArray, Preprocessing
from convlens.reasons import damage_reason

FORMAT = 1  # of convlens.json in an exported folder


@dataclass(eq=False)
class Exported(Predictor):
    """The network of an exported folder, as `open_network` returns it.

    Attributes:
        network: The network, as the `predict.py` of the folder runs it.
        class_names: The names of the classes, in the order of the probabilities.
        preprocessing: How an image is brought to the input of the network.
        threshold: The least probability with which an image is assigned to a class, or None.
    """

    network: Network
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    threshold: float | None

    def probabilities(
        self, images: ImageArray, *, batch_size: int | None = None
    ) -> NDArray[np.float32]:
        """Return (n, num_classes) for uint8 (n, height, width, channels), one image at a time."""
        return np.concatenate([self.network.probabilities(image[None]) for image in images])


def is_exported(folder: Path) -> bool:
    """Return whether a folder was written by `convlens export`."""
    return (folder / "convlens.json").is_file()


def read_facts(folder: Path) -> dict[str, Any]:
    """Return the content of convlens.json in an exported folder.

    Raises:
        ExportError: If the folder was not exported, or by a newer convlens.
    """
    if not is_exported(folder):
        raise ExportError(
            _(
                "{folder}: this must be a folder that convlens export wrote; it has no "
                "convlens.json."
            ).format(folder=folder)
        )
    try:
        facts: dict[str, Any] = json.loads((folder / "convlens.json").read_text(encoding="utf-8"))
        found = int(facts["format_version"])
    except DAMAGE as error:
        raise ExportError(
            _(
                "{folder}: this must be a folder that convlens export wrote; its convlens.json "
                "cannot be read ({reason})."
            ).format(folder=folder, reason=damage_reason(error))
        ) from error
    if found > FORMAT:
        raise ExportError(
            _(
                "{folder}: the folder was exported by a newer convlens (its format is {found}; "
                "this version reads formats up to {known}). Upgrade with: pip install --upgrade "
                "convlens."
            ).format(folder=folder, found=found, known=FORMAT)
        )
    return facts


def open_network(folder: Path) -> Exported:
    """Return the network of an exported folder, whose files are those that were exported.

    Raises:
        ExportError: If a file is missing or was changed, or if the engine cannot open the network.
        BackendError: If the engine is not installed.
    """
    facts = read_facts(folder)
    if changed := changed_files(folder):
        raise ExportError(
            _(
                "{folder}: every file must be as it was exported; missing or changed: {files}. "
                "Export the classifier again."
            ).format(folder=folder, files=listed(changed))
        )
    try:
        network = Network(folder)
    except ImportError as error:
        raise BackendError(
            _("{folder} needs {engine}, which is not installed: pip install {engine}.").format(
                folder=folder, engine=facts["engine"]
            )
        ) from error
    except Exception as error:  # each engine has errors of its own
        raise ExportError(
            _(
                "{folder}: {engine} {found} cannot open the network ({reason}). It was exported "
                "with {known}: pip install {engine}=={known}."
            ).format(
                folder=folder,
                engine=facts["engine"],
                found=engine_version(facts["engine"]),
                reason=str(error).strip().partition("\n")[0],
                known=facts["engine_version"],
            )
        ) from error
    return Exported(
        network,
        tuple(facts["class_names"]),
        Preprocessing.from_dict(facts["preprocessing"]),
        facts["threshold"],
    )


def changed_files(folder: Path) -> list[str]:
    """Return the files of an exported folder that are missing or not what was exported."""
    try:
        proof = json.loads((folder / "proof.json").read_text(encoding="utf-8"))
        expected = {"convlens.json": proof["convlens_json"]}
    except DAMAGE:
        return ["proof.json"]
    if digest(folder / "convlens.json") != expected["convlens.json"]:
        return ["convlens.json"]
    expected = read_facts(folder)["digests"]
    return [name for name, known in expected.items() if digest(folder / name) != known]


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder, by its name."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return {file.relative_to(folder).as_posix(): digest(file) for file in files}


def digest(file: Path) -> str:
    """Return the SHA-256 of a file; an empty text if it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def engine_version(engine: str) -> str:
    """Return the version of an engine that is installed."""
    for name in (engine, f"{engine}-cpu"):
        with suppress(PackageNotFoundError):
            return version(name)
    return _("unknown")
