"""Methods: the map of an image by each method, of a network that stays or one that changes."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from convlens.classifier.runtime import KERAS_BATCH
from convlens.maps.exact import exact_map, read_terms
from convlens.maps.gradient import grad_cam, gradient_at, gradient_map
from convlens.maps.heat import HeatMap, Target
from convlens.maps.network import OpenedNetwork, compute, compute_often
from convlens.maps.perturbing import Progress, occlusion_maps, rise_map
from convlens.maps.regions import WINDOW
from convlens.preprocess import ImageArray

PERTURBING = ("occlusion", "rise")  # take hundreds of passes each
FEW_MASKS = 200  # of a network whose weights change

Rows = NDArray[np.float32]


def targets_of(method: str, target: Target) -> tuple[Target, ...]:
    """Return what a method explains of a target.

    The exact map of a difference is shown with those of both classes, whose difference it is.
    """
    return (target, *target.parts) if method == "exact" else (target,)


def maps_of(
    network: OpenedNetwork,
    pixels: ImageArray,
    targets: Sequence[Target],
    method: str,
    progress: Progress | None = None,
) -> list[HeatMap]:
    """Return the maps of several targets of an image (height, width, channels), without checks.

    They share the passes through the network, except those of random masks.
    """
    if method == "occlusion":
        return occlusion_maps(pixels, targets, network.logits, progress=progress)
    if method == "rise":
        return [rise_map(pixels, one, network.logits, progress=progress) for one in targets]
    return _feature_maps_of(network, pixels, targets, method)


def _feature_maps_of(
    network: OpenedNetwork,
    pixels: ImageArray,
    targets: Sequence[Target],
    method: str,
    run: Callable[[keras.Model, ImageArray], list[Rows]] = compute,
) -> list[HeatMap]:
    """Return maps that come from the last feature map: exact, gradient or grad-cam."""
    if method == "exact":
        features, logits = run(network.exact_body, pixels[None])
        return [
            exact_map(read_terms(network.sum, one), features[0], logits[0], one) for one in targets
        ]
    body, head = network.parts
    features, logits = run(body, pixels[None])
    finish = gradient_map if method == "gradient" else grad_cam
    return [
        finish(gradient_at(head, features[0], one), features[0], logits[0], one) for one in targets
    ]


def changing_map_of(
    network: OpenedNetwork, pixels: ImageArray, target: Target, method: str
) -> HeatMap:
    """Return a map of a network whose weights change, so that OpenVINO cannot run it."""

    def logits(images: ImageArray) -> Rows:
        starts = range(0, len(images), KERAS_BATCH)
        parts = (images[start : start + KERAS_BATCH] for start in starts)
        return np.concatenate([compute_often(network.model, one)[0] for one in parts])

    if method == "occlusion":
        return occlusion_maps(pixels, [target], logits, step=WINDOW)[0]  # in a quarter of the time
    if method == "rise":
        return rise_map(pixels, target, logits, masks=FEW_MASKS)
    return _feature_maps_of(network, pixels, [target], method, compute_often)[0]
