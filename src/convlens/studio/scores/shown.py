"""Shown: what a page shows of a run that has its report, in words and numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convlens.data.correction_lists import read_list
from convlens.evaluation.epochs import judge_epochs
from convlens.evaluation.evaluate import EXPLANATIONS
from convlens.evaluation.paired import Pair
from convlens.language import _, listed
from convlens.language_choice import TAGS, using
from convlens.report.content import (
    accuracy_in_words,
    none_of_these_in_words,
    uncalibrated_in_words,
)
from convlens.run_folder import COMPARISON_FACTS, read_json
from convlens.studio.scores.scores import Scores
from convlens.studio.written import seen_in_words, written
from convlens.text import printable


def version(scores: Scores, folder: Path) -> dict[str, Any]:
    """Return what a page shows of a run.

    Raises:
        RunError: If a file of it is damaged.
    """
    if (folder / COMPARISON_FACTS).is_file():
        return {"name": printable(folder.name), "has_scores": False} | _networks(folder)
    if not (folder / "report.json").is_file():
        return {"name": printable(folder.name), "has_scores": False}
    report = read_json(folder / "report.json")
    data = read_json(folder / "data.json")
    has_scores = "accuracy" in report.get("metrics", {})
    return {
        "name": printable(folder.name),
        "has_scores": has_scores,
        "lists": lists_of(folder, data),
        "has_other_list": scores.has_other_list(folder, data),
        "is_here": scores.is_of_workspace(data),
        "path": printable(data["path"]),
        "has_report": has_report(folder),
        **(_scored(report) if has_scores else {}),
        **(_by_image(scores, folder, report, data) if "confusion" in report else {}),
        "facts": _facts(report, data),
        "settings": _settings(report),
    }


def has_report(folder: Path) -> bool:
    """Return whether a run has a page of its own; a link may lead out of the workspace."""
    path = folder / "report.html"
    return path.is_file() and not path.is_symlink()


def lists_of(folder: Path, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the lists of corrections that a run has obeyed, with the number of their rows.

    Args:
        folder: The folder of the run.
        data: The content of its data.json.
    """
    return [
        {
            "name": printable(Path(one["file"]).name.partition("-")[2]),
            "rows": len(read_list(folder / one["file"]).corrections),
        }
        for one in data.get("lists", ())
    ]


def _networks(folder: Path) -> dict[str, Any]:
    """Return the networks of a comparison, the best first, and the verdicts on them."""
    found = read_json(folder / COMPARISON_FACTS)
    ranking = found.get("ranking", [])
    pairs = found.get("paired_test", {}).get("pairs", [])
    return {
        "networks": [
            {"name": printable(one["model"])}
            | {part: written(one[part]) for part in ("validation", "test")}
            for one in ranking
        ],
        "verdicts": [_verdict(pair, ranking[0]["test"]["n"]) for pair in pairs],
    }


def _verdict(pair: Mapping[str, Any], n: int) -> str:
    names = ("first", "second", "first_only", "second_only", "p", "p_corrected")
    return str(Pair(**{name: pair[name] for name in names}, n=n))


def _scored(report: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "n": report.get("n"),
        "seen": seen_in_words(report.get("images_seen", "test")),
        "accuracy": written(report["metrics"]["accuracy"]),
        "metrics": [
            {"name": _(EXPLANATIONS[name][0]), "meaning": _(EXPLANATIONS[name][1])}
            | written(numbers, name)
            for name, numbers in report["metrics"].items()
            if name in EXPLANATIONS
        ],
    }


def _by_image(
    scores: Scores, folder: Path, report: Mapping[str, Any], data: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the report says of the images that were scored one by one."""
    predictions = scores.state_of_predictions(folder)
    if predictions["state"] == "ready":
        counted = scores.predictions(folder).confusion.tolist()
        rows = zip(counted, report["confusion"], strict=False)
        moved = sum(abs(a - b) for one, other in rows for a, b in zip(one, other, strict=False))
        predictions["differ"] = moved // 2
    return {
        "said": accuracy_in_words(report),
        "none_of_these": none_of_these_in_words(report),
        "uncalibrated": uncalibrated_in_words(report),
        "epochs_verdict": _verdict_on_epochs(report, data),
        "class_names": [printable(name) for name in report["class_names"]],
        "confusion": report["confusion"],
        "classes": [
            {
                "name": printable(one["name"]),
                "images": one["images"],
                "predicted": one["predicted"],
                **{name: written(one[name], name) for name in ("precision", "recall", "f1")},
            }
            for one in report["classes"]
        ],
        "calibration": report["calibration"],
        "history": report["history"],
        "best_epoch": _best(report),
        "predictions": predictions,
    }


def _verdict_on_epochs(report: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Return the sentence on the number of epochs, in the language that is chosen now."""
    stored = printable(report.get("epochs_verdict") or "")
    images = len(data.get("splits", {}).get("val", ()))

    def judged() -> str:
        return printable(judge_epochs(report["history"], images)) if stored else ""

    for name in TAGS:
        with using(name):
            if judged() == stored:
                break
    else:
        return stored  # a sentence of its own
    return judged()


def _best(report: Mapping[str, Any]) -> int | None:
    """Return the epoch whose weights are kept; None if those from before the first epoch are."""
    kept = report.get("best_epoch")
    if kept is not None:
        return kept or None
    # Earlier versions did not note it; this is how the training chooses.
    known = [row for row in report["history"] if row.get("val_accuracy") is not None]
    best = max(known, key=lambda row: (row["val_accuracy"], -row["val_loss"]), default=None)
    return None if best is None else int(best["epoch"])


def _facts(report: Mapping[str, Any], data: Mapping[str, Any]) -> list[list[str]]:
    """Return what else is known of a run, as names and texts."""
    counts = {name: sum(row) for name, row in data.get("counts", {}).items()}
    images = listed(f"{_(name)} {number:,}" for name, number in counts.items())
    rows = [
        (_("network"), report.get("network")),
        (_("parameters"), _number(report.get("parameters"))),
        (_("images"), images or _number(data["images"])),
        (_("source"), data["path"]),
        (_("fingerprint"), str(data["fingerprint"])[:16]),
        (_("temperature"), _number(report.get("temperature"))),
        (_("test evaluations"), _number(report.get("test_evaluations"))),
        ("convlens", report.get("versions", {}).get("convlens")),
    ]
    return [[name, printable(value)] for name, value in rows if value not in (None, "")]


def _number(value: object) -> str | None:
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else None


def _settings(report: Mapping[str, Any]) -> list[list[str]]:
    return [
        [f"{section}.{name}", printable(value)]
        for section, values in report.get("settings", {}).items()
        for name, value in values.items()
        if value is not None
    ]
