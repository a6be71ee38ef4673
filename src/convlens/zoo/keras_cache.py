"""Keras cache: the weights of keras.applications, from Keras' cache folder or downloaded into it.

Names, folders and hashes of the files are those of keras.applications in Keras 3.15, so that files
which Keras has downloaded before are used.
"""

import hashlib
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

import keras

from convlens.errors import ModelError
from convlens.zoo.registry import WeightsFile

URL = "https://storage.googleapis.com/tensorflow/keras-applications"


def cache_folder() -> Path:
    """Return the folder of trained weights: `models` in $KERAS_HOME, or else in ~/.keras."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "models"


def cached_file(name: str, files: tuple[WeightsFile, WeightsFile], *, with_head: bool) -> Path:
    """Return the path of a model's weights; a file that the cache does not have is downloaded.

    Args:
        name: The name of the model, for messages.
        files: The files of the whole network and of the network without its head.
        with_head: Whether the weights of the head are needed. If not, the file of the whole network
            will do too, if the cache has it.

    Raises:
        ModelError: If the file in the cache is damaged, or cannot be downloaded.
    """
    whole, body = files
    wanted = whole if with_head else body
    for file in (wanted, whole):
        path = cache_folder() / file.name
        if path.is_file():
            _check(path, file.digest)
            return path
    return _download(name, wanted)


def _check(path: Path, digest: str) -> None:
    algorithm = "sha256" if len(digest) == 64 else "md5"
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, algorithm).hexdigest()
    if found != digest:
        raise ModelError(
            "{path}: the file was cut or changed; its hash must be {digest}, found {found}. "
            "Remove it, or replace it by a whole copy.".format(
                path=path, digest=digest, found=found
            )
        )


def _download(name: str, file: WeightsFile) -> Path:
    folder = cache_folder()
    url = f"{URL}/{file.path}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Keras prints its progress to stdout, where the results of commands belong.
        with redirect_stdout(sys.stderr):
            path = keras.utils.get_file(
                file.name,
                url,
                cache_dir=str(folder.parent),
                cache_subdir=folder.name,
                file_hash=file.digest,
            )
    # Keras raises a plain Exception when there is no network.
    except Exception as error:
        raise ModelError(
            "the trained weights of {name} are in the file {file}, which is not in {folder} and "
            "cannot be downloaded from {url} ({reason}). Download it on a computer that can, and "
            "put it in that folder or give its path.".format(
                name=name,
                file=file.name,
                folder=folder,
                url=url,
                reason=getattr(error.__context__, "reason", error),
            )
        ) from error
    return Path(path)
