"""Registration: lay one image over another, and measure whether their fine details agree.

The grey reductions of two images are brought together by an affine transform (Evangelidis and
Psarakis, "Parametric Image Alignment Using Enhanced Correlation Coefficient Maximization", 2008).
Images that only look alike agree in their outlines; copies agree in the details, too.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from convlens.data.hashes import Window
from convlens.data.looks import SIDE
from convlens.preprocess import ImageArray

COARSE = 2  # pixels in each direction that are one where the search begins
HOPELESS = 0.4  # agreement of the details there; planted copies had 0.8 and more
DETAIL = 2.5  # pixels; what a Gaussian filter of this standard deviation takes away is detail
BLOCK = 8  # pixels; a side of the blocks of which a few may differ, as a logo does
SPARED = 7  # of 64 blocks
FAINT = 4.0 * BLOCK**2  # the energy of a block whose details differ by two grey levels
DOUBTFUL = (0.5, 0.96)  # agreement of images that are laid over one another a second time
LEAST_COVER = 0.6  # the share of the image that both must show
MOST_STRETCH = 1.6
MOST_TURN = 0.2  # the sine of an angle, or as much shear

Grey = NDArray[np.float32]


class SearchLimits(NamedTuple):
    """How a transform is searched.

    Attributes:
        steps: The largest number of steps.
        precision: The increase of the correlation at which the search ends.
        smoothing: The size of a Gaussian filter in pixels.
    """

    steps: int
    precision: float
    smoothing: int


COARSE_SEARCH = SearchLimits(8, 1e-3, 3)
FINE_SEARCH = SearchLimits(20, 1e-4, 5)


class Match(NamedTuple):
    """How well two images agree once one lies over the other.

    Attributes:
        agreement: The correlation of their details, without the few blocks that differ most.
        strict: The same with all blocks.
        typical: The median correlation of the blocks that have details.
        difference: Root mean square of what differs, in grey levels, after brightness and contrast
            were brought to those of the first.
        warp: (2, 3) from pixels of the first grey reduction to those of the second.
    """

    agreement: float
    strict: float
    typical: float
    difference: float
    warp: NDArray[np.float32]

    def is_copy(self, least: float, least_strict: float) -> bool:
        """Return whether the images agree as a whole and in a typical block."""
        return min(self.agreement, self.typical) >= least and self.strict >= least_strict


def register(first: ImageArray, second: ImageArray, window: Window) -> Match | None:
    """Lay the second image over the first; return None if they cannot be brought together.

    Args:
        first: (64, 64) grey levels.
        second: (64, 64) grey levels.
        window: The part of the second image that shows about what the first shows.
    """
    wanted = first.astype(np.float32)
    other = second.astype(np.float32)
    start = _coarsely(wanted, other, start_of(window))
    if start is None:
        return None
    match, spared = _laid_over(wanted, other, start, None)
    if match is None or not DOUBTFUL[0] < match.agreement < DOUBTFUL[1]:
        return match
    # What was added to one of them, as a logo, may have pulled the other aside.
    again, _ = _laid_over(wanted, other, match.warp, spared)
    return match if again is None or again.agreement < match.agreement else again


def _coarsely(first: Grey, second: Grey, start: Grey) -> Grey | None:
    """Return the transform of images of a quarter of the pixels; None if they do not agree there.

    Most proposed pairs are no copies. This tells so in a fraction of the time.
    """
    size = (SIDE // COARSE, SIDE // COARSE)
    ours = cv2.resize(first, size, interpolation=cv2.INTER_AREA)
    theirs = cv2.resize(second, size, interpolation=cv2.INTER_AREA)
    warp = _search(ours, theirs, _scaled(start, 1 / COARSE), COARSE_SEARCH)
    if warp is None:
        return None
    moved, inside = _moved(theirs, warp)
    own = np.where(inside, detail(ours, DETAIL / COARSE), 0)
    other = np.where(inside, detail(moved, DETAIL / COARSE), 0)
    agreement = _correlation(own * other, own * own, other * other)
    return _scaled(warp, COARSE) if agreement >= HOPELESS else None


def _laid_over(
    first: Grey, second: Grey, start: Grey, spared: NDArray[np.uint8] | None
) -> tuple[Match | None, NDArray[np.uint8]]:
    """Return how well the second image agrees where it lies over the first, and where it does not.

    Args:
        first: (64, 64) grey levels.
        second: (64, 64) grey levels.
        start: The transform with which the search starts.
        spared: (64, 64) 0 for the pixels of the second that say nothing, or None.
    """
    nowhere = np.ones((SIDE, SIDE), np.uint8)
    warp = _search(first, second, start, FINE_SEARCH, spared)
    if warp is None:
        return None, nowhere
    scales = np.diag(warp)
    if scales.min() < 1 / MOST_STRETCH or scales.max() > MOST_STRETCH:
        return None, nowhere
    if max(abs(warp[0, 1]), abs(warp[1, 0])) > MOST_TURN:
        return None, nowhere
    return _compare(first, second, warp)


def _search(
    first: Grey,
    second: Grey,
    start: Grey,
    limits: SearchLimits,
    spared: NDArray[np.uint8] | None = None,
) -> Grey | None:
    """Return the transform that lays the second image over the first; None if none is found."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, limits.steps, limits.precision)
    try:
        _, warp = cv2.findTransformECC(
            first, second, start.copy(), cv2.MOTION_AFFINE, criteria, spared, limits.smoothing
        )
    except cv2.error:  # The transform does not converge.
        return None
    return np.asarray(warp, np.float32)


