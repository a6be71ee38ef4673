"""Aligned: two copies of an image laid over one another, so that their difference can be drawn.

The second image is mirrored or turned where it has to be, and then scaled, shifted and stretched
until it lies on the first one. Corners of both images that look alike (SIFT) say where it lies, and
the correlation of all pixels (ECC) refines that.

Sources     Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", 2004
            Evangelidis, Psarakis, "Parametric Image Alignment Using Enhanced Correlation
            Coefficient Maximization", 2008
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convlens.language import N_, _, listed

SIDE = 192  # pixels of the longest side at which images are laid over one another
LEAST_OVERLAP = 0.3  # of the first image; less of it is no copy
# The mean difference at which no other guess is tried: in grey levels, and as a share of the spread
# of the grey levels, since all dark images are nearly equal.
GOOD = 4.0
GOOD_SHARE = 0.1
FEWEST_MATCHES = 8  # of corners, for a first guess
RATIO = 0.75  # of the distances to the nearest and the second nearest corner, by Lowe
STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
SMOOTHING = 5  # pixels
SAME = 0.03  # a change of scale, or a part that is missing, that is not worth a word
TURNS = {  # what is done to the second image first, by the kind of a pair
    "flip": {
        Image.Transpose.FLIP_LEFT_RIGHT: N_("mirrored"),
        Image.Transpose.FLIP_TOP_BOTTOM: N_("turned upside down and mirrored"),
    },
    "rotation": {
        Image.Transpose.ROTATE_90: N_("turned by 90° to the left"),
        Image.Transpose.ROTATE_180: N_("turned by 180°"),
        Image.Transpose.ROTATE_270: N_("turned by 90° to the right"),
    },
}

Matrix = NDArray[np.float32]
Levels = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Aligned:
    """The difference of two images, in the frame of the first one.

    Attributes:
        difference: (height, width) grey levels of the second image minus those of the first one,
            -255 to 255; NaN where the second image has nothing.
        turn: How the second image was mirrored or turned, in words of the catalogue, or nothing.
        scale: The pixels of the second image for one pixel of the first one.
        covered: The share of the first image that the second one shows.
        beyond: The share of the second image that the first one does not show.
    """

    difference: NDArray[np.float64]
    turn: str
    scale: float
    covered: float
    beyond: float

    @property
    def mean(self) -> float:
        """The mean of the absolute difference, in grey levels; NaN if nothing overlaps."""
        known = self.difference[~np.isnan(self.difference)]
        return float(np.abs(known).mean()) if len(known) else float("nan")


def align(first: Image.Image, second: Image.Image, kind: str) -> Aligned:
    """Return two images laid over one another.

    Args:
        first: An upright image.
        second: Another one, which is laid over it.
        kind: "flip" or "rotation" if the second image is to be mirrored or turned; any other word
            leaves it as it is.
    """
    target = _levels(first)
    found: list[Aligned] = []
    for turned, size, turn in _turned(second, kind):
        found.append(_fit(target, turned, first.size, size, turn))
        if found[-1].mean < _good(target):
            break
    return min(found, key=lambda one: np.nan_to_num(one.mean, nan=np.inf))


def _turned(second: Image.Image, kind: str) -> Iterator[tuple[Levels, tuple[int, int], str]]:
    """Yield the second image as it may have to be turned, its size then, and the words for it."""
    for turn, said in TURNS.get(kind, {None: ""}).items():
        image = second if turn is None else second.transpose(turn)
        yield _levels(image), image.size, said


def _levels(image: Image.Image) -> Levels:
    """Return the grey levels of an image whose longest side is SIDE at most."""
    grey = image.convert("L")
    grey.thumbnail((SIDE, SIDE))
    return np.asarray(grey, np.float32)


def _fit(
    target: Levels,
    moved: Levels,
    target_size: tuple[int, int],
    moved_size: tuple[int, int],
    turn: str,
) -> Aligned:
    """Return the best of several ways to lay an image over another one.

    Args:
        target: The grey levels of the first image.
        moved: Those of the second one, turned already.
        target_size: The (width, height) of the first image in full.
        moved_size: Likewise of the second one.
        turn: How it was turned.
    """
    drawn: list[tuple[Matrix, NDArray[np.float64]]] = []
    for guess in _guesses(target, moved):
        both = guess, _refined(target, moved, guess)
        drawn += [(matrix, _difference(target, moved, matrix)) for matrix in both]
        if min(_loss(difference) for _matrix, difference in drawn) < _good(target):
            break
    matrix, difference = min(drawn, key=lambda one: _loss(one[1]))
    overlap = float((~np.isnan(difference)).mean())
    # A pixel of the reduced first image has this many pixels of the reduced second one.
    reduced = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    scale = reduced * (moved_size[0] / moved.shape[1]) / (target_size[0] / target.shape[1])
    inside = overlap * target.size * reduced**2 / moved.size
    return Aligned(difference, turn, scale, overlap, max(0.0, 1 - inside))


def _good(target: Levels) -> float:
    """Return the mean difference from an image at which no other guess is tried."""
    return min(GOOD, GOOD_SHARE * float(target.std()))


def _loss(difference: NDArray[np.float64]) -> float:
    """Return how badly an image lies over another one."""
    known = difference[~np.isnan(difference)]
    overlap = len(known) / difference.size
    if overlap < LEAST_OVERLAP:
        return float("inf")
    # Of two that fit as well, the one that covers more is better; a small part would always fit.
    return float(np.abs(known).mean() / np.sqrt(overlap))


def _guesses(target: Levels, moved: Levels) -> Iterator[Matrix]:
    """Yield where the second image may lie: matrices from the first image to the second one."""
    stretch = np.zeros((2, 3), np.float32)
    stretch[0, 0] = moved.shape[1] / target.shape[1]
    stretch[1, 1] = moved.shape[0] / target.shape[0]
    stretch[:, 2] = (np.diag(stretch) - 1) / 2  # pixels are counted from their centres
    yield stretch
    by_corners = _by_corners(target, moved)
    if by_corners is not None:
        yield by_corners


def _by_corners(target: Levels, moved: Levels) -> Matrix | None:
    """Return the matrix that brings corners of one image to those of the other that look alike."""
    detector = cv2.SIFT.create(500)
    points, descriptors = detector.detectAndCompute(target.astype(np.uint8), None)
    others, other_descriptors = detector.detectAndCompute(moved.astype(np.uint8), None)
    if descriptors is None or other_descriptors is None or len(others) < 2:
        return None
    pairs = cv2.BFMatcher().knnMatch(descriptors, other_descriptors, k=2)
    good = [one for one, next_best in pairs if one.distance < RATIO * next_best.distance]
    if len(good) < FEWEST_MATCHES:
        return None
    start = np.array([points[match.queryIdx].pt for match in good], np.float32)
    end = np.array([others[match.trainIdx].pt for match in good], np.float32)
    matrix, _ = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=2)
    # Corners are found in turned images, too; how an image is turned is tried before.
    if matrix is None or matrix[0, 0] < 2 * abs(matrix[1, 0]):
        return None
    return np.asarray(matrix, np.float32)


def _refined(target: Levels, moved: Levels, guess: Matrix) -> Matrix:
    """Return a matrix near the guess with which the images correlate best, or else the guess."""
    try:
        _, matrix = cv2.findTransformECC(
            target, moved, guess.copy(), cv2.MOTION_AFFINE, STEPS, None, SMOOTHING
        )
    except cv2.error:  # The images do not correlate, or one of them is blank.
        return guess
    return np.asarray(matrix, np.float32)


def _difference(target: Levels, moved: Levels, matrix: Matrix) -> NDArray[np.float64]:
    """Return the second image minus the first one; NaN outside the second one."""
    size = target.shape[1], target.shape[0]
    flags = cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(
        moved, matrix, size, flags=cv2.INTER_LINEAR | flags, borderMode=cv2.BORDER_REPLICATE
    )
    inside = cv2.warpAffine(np.ones_like(moved), matrix, size, flags=cv2.INTER_NEAREST | flags)
    difference: NDArray[np.float64] = np.where(inside > 0, laid - target, np.nan)
    return difference


def alignment_text(aligned: Aligned) -> str:
    """Return what was done to the second image to lay it over the first one, in words."""
    done = [_(aligned.turn)] if aligned.turn else []
    if abs(aligned.scale - 1) > SAME:
        done.append(_("scaled by {factor:.2f}").format(factor=1 / aligned.scale))
    if aligned.covered < 1 - SAME:
        done.append(_("it shows {share:.0f} % of the first").format(share=100 * aligned.covered))
    if aligned.beyond > SAME:
        done.append(
            _("the first shows {share:.0f} % of it").format(share=100 * (1 - aligned.beyond))
        )
    return _("aligned: {done}").format(done=listed(done)) if done else _("aligned as they are")
