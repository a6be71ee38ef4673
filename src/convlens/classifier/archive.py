"""The file of a classifier: a standard `.keras` archive with one more entry, `convlens.json`.

The entry holds what Keras does not keep: the class names, the preprocessing, where the classifier
came from, a few example images with their probabilities, and a checksum over the whole archive.
`keras.models.load_model` ignores the entry, so that the file can be used without convlens.
"""

import hashlib
import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlens.errors import ClassifierError
from convlens.files import DAMAGE, with_present_names, write_atomically
from convlens.language import N_, _
from convlens.reasons import damage_reason, system_reason
from convlens.text import ESCAPE

if TYPE_CHECKING:
    import keras

CONFIG = "config.json"  # the entry of Keras that describes the network
ENTRY = "convlens.json"
# The format of that entry. A file with a larger number was made by a newer convlens.
FORMAT = 3
# Settings that Keras has added since 3.12, each with the value that changes nothing. An older
# version refuses a network that mentions them.
ADDITIONS = {
    "input_axes": None,
    "output_axes": None,
    "quantization_config": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
    "salt": None,
    "sliding_window": None,
    "use_gate": False,
}
COPIED = 2**20  # bytes at a time
HDF5 = b"\x89HDF\r\n\x1a\n"
OTHER_KINDS = {
    ".h5": N_("an HDF5 file, as Keras 2 wrote networks and weights"),
    ".onnx": N_("a network in ONNX"),
    ".pb": N_("a graph of TensorFlow"),
    ".pt": N_("a file of PyTorch"),
    ".pth": N_("a file of PyTorch"),
    ".safetensors": N_("a file of weights alone (safetensors)"),
    ".tflite": N_("a network in TensorFlow Lite"),
}


def write_archive(path: Path, model: "keras.Model", facts: dict[str, Any]) -> None:
    """Write a classifier file; the previous file stays whole until the new one is complete.

    Args:
        path: The file to write.
        model: The network, from uint8 images to probabilities.
        facts: What `convlens.json` holds besides its format and its checksum.

    Raises:
        StorageError: If the file cannot be written, for example because the disk is full.
    """

    def write(target: Path) -> None:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as folder:
            saved = Path(folder) / target.name
            model.save(saved)
            # One archive is opened once: zipfile empties a file that it cannot open to append.
            with zipfile.ZipFile(saved) as source, zipfile.ZipFile(target, "w") as archive:
                _copy_for_older_keras(source, archive)
                content = {"format": FORMAT, **facts}
                content["checksum"] = checksum(archive, content)
                text = json.dumps(content, ensure_ascii=False, indent=1)
                archive.writestr(ENTRY, text.encode(errors=ESCAPE))

    write_atomically(path, write, _("the classifier"))


def _copy_for_older_keras(source: zipfile.ZipFile, archive: zipfile.ZipFile) -> None:
    """Copy what Keras saved, without settings that it has added since and that change nothing."""
    for entry in source.infolist():
        if entry.filename == CONFIG:
            config = _without_additions(json.loads(source.read(entry)))
            archive.writestr(CONFIG, json.dumps(config))
            continue
        with (
            source.open(entry) as old,
            archive.open(entry.filename, "w", force_zip64=True) as new,
        ):
            shutil.copyfileobj(old, new, COPIED)


def _without_additions(config: Any) -> Any:
    """Return the configuration of a network without ADDITIONS that have their first value."""
    if isinstance(config, list):
        return [_without_additions(value) for value in config]
    if not isinstance(config, dict):
        return config
    return {
        name: _without_additions(value)
        for name, value in config.items()
        if name not in ADDITIONS or value != ADDITIONS[name]
    }


def read_archive(path: Path) -> tuple["keras.Model", dict[str, Any]]:
    """Return the network of a classifier file, and the content of its `convlens.json`.

    Raises:
        ClassifierError: If the file is missing, cut, changed, not a classifier, or made by a newer
            convlens, or if Keras cannot build its network.
    """
    import keras

    facts = read_facts(path)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True), facts
    except (ValueError, TypeError, OSError, KeyError) as error:
        made_by = _keras_version(path)
        message = _("{path}: Keras cannot build the network of this file; {reason}")
        if made_by != keras.__version__:
            message = _(
                "{path}: Keras {found} cannot build the network of this file, which Keras "
                "{made_by} wrote. Install that version: pip install keras=={made_by}."
            )
        raise ClassifierError(
            message.format(
                path=path,
                reason=str(error).strip().splitlines()[0],
                found=keras.__version__,
                made_by=made_by,
            )
        ) from error


def read_facts(path: Path) -> dict[str, Any]:
    """Return the content of `convlens.json` of a classifier file, whose checksum is right.

    Raises:
        ClassifierError: If the file is missing, cut, changed, not a classifier, or made by a newer
            convlens.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            facts: dict[str, Any] = with_present_names(_checked_facts(path, archive))
            return facts
    except FileNotFoundError as error:
        raise no_classifier(path) from error
    except OSError as error:
        raise ClassifierError(
            _("{path}: the file cannot be read; {reason}.").format(
                path=path, reason=system_reason(error)
            )
        ) from error
    except DAMAGE as error:
        _refuse_other_kind(path)
        raise ClassifierError(
            _(
                "{path}: the file is damaged or is not a classifier ({reason}). "
                "Use an undamaged copy."
            ).format(path=path, reason=damage_reason(error))
        ) from error


def no_classifier(path: str | Path) -> ClassifierError:
    """Return the error for a classifier file that is not there."""
    return ClassifierError(_("{path}: there is no classifier file here.").format(path=path))


def _keras_version(path: Path) -> str:
    """Return the version of Keras that wrote a network, or this one if the file does not say."""
    import keras

    try:
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    except DAMAGE:
        return str(keras.__version__)


def _refuse_other_kind(path: Path) -> None:
    """Raise ClassifierError if a file that is no classifier is of a kind that is known."""
    with path.open("rb") as file:
        suffix = ".h5" if file.read(len(HDF5)) == HDF5 else path.suffix.lower()
    if suffix in OTHER_KINDS:
        raise ClassifierError(
            _(
                "{path}: a classifier is a file that convlens wrote, a run's classifier.keras; "
                "this is {kind}. A network that keras.models.load_model opens can be trained "
                "further with convlens.train(dataset, model=...)."
            ).format(path=path, kind=_(OTHER_KINDS[suffix]))
        )


def _checked_facts(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    if ENTRY not in archive.namelist():
        _refuse_other_kind(path)
        raise ClassifierError(
            _(
                "{path}: a classifier file must contain {entry} with its class names; this file "
                "has none. If it is a plain Keras model, pass it to convlens.train(dataset, "
                "model=...)."
            ).format(path=path, entry=ENTRY)
        )
    facts: dict[str, Any] = json.loads(archive.read(ENTRY))
    if facts["format"] > FORMAT:
        raise ClassifierError(
            _(
                "{path}: the file was made by a newer convlens (its format is {found}; this "
                "version reads formats up to {known}). Upgrade with: pip install --upgrade "
                "convlens."
            ).format(path=path, found=facts["format"], known=FORMAT)
        )
    if facts.get("checksum") != checksum(archive, facts):
        raise ClassifierError(
            _("{path}: the file was changed after it was saved. Use an unchanged copy.").format(
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