def _scaled(warp: Grey, factor: float) -> Grey:
    """Return a transform of images as one of images whose sides are multiplied by a factor."""
    middle = (factor - 1) / 2  # where the middle of the first pixel comes to lie
    scaled = warp.copy()
    scaled[:, 2] = factor * warp[:, 2] + middle * (1 - warp[:, :2].sum(axis=1))
    return scaled


def start_of(window: Window) -> Grey:
    """Return the (2, 3) transform from the pixels of a whole image to those of a part."""
    across = window.width / SIDE
    down = window.height / SIDE
    return np.array(
        [
            [across, 0, window.left + (across - 1) / 2],
            [0, down, window.top + (down - 1) / 2],
        ],
        np.float32,
    )


def detail(greys: Grey, deviation: float = DETAIL) -> Grey:
    """Return the details of a grey image, which a Gaussian filter takes away."""
    found: Grey = greys - cv2.GaussianBlur(greys, (0, 0), deviation)
    return found


def _moved(image: Grey, warp: Grey) -> tuple[Grey, NDArray[np.bool_]]:
    """Return a transformed image, and which of its pixels lie inside the original one."""
    size = (image.shape[1], image.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(image, warp, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones_like(image), warp, size, flags=flags) > 0.99
    return np.asarray(moved, np.float32), inside


def _compare(first: Grey, second: Grey, warp: Grey) -> tuple[Match | None, NDArray[np.uint8]]:
    moved, inside = _moved(second, warp)
    if inside.mean() < LEAST_COVER:
        return None, inside.astype(np.uint8)
    both = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    fitted = _fit(first, moved, both)
    ours = np.where(both, detail(first), 0)
    theirs = np.where(both, detail(fitted), 0)
    together = _by_block(ours * theirs)
    own = _by_block(ours * ours)
    other = _by_block(theirs * theirs)
    order = np.argsort(own + other - 2 * together)
    kept = order[:-SPARED]
    alike = np.ones(len(order), np.uint8)
    alike[order[-SPARED:]] = 0
    places = SIDE // BLOCK
    pixels = alike.reshape(places, places).repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
    size = (SIDE, SIDE)
    spared = cv2.warpAffine(pixels, warp, size, flags=cv2.INTER_NEAREST, borderValue=1)
    match = Match(
        agreement=_correlation(together[kept], own[kept], other[kept]),
        strict=_correlation(together, own, other),
        typical=_typical(together, own, other),
        difference=float(np.sqrt(np.square(first - fitted)[both].mean())),
        warp=warp,
    )
    return match, np.asarray(spared, np.uint8)


def _fit(first: Grey, second: Grey, both: NDArray[np.bool_]) -> Grey:
    """Return the second image with the brightness, contrast and gamma of the first."""
    levels = second[both] / 255
    powers = np.stack([np.ones_like(levels), levels, levels**2], axis=1)
    gain, *_ = np.linalg.lstsq(powers, first[both], rcond=None)
    scaled = second / 255
    fitted: Grey = gain[0] + gain[1] * scaled + gain[2] * scaled**2
    return fitted.astype(np.float32)


def _by_block(values: Grey) -> Grey:
    places = SIDE // BLOCK
    sums: Grey = values.reshape(places, BLOCK, places, BLOCK).sum(axis=(1, 3)).ravel()
    return sums


def _typical(together: Grey, own: Grey, other: Grey) -> float:
    """Return the median correlation of blocks; 0 where no block has details."""
    products = np.sqrt(own * other)
    with_details = np.flatnonzero(np.maximum(own, other) > FAINT)
    if not len(with_details):
        return 0.0
    return float(np.median(together[with_details] / (products[with_details] + 1e-6)))


def _correlation(together: Grey, own: Grey, other: Grey) -> float:
    return float(together.sum() / np.sqrt(own.sum() * other.sum() + 1e-6))
