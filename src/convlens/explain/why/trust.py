"""Trust: which methods may be believed on a network, measured on many of its images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlens.evaluation.metrics import wilson
from convlens.evaluation.scores import Score
from convlens.language import N_, _
from convlens.maps.evidence import LEVEL
from convlens.maps.explainer import Explainer
from convlens.maps.heat import Target
from convlens.preprocess import ImageArray

IMAGES = 200
FEW = 50  # images, with fewer of which a share of them says little
VERDICTS = {
    True: N_("its maps may be trusted where they pass their checks"),
    False: N_("not to be trusted on this network"),
}


@dataclass(frozen=True)
class Trust:
    """What the checks say of a method on many images.

    Attributes:
        method: The method.
        passed: The share of the images whose map passes the deletion test, each tested at 5 %. A
            method that points at random would pass for 5 %.
        drawn: The share of the images whose map passes all checks.
        worst_sum: The largest additivity error of an exact map; None for other methods.
        correlations: The mean rank correlations of the randomisation check; None without one.
        randomisation: Whether the method passes the randomisation check.
    """

    method: str
    passed: Score
    drawn: Score
    worst_sum: float | None
    correlations: tuple[float, ...] | None
    randomisation: bool

    @property
    def trusted(self) -> bool:
        """Whether the method sees what the network does, more often than by chance."""
        return self.randomisation and self.drawn.low > LEVEL

    @property
    def verdict(self) -> str:
        """What follows for the user."""
        return _(VERDICTS[self.trusted])

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {
            "method": self.method,
            "deletion_passed": self.passed.to_dict(),
            "drawn": self.drawn.to_dict(),
            "worst_additivity": self.worst_sum,
            "rank_correlations": self.correlations and list(self.correlations),
            "trusted": self.trusted,
        }


def measure_trust(
    explainer: Explainer,
    method: str,
    images: ImageArray,
    indices: NDArray[np.int64],
    progress: Callable[[int, int], None] | None = None,
) -> Trust:
    """Run the checks of a method on many images; the predicted class of each is explained.

    Args:
        explainer: The explainer, with the result of the randomisation check.
        method: The method, which the network has.
        images: (n, height, width, channels) uint8 images as the network takes them.
        indices: (m,) the images that are used.
        progress: Called with the number of images that are done, and of all.
    """
    passed = 0
    drawn = 0
    worst: list[float] = []
    for number, index in enumerate(indices, start=1):
        pixels = np.asarray(images[index])
        best = int(explainer.network.logits(pixels[None])[0].argmax())
        one = explainer.check(pixels, explainer.map(pixels, Target(best), method))
        passed += next(check.passed for check in one.checks if check.name == "deletion")
        drawn += one.drawn
        worst += [check.value for check in one.checks if check.name == "additivity"]
        if progress is not None:
            progress(number, len(indices))
    result = explainer.randomised.get(method)
    return Trust(
        method,
        wilson(passed, len(indices)),
        wilson(drawn, len(indices)),
        max(worst, default=None),
        None if result is None else result.correlations,
        result is None or result.check.passed,
    )


def chosen_images(indices: NDArray[np.int64], count: int, seed: int = 0) -> NDArray[np.int64]:
    """Return as many indices as wanted, chosen at random; all of them if there are fewer."""
    chosen: Sequence[int] = np.random.default_rng(seed).permutation(indices)[:count].tolist()
    return np.sort(np.asarray(chosen, np.int64))
