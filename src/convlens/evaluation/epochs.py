"""Epochs: how many were enough, and whether more would help, read off the validation curve."""

from collections.abc import Mapping, Sequence
from typing import Any

from convlens.evaluation.metrics import wilson

RISING = 0.9  # a best epoch in the last tenth may not be the top yet
FORGOTTEN = (
    1.1  # a validation loss that grew by a tenth from its lowest while the training loss fell
)


def judge_epochs(history: Sequence[Mapping[str, Any]], n: int) -> str:
    """Return a sentence on the number of epochs; empty where nothing was validated or there was one epoch.

    An epoch was enough if its validation accuracy lies inside the best one's 95 % interval: what comes later is not
    surely better. The learning rate of a shorter run would fall sooner, so the number is a guide, not a promise.

    Args:
        history: a row an epoch, as in history.csv.
        n: number of validation images.

    >>> rows = [{"epoch": e, "val_accuracy": a, "val_loss": 1 - a, "loss": 0.9 ** e}
    ...         for e, a in enumerate([0.5, 0.8, 0.9, 0.91, 0.905, 0.905], 1)]
    >>> judge_epochs(rows, 1000)
    'Best after epoch 4 of 6 (91.0 %); from epoch 3 on the validation accuracy is inside its 95 % interval.'
    """
    rows = [row for row in history if row.get("val_accuracy") is not None]
    if len(rows) < 2 or n < 1:
        return ""
    best = max(
        rows, key=lambda row: (float(row["val_accuracy"]), -float(row["val_loss"]))
    )  # the one that was kept
    top, last = float(best["val_accuracy"]), rows[-1]
    least = wilson(round(top * n), n).low
    enough = next(row for row in rows if float(row["val_accuracy"]) >= least)
    total, at = int(last["epoch"]), int(best["epoch"])
    sentence = f"Best after epoch {at} of {total} ({100 * top:.1f} %)"
    if at > RISING * total and enough is best:
        return f"{sentence}, and still rising: more epochs may help."
    sentence += f"; from epoch {int(enough['epoch'])} on the validation accuracy is inside its 95 % interval."
    if at == total:
        sentence += " The last is the best: more may help."
    lowest = min(rows, key=lambda row: float(row["val_loss"]))
    if float(last["val_loss"]) > FORGOTTEN * float(lowest["val_loss"]) and float(
        last["loss"]
    ) < float(lowest["loss"]):
        sentence += (
            f" The validation loss rises again after epoch {int(lowest['epoch'])} while the training loss falls: "
            "overfitting. Fewer epochs, more augmentation or more images help."
        )
    return sentence
