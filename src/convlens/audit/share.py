"""Share: how many labels are wrong, between two bounds that hold for noise of several kinds.

Where a model is unsure, nothing tells a wrong label from a mistake of the model. Labels that people
give are wrong just there, and random ones everywhere. The bounds rest on little:

- At least as many labels are wrong among all images as among those of which the model is surest,
  where its own mistakes are rare: SLACK allows for them.
- At most as many labels are wrong as the model contradicts, since its own mistakes are among them,
  and outnumber the wrong labels with which it agrees.

The value continues to all images how contradictions grow from the surest tenth to the surest half.
docs/decisions/labels.md says how often the bounds held, and where they cannot.
"""

import numpy as np
from numpy.typing import NDArray

from convlens.evaluation.metrics import wilson
from convlens.evaluation.scores import Score
from convlens.transfer.heads import Floats

SUREST = 0.25  # of the images of each predicted class, those predicted most confidently
FEW = 0.1
MANY = 0.5
# Mistakes of the models among the surest images, as a share of all contradictions, that are allowed
# for. On clean labels they were at most 5.3 % with the features of a backbone, and 35 % with
# patches, which know photographs badly.
SLACK = 0.06
SLACK_OF_PATCHES = 0.5


def estimate_share(probabilities: Floats, labels: NDArray[np.int64], slack: float = SLACK) -> Score:
    """Return the expected share of wrong labels, with an interval that contains it.

    Args:
        probabilities: (m, num_classes) probabilities of images that the models did not learn from.
        labels: (m,) the labels of these images.
        slack: Mistakes of the models among the surest images, as a share of all contradictions.
    """
    if not len(labels):
        return wilson(0, 0)
    predicted = probabilities.argmax(axis=1)
    contradicted = predicted != labels
    of_all = wilson(int(contradicted.sum()), len(labels))

    def among(share: float) -> Score:
        chosen = _surest(probabilities, predicted, share)
        return wilson(int(contradicted[chosen].sum()), int(chosen.sum()))

    low = max(0.0, among(SUREST).low - slack * of_all.value)
    continued = 2 * among(MANY).value - among(FEW).value
    return Score(min(max(continued, low), of_all.high), low, of_all.high, len(labels))


def _surest(probabilities: Floats, predicted: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """Return (m,) which images are among the most confidently predicted ones of their class.

    They are chosen within each class, so that a class that is easy and badly labelled does not
    stand for all.
    """
    confidence = probabilities.max(axis=1)
    chosen = np.zeros(len(predicted), bool)
    for label in np.unique(predicted):
        members = np.flatnonzero(predicted == label)
        order = np.argsort(-confidence[members], kind="stable")
        chosen[members[order[: int(np.ceil(share * len(members)))]]] = True
    return chosen
