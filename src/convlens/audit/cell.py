"""Cell: the images of a cell of the confusion matrix of a run, as labels worth a look."""

from collections.abc import Mapping, Sequence

import numpy as np

from convlens.audit.audit import Audit, sorted_findings
from convlens.audit.finding import found
from convlens.audit.run_audit import judge_unseen, open_images
from convlens.data.dataset import NAMED, Dataset
from convlens.data.prepared import Prepared
from convlens.errors import ConfigError
from convlens.files import and_more
from convlens.language import _
from convlens.run import Run
from convlens.screen import Screen


def misclassified(
    run: Run,
    screen: Screen,
    *,
    true: str | None = None,
    predicted: str | None = None,
    dataset: Dataset | None = None,
) -> tuple[Audit, Prepared]:
    """Return the misclassified images of validation and test, those first that are most doubted.

    Args:
        run: A run with a classifier.
        screen: Where the progress is shown.
        true: The class of their labels, or None for all.
        predicted: The class for which they are taken, or None for all.
        dataset: The images of the run, where they lie elsewhere now.

    Raises:
        ConfigError: If there is no such class.
        RunError: If the images are not those of the run.
        DataError: If the images cannot be found or read.
        ClassifierError: If the run has no classifier.
    """
    names = run.classifier().class_names
    _check_classes(names, {"--true": true, "--predicted": predicted})
    prepared = open_images(run, dataset, screen)
    images = prepared.dataset
    judged = judge_unseen(run, prepared)
    labels = images.labels[judged.indices]
    taken_for = judged.probabilities.argmax(axis=1)
    chosen = taken_for != labels
    if true is not None:
        chosen &= labels == names.index(true)
    if predicted is not None:
        chosen &= taken_for == names.index(predicted)
    findings = [
        found(
            "doubtful_label",
            images,
            [judged.indices[row]],
            {
                "label": names[labels[row]],
                "suggested": names[taken_for[row]],
                "confidence": round(1 - float(judged.probabilities[row, labels[row]]), 4),
            },
        )
        for row in np.flatnonzero(chosen)
    ]
    return Audit(images, sorted_findings(findings)), prepared


def _check_classes(names: Sequence[str], given: Mapping[str, str | None]) -> None:
    """Raise ConfigError if a flag names no class of the run."""
    for flag, label in given.items():
        if label is not None and label not in names:
            raise ConfigError(
                _("{flag} must be a class of the run; found {label!r}. It knows {names}.").format(
                    flag=flag, label=label, names=and_more(names, NAMED)
                )
            )
