"""Trained weights: from a file of the user, from Keras' cache folder, or downloaded into it.

Source      the ImageNet weights of keras.applications (Keras 3.15): names, folders and hashes of the files are Keras'
            own. What others trained comes from a function of the model's file, see CONVERTED
Reads       HDF5 as old Keras wrote it (`.h5`) and as Keras 3 does (`.weights.h5`, and inside `.keras`): arrays only, no
            configuration is followed and nothing unpickled. Layers are matched by their order, as Keras does, so that
            their names may differ
"""

import hashlib
import importlib
import io
import os
import re
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import keras
import numpy as np

from convlens.errors import ModelError
from convlens.zoo.applications import APPLICATIONS, keras_model

URL = "https://storage.googleapis.com/tensorflow/keras-applications"
NUM_CLASSES = 1000  # of ImageNet
CONVERTED = {
    "efficientnet_lite0": "convlens.zoo.efficientnet_lite0"
}  # modules with trained_arrays() for NUM_CLASSES
BODIES = {
    "transfer_vgg16_cats_dogs": "vgg16"
}  # networks that have another's layers below a head of their own
HEADS = {  # layers with weights; others: 1
    "vgg16": 3, "vgg19": 3, "transfer_vgg16_cats_dogs": 2, "mobilenet_v3_small": 2, "mobilenet_v3_large": 2,
}  # fmt: skip
DIGESTS = {  # folder below URL; MD5 or SHA-256 of the whole network's file, and of the one without its head
    "vgg16": ("vgg16", "64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
    "vgg19": ("vgg19", "cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
    "inception_v3": (
        "inception_v3",
        "9a0d58056eeedaa3f26cb7ebd46da564",
        "bcbd6486424b2319ff4ef7d526e38f63",
    ),
    "inception_resnet_v2": (
        "inception_resnet_v2",
        "e693bd0210a403b3192acc6073ad2e96",
        "d19885ff4a710c122648d3b5c3b684e4",
    ),
    "xception": (
        "xception",
        "0a58e3b7378bc2990ea3b43d5981f1f6",
        "b0042744bf5b25fce3cb969f33bebb97",
    ),
    "resnet50": ("resnet", "2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ("resnet", "f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ("resnet", "100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "densenet121": (
        "densenet",
        "9d60b8095a5708f2dcce2bca79d332c7",
        "30ee3e1110167f948a6b9946edeeb738",
    ),
    "densenet169": (
        "densenet",
        "d699b8f76981ab1b30698df4c175e90b",
        "b8c4d4c20dd625c148057b9ff1c1176b",
    ),
    "densenet201": (
        "densenet",
        "1ceb130c1ea1b78c3bf6114dbdfd8807",
        "c13680b51ded0fb44dff2d8f86ac8bb1",
    ),
    "mobilenet_v3_small": (
        "mobilenet_v3",
        "8768d4c2e7dee89b9d02b2d03d65d862",
        "d3e8ec802a04aa4fc771ee12a9a9b836",
    ),
    "mobilenet_v3_large": (
        "mobilenet_v3",
        "59e551e166be033d707958cf9e29a6a7",
        "07fb09a5933dd0c8eaafa16978110389",
    ),
    "efficientnet_v2_b0": (
        "efficientnet_v2",
        "21ecbf6da12460d5c40bb2f29ceb2188",
        "893217f2bb855e2983157299931e43ff",
    ),
    "convnext_tiny": (
        "convnext",
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
}
STEMS = {  # what the names of the files begin with, where it is not <model>_weights_tf_dim_ordering_tf_kernels
    "mobilenet_v3_small": "weights_mobilenet_v3_small_224_1.0_float",
    "mobilenet_v3_large": "weights_mobilenet_v3_large_224_1.0_float",
    "efficientnet_v2_b0": "efficientnetv2-b0",
    "convnext_tiny": "convnext_tiny",
}
DAMAGE = (  # what h5py, zipfile and zlib raise for it
    *(
        OSError,
        KeyError,
        TypeError,
        ValueError,
        RuntimeError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ),
)

Named = list[
    tuple[str, Any]
]  # a layer, and an array or a dataset of a file: it has a shape, and is read when needed


class WeightsFile(NamedTuple):
    """A file of trained weights: its name, its address, its MD5 or SHA-256."""

    name: str
    url: str
    digest: str


def load_weights(model: keras.Model, name: str, source: str | Path = "imagenet") -> list[str]:
    """Give a model trained weights: to its whole, or to all but its head where that has other classes.

    Args:
        model: `create_model(name)`, or a graph around it whose other layers have no weights.
        name: of the model.
        source: "imagenet", or a file of this network's weights: `.h5`, `.weights.h5` or `.keras`, with or without the
            head, saved by Keras or convlens.

    Returns:
        The names of the layers that kept the weights they had: those of the head, or none.

    Raises:
        ModelError: there are no such weights, the file is missing, damaged or cannot be downloaded, or a layer has
            another shape in it. The model is then as it was.
    """
    layers = [layer for layer in _leaves(model) if layer.weights]
    head = [layer.name for layer in layers[-HEADS.get(name, 1) :]]
    targets = [(layer.name, variable) for layer in layers for variable in layer.weights]
    if source != "imagenet":
        path = Path(source)
    elif name in CONVERTED:
        arrays = importlib.import_module(CONVERTED[name]).trained_arrays()
        return _assign(
            targets, [("", array) for array in arrays], head, f"the trained weights of {name}"
        )
    else:
        path = _trained_file(name, targets[-1][1].shape[-1])
    with _opened(path, model, name) as arrays:
        number = len(targets) - 2 * len(head)
        if (
            name in BODIES and len(arrays) == number + 2 * HEADS[BODIES[name]]
        ):  # the other network with its own head
            arrays = arrays[:number]
        return _assign(targets, arrays, head, str(path))


def files_of(name: str) -> tuple[WeightsFile, WeightsFile]:
    """Return the files of ImageNet weights of a model: of the whole network, and of all but its head."""
    name = BODIES.get(name, name)
    folder, whole, body = DIGESTS[name]
    stem = STEMS.get(name, f"{name}_weights_tf_dim_ordering_tf_kernels")
    end = "_no_top_v2.h5" if folder == "mobilenet_v3" else "_notop.h5"
    return (
        WeightsFile(f"{stem}.h5", f"{URL}/{folder}/{stem}.h5", whole),
        WeightsFile(f"{stem}{end}", f"{URL}/{folder}/{stem}{end}", body),
    )


def cache_folder() -> Path:
    """Return the folder where Keras keeps trained weights: `models` in $KERAS_HOME, or in ~/.keras."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "models"


def _trained_file(name: str, num_logits: int) -> Path:
    """Return the path of a model's ImageNet weights, downloaded where the cache has none that will do."""
    if BODIES.get(name, name) not in DIGESTS:
        raise ModelError(
            f"{name} has no trained weights; there are some for {', '.join(sorted([*DIGESTS, *CONVERTED]))}. "
            "Take one of these, give a file of weights, or train it."
        )
    whole, body = files_of(name)
    with_head = num_logits == NUM_CLASSES and name not in BODIES
    for file in [whole] if with_head else [body, whole]:
        path = cache_folder() / file.name
        if path.is_file():
            with path.open("rb") as stream:
                found = hashlib.file_digest(
                    stream, "sha256" if len(file.digest) == 64 else "md5"
                ).hexdigest()
            if found != file.digest:
                raise ModelError(
                    f"{path}: the file was cut or changed; its hash must be {file.digest}, found {found}. "
                    "Remove it, or put a whole copy there."
                )
            return path
    return _download(name, whole if with_head else body)


def _download(name: str, file: WeightsFile) -> Path:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with redirect_stdout(sys.stderr):  # Keras shows its progress where answers belong
            path = keras.utils.get_file(
                file.name,
                file.url,
                cache_dir=str(folder.parent),
                cache_subdir=folder.name,
                file_hash=file.digest,
            )
    except Exception as error:  # Keras raises just that when there is no network
        reason = getattr(error.__context__, "reason", error)
        raise ModelError(
            f"the trained weights of {name} are in the file {file.name}, which is not in {folder} and cannot be had "
            f"from {file.url} ({reason}). Fetch it on a computer that can, and put it in that folder or give its path."
        ) from error
    return Path(path)


def _leaves(model: keras.Model) -> Iterator[keras.Layer]:
    """Yield the layers of a model, with those of models nested in it in their place."""
    for layer in model.layers:
        yield from _leaves(layer) if isinstance(layer, keras.Model) else [layer]


def _assign(targets: Named, arrays: Named, head: list[str], where: str) -> list[str]:
    """Set the variables `targets` to the arrays of a file if all fit; return the layers of the head if left alone."""
    body = [target for target in targets if target[0] not in head]
    whole = len(arrays) > len(body) and _shape(arrays[-1][1]) == _shape(targets[-1][1])
    chosen = targets if whole else body
    remedy = "Take weights of this network, or the image size and channels that they were made for."
    for number, (layer, variable) in enumerate(chosen):
        other, array = arrays[number] if number < len(arrays) else ("", None)
        if array is None or _shape(array) != _shape(variable):
            found = "none" if array is None else f"{tuple(array.shape)} {other}".rstrip()
            raise ModelError(
                f"{where}: layer {layer} needs {tuple(variable.shape)}; found {found}. {remedy}"
            )
    if len(arrays) not in (len(body), len(targets)):
        raise ModelError(
            f"{where}: {len(arrays)} arrays for a network that has {len(targets)}. {remedy}"
        )
    values = [
        np.reshape(array, variable.shape)
        for (_, variable), (_, array) in zip(chosen, arrays, strict=False)
    ]
    for (_, variable), value in zip(chosen, values, strict=True):
        variable.assign(value)
    return [] if whole else head


def _shape(array: Any) -> tuple[int, ...]:
    """Return a shape without sides of 1, which Keras' own layers and our stock ones have in other places."""
    return tuple(side for side in array.shape if side != 1)


@contextmanager
def _opened(path: Path, model: keras.Model, name: str) -> Iterator[Named]:
    """Open a file and give its arrays in the order of the network's layers."""
    if not path.is_file():
        raise ModelError(f"weights must be 'imagenet' or a file; there is none at {path}.")
    try:
        archive = zipfile.is_zipfile(path)
        content = _unpacked(path) if archive else path
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
                    (layer, _dataset(file, file, path))
                    for layer, path in _places(file, model, name)
                ]
    except DAMAGE as error:
        raise ModelError(
            f"{path}: this must be a file of weights that Keras wrote; {error}."
        ) from error


def _unpacked(path: Path) -> io.BytesIO:
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read("model.weights.h5"))


def _places(file: Any, model: keras.Model, name: str) -> list[tuple[str, str]]:
    """Return (layer, path) of the arrays in a Keras 3 file, in the network's order; those it does not know at the end.

    Keras' own network is tried too: it may have other kinds of layers than ours.
    """
    networks = [model]
    if name in APPLICATIONS:
        side = APPLICATIONS[name].least_side
        networks.append(keras_model(name, keras.Input((side, side, 3)), 1))
    found = max(
        (list(takewhile(lambda one: one[1] in file, _paths(network))) for network in networks),
        key=len,
    )
    known, stored = {path for _, path in found}, list[str]()
    file.visit(stored.append)
    weights = [
        path
        for path in stored
        if re.fullmatch(r"layers/.+/vars/\d+", path) and "/seed_generator/" not in path
    ]
    return [*found, *(("", path) for path in weights if path not in known)]


def _names(group: Any, key: str) -> list[str]:
    """Return a list of names that old Keras kept as an attribute, in parts where it is long."""
    parts = (
        [key]
        if key in group.attrs
        else takewhile(group.attrs.__contains__, (f"{key}{i}" for i in range(10**6)))
    )
    names = [name for part in parts for name in group.attrs[part]]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _dataset(file: Any, group: Any, path: str) -> Any:
    """Return an array of the file that is stored in it: HDF5 can also point to other files."""
    found = group[path]
    if (
        not isinstance(found, h5py.Dataset)
        or found.external
        or found.is_virtual
        or found.file.filename != file.filename
    ):
        raise ValueError(f"{path} is not an array stored in it")
    if found.dtype.kind != "f":
        raise ValueError(f"{path} must be floating point; found {found.dtype}")
    return found


def _paths(model: keras.Model, prefix: str = "layers") -> Iterator[tuple[str, str]]:
    """Yield (layer, path in a Keras 3 file) of each variable: Keras counts the layers of a kind in a model."""
    seen: Counter[str] = Counter()
    for layer in model.layers:
        kind = re.sub(
            "([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)
        ).lower()
        path = f"{prefix}/{kind}_{seen[kind]}" if seen[kind] else f"{prefix}/{kind}"
        seen[kind] += 1
        if isinstance(layer, keras.Model):
            yield from _paths(layer, f"{path}/layers")
        else:
            yield from (
                (layer.name, f"{path}/vars/{number}") for number in range(len(layer.weights))
            )
