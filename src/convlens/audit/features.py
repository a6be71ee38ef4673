"""Features by which an audit judges labels: those of a trained backbone, or of the pixels.

The backbone is EfficientNet-Lite0 at its own size where its weights are installed. They are kept
for every later run, and those that `train --backbone efficientnet_lite0` has computed are used.
Without it, an image is described by the principal components of a small copy.
docs/decisions/labels.md compares both, and others, at several sizes.
"""

from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from convlens.audit.components import principal_components
from convlens.config import Config
from convlens.data.decoding import Progress
from convlens.data.on_demand import OnDemand
from convlens.data.prepared import Prepared
from convlens.errors import ModelError
from convlens.preprocess import ImageArray
from convlens.transfer.backbone import body_of
from convlens.transfer.features import open_features
from convlens.transfer.heads import Floats
from convlens.transfer.origin import choose_backbone
from convlens.transfer.wanted import Wanted, compute_missing
from convlens.zoo.efficientnet_lite import package_file

BACKBONE = "efficientnet_lite0"
PIXELS = "pixels"
SIDE = 32  # pixels of the side of the small copy
MOST_OF_ALL = 20_000  # images, whose features take minutes
COMPONENTS = 256  # principal components that are kept


@dataclass(frozen=True, eq=False)
class AuditFeatures:
    """Numbers that describe images.

    Attributes:
        name: "efficientnet_lite0" or "pixels".
        values: (m, width) float32.
    """

    name: str
    values: Floats


def audit_features(
    prepared: Prepared, indices: NDArray[np.int64], progress: Progress | None = None
) -> AuditFeatures:
    """Return features of some images; those of the backbone are kept for later runs.

    Args:
        prepared: The images, decoded at any size.
        indices: (m,) the images, as indices into the data set; all of them can be read.
        progress: Called with the number of images that are done, and of all.

    Raises:
        StorageError: If the features cannot be written.
    """
    if not _has_backbone():
        return AuditFeatures(PIXELS, _components(prepared.store.images, indices, progress))
    return AuditFeatures(BACKBONE, _of_backbone(prepared, indices, progress))


def features_of_all(prepared: Prepared, progress: Progress | None = None) -> Floats | None:
    """Return (n, 1280) features of the backbone, zeros for images that cannot be read.

    There are none where the backbone is not installed, or of more than MOST_OF_ALL images.

    Args:
        prepared: The images, decoded at any size.
        progress: Called with the number of images that are done, and of all.

    Raises:
        StorageError: If the features cannot be written.
    """
    if not _has_backbone() or len(prepared.dataset) > MOST_OF_ALL:
        return None
    usable = np.flatnonzero(prepared.store.usable)
    found = _of_backbone(prepared, usable, progress)
    values = np.zeros((len(prepared.dataset), found.shape[1]), np.float32)
    values[usable] = found
    return values


def _has_backbone() -> bool:
    """Return whether the weights of the backbone are installed."""
    try:
        package_file(BACKBONE)
    except ModelError:
        return False
    return True


def _of_backbone(
    prepared: Prepared, indices: NDArray[np.int64], progress: Progress | None
) -> Floats:
    """Return (m, 1280) features of EfficientNet-Lite0.

    Images that are not stored at its size are decoded as they are needed, and not stored.
    """
    config = Config().replace(backbone=BACKBONE)
    origin = choose_backbone(config)
    preprocessing = origin.preprocess(prepared.dataset, config)
    at_size = replace(prepared, preprocessing=preprocessing)
    if preprocessing != prepared.preprocessing:
        images = cast(ImageArray, OnDemand(prepared.dataset.images, preprocessing))
        at_size = replace(at_size, store=replace(prepared.store, images=images))
    body = body_of(origin.assemble(at_size, config))
    network, cache = open_features(body, at_size, config.training.precision)
    compute_missing(Wanted(body, network, cache, at_size, indices), progress)
    return cache.gather(at_size.store, indices)


def _components(
    images: ImageArray, indices: NDArray[np.int64], progress: Progress | None
) -> Floats:
    """Return (m, width) principal components of images of SIDE pixels."""
    rows = np.empty((len(indices), SIDE * SIDE * images.shape[-1]), np.float32)
    for number, index in enumerate(indices):
        image = np.asarray(images[index])
        rows[number] = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel()
        if progress is not None and number % 256 == 255:
            progress(number + 1, len(indices))
    return principal_components(rows, COMPONENTS)
