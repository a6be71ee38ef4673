"""The content of a report as data: what the page shows and what report.json holds."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict, Unpack

import numpy as np

from convlens.evaluation.evaluate import Evaluation
from convlens.preprocess import ImageArray

MISTAKES = 24  # how many mistakes are shown


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
        images: The n evaluated images, uint8: an array (n, height, width, channels) or a sequence.
        image_names: Their n names, such as paths.
        extra: Anything else worth keeping, such as seconds, versions, precision and parameters.
    """

    title: str
    history: NotRequired[Sequence[Mapping[str, Any]]]
    best_epoch: NotRequired[int | None]
    settings: NotRequired[Mapping[str, Any]]
    data: NotRequired[Mapping[str, Any]]
    images: NotRequired[Sequence[ImageArray] | ImageArray]
    image_names: NotRequired[Sequence[str]]
    extra: NotRequired[Mapping[str, Any]]


def report_dict(evaluation: Evaluation, **content: Unpack[ReportContent]) -> dict[str, Any]:
    """Return the content of report.json: every number of the report, and None where undefined."""
    facts = {
        "title": content["title"],
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        **evaluation.to_dict(),
        "mistakes": describe(evaluation, evaluation.worst(MISTAKES), content.get("image_names")),
        "history": content.get("history", ()),
        "data": content.get("data", {}),
        "settings": content.get("settings", {}),
    }
    extra = content.get("extra", {})
    plain: dict[str, Any] = plain_data(
        facts | {name: value for name, value in extra.items() if name not in facts}
    )
    return plain


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
