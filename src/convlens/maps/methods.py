"""Methods: the map of an image by each method, of a network that stays or one that changes."""

import numpy as np
from numpy.typing import NDArray

from convlens.maps.exact import exact_map, read_terms
from convlens.maps.gradient import grad_cam, gradient_at, gradient_map
from convlens.maps.heat import HeatMap, Target
from convlens.maps.network import OpenedNetwork, compute
from convlens.maps.perturbing import Progress, occlusion_map, rise_map
from convlens.preprocess import ImageArray

PERTURBING = ("occlusion", "rise")
FEW_MASKS = 200  # of a network whose weights change

Rows = NDArray[np.float32]


def targets_of(method: str, target: Target) -> tuple[Target, ...]:
    """Return what a method explains of a target.

    The exact map of a difference is shown with those of both classes, whose difference it is.
    """
    return (target, *target.parts) if method == "exact" else (target,)


def map_of(
    network: OpenedNetwork,
    pixels: ImageArray,
    target: Target,
    method: str,
    progress: Progress | None = None,
) -> HeatMap:
    """Return a map of an image (height, width, channels) uint8, without its checks."""
    if method == "occlusion":
        return occlusion_map(pixels, target, network.logits, progress=progress)
    if method == "rise":
        return rise_map(pixels, target, network.logits, progress=progress)
    return _feature_map_of(network, pixels, target, method)


def _feature_map_of(
    network: OpenedNetwork, pixels: ImageArray, target: Target, method: str
) -> HeatMap:
    """Return a map that comes from the last feature map: exact, gradient or grad-cam."""
    if method == "exact":
        features, logits = compute(network.exact_body, pixels[None])
        terms = read_terms(network.sum, target)
        return exact_map(terms, features[0], logits[0], target)
    body, head = network.parts
    features, logits = compute(body, pixels[None])
    gradient = gradient_at(head, features[0], target)
    finish = gradient_map if method == "gradient" else grad_cam
    return finish(gradient, features[0], logits[0], target)


def changing_map_of(
    network: OpenedNetwork, pixels: ImageArray, target: Target, method: str
) -> HeatMap:
    """Return a map of a network whose weights change, so that it cannot be compiled."""

    def logits(images: ImageArray) -> Rows:
        return compute(network.model, images)[0]

    if method == "occlusion":
        return occlusion_map(pixels, target, logits)
    if method == "rise":
        return rise_map(pixels, target, logits, masks=FEW_MASKS)
    return _feature_map_of(network, pixels, target, method)
