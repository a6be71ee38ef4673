"""Augmentation: random changes of training images, each a pure function of (seed, epoch, image).

Every random number is a hash of its own coordinates, made for a whole batch at once; no generator is carried along.

Geometry   flip, shift, zoom, rotation and shear: one affine map an image, one bicubic interpolation (bilinear costs a
           third and softens small images: training then sees a blur that the test does not have)
Colour     Cubuk et al., "RandAugment", 2019, arXiv:1909.13719; its colour operations only, as geometry has its own
           fields; the strength is drawn anew each time (Müller and Hutter, "TrivialAugment", 2021, arXiv:2103.10158)
Erasing    Zhong et al., "Random Erasing Data Augmentation", 2017, arXiv:1708.04896
Mixing     Zhang et al., "mixup", 2018, arXiv:1710.09412; Yun et al., "CutMix", 2019, arXiv:1905.04899
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convlens.config import AUGMENT_PRESETS, AugmentConfig

__all__ = ["augment", "flip_is_safe", "mix", "resolve"]

ImageArray = NDArray[np.uint8]
Uniform = NDArray[np.float64]

# The column of each random number: turning one change on leaves the others as they were.
FLIP, SHIFT, ZOOM, WINDOW, ROTATE, SHEAR = 0, slice(1, 3), 3, slice(4, 6), 6, 7
ERASE, ERASE_AREA, ERASE_ASPECT, ERASE_PLACE, COLOUR = 8, 9, 10, slice(11, 13), 13
NOISE = 1 << 20  # far from the columns above

ERASED_AREA = (0.02, 0.25)  # share of the image; the paper's upper end, 0.4, hides whole digits
ERASED_ASPECT = (0.3, 1 / 0.3)
ENHANCE = (
    0.5  # brightness, contrast, colour and sharpness are multiplied by 1 - ENHANCE to 1 + ENHANCE
)
LEAST_BITS, LEAST_THRESHOLD = 4, 176  # strongest posterize (of 8 bits) and solarize (of 256)

SIGN = re.compile(
    r"""[+\-−]?[\d.,/%°]+ | (digit|letter|character|number)s?[ _-]*\w{0,2}
    | zero | one | two | three | four | five | six | seven | eight | nine""",
    re.IGNORECASE | re.VERBOSE,
)
DIRECTION = re.compile(  # east and west as the whole name only: a western grebe may be mirrored
    r"""(?<![a-z])(left|right|links|rechts|gauche|droite|izquierda|derecha)(wards?|hand(ed)?)?(?![a-z])
    | clockwise | ^(north|south)?[ _-]?(east|west)[ _-]?(wards?|bound|facing)?$
    | [左右] | [顺順逆][时時][针針] | ^[东東西][南北]?[边邊方向侧側面部]?$""",
    re.IGNORECASE | re.VERBOSE,
)


def resolve(config: AugmentConfig, *, flip_allowed: bool) -> AugmentConfig:
    """Return the configuration with every field set: what was given, else the preset's value, else off.

    Where `flip` is not given, it follows `flip_allowed` (see `flip_is_safe`), unless the preset is "none".

    >>> resolve(AugmentConfig(augment="none", shift=0.2), flip_allowed=True).shift
    0.2
    """
    preset = {
        "flip": flip_allowed and config.augment != "none",
        "randaugment": 0,
        **AUGMENT_PRESETS[config.augment],
    }
    missing = [item.name for item in fields(config) if getattr(config, item.name) is None]
    return replace(config, **{name: preset.get(name, 0.0) for name in missing})


def flip_is_safe(class_names: Sequence[str], channels: int) -> bool:
    """Say whether left and right can be exchanged without changing what an image shows.

    Not for grey images (mostly writing and scans), nor where a class is a number, a single letter or sign, or speaks
    of direction. A name of one ideograph counts as a word: colour photographs are called 猫 and 狗.

    >>> flip_is_safe(["cat", "dog"], 3), flip_is_safe(["6", "9"], 3), flip_is_safe(["turn_left", "stop"], 3)
    (True, False, False)
    """
    names = [re.sub("(?<=[a-z])(?=[A-Z])", " ", name.strip()) for name in class_names]
    return channels == 3 and not any(_is_sign(name) or DIRECTION.search(name) for name in names)


def _is_sign(name: str) -> bool:
    word = (
        len(name) == 1
        and unicodedata.name(name, "").startswith("CJK")
        and unicodedata.numeric(name, None) is None
    )
    return SIGN.fullmatch(name) is not None or (len(name) <= 1 and not word)


def augment(
    images: ImageArray, indices: NDArray[np.int64], config: AugmentConfig, *, seed: int, epoch: int
) -> ImageArray:
    """Return changed copies of images.

    Args:
        images: (b, height, width, 1 or 3) uint8; never written to.
        indices: (b,) number of each image in its data set.
        config: as `resolve` returns it.
        seed: of the run.
        epoch: counted from 0.

    Returns:
        (b, height, width, channels) uint8, a new array. Row i depends on images[i], indices[i], seed and epoch only.
    """
    changed = np.array(images, order="C")
    keys = _keys(seed, epoch, indices)
    uniform = _uniform(keys, COLOUR + 2 * (config.randaugment or 0))
    threads = cv2.getNumThreads()
    cv2.setNumThreads(
        1
    )  # images are small and the training has the other cores; results do not depend on it
    try:
        if config.flip or config.shift or config.zoom or config.rotate or config.shear:
            _warp(changed, _affine_maps(uniform, changed.shape[1:3], config))
        _recolour(changed, uniform[:, COLOUR:].reshape(len(changed), config.randaugment or 0, 2))
    finally:
        cv2.setNumThreads(threads)  # it is the whole process's
    for i in np.flatnonzero(
        uniform[:, ERASE] < (config.erase or 0)
    ):  # last, so that the noise stays noise
        _erase(changed[i], uniform[i], keys[i])
    return changed


def mix(  # noqa: PLR0913 - seed, epoch and step are the coordinates of one batch
    images: ImageArray,
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    config: AugmentConfig,
    *,
    seed: int,
    epoch: int,
    step: int,
) -> tuple[ImageArray, NDArray[np.float32], NDArray[np.float32]]:
    """Mix each image of a batch with another one: mixup, cutmix, or one of them by coin where both are on.

    A label keeps the weight of its image: the loss of a mixed one is the mixture of the two weighted losses. So class
    weights hold, and the weighted sum of targets over the batch stays what it was.

    Args:
        images: (b, height, width, channels) uint8.
        targets: (b, num_classes), probabilities.
        weights: (b,) sample weights.
        config: as `resolve` returns it; `mixup` and `cutmix` are the alpha of Beta(alpha, alpha).
        seed: of the run; with `epoch` and `step`, the batch's number within it, all that chance depends on.

    Returns:
        New arrays of the same shapes and types; the arguments themselves where both are off.
    """
    if not (config.mixup or config.cutmix):
        return images, targets, weights
    random = np.random.default_rng(
        [seed, epoch, step, 1]
    )  # [seed, epoch] and [seed, epoch, 0] would be the same
    partner = random.permutation(len(images))
    cut = bool(config.cutmix) and (not config.mixup or random.random() < 0.5)
    alpha = float((config.cutmix if cut else config.mixup) or 0)
    share = random.beta(alpha, alpha)
    if cut:
        images, share = _paste_box(images, partner, share, random)
    else:
        flat = images.reshape(len(images), -1)
        images = cv2.addWeighted(flat, share, flat[partner], 1 - share, 0).reshape(images.shape)
    own, other = share * weights, (1 - share) * weights[partner]
    mixed = np.maximum(own + other, np.finfo(np.float32).tiny)
    labels = (own / mixed)[:, None] * targets + (other / mixed)[:, None] * targets[partner]
    return images, labels.astype(np.float32), (own + other).astype(np.float32)


def _paste_box(
    images: ImageArray, partner: NDArray[np.int64], share: float, random: np.random.Generator
) -> tuple[ImageArray, float]:
    """Paste a box of the partners; return the images and the share of its own that each keeps (paper, appendix A)."""
    height, width = images.shape[1:3]
    half = np.sqrt(1 - share) / 2
    y, x = random.random(2)
    top, bottom = np.rint(np.clip([y - half, y + half], 0, 1) * height).astype(int)
    left, right = np.rint(np.clip([x - half, x + half], 0, 1) * width).astype(int)
    mixed = images.copy()
    mixed[:, top:bottom, left:right] = images[partner, top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / (height * width)


def _hash(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit numbers: the output function of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _keys(seed: int, epoch: int, indices: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return (b,), one of 2**64 for each image; arrays throughout, as numpy warns when a scalar wraps around."""
    run = _hash(np.array([seed], np.uint64))
    return _hash(_hash(run ^ np.uint64(epoch)) ^ indices.astype(np.uint64))


