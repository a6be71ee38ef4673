"""Folder: an exported folder, its format, its files, and the network in it.

Nothing here imports Keras, so that `convlens predict FOLDER` answers at once.

convlens.json has the digest of every other file that decides about an answer, and proof.json has
that of convlens.json. The card may be edited.
"""

import hashlib
import importlib.util
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.prediction import Predictor
from convlens.errors import BackendError, ConfigError, ExportError
from convlens.export.standalone import Network
from convlens.files import DAMAGE
from convlens.language import _, all_of, listed, one_of
from convlens.preprocess import ImageArray, Preprocessing
from convlens.vendor import package_folder

FORMAT = 1  # of convlens.json in an exported folder
RUNTIME = "onnxruntime-web"  # the JavaScript package that runs the network of a page


class Format(NamedTuple):
    """A format of networks.

    Attributes:
        file: The name of the network in an exported folder.
        needs: The packages that write and run it.
        extra: The extra of convlens that installs them; empty if convlens needs them anyway.
        engine: The name of the distribution that runs it.
        precisions: The precisions that it can be written in.
    """

    file: str
    needs: tuple[str, ...]
    extra: str
    engine: str
    precisions: tuple[str, ...]


class Target(NamedTuple):
    """What a classifier is exported to.

    Attributes:
        to: The format, a key of FORMATS.
        precision: The arithmetic of the network: "float32", "float16" or "int8".
        any_size: Whether the network takes images of any size and resizes them itself.
        accept_loss: Whether the folder is written even if a lower precision costs accuracy.
    """

    to: str
    precision: str = "float32"
    any_size: bool = False
    accept_loss: bool = False


ALL = ("float32", "float16", "int8")
FORMATS = {
    "onnx": Format("model.onnx", ("onnx", "onnxruntime", "tf2onnx"), "onnx", "onnxruntime", ALL),
    "openvino": Format("model.xml", ("openvino",), "openvino", "openvino", ALL),
    "litert": Format(
        "model.tflite", ("ai_edge_litert",), "litert", "ai-edge-litert", ("float32", "float16")
    ),
    "saved_model": Format("saved_model", (), "", "tensorflow", ("float32",)),
    "web": Format("model.onnx", ("onnx", "onnxruntime", "tf2onnx"), "onnx", "onnxruntime", ALL),
}
RESIZING = ("onnx", "openvino")  # the formats of which a network can resize its images


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


def check_target(target: Target, out: Path) -> None:
    """Check what was asked for, before anything is computed.

    Raises:
        ConfigError: If the format or its precision is unknown, if they do not go with the rest of
            the target, or if the folder exists.
        BackendError: If a package that they need is missing, in Python or in JavaScript.
    """
    to = target.to
    if to not in FORMATS:
        raise ConfigError(
            _("the format must be one of {known}; found {found!r}.").format(
                known=", ".join(FORMATS), found=to
            )
        )
    _check_precision(target)
    _check_size(target)
    if os.path.lexists(out):
        raise ConfigError(
            _("{folder}: this folder exists; give another one, or move it away.").format(folder=out)
        )
    missing = [name for name in FORMATS[to].needs if importlib.util.find_spec(name) is None]
    if missing:
        raise BackendError(
            _(
                "the format {format} needs {packages}, which is not installed: pip install "
                "'convlens[{extra}]'."
            ).format(format=to, packages=", ".join(missing), extra=FORMATS[to].extra)
        )
    if target.precision == "int8" and importlib.util.find_spec("nncf") is None:
        raise BackendError(
            _(
                "the precision {precision} needs {package}, which is not installed: pip install "
                "'convlens[{extra}]'."
            ).format(precision="int8", package="nncf", extra="int8")
        )
    if to == "web":
        package_folder(RUNTIME)


def _check_size(target: Target) -> None:
    """Raise ConfigError if the format has no networks that take images of any size."""
    if target.any_size and target.to not in RESIZING:
        raise ConfigError(
            _(
                "a network that takes images of any size can be exported to {known}; {format} has "
                "no such form. Leave out --any-size, and resize the images as predict.py does."
            ).format(known=listed(RESIZING), format=target.to)
        )
    if target.any_size and target.precision != "float32":
        raise ConfigError(
            _(
                "a network that takes images of any size is exported in float32, since a lower "
                "precision would resize wrongly; found {precision}. Leave out --any-size or "
                "--precision."
            ).format(precision=target.precision)
        )


def _check_precision(target: Target) -> None:
    known = FORMATS[target.to].precisions
    if target.precision not in known:
        others = [name for name, one in FORMATS.items() if target.precision in one.precisions]
        text = _("{format} is written in {known}; found the precision {found!r}.")
        if others:
            text = _(
                "{format} is written in {known}; the precision {found!r} is there for {others}."
            )
        raise ConfigError(
            text.format(
                format=target.to,
                known=one_of(known),
                found=target.precision,
                others=all_of(others),
            )
        )
    if target.accept_loss and target.precision == "float32":
        raise ConfigError(
            _(
                "a network in float32 must give the same probabilities, so that no loss can be "
                "accepted. Leave out --accept-loss, or choose a lower --precision."
            )
        )


def is_exported(folder: Path) -> bool:
    """Return whether a folder was written by `convlens export`."""
    return (folder / "convlens.json").is_file()


def read_facts(folder: Path) -> dict[str, Any]:
    """Return the content of convlens.json in an exported folder.

    Raises:
        ExportError: If the folder was not exported, or by a newer convlens.
    """
    try:
        facts: dict[str, Any] = json.loads((folder / "convlens.json").read_text(encoding="utf-8"))
        found = int(facts["format_version"])
    except DAMAGE as error:
        raise ExportError(
            _(
                "{folder}: this must be a folder that convlens export wrote; its convlens.json "
                "cannot be read ({reason})."
            ).format(folder=folder, reason=error)
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
    if changed := _changed(folder):
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


def _changed(folder: Path) -> list[str]:
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
