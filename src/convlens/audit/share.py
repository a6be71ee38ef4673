"""Share: how many labels are wrong, between two bounds.

No method can tell a wrong label from a mistake of the model where the model is unsure. The share is
therefore given between two bounds, and docs/decisions/labels.md says under which noises they held.
"""

import numpy as np
from numpy.typing import NDArray

from convlens.evaluation.metrics import wilson
from convlens.evaluation.scores import Score
from convlens.transfer.heads import Floats

SUREST = 0.25  # the share of the images of a predicted class that are predicted most confidently


def estimate_share(probabilities: Floats, labels: NDArray[np.int64]) -> Score:
    """Return the expected share of wrong labels, with an interval that contains it.

    Args:
        probabilities: (m, num_classes) probabilities of images that the models did not learn from.
        labels: (m,) the labels of these images.
    """
    predicted = probabilities.argmax(axis=1)
    contradicted = predicted != labels
    surest = _surest(probabilities, predicted)
    among_surest = wilson(int(contradicted[surest].sum()), int(surest.sum()))
    of_all = wilson(int(contradicted.sum()), len(labels))
    value = (among_surest.value + of_all.value) / 2
    return Score(value, among_surest.low, of_all.high, len(labels))


def _surest(probabilities: Floats, predicted: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return (m,) which images are among the most confidently predicted ones of their class."""
    confidence = probabilities.max(axis=1)
    chosen = np.zeros(len(predicted), bool)
    for label in np.unique(predicted):
        members = np.flatnonzero(predicted == label)
        count = int(np.ceil(SUREST * len(members)))
        chosen[members[np.argsort(-confidence[members], kind="stable")[:count]]] = True
    return chosen