def _uniform(keys: NDArray[np.uint64], columns: int) -> Uniform:
    """Return (b, columns) in [0, 1)."""
    bits = _hash(keys[:, None] + _hash(np.arange(columns, dtype=np.uint64)))
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _affine_maps(
    uniform: Uniform, size: tuple[int, ...], config: AugmentConfig
) -> NDArray[np.float64]:
    """Return (b, 2, 3): from a pixel (x, y) of the new image to where it comes from in the old one."""
    height, width = size
    side = np.array([width, height])
    signed = 2 * uniform - 1
    zoom = 1 + (config.zoom or 0) * signed[:, ZOOM]
    angle = np.deg2rad((config.rotate or 0) * signed[:, ROTATE])
    shear = np.tan(np.deg2rad((config.shear or 0) * signed[:, SHEAR]))
    mirror = np.where(uniform[:, FLIP] < 0.5, -1, 1) if config.flip else np.ones(len(uniform))
    cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
    linear = np.empty((len(uniform), 2, 2))
    linear[:, 0, 0], linear[:, 0, 1] = mirror * cos, mirror * (shear * cos - sin)
    linear[:, 1, 0], linear[:, 1, 1] = sin, shear * sin + cos
    # Whole pixels, so that a shift alone does not blur; an image zoomed in shows any part of itself, not the middle.
    shift = np.rint((config.shift or 0) * signed[:, SHIFT] * side)
    window = signed[:, WINDOW] * np.maximum(1 - 1 / zoom, 0)[:, None] * side / 2
    centre = (side - 1) / 2
    offset = centre + window - (linear * (centre + shift)[:, None]).sum(axis=2)
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def _warp(images: ImageArray, maps: NDArray[np.float64]) -> None:
    """Warp each image in place.

    The border is reflected in photographs; in grey images it is continued, as a reflection adds strokes to a digit.
    """
    border = cv2.BORDER_REFLECT_101 if images.shape[3] == 3 else cv2.BORDER_REPLICATE
    size = (images.shape[2], images.shape[1])
    for image, matrix in zip(images, maps, strict=True):
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        warped = cv2.warpAffine(image, matrix, size, flags=flags, borderMode=border)
        image[:] = warped.reshape(image.shape)


