"""Randomisation: whether the maps of a method depend on what the network has learned.

The weights are shuffled within each array, from the last layer down, in four steps to the whole
network. After each step the map of an image is computed anew and compared with the first one by
their rank correlation. Maps that stay alike show the image, as an edge detector does, and not the
network. docs/decisions/explanations.md has the measurements behind the limit.

Source      Adebayo et al., "Sanity Checks for Saliency Maps", 2018, arXiv:1810.03292
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from scipy.stats import rankdata

from convlens.anatomy.summary import count_multiply_adds
from convlens.classifier.assembly import with_precision
from convlens.maps.evidence import Check
from convlens.maps.heat import Floats, HeatMap, Target, enlarge
from convlens.maps.network import OpenedNetwork, compute
from convlens.preprocess import ImageArray

STEPS = 4
DRAWS = 12  # images, each with weights shuffled anew; the images are used again if there are fewer
FEW_DRAWS = (2, 4)  # at least and at most, of maps that take hundreds of passes each
WORK = 3_000_000_000  # multiply-adds of an image, of all these draws together
LIMIT = 0.5  # of the mean rank correlation after each step
SIDE = 16  # of the maps that are compared
FIXED = keras.layers.Normalization | keras.layers.Rescaling

Explain = Callable[[OpenedNetwork, ImageArray, Target], HeatMap]
"""Returns the map of an image (height, width, channels) with the weights that a network has now."""


@dataclass(frozen=True)
class Randomised:
    """How alike the maps of a method stay when the network forgets what it has learned.

    Attributes:
        method: The method.
        correlations: The mean rank correlation after each step, the last layer first.
        draws: The number of images and of shuffled networks behind each mean.
    """

    method: str
    correlations: tuple[float, ...]
    draws: int

    @property
    def check(self) -> Check:
        """The check that all maps of the method share."""
        value = max(self.correlations)
        return Check("randomisation", value <= LIMIT, value, LIMIT)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {"correlations": list(self.correlations), "draws": self.draws}

    @classmethod
    def from_dict(cls, method: str, facts: Mapping[str, Any]) -> "Randomised":
        """Return the result that `to_dict` gave as plain data."""
        return cls(method, tuple(facts["correlations"]), facts["draws"])


def randomise(
    model: keras.Model,
    method: str,
    explain: Explain,
    images: ImageArray,
    *,
    draws: int = DRAWS,
    progress: Callable[[int, int], None] | None = None,
) -> Randomised:
    """Compare the maps of images before and after the weights are shuffled, from the top down.

    Args:
        model: The network in float32, which is copied.
        method: The method.
        explain: Makes the maps of the method.
        images: (n, height, width, channels) uint8 images.
        draws: The number of comparisons for each step.
        progress: Called with the number of comparisons that are done, and of all.
    """
    twin = with_precision(model, "float32")
    network = OpenedNetwork(twin)
    learned = [one for one in reversed(twin.layers) if one.weights and not isinstance(one, FIXED)]
    ends = np.linspace(0, len(learned), STEPS).round().astype(int)
    ends[0] = 1
    kept = twin.get_weights()
    found = np.empty((draws, STEPS))
    # All at once, since tracing the network takes longer than that.
    (logits,) = compute(twin, np.asarray(images[:draws]))
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        image = images[draw % len(images)]
        target = Target(int(logits[draw % len(images)].argmax()))
        first = explain(network, image, target)
        start = 0
        for step, end in enumerate(ends):
            shuffle(learned[start:end], rng)
            start = end
            found[draw, step] = rank_correlation(
                first.values, explain(network, image, target).values
            )
            if progress is not None:
                progress(draw * STEPS + step + 1, draws * STEPS)
        twin.set_weights(kept)
    return Randomised(method, tuple(map(float, found.mean(axis=0))), draws)


def few_draws(model: keras.Model) -> int:
    """Return how many comparisons there are for maps that take hundreds of passes each.

    Four of them would take an hour for a network such as VGG-16.
    """
    least, most = FEW_DRAWS
    return min(most, max(least, WORK // max(1, count_multiply_adds(model))))


def shuffle(layers: Sequence[keras.Layer], rng: np.random.Generator) -> None:
    """Shuffle the values of each array of weights of some layers."""
    for layer in layers:
        layer.set_weights(
            [rng.permutation(one.ravel()).reshape(one.shape) for one in layer.get_weights()]
        )


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's rank correlation of two maps; 0 where one of them is constant.

    Maps of different sizes, and values that are not finite, are compared as they are drawn.

    >>> round(rank_correlation(np.array([[1.0, 2.0]]), np.array([[2.0, 5.0]])), 6)
    1.0
    """
    if one.shape != other.shape:
        one, other = (enlarge(values, SIDE, SIDE) for values in (one, other))
    ranks = np.stack([rankdata(np.nan_to_num(values), axis=None) for values in (one, other)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    length = np.linalg.norm(ranks, axis=1).prod()
    return float(ranks[0] @ ranks[1] / length) if length else 0.0
