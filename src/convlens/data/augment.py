"""Augmentation: random changes of training images, each a pure function of (seed, epoch, image).

Every random number is a hash of its own coordinates (seed, epoch, image, purpose) and is computed
for a whole batch at once. No generator carries a state, so a resumed run repeats the changes.

Geometry   Flip, shift, zoom, rotation and shear are one affine map per image and one bicubic
           interpolation. Bilinear interpolation takes a third less time and softens small images,
           so that the network would train on a blur that test images do not have.
Flip       An image that is mirrored in one epoch is not in the next, so that two epochs show it
           both ways (Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024,
           arXiv:2404.00498).
Colour     Cubuk et al., "RandAugment", 2019, arXiv:1909.13719; only its colour operations, as
           geometry has settings of its own. The strength is drawn anew each time (Müller and
           Hutter, "TrivialAugment", 2021, arXiv:2103.10158).
Erasing    Zhong et al., "Random Erasing Data Augmentation", 2017, arXiv:1708.04896
Mixing     Zhang et al., "mixup", 2018, arXiv:1710.09412; Yun et al., "CutMix", 2019,
           arXiv:1905.04899
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from convlens.augmentation import resolve
from convlens.config import AugmentConfig
from convlens.data.transforms import COLOUR, ERASE, FLIP, MIRRORED, Uniform, erase, recolour, warp
from convlens.preprocess import ImageArray

__all__ = ["augment", "flip_is_safe", "mix", "resolve"]

NOISE = 1 << 20  # the first coordinate of noise, far from those of `transforms`

SIGN = re.compile(
    r"""[+\-−]?[\d.,/%°]+ | (digit|letter|character|number)s?[ _-]*\w{0,2}
    | zero | one | two | three | four | five | six | seven | eight | nine""",
    re.IGNORECASE | re.VERBOSE,
)
# East and west count as whole names only: a western grebe may be mirrored.
DIRECTION = re.compile(
    r"""(?<![a-z])(left|right|links|rechts|gauche|droite|izquierda|derecha)
      (wards?|hand(ed)?)?(?![a-z])
    | clockwise | ^(north|south)?[ _-]?(east|west)[ _-]?(wards?|bound|facing)?$
    | [左右] | [顺順逆][时時][针針] | ^[东東西][南北]?[边邊方向侧側面部]?$""",
    re.IGNORECASE | re.VERBOSE,
)


def flip_is_safe(class_names: Sequence[str], channels: int) -> bool:
    """Return whether left and right can be exchanged without changing what an image shows.

    They cannot in grey images, most of which are writing or scans, nor if the name of a class is a
    number, a single letter or sign, or a direction. A single ideograph counts as a word, because
    classes of colour photographs may be called 猫 and 狗.

    Args:
        class_names: The names of the classes.
        channels: The channels of the images, 1 or 3.

    Example:
        >>> flip_is_safe(["cat", "dog"], 3), flip_is_safe(["6", "9"], 3)
        (True, False)
        >>> flip_is_safe(["turn_left", "stop"], 3)
        False
    """
    names = [re.sub("(?<=[a-z])(?=[A-Z])", " ", name.strip()) for name in class_names]
    return channels == 3 and not any(_is_sign(name) or DIRECTION.search(name) for name in names)


def _is_sign(name: str) -> bool:
    if SIGN.fullmatch(name) or not name:
        return True
    is_ideograph = unicodedata.name(name[0], "").startswith("CJK")
    is_number = unicodedata.numeric(name[0], None) is not None
    return len(name) == 1 and (is_number or not is_ideograph)


def augment(
    images: ImageArray, indices: NDArray[np.int64], config: AugmentConfig, *, seed: int, epoch: int
) -> ImageArray:
    """Return changed copies of images.

    Args:
        images: (b, height, width, 1 or 3) uint8; they are not written to.
        indices: (b,) the number of each image in its data set.
        config: The configuration, as `resolve` returns it.
        seed: The seed of the run.
        epoch: The epoch, counted from 0.

    Returns:
        (b, height, width, channels) uint8, a new array. Row i depends on images[i], indices[i],
        seed and epoch only.
    """
    changed = np.array(images, order="C")
    operations = config.randaugment or 0
    keys = _keys(seed, epoch, indices)
    uniform = _uniform(keys, COLOUR + 2 * operations)
    uniform[:, FLIP] = _alternating(seed, epoch, indices)
    # The images are small and the training needs the other cores; the pixels do not depend on it.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        if config.flip or config.shift or config.zoom or config.rotate or config.shear:
            warp(changed, uniform, config)
        recolour(changed, uniform[:, COLOUR:].reshape(len(changed), operations, 2))
    finally:
        cv2.setNumThreads(threads)
    # Erasing comes last, so that nothing changes its noise.
    for i in np.flatnonzero(uniform[:, ERASE] < (config.erase or 0)):
        erase(changed[i], uniform[i], partial(_noise, keys[i]))
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
    """Mix each image of a batch with another one by mixup or cutmix.

    If both are on, each has half the chance. A label keeps the weight of its image: the loss of a
    mixed image is the mixture of the two weighted losses. Class weights therefore keep their
    meaning, and the weighted sum of the targets over the batch does not change.

    Args:
        images: (b, height, width, channels) uint8.
        targets: (b, num_classes) probabilities.
        weights: (b,) sample weights.
        config: The configuration, as `resolve` returns it; `mixup` and `cutmix` are the alpha of
            Beta(alpha, alpha).
        seed: The seed of the run.
        epoch: The epoch, counted from 0.
        step: The number of the batch within the epoch, counted from 0.

    Returns:
        New (images, targets, weights) of the same shapes and types, or the arguments themselves if
        both are off.
    """
    if not (config.mixup or config.cutmix):
        return images, targets, weights
    # Without the 1, NumPy would seed [seed, epoch, 0] as it seeds [seed, epoch].
    random = np.random.default_rng([seed, epoch, step, 1])
    partner = random.permutation(len(images))
    cut = bool(config.cutmix) and (not config.mixup or random.random() < 0.5)
    alpha = float((config.cutmix if cut else config.mixup) or 0)
    share = random.beta(alpha, alpha)
    if cut:
        images, share = _paste_box(images, partner, share, random)
    else:
        flat = images.reshape(len(images), -1)
        images = cv2.addWeighted(flat, share, flat[partner], 1 - share, 0).reshape(images.shape)
    own = share * weights
    other = (1 - share) * weights[partner]
    mixed = np.maximum(own + other, np.finfo(np.float32).tiny)
    labels = (own / mixed)[:, None] * targets + (other / mixed)[:, None] * targets[partner]
    return images, labels.astype(np.float32), (own + other).astype(np.float32)


def _paste_box(
    images: ImageArray, partner: NDArray[np.int64], share: float, random: np.random.Generator
) -> tuple[ImageArray, float]:
    """Paste a box of the partners; return the images and the share that they keep of themselves.

    The box is that of appendix A of the paper, cut off at the border.
    """
    height, width = images.shape[1:3]
    half = np.sqrt(1 - share) / 2
    y, x = random.random(2)
    top, bottom = np.rint(np.clip([y - half, y + half], 0, 1) * height).astype(int)
    left, right = np.rint(np.clip([x - half, x + half], 0, 1) * width).astype(int)
    mixed = images.copy()
    mixed[:, top:bottom, left:right] = images[partner, top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / (height * width)


def _hash(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit numbers by the output function of SplitMix64.

    Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _keys(seed: int, epoch: int, indices: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return (b,), one of 2**64 keys for each image."""
    # An array of one, because NumPy warns if a scalar overflows.
    run = _hash(np.array([seed], np.uint64))
    return _hash(_hash(run ^ np.uint64(epoch)) ^ indices.astype(np.uint64))


def _uniform(keys: NDArray[np.uint64], columns: int) -> Uniform:
    """Return (b, columns) random numbers in [0, 1)."""
    bits = _hash(keys[:, None] + _hash(np.arange(columns, dtype=np.uint64)))
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def mirrored(indices: NDArray[np.int64], *, seed: int, epoch: int) -> NDArray[np.bool_]:
    """Return (b,) whether `augment` mirrors each image, where the configuration allows flips.

    The arguments are those of `augment`.
    """
    return _alternating(seed, epoch, indices) < MIRRORED


def _alternating(seed: int, epoch: int, indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (b,) numbers in [0, 1), one of which lies below 1/2 in every second epoch.

    In which half the first epoch lies is drawn for each image.
    """
    first = _uniform(_keys(seed, 0, indices), FLIP + 1)[:, FLIP]
    return (first + epoch % 2 / 2) % 1


def _noise(key: np.uint64, number: int) -> ImageArray:
    """Return (number,) random bytes."""
    counter = np.arange(NOISE, NOISE + number // 8 + 1, dtype=np.uint64)
    return _hash(key + counter).view(np.uint8)[:number]
