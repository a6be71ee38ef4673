"""Keras file: the arrays in a file of weights that Keras wrote.

It reads HDF5 as old Keras wrote it (`.h5`) and as Keras 3 does (`.weights.h5`, and inside
`.keras`). Only arrays are read: no configuration is followed, and nothing is unpickled.
"""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import h5py
import keras

from convlens.errors import ModelError
from convlens.files import DAMAGE
from convlens.language import _
from convlens.reasons import damage_reason
from convlens.zoo.names import refuse_missing_weights

# A layer, and an array or a dataset of a file: it has a shape, and is read when it is needed.
Named = list[tuple[str, Any]]


@contextmanager
def open_keras_file(path: Path, networks: Iterable[keras.Model]) -> Iterator[Named]:
    """Open a file and yield its arrays, with the names of their layers, in the network's order.

    Args:
        path: The file.
        networks: The network that the arrays are for, and others whose layers the file may have: a
            Keras 3 file does not say in which order the layers compute. The network that most of
            its arrays fit is used.

    Raises:
        ModelError: If there is no such file, or if it is damaged or was not written by Keras.
    """
    refuse_missing_weights(path)
    try:
        content = _unpacked(path) if zipfile.is_zipfile(path) else path
        with h5py.File(content, "r") as file:
            group = file.get("model_weights", file)
            if "layer_names" in group.attrs or "layer_names0" in group.attrs:
                yield [
                    (layer, _dataset(file, group[layer], weight))
                    for layer in _names(group, "layer_names")
                    for weight in _names(group[layer], "weight_names")
                ]
            else:
                yield [
                    (layer, _dataset(file, file, place)) for layer, place in _places(file, networks)
                ]
    except DAMAGE as error:
        raise ModelError(
            _("{path}: this must be a file of weights that Keras wrote; {reason}.").format(
                path=path, reason=damage_reason(error)
            )
        ) from error


def _unpacked(path: Path) -> io.BytesIO:
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read("model.weights.h5"))


def _names(group: Any, key: str) -> list[str]:
    """Return a list of names that old Keras kept as an attribute, in parts if it is long."""
    numbered = takewhile(group.attrs.__contains__, (f"{key}{number}" for number in count()))
    parts = [key] if key in group.attrs else numbered
    names = [name for part in parts for name in group.attrs[part]]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _dataset(file: Any, group: Any, place: str) -> Any:
    """Return an array that is stored in the file itself: HDF5 can also point to other files."""
    found = group[place]
    if (
        not isinstance(found, h5py.Dataset)
        or found.external
        or found.is_virtual
        or found.file.filename != file.filename
    ):
        raise ValueError(_("{place} is not an array stored in it").format(place=place))
    if found.dtype.kind != "f":
        raise ValueError(
            _("{place} must be floating point; found {dtype}").format(
                place=place, dtype=found.dtype
            )
        )
    return found


def _places(file: Any, networks: Iterable[keras.Model]) -> list[tuple[str, str]]:
    """Return (layer, path) of the arrays in a Keras 3 file; those of no known layer come last."""
    found = max(
        (list(takewhile(lambda place: place[1] in file, _paths(network))) for network in networks),
        key=len,
    )
    known = {path for _, path in found}
    stored: list[str] = []
    file.visit(stored.append)
    others = [
        ("", path)
        for path in stored
        if re.fullmatch(r"layers/.+/vars/\d+", path)
        and "/seed_generator/" not in path
        and path not in known
    ]
    return found + others


def _paths(model: keras.Model, prefix: str = "layers") -> Iterator[tuple[str, str]]:
    """Yield (layer, path in a Keras 3 file) of each variable of a model.

    Keras names a layer in the file by its kind, and numbers the layers of a kind.
    """
    seen: Counter[str] = Counter()
    for layer in model.layers:
        words = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)
        kind = re.sub("([a-z])([A-Z])", r"\1_\2", words).lower()
        path = f"{prefix}/{kind}_{seen[kind]}" if seen[kind] else f"{prefix}/{kind}"
        seen[kind] += 1
        if isinstance(layer, keras.Model):
            yield from _paths(layer, f"{path}/layers")
        else:
            for number in range(len(layer.weights)):
                yield layer.name, f"{path}/vars/{number}"
