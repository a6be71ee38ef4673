"""Why: the maps of the most confident mistakes, for the class that was predicted and the true one.

They are part of every report, so that they may take two or three seconds. A network for which that
is too short, such as a backbone at 224 pixels, may take longer if it has learned from many images:
its checks are then a small part of the passes of the training. Where the network has no exact map,
or too few images were learned, the report says which command shows them.
"""

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from convlens.anatomy.summary import count_multiply_adds
from convlens.classifier.classifier import Classifier
from convlens.errors import ConvlensError
from convlens.evaluation.evaluate import Evaluation
from convlens.language import N_, _
from convlens.maps.deletion import choices_for
from convlens.maps.evidence import Checked, corrected
from convlens.maps.explainer import Explainer
from convlens.maps.heat import Target, largest
from convlens.maps.network import chance_note
from convlens.preprocess import ImageArray
from convlens.report.stored import randomise_once, read_randomised
from convlens.run import Run

MOST = 6  # mistakes that are explained
WORK = 35_000_000_000  # multiply-adds of the deletion tests: about a second of one processor
SHARE = 0.1  # of the images that were learned: the passes that a large network may take
MOST_WORK = 500_000_000_000  # multiply-adds of the deletion tests of any network

COMMAND = N_("{reason} {command} shows maps of single images.")
NO_EXACT = N_("{reason} Maps by occlusion take too long to be part of every report.")
TOO_LARGE = N_("The maps of a network of this size take too long to be part of every report.")
FAILED = N_("The maps of the mistakes could not be made: {reason}")


@dataclass(frozen=True, eq=False)
class Mistake:
    """A mistake with the maps of both classes.

    Attributes:
        index: Its index into the images that were scored.
        pixels: (height, width, channels) uint8, the image as the network takes it.
        maps: The map of the predicted class and that of the true class, with their evidence.
    """

    index: int
    pixels: ImageArray
    maps: tuple[Checked, Checked]


@dataclass(frozen=True, eq=False)
class Why:
    """Why the most confident mistakes were made.

    Attributes:
        mistakes: The mistakes, the most confident first; empty where `notes` say why.
        notes: What the reader should know.
    """

    mistakes: tuple[Mistake, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def scale(self) -> float | None:
        """The largest absolute value of all maps that are drawn, in logits; None without any."""
        drawn = [one.map for mistake in self.mistakes for one in mistake.maps if one.drawn]
        return largest(drawn) if drawn else None

    def to_dict(self, class_names: tuple[str, ...]) -> dict[str, Any]:
        """Return all numbers as plain data."""
        return {
            "notes": list(self.notes),
            "scale": self.scale,
            "mistakes": [
                {
                    "index": mistake.index,
                    "maps": [
                        {"class": class_names[one.map.target.label], **one.to_dict()}
                        for one in mistake.maps
                    ],
                }
                for mistake in self.mistakes
            ],
        }


def explain_mistakes(
    run: Run,
    classifier: Classifier,
    evaluation: Evaluation,
    image_at: Callable[[int], ImageArray],
    learned: int = 0,
) -> Why | None:
    """Explain the most confident mistakes; None if there are none.

    The check by shuffled weights is computed once for a run, and kept in its folder.

    Args:
        run: The run of the classifier.
        classifier: The classifier, which made the mistakes.
        evaluation: Its scores.
        image_at: Returns the scored image of an index, (height, width, channels) uint8.
        learned: The number of images from which it has learned.
    """
    worst = evaluation.worst(MOST)
    if not len(worst):
        return None
    try:
        return _explain(run, classifier, evaluation, image_at, learned)
    except Exception as error:  # the scores of a long training are worth more than its maps
        known = isinstance(error, ConvlensError)
        reason = error.args[0] if known else f"{type(error).__name__}: {error}"
        return Why(notes=(_(FAILED).format(reason=reason),))


def _explain(
    run: Run,
    classifier: Classifier,
    evaluation: Evaluation,
    image_at: Callable[[int], ImageArray],
    learned: int,
) -> Why:
    explainer = Explainer(classifier, read_randomised(run))
    if "exact" in explainer.reasons:
        return _left_out(run, _(NO_EXACT).format(reason=explainer.reasons["exact"]))
    count = affordable(count_multiply_adds(explainer.network.model), learned)
    if not count:
        return _left_out(run, _(TOO_LARGE))
    randomise_once(explainer, "exact", run)
    worst = [int(index) for index in evaluation.worst(count)]
    choices = choices_for(2 * len(worst))
    images = [image_at(index) for index in worst]
    maps: list[Checked] = []
    for index, pixels in zip(worst, images, strict=True):
        classes = (evaluation.predicted[index], evaluation.labels[index])
        targets = [Target(int(label)) for label in classes]
        maps += explainer.explain_each(pixels, targets, choices=choices)
    pairs = _pairs(corrected(maps))
    return Why(
        tuple(Mistake(*one) for one in zip(worst, images, pairs, strict=True)),
        tuple(filter(None, (chance_note(classifier),))),
    )


def affordable(multiply_adds: int, learned: int = 0) -> int:
    """Return how many mistakes are explained of a network with so many multiply-adds an image.

    The number follows from what is known of the network and the images and not from a measured
    time, so that a report that is written again is the same.

    >>> affordable(48_000_000), affordable(384_000_000)
    (3, 0)
    >>> affordable(384_000_000, learned=1020), affordable(384_000_000, learned=3240)
    (1, 2)
    """
    # Both maps of a mistake share the random choices of their deletion tests.
    counts = range(MOST, 0, -1)
    passes = {count: count * (choices_for(2 * count) + 2) for count in counts}

    def most(work: float) -> int:
        return next((count for count in counts if passes[count] * multiply_adds <= work), 0)

    return most(WORK) or most(min(MOST_WORK, SHARE * learned * multiply_adds))


def _left_out(run: Run, reason: str) -> Why:
    command = f"convlens explain {shlex.quote(str(run.folder))} IMAGE"  # not translated: a command
    return Why(notes=(_(COMMAND).format(reason=reason, command=command),))


def _pairs(maps: Iterable[Checked]) -> list[tuple[Checked, Checked]]:
    both = iter(maps)
    return list(zip(both, both, strict=True))