def _recolour(images: ImageArray, draws: Uniform) -> None:
    """Apply operations in place; draws are (b, operations, 2): which one, and how strongly."""
    operations = RGB_OPERATIONS if images.shape[3] == 3 else GREY_OPERATIONS
    for image, chosen in zip(images, draws, strict=True):
        for which, strength in chosen:
            image[:] = operations[int(which * len(operations))](image, strength).reshape(
                image.shape
            )


def _erase(image: ImageArray, uniform: Uniform, key: np.uint64) -> None:
    """Fill a rectangle with noise, in place."""
    height, width, channels = image.shape
    area = (
        height * width * (ERASED_AREA[0] + (ERASED_AREA[1] - ERASED_AREA[0]) * uniform[ERASE_AREA])
    )
    aspect = np.exp(np.interp(uniform[ERASE_ASPECT], (0, 1), np.log(ERASED_ASPECT)))
    h = min(max(round(np.sqrt(area * aspect)), 1), height)
    w = min(max(round(np.sqrt(area / aspect)), 1), width)
    top, left = (uniform[ERASE_PLACE] * (height - h + 1, width - w + 1)).astype(int)
    noise = _hash(key + np.arange(NOISE, NOISE + h * w * channels // 8 + 1, dtype=np.uint64)).view(
        np.uint8
    )
    image[top : top + h, left : left + w] = noise[: h * w * channels].reshape(h, w, channels)


LEVELS = np.arange(256)


def _factor(strength: float) -> float:
    return 1 + ENHANCE * (2 * strength - 1)


def _apply(image: ImageArray, table: NDArray[Any]) -> ImageArray:
    changed: ImageArray = cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8))
    return changed


def _brightness(image: ImageArray, strength: float) -> ImageArray:
    return _apply(image, LEVELS * _factor(strength))


def _contrast(image: ImageArray, strength: float) -> ImageArray:
    mean = sum(cv2.mean(image)) / image.shape[2]
    return _apply(image, mean + (LEVELS - mean) * _factor(strength))


def _posterize(image: ImageArray, strength: float) -> ImageArray:
    return _apply(image, LEVELS & -(1 << int((9 - LEAST_BITS) * strength)))


def _solarize(image: ImageArray, strength: float) -> ImageArray:
    threshold = LEAST_THRESHOLD + (256 - LEAST_THRESHOLD) * strength
    return _apply(image, np.where(threshold > LEVELS, LEVELS, 255 - LEVELS))


def _equalize(image: ImageArray, strength: float) -> ImageArray:
    changed: ImageArray = cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(image)])
    return changed


def _autocontrast(image: ImageArray, strength: float) -> ImageArray:
    low, high, _, _ = cv2.minMaxLoc(image.reshape(len(image), -1))
    return _apply(image, (LEVELS - low) * (255 / (high - low))) if high > low else image


def _sharpness(image: ImageArray, strength: float) -> ImageArray:
    smooth = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13  # Pillow's, which the papers used
    same = np.diag([0, 1, 0])
    changed: ImageArray = cv2.filter2D(image, -1, smooth + _factor(strength) * (same - smooth))
    return changed


def _colour(image: ImageArray, strength: float) -> ImageArray:
    grey = np.tile([0.299, 0.587, 0.114], (3, 1))  # ITU-R BT.601
    changed: ImageArray = cv2.transform(image, grey + _factor(strength) * (np.eye(3) - grey))
    return changed


GREY_OPERATIONS: tuple[Callable[[ImageArray, float], ImageArray], ...] = (
    _brightness, _contrast, _posterize, _solarize, _equalize, _autocontrast, _sharpness
)  # fmt: skip
RGB_OPERATIONS = (*GREY_OPERATIONS, _colour)
