"""Archive: the entry `convlens.json` of a classifier's `.keras` file, and whether the file is whole."""

import hashlib
import json
import lzma
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

from convlens.errors import ClassifierError
from convlens.files import with_present_names

ENTRY = "convlens.json"
FORMAT = 2  # of that entry; a file with a larger number was made by a newer convlens
DAMAGE = (  # what zipfile, its decompressors and json raise for bytes that are not what was written
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError,
    ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError,
)  # fmt: skip


def checksum(archive: zipfile.ZipFile, facts: dict[str, Any]) -> str:
    """Return SHA-256 over every entry and over the facts without their checksum."""
    digest = hashlib.sha256()
    for name in sorted(set(archive.namelist()) - {ENTRY}):
        digest.update(name.encode() + b"\0" + hashlib.sha256(archive.read(name)).digest())
    plain = {key: value for key, value in facts.items() if key != "checksum"}
    digest.update(json.dumps(plain, sort_keys=True).encode())
    return digest.hexdigest()


def read_facts(path: Path) -> dict[str, Any]:
    """Return the content of convlens.json. Raises ClassifierError where the file is missing, cut, changed, or newer."""
    try:
        with zipfile.ZipFile(path) as archive:
            if ENTRY not in archive.namelist():
                raise ClassifierError(
                    f"{path}: a classifier carries its class names in {ENTRY}; this file has none. "
                    "It may be a plain Keras model: give it to convlens.train(dataset, model=...)."
                )
            facts: dict[str, Any] = json.loads(archive.read(ENTRY))
            if facts["format"] > FORMAT:
                raise ClassifierError(
                    f"{path}: the file was made by a newer convlens (its format is {facts['format']}, this one reads "
                    f"up to {FORMAT}): pip install --upgrade convlens."
                )
            if facts.get("checksum") != checksum(archive, facts):
                raise ClassifierError(
                    f"{path}: the file was changed after it was saved. Take a whole copy."
                )
    except FileNotFoundError as error:
        raise ClassifierError(f"{path}: there is no classifier file here.") from error
    except DAMAGE as error:
        raise ClassifierError(
            f"{path}: the file is damaged or no classifier ({error}). Take a whole copy."
        ) from error
    except OSError as error:
        raise ClassifierError(
            f"{path}: the file cannot be read; {error.strerror or error}."
        ) from error
    present: dict[str, Any] = with_present_names(facts)
    return present
