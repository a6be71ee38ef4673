"""Scored: folders of finished runs that were never trained, with what their reports say."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convlens.config import Config
from convlens.evaluation.evaluate import Evaluation, evaluate
from convlens.report.content import report_dict
from convlens.report.predictions import write_predictions
from convlens.run_folder import SETTINGS

BEGAN = "2026-01-02T03:04:{second:02}+00:00"


def predicted(
    labels: Sequence[int], answers: Sequence[int], names: Sequence[str], **more: object
) -> Evaluation:
    """Return the scores of some answers; each is surer than the one before."""
    rows = np.full((len(labels), len(names)), 0.0)
    sure = np.linspace(0.6, 0.95, len(labels))
    rows += ((1 - sure) / (len(names) - 1))[:, None]
    rows[np.arange(len(labels)), list(answers)] = sure
    return evaluate(labels, rows, names, **more)


def write_run(
    folder: Path,
    evaluation: Evaluation,
    files: Sequence[str],
    *,
    path: Path | str = "photos",
    second: int = 0,
    **settings: object,
) -> Path:
    """Write the files of a finished run."""
    (folder / "state").mkdir(parents=True)
    (folder / SETTINGS).write_text(Config().to_toml(), encoding="utf-8")
    data = {
        "began": BEGAN.format(second=second),
        "images": 2 * len(files),
        "path": str(path),
        "source": str(path),
        "class_names": list(evaluation.class_names),
        "fingerprint": f"{second:064}",
        "counts": {"test": evaluation.confusion.sum(1).tolist()},
        "splits": {"train": [], "val": list(range(20)), "test": list(range(len(files)))},
    }
    history = [
        {"epoch": n, "loss": 1 / n, "accuracy": 1 - 1 / (n + 1), "val_loss": 1.2 / n}
        | {"val_accuracy": 0.9 - 1 / (n + 2), "learning_rate": 1e-3, "seconds": 1.0}
        for n in range(1, 5)
    ]
    report = report_dict(
        evaluation,
        title=folder.name,
        history=history,
        image_names=list(files),
        settings={"training": {"epochs": 4, "seed": 0} | settings},
        data={name: data[name] for name in ("images", "counts", "fingerprint")},
        extra={"network": "tiny", "parameters": 1234, "seconds": 65.0, "test_evaluations": 1},
    )
    (folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    (folder / "report.html").write_text("<!doctype html><title>report</title>", encoding="utf-8")
    (folder / "classifier.keras").write_bytes(EMPTY_ZIP)
    columns = list(history[0])
    rows = [",".join(str(row[name]) for name in columns) for row in history]
    (folder / "history.csv").write_text("\n".join([",".join(columns), *rows, ""]), encoding="utf-8")
    write_predictions(folder, evaluation, files)
    return folder


EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
