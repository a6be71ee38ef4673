"""Features by which an audit judges labels: those of a trained backbone, or of small patches.

The backbone is EfficientNet-Lite0 at its own size where its weights are installed. They are kept
for every later run, and those that `train --backbone efficientnet_lite0` has computed are used.
A thorough audit puts those of EfficientNet-Lite2 beside them; both find more wrong labels and take
three times as long. Without a backbone, a small copy of an image is compared with patches.
docs/decisions/labels.md compares these, and others, at several sizes.
"""

import time
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from convlens.audit.components import principal_components
from convlens.audit.patches import draw_patches
from convlens.config import Config
from convlens.data.decoding import Progress
from convlens.data.on_demand import OnDemand
from convlens.data.prepared import Prepared
from convlens.errors import ModelError
from convlens.language import _
from convlens.preprocess import ImageArray
from convlens.screen import Screen, duration
from convlens.transfer.backbone import body_of
from convlens.transfer.feature_cache import BATCH
from convlens.transfer.features import open_features
from convlens.transfer.heads import Floats
from convlens.transfer.origin import choose_backbone
from convlens.transfer.wanted import Wanted, compute_missing
from convlens.zoo.efficientnet_lite import package_file

BACKBONE = "efficientnet_lite0"
BOTH = (BACKBONE, "efficientnet_lite2")  # of a thorough audit
PATCHES = "patches"
SIDE = 32  # pixels of the side of the small copy
PART = 256  # images that are compared with patches at a time
MOST_OF_ALL = 20_000  # images, whose features take minutes
COMPONENTS = 256  # principal components that are kept


@dataclass(frozen=True, eq=False)
class AuditFeatures:
    """Numbers that describe images.

    Attributes:
        name: "efficientnet_lite0", both backbones joined by " + ", or "patches".
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
        return AuditFeatures(PATCHES, features_of_patches(prepared.store.images, indices, progress))
    return AuditFeatures(BACKBONE, _of_backbone(prepared, indices, progress))


def require_both_backbones() -> None:
    """Raise ModelError if the weights of a backbone are missing that a thorough audit needs."""
    for name in BOTH:
        package_file(name)


def thorough_features(
    prepared: Prepared, indices: NDArray[np.int64], screen: Screen
) -> AuditFeatures:
    """Return features of two backbones side by side; they are kept for later runs.

    Each of them has the total variance 1, so that both count as much.

    Args:
        prepared: The images, decoded at any size.
        indices: (m,) the images, as indices into the data set; all of them can be read.
        screen: Where the time that they take and the progress are shown.

    Raises:
        ModelError: If the weights of a backbone are not installed.
        StorageError: If the features cannot be written.
    """
    found = []
    for name in BOTH:
        with screen.counter(_("features")) as progress:
            found.append(_scaled(_of_backbone(prepared, indices, progress, name, screen)))
    return AuditFeatures(" + ".join(BOTH), np.concatenate(found, axis=1))


def _scaled(features: Floats) -> Floats:
    """Return features with a mean of 0 and a total variance of 1."""
    centred: Floats = features - features.mean(axis=0)
    spread = float(np.sqrt(centred.var(axis=0).sum()))
    return centred / np.float32(spread or 1.0)


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
    prepared: Prepared,
    indices: NDArray[np.int64],
    progress: Progress | None,
    name: str = BACKBONE,
    screen: Screen | None = None,
) -> Floats:
    """Return (m, 1280) features of a backbone, and say on the screen how long they will take."""
    wanted = wanted_features(prepared, indices, Config().replace(backbone=name))
    if screen is not None:
        _say_time(wanted, name, screen)
    compute_missing(wanted, progress)
    return wanted.cache.gather(wanted.prepared.store, indices)


def wanted_features(prepared: Prepared, indices: NDArray[np.int64], config: Config) -> Wanted:
    """Return which features are wanted: of the backbone and at the size of a configuration.

    Images that are not stored at this size are decoded as they are needed, and not stored.
    """
    origin = choose_backbone(config)
    preprocessing = origin.preprocess(prepared.dataset, config)
    at_size = replace(prepared, preprocessing=preprocessing)
    if preprocessing != prepared.preprocessing:
        images = cast(ImageArray, OnDemand(prepared.dataset.images, preprocessing))
        at_size = replace(at_size, store=replace(prepared.store, images=images))
    body = body_of(origin.assemble(at_size, config))
    network, cache = open_features(body, at_size, config.training.precision)
    return Wanted(body, network, cache, at_size, indices)


def _say_time(wanted: Wanted, name: str, screen: Screen) -> None:
    """Compute the first features that are missing, and say how long the others will take.

    The first batch makes the network ready, which takes longer, and the second one is timed.
    """
    missing = wanted.cache.missing(wanted.prepared.store, wanted.indices)
    left = len(missing) - 2 * BATCH
    if left <= 0:
        return
    compute_missing(wanted._replace(indices=missing[:BATCH]))
    began = time.perf_counter()
    compute_missing(wanted._replace(indices=missing[BATCH : 2 * BATCH]))
    seconds = (time.perf_counter() - began) * left / BATCH
    note = _("the features of {name} take about {time}, once: they are kept")
    screen.note(note.format(name=name, time=duration(seconds)))


def features_of_patches(
    images: ImageArray, indices: NDArray[np.int64], progress: Progress | None = None
) -> Floats:
    """Return (m, width) principal components of the features of small copies by patches.

    Args:
        images: The images, of any size.
        indices: (m,) those that are wanted.
        progress: Called with the number of images that are done, and of all.
    """
    small = np.empty((len(indices), SIDE, SIDE, images.shape[-1]), np.uint8)
    for number, index in enumerate(indices):
        image = np.asarray(images[index])
        shrinks = min(image.shape[:2]) > SIDE
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        small[number] = cv2.resize(image, (SIDE, SIDE), interpolation=how).reshape(small.shape[1:])
    patches = draw_patches(small)
    rows = np.empty((len(small), patches.width), np.float32)
    for start in range(0, len(small), PART):
        rows[start : start + PART] = patches.features(small[start : start + PART])
        if progress is not None:
            progress(min(start + PART, len(small)), len(small))
    return principal_components(rows, COMPONENTS)
