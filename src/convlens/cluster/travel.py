"""Travel: the decoded images of a study on their way to the nodes, which need no files.

Ray puts the array into the memory of each node once, where all processes read the same bytes.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared


@dataclass(frozen=True, eq=False)
class Travelled(Dataset):
    """A data set on a node, where its source need not exist; the images are in the store.

    Attributes:
        known_path: Its path where it comes from.
        known_name: Its name there.
    """

    known_path: str = ""
    known_name: str = ""

    @property
    def path(self) -> str:
        """The path of the source on the computer that it comes from."""
        return self.known_path

    @property
    def name(self) -> str:
        """A short name of the source."""
        return self.known_name


@dataclass(frozen=True)
class _Pixels:
    """The kind of an array of images, whose pixels are in the store.

    Attributes:
        dtype: The type of its values.
        shape: Its shape.
    """

    dtype: str
    shape: tuple[int, ...]

    def array(self) -> NDArray[Any]:
        """Return an array of this kind that takes no memory."""
        return np.broadcast_to(np.zeros((), self.dtype), self.shape)


def packed_for_travel(shared: Any) -> Any:
    """Return what all tasks need without paths and with each pixel once.

    Args:
        shared: `Prepared` images, or a tuple of them and of other things.
    """
    if isinstance(shared, tuple):
        return tuple(map(packed_for_travel, shared))
    if not isinstance(shared, Prepared):
        return shared
    dataset = shared.dataset
    images: Any = dataset.images
    if isinstance(images, np.ndarray):
        images = _Pixels(images.dtype.str, images.shape)
    facts = {name: getattr(dataset, name) for name in Dataset.__dataclass_fields__}
    travelled = Travelled(
        **facts | {"images": images}, known_path=dataset.path, known_name=dataset.name
    )
    store = replace(shared.store, images=np.asarray(shared.store.images), looks_file=None)
    return replace(shared, dataset=travelled, store=store)


def unpacked(shared: Any) -> Any:
    """Return what `packed_for_travel` has packed, as a training takes it."""
    if isinstance(shared, tuple):
        return tuple(map(unpacked, shared))
    if not isinstance(shared, Prepared) or not isinstance(shared.dataset.images, _Pixels):
        return shared
    return replace(shared, dataset=replace(shared.dataset, images=shared.dataset.images.array()))
