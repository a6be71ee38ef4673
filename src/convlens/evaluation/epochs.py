"""Epochs: whether the number of epochs was right, judged from the validation curve."""

from collections.abc import Mapping, Sequence
from typing import Any

from convlens.evaluation.metrics import wilson
from convlens.language import N_, _, sentences

RISING = 0.9  # a best epoch in the last tenth of the training may not be the top yet
# The training overfits if the validation loss grew to this multiple of its minimum while the
# training loss went on falling.
OVERFITTING = 1.1

STILL_RISING = N_(
    "Best after epoch {best} of {total} ({accuracy:.1f} %), and still rising: more epochs may help."
)
NOT_STEADY = N_(
    "Best after epoch {best} of {total} ({accuracy:.1f} %); the validation accuracy of the last "
    "epoch is below its 95 % interval."
)
ENOUGH = N_(
    "Best after epoch {best} of {total} ({accuracy:.1f} %); from epoch {enough} on the validation "
    "accuracy is inside its 95 % interval."
)
TIED = N_(
    "{count} epochs reached {accuracy:.1f} %; the best of them is the one with the lowest "
    "validation loss."
)
LAST_IS_BEST = N_("The last epoch is the best: more epochs may help.")
OVERFITS = N_(
    "The validation loss rises again after epoch {lowest} while the training loss falls: "
    "overfitting. Fewer epochs, more augmentation or more images help."
)


def judge_epochs(history: Sequence[Mapping[str, Any]], n: int) -> str:
    """Return sentences on the number of epochs.

    An epoch was enough if its validation accuracy and that of all later epochs lie inside the 95 %
    interval of the best one, since no later epoch is significantly better. In a shorter training
    the learning rate would fall earlier; the number is therefore a guide and not a promise.

    Args:
        history: A row for each epoch, as in history.csv.
        n: The number of validation images.

    Returns:
        The sentences, or "" if there was a single epoch or no validation.

    Example:
        >>> accuracies = [0.5, 0.8, 0.9, 0.91, 0.905, 0.905]
        >>> rows = [{"epoch": e, "val_accuracy": a, "val_loss": 1 - a, "loss": 0.9 ** e}
        ...         for e, a in enumerate(accuracies, 1)]
        >>> judge_epochs(rows, 1000).split("; ")[0]
        'Best after epoch 4 of 6 (91.0 %)'
    """
    rows = [
        {name: float(row[name]) for name in ("epoch", "loss", "val_loss", "val_accuracy")}
        for row in history
        if row.get("val_accuracy") is not None
    ]
    if len(rows) < 2 or n < 1:
        return ""
    last = rows[-1]
    best = max(rows, key=lambda row: (row["val_accuracy"], -row["val_loss"]))  # the one kept
    low = wilson(round(best["val_accuracy"] * n), n).low
    # The epochs at the end that all lie inside the interval; the last one may lie below it.
    outside = [place for place, row in enumerate(rows) if row["val_accuracy"] < low]
    steady = rows[outside[-1] + 1 :] if outside else rows
    enough = steady[0] if steady else None
    found = {
        "best": int(best["epoch"]),
        "total": int(last["epoch"]),
        "accuracy": 100 * best["val_accuracy"],
    }
    if enough is not None:
        found["enough"] = int(enough["epoch"])
    equal = sum(row["val_accuracy"] == best["val_accuracy"] for row in rows)
    may_rise = best["val_accuracy"] < 1
    is_near_the_end = best["epoch"] > RISING * last["epoch"]
    if may_rise and is_near_the_end and enough is best and equal == 1:
        return _(STILL_RISING).format(**found)
    said = [_(NOT_STEADY if enough is None else ENOUGH).format(**found)]
    if equal > 1:
        said.append(_(TIED).format(count=equal, **found))
    if may_rise and best is last:
        said.append(_(LAST_IS_BEST))
    lowest = min(rows, key=lambda row: row["val_loss"])
    if last["val_loss"] > OVERFITTING * lowest["val_loss"] and last["loss"] < lowest["loss"]:
        said.append(_(OVERFITS).format(lowest=int(lowest["epoch"])))
    return sentences(*said)
