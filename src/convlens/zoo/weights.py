"""Weights: give a model trained weights, published ones or those of a file.

What the published weights of a model are is described where the model is registered, see
`convlens.zoo.registry.Weights`. The layers of a file are matched to those of the model by their
order, as Keras does, so that their names may differ.

The weights of keras.applications come from Keras' cache folder, or are downloaded into it. Names,
folders and hashes of the files are those of Keras 3.15, so that files which Keras has downloaded
before are used.
"""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import keras
import numpy as np

from convlens.errors import ModelError
from convlens.files import keras_home
from convlens.language import N_, _, listed
from convlens.zoo.keras_file import Named, open_keras_file
from convlens.zoo.registry import WeightsFile, list_models, model_info

URL = "https://storage.googleapis.com/tensorflow/keras-applications"
NUM_CLASSES = 1000  # of ImageNet
REMEDY = N_("Use weights of this network, or the image size and channels that they were made for.")


def load_weights(model: keras.Model, name: str, source: str | Path = "imagenet") -> list[str]:
    """Give a model trained weights.

    If the head of the model has other classes than the weights, it keeps the weights that it has.

    Args:
        model: `create_model(name)`, or a graph around it whose other layers have no weights.
        name: The name of the model.
        source: "imagenet", or a file of this network's weights: `.h5`, `.weights.h5` or `.keras`,
            with or without the head, saved by Keras or convlens.

    Returns:
        The names of the layers that kept the weights that they had: those of the head, or none.

    Raises:
        ModelError: If there are no such weights, if the file is missing, damaged or cannot be
            downloaded, or if a layer has another shape in it. The model then stays as it was.
    """
    weights = model_info(name).weights if name in list_models() else None
    layers = [layer for layer in _leaves(model) if layer.weights]
    head = [layer.name for layer in layers[-(weights.head if weights else 1) :]]
    targets = [(layer.name, variable) for layer in layers for variable in layer.weights]
    if str(source) == "imagenet":
        if weights is None:
            raise none_published(name)
        if callable(weights.source):
            arrays = [("", array) for array in weights.source()]
            return _assign(
                targets, arrays, head, _("the trained weights of {name}").format(name=name)
            )
        with_head = targets[-1][1].shape[-1] == NUM_CLASSES and weights.other_head is None
        source = cached_file(name, weights.source, with_head=with_head)
    networks = [model]
    if weights is not None and weights.original is not None:
        networks.append(weights.original())
    with open_keras_file(Path(source), networks) as arrays:
        if weights is not None and weights.other_head is not None:
            body = len(targets) - 2 * len(head)
            if len(arrays) == body + 2 * weights.other_head:
                arrays = arrays[:body]
        return _assign(targets, arrays, head, str(source))


def cache_folder() -> Path:
    """Return the folder of trained weights: `models` in $KERAS_HOME, or else in ~/.keras."""
    return keras_home() / "models"


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
            _(
                "{path}: the file was cut or changed; its hash must be {digest}, found {found}. "
                "Remove it, or replace it by a whole copy."
            ).format(path=path, digest=digest, found=found)
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
            _(
                "the trained weights of {name} are in the file {file}, which is not in {folder} "
                "and cannot be downloaded from {url} ({reason}). Download it on a computer that "
                "can, and put it in that folder or give its path."
            ).format(
                name=name,
                file=file.name,
                folder=folder,
                url=url,
                reason=getattr(error.__context__, "reason", error),
            )
        ) from error
    return Path(path)


def none_published(name: str) -> ModelError:
    """Return the error for a model without published weights, which names models with some."""
    published = [
        other
        for other in list_models()
        if model_info(other).weights and model_info(other).num_classes == NUM_CLASSES
    ]
    return ModelError(
        _(
            "{name} has no trained weights; there are some for {names}. "
            "Choose one of these, give a file of weights, or train it."
        ).format(name=name, names=listed(published))
    )


def _leaves(model: keras.Model) -> Iterator[keras.Layer]:
    """Yield the layers of a model, and in place of a nested model its layers."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer


def _assign(targets: Named, arrays: Named, head: list[str], where: str) -> list[str]:
    """Set the variables to arrays if all fit; return the layers of the head if it did not."""
    body = [target for target in targets if target[0] not in head]
    whole = len(arrays) > len(body) and _shape(arrays[-1][1]) == _shape(targets[-1][1])
    chosen = targets if whole else body
    for number, (layer, variable) in enumerate(chosen):
        other, array = arrays[number] if number < len(arrays) else ("", None)
        if array is None or _shape(array) != _shape(variable):
            found = _("none") if array is None else f"{tuple(array.shape)} {other}".rstrip()
            raise ModelError(
                _("{where}: layer {layer} needs {shape}; found {found}. {remedy}").format(
                    where=where,
                    layer=layer,
                    shape=tuple(variable.shape),
                    found=found,
                    remedy=_(REMEDY),
                )
            )
    if len(arrays) not in (len(body), len(targets)):
        raise ModelError(
            _("{where}: {found} arrays for a network that has {needed}. {remedy}").format(
                where=where, found=len(arrays), needed=len(targets), remedy=_(REMEDY)
            )
        )
    # All arrays are read before the first is assigned: reading a damaged file can fail.
    values = [
        np.reshape(array, variable.shape)
        for (__, variable), (__, array) in zip(chosen, arrays, strict=False)
    ]
    for (__, variable), value in zip(chosen, values, strict=True):
        variable.assign(value)
    return [] if whole else head


def _shape(array: Any) -> tuple[int, ...]:
    """Return a shape without sides of 1, which Keras' layers and ours have in different places."""
    return tuple(side for side in array.shape if side != 1)
