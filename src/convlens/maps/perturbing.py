"""Perturbing: maps of any network, by what covering parts of the image does to the logit.

Source      Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks", 2013,
            arXiv:1311.2901, section 4.2: occlusion
            Petsiuk, Das, Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box
            Models", 2018, arXiv:1806.07421: random masks
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from convlens.maps.deletion import AT_ONCE, Logits
from convlens.maps.heat import Floats, HeatMap, Target
from convlens.maps.regions import Regions, covered, covering, scattered, windows
from convlens.preprocess import ImageArray

MASKS = 1000  # random masks
MASK_SIDE = 8  # cells along the side of a mask
SHOWN = 0.5  # the probability that a cell of a mask shows the image

Progress = Callable[[int, int], None]
"""Called with the number of images that are done, and of all."""


def occlusion_maps(
    pixels: ImageArray,
    targets: Sequence[Target],
    logits: Logits,
    *,
    step: int = 1,
    progress: Progress | None = None,
) -> list[HeatMap]:
    """Return how far each target falls when a square is covered, for each region of the image.

    The squares overlap. The value of a region is the mean fall of the squares that cover it. All
    targets share the passes.

    Args:
        pixels: (height, width, channels) uint8, the image.
        targets: What is explained.
        logits: Computes the (n, num_classes) logits of n images.
        step: How many regions lie between the squares, see `windows`.
        progress: Called with the number of covered images that are done, and of all.
    """
    regions = Regions.over(*pixels.shape[:2])
    chosen = windows(regions, step)
    before = np.stack([explained(pixels[None], one, logits)[0] for one in targets])
    after = np.empty((len(targets), len(chosen)))
    for part in _parts(len(chosen), progress):
        rows = logits(covered(pixels, regions, chosen[part])).astype(np.float64)
        after[:, part] = [one.of(rows) for one in targets]
    weights = chosen / np.maximum(chosen.sum(axis=0), 1)
    values = ((before[:, None] - after) @ weights).reshape(-1, regions.rows, regions.columns)
    return [
        HeatMap("occlusion", *one) for one in zip(targets, values, before.tolist(), strict=True)
    ]


def rise_map(
    pixels: ImageArray,
    target: Target,
    logits: Logits,
    *,
    masks: int = MASKS,
    seed: int = 0,
    progress: Progress | None = None,
) -> HeatMap:
    """Return how far the logit rises with how much of each region random masks show.

    The paper takes the mean of the masks, weighted by the class's probability. Here it is the slope
    of the logit: the same map but for a factor and a shift, in the unit of the logits.

    Args:
        pixels: (height, width, channels) uint8, the image.
        target: What is explained.
        logits: Computes the (n, num_classes) logits of n images.
        masks: The number of masks.
        seed: The seed of the masks.
        progress: Called with the number of masks that are done, and of all.
    """
    regions = Regions.over(*pixels.shape[:2])
    rng = np.random.default_rng(seed)
    hidden = covering(pixels).astype(np.float32)
    shown = np.empty((masks, len(regions)))
    found = np.empty(masks)
    for part in _parts(masks, progress):
        drawn = [_mask(rng, *pixels.shape[:2]) for _ in range(part.stop - part.start)]
        mixed = [hidden + one[..., None] * (pixels - hidden) for one in drawn]
        found[part] = explained(np.rint(np.stack(mixed)).astype(np.uint8), target, logits)
        shown[part] = [regions.means(one) for one in drawn]
    logit = explained(pixels[None], target, logits)[0]
    spread = shown - shown.mean(axis=0)
    variance = np.maximum((spread**2).mean(axis=0), np.finfo(float).tiny)
    values = (found - found.mean()) @ spread / masks / variance
    return HeatMap("rise", target, values.reshape(regions.rows, regions.columns), logit)


def explained(images: ImageArray, target: Target, logits: Logits) -> Floats:
    """Return (n,) the number that is explained, for each of n images."""
    return np.asarray(target.of(logits(images).astype(np.float64)))


def _mask(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Return (height, width) how much of each pixel is shown, from 0 to 1."""
    cells = (rng.random((MASK_SIDE + 1, MASK_SIDE + 1)) < SHOWN).astype(np.float64)
    return scattered(cells, height, width, rng)


def _parts(count: int, progress: Progress | None) -> Iterator[slice]:
    """Yield slices of AT_ONCE images, and report the progress after each."""
    for start in range(0, count, AT_ONCE):
        stop = min(start + AT_ONCE, count)
        yield slice(start, stop)
        if progress is not None:
            progress(stop, count)
