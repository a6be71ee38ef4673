"""The content of a report: its numbers as report.json holds them, and what they mean in words."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, Unpack

import numpy as np

from convlens.evaluation.evaluate import IMAGES_SEEN, Evaluation
from convlens.evaluation.scores import Score
from convlens.language import N_, _, sentences
from convlens.preprocess import ImageArray
from convlens.run_folder import folds_in_words

if TYPE_CHECKING:
    from convlens.report.why import Why  # which imports Keras

MISTAKES = 24  # how many mistakes are shown

ACCURACY = N_("The classifier is correct for {correct:,} of {n:,} images ({images_seen}).")
EXPECTED = N_(
    "For new images of the same kind, expect an accuracy between {low:.1f} % and {high:.1f} %; "
    "{n:,} images do not allow a more precise statement."
)
CAVEATS = {  # what the reader must know instead, by the images that were scored
    "train": N_(
        "The network learned from these images. It will classify new images correctly less often."
    ),
    "validation": N_(
        "The best epoch was chosen on these images, so the score is slightly too high."
    ),
}
BASELINE = N_(
    "Always predicting the most frequent class would be correct for {share:.1f} % of the images."
)
REACHED = N_(
    "The threshold is reached by {accepted:,} of these {reached.n:,} images: {reached.value_text} "
    "{reached.interval_text}."
)
CORRECT = N_("Of them, {correct.value_text} {correct.interval_text} are classified correctly.")
CHOSEN = N_("The threshold was chosen on these images.")
UNCALIBRATED = {  # why, by what `convlens.report.finish.calibrate` has recorded
    "few": N_(
        "The probabilities were not calibrated: fewer than {fewest} validation images were "
        "classified correctly, which is too few for it and for a threshold. The probabilities are "
        "those of the network, which is often surer than it should be. More validation images help."
    ),
    "none": N_(
        "The probabilities were not calibrated: this takes validation images, and none were set "
        "aside (--val). They are those of the network, which is often surer than it should be."
    ),
    "settings": N_(
        "The probabilities were not calibrated, as the settings ask for. They are those of the "
        "network, which is often surer than it should be."
    ),
}


class ReportContent(TypedDict):
    """What a report shows besides the scores.

    Attributes:
        title: The headline of the page.
        history: A row for each epoch, as in history.csv. Without rows no chart is drawn.
        best_epoch: The epoch that was kept. If it is missing, the epoch of the highest validation
            accuracy.
        settings: The configuration, from section to name to value.
        data: The source, the kind, the counts (from each split to the images of each class), the
            fingerprint and notes.
        images: A function that returns the evaluated image of an index from 0 to n - 1, uint8.
        image_names: Their n names, such as paths.
        why: Why the most confident mistakes were made.
        extra: Anything else worth keeping, such as seconds, versions, precision and parameters.
    """

    title: str
    history: NotRequired[Sequence[Mapping[str, Any]]]
    best_epoch: NotRequired[int | None]
    settings: NotRequired[Mapping[str, Any]]
    data: NotRequired[Mapping[str, Any]]
    images: NotRequired[Callable[[int], ImageArray]]
    image_names: NotRequired[Sequence[str]]
    why: "NotRequired[Why | None]"
    extra: NotRequired[Mapping[str, Any]]


def report_dict(evaluation: Evaluation, **content: Unpack[ReportContent]) -> dict[str, Any]:
    """Return the content of report.json: every number of the report, and None where undefined."""
    facts = {
        "title": content["title"],
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        **evaluation.to_dict(),
        "mistakes": describe(evaluation, evaluation.worst(MISTAKES), content.get("image_names")),
        **_why_facts(evaluation, content.get("why")),
        "history": content.get("history", ()),
        "best_epoch": content.get("best_epoch"),
        "data": content.get("data", {}),
        "settings": content.get("settings", {}),
    }
    # The facts come first, and what is extra overrides none of them.
    plain: dict[str, Any] = plain_data(facts | dict(content.get("extra", {})) | facts)
    return plain


def _why_facts(evaluation: Evaluation, why: "Why | None") -> dict[str, Any]:
    return {} if why is None else {"why": why.to_dict(evaluation.class_names)}


def describe(
    evaluation: Evaluation, indices: Iterable[int], names: Sequence[str] | None
) -> list[dict[str, Any]]:
    """Return what is said of each image: its index, name, true and predicted class, confidence."""
    return [
        {
            "index": int(index),
            "name": None if names is None else str(names[index]),
            "label": evaluation.class_names[evaluation.labels[index]],
            "predicted": evaluation.class_names[evaluation.predicted[index]],
            "confidence": float(evaluation.confidence[index]),
        }
        for index in indices
    ]


def plain_data(value: Any) -> Any:
    """Return a value as JSON has it: without NaN, arrays and paths.

    >>> plain_data({1: (np.float32(0.5), math.nan)})
    {'1': [0.5, None]}
    """
    if isinstance(value, Mapping):
        return {str(name): plain_data(one) for name, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain_data(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_data(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | None) else str(value)


def name_images(seen: str) -> str:
    """Return the name of the images that were scored, in words."""
    return _(IMAGES_SEEN[seen]) if seen in IMAGES_SEEN else folds_in_words(seen) or seen


def accuracy_sentences(evaluation: Evaluation) -> str:
    """Return what the accuracy means and for which images it holds."""
    return accuracy_in_words(evaluation.to_dict())


def accuracy_in_words(facts: Mapping[str, Any]) -> str:
    """Return what the accuracy means, from the numbers as report.json has them."""
    score = score_of(facts["metrics"]["accuracy"])
    seen = facts["images_seen"]
    correct = sum(row[label] for label, row in enumerate(facts["confusion"]))
    if seen in CAVEATS:
        meaning = _(CAVEATS[seen])
    else:
        meaning = _(EXPECTED).format(low=100 * score.low, high=100 * score.high, n=score.n)
    return sentences(
        _(ACCURACY).format(correct=correct, n=score.n, images_seen=name_images(seen)),
        meaning,
        _(BASELINE).format(share=100 * facts["baseline"]),
    )


def score_of(numbers: Mapping[str, Any]) -> Score:
    """Return a score from its numbers as report.json has them."""
    ends = (numbers[name] for name in ("value", "low", "high"))
    value, low, high = (math.nan if end is None else float(end) for end in ends)
    return Score(value, low, high, int(numbers["n"]))


def baseline_sentence(evaluation: Evaluation) -> str:
    """Return how accurate it would be to predict the most frequent class for every image."""
    return _(BASELINE).format(share=100 * evaluation.baseline)


def none_of_these_sentences(evaluation: Evaluation) -> str:
    """Return what the threshold does to these images; empty if there is no threshold."""
    return none_of_these_in_words(evaluation.to_dict())


def none_of_these_in_words(facts: Mapping[str, Any]) -> str:
    """Return what the threshold does, from the numbers as report.json has them."""
    found = facts["none_of_these"]
    if found is None:
        return ""
    correct = score_of(found["accuracy"])
    said = [_(REACHED).format(reached=score_of(found["answered"]), accepted=correct.n)]
    if correct.defined:
        said.append(_(CORRECT).format(correct=correct))
    if facts["images_seen"] == "validation":
        said.append(_(CHOSEN))
    return sentences(*said)


def uncalibrated_in_words(facts: Mapping[str, Any]) -> str:
    """Return why the probabilities are not calibrated; empty if they are, or it is not known.

    Args:
        facts: What report.json has. That of earlier versions, and that of a classifier which they
            have calibrated, does not say why.
    """
    reason = facts.get("uncalibrated")
    if reason is None:
        return ""
    from convlens.evaluation.calibration import FEWEST  # which imports scipy.optimize

    return _(UNCALIBRATED[reason]).format(fewest=FEWEST)
