"""Trust: which methods may be believed on a network, measured on many of its images.

What was found of an image is kept, so that a measurement that was stopped goes on, and one with
more images begins with those that are done.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
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
class Outcome:
    """What the checks of a method say of one image.

    Attributes:
        passed: Whether its map passes the deletion test.
        drawn: Whether it passes all checks.
        error: The additivity error of an exact map; None for other methods.
    """

    passed: bool
    drawn: bool
    error: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data."""
        return asdict(self)


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


def check_images(
    explainer: Explainer,
    method: str,
    images: ImageArray,
    indices: NDArray[np.int64],
    known: dict[int, Outcome],
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Run the checks of a method on many images; the predicted class of each is explained.

    Args:
        explainer: The explainer, with the result of the randomisation check.
        method: The method, which the network has.
        images: (n, height, width, channels) uint8 images as the network takes them.
        indices: (m,) the images that are used.
        known: What is known already, by the index of an image. It grows image by image, so that a
            caller that is stopped has what was done.
        progress: Called with the number of images that are done, and of all.
    """
    for number, index in enumerate(indices.tolist(), start=1):
        if index not in known:
            known[index] = _check(explainer, method, np.asarray(images[index]))
        if progress is not None:
            progress(number, len(indices))


def _check(explainer: Explainer, method: str, pixels: ImageArray) -> Outcome:
    best = int(explainer.network.logits(pixels[None])[0].argmax())
    one = explainer.check(pixels, explainer.map(pixels, Target(best), method))
    by_name = {check.name: check for check in one.checks}
    error = by_name["additivity"].value if "additivity" in by_name else None
    return Outcome(by_name["deletion"].passed, one.drawn, error)


def trust_of(explainer: Explainer, method: str, outcomes: Iterable[Outcome]) -> Trust:
    """Return what the outcomes of at least one image say of a method."""
    found = list(outcomes)
    result = explainer.randomised.get(method)
    return Trust(
        method,
        wilson(sum(one.passed for one in found), len(found)),
        wilson(sum(one.drawn for one in found), len(found)),
        max((one.error for one in found if one.error is not None), default=None),
        None if result is None else result.correlations,
        result is None or result.check.passed,
    )


def chosen_images(indices: NDArray[np.int64], count: int, seed: int = 0) -> NDArray[np.int64]:
    """Return as many indices as wanted, chosen at random; all of them if there are fewer."""
    chosen: Sequence[int] = np.random.default_rng(seed).permutation(indices)[:count].tolist()
    return np.sort(np.asarray(chosen, np.int64))
