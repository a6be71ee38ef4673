"""The report of an evaluation, written as files that open offline.

`report.html` is a page for people, `report.json` holds every number of it, and `plots/` the charts.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Unpack

from matplotlib.figure import Figure

from convlens.charts.curves import show_history
from convlens.charts.evaluation import show_calibration, show_confusion
from convlens.charts.html import data_uri, draw, each_language, image_uri, render_page
from convlens.charts.images import show_images
from convlens.charts.style import percent
from convlens.classifier.runtime import said_arithmetic
from convlens.evaluation.evaluate import EXPLANATIONS, Evaluation
from convlens.files import and_more, write_atomically
from convlens.language import N_, Message, _, again
from convlens.language_choice import TAGS, language
from convlens.preprocess import ImageArray
from convlens.report.content import (
    MISTAKES,
    ReportContent,
    accuracy_sentences,
    describe,
    name_images,
    none_of_these_sentences,
    report_dict,
    uncalibrated_in_words,
)
from convlens.report.setting_names import said_strength
from convlens.report.why_page import why_values

CORRECT = 16  # how many correct predictions are shown
CONFUSIONS = 8  # how many pairs of classes are listed
LONGEST_SIDE = 192  # pixels of an image in the page
ITEMS = 30  # how many items of a list among the settings are shown
SENTENCES = ("epochs_verdict", "uncalibrated")  # what the page says elsewhere, in words
LABELS = (  # of facts in the page, with the names that report.json gives to them
    *(N_("source"), N_("kind"), N_("class names"), N_("images"), N_("fingerprint")),
    *(N_("train"), N_("val"), N_("test"), N_("unlabelled")),
    *(N_("data"), N_("training"), N_("augment"), N_("transfer"), N_("model")),
    *(N_("seconds"), N_("network"), N_("parameters"), N_("temperature")),
    N_("calibrated"),
    *(N_("threshold"), N_("features"), N_("strength"), N_("fine tuning"), N_("test evaluations")),
    *(N_("seen as height"), N_("seen as width"), N_("seen as channels"), N_("seen as fit")),
    *(N_("seen as scale"), N_("seen as offset"), N_("seen as unit")),
    *(N_("versions python"), N_("versions system"), N_("versions engine"), N_("versions cores")),
    *(N_("evaluated"), N_("evaluated path")),
)


def write_report(
    folder: str | Path, evaluation: Evaluation, **content: Unpack[ReportContent]
) -> Path:
    """Write report.html, report.json and plots/*.png into a folder; return the path of the page.

    Each file is replaced as a whole. A report is therefore never incomplete.

    Raises:
        StorageError: If a file cannot be written, for example because the disk is full.
    """
    folder = Path(folder)
    facts = report_dict(evaluation, **content)
    written: dict[str, bytes | str] = {}
    sources: dict[str, dict[str, str]] = {}  # from each chart and language to an image of the page
    chosen = TAGS[language()]
    for tag in each_language():
        for chart, figure in _charts(evaluation, content).items():
            if tag == chosen:
                written[f"plots/{chart}.png"] = draw(figure, "png")
                figure.set_layout_engine("none")  # the SVG of the page keeps the layout of the PNG
            sources.setdefault(chart, {})[tag] = data_uri(draw(figure, "svg"), "svg+xml")
    mistakes = _show_mistakes(evaluation, content)
    if mistakes is not None:
        written["plots/mistakes.png"] = draw(mistakes, "png")
    written["report.html"] = _page(evaluation, sources, facts, content)
    text = json.dumps(again(facts), ensure_ascii=False, allow_nan=False, indent=1)
    written["report.json"] = text
    for name, data in written.items():
        write_atomically(folder / name, data, _("the report"))
    return folder / "report.html"


def _charts(evaluation: Evaluation, content: ReportContent) -> dict[str, Figure]:
    charts = {
        "confusion": show_confusion(evaluation.confusion, evaluation.class_names),
        "calibration": show_calibration(evaluation.bins),
    }
    if content.get("history"):
        charts["history"] = show_history(content["history"], best=content.get("best_epoch"))
    return charts


def _show_mistakes(evaluation: Evaluation, content: ReportContent) -> Figure | None:
    """Return a figure of the most confident mistakes; None if there are none, or no images."""
    worst = evaluation.worst(MISTAKES)
    if "images" not in content or not len(worst):
        return None
    return show_images(
        [content["images"](int(index)) for index in worst],
        evaluation.labels[worst].tolist(),
        probabilities=evaluation.probabilities[worst],
        class_names=evaluation.class_names,
    )


def _page(
    evaluation: Evaluation,
    charts: Mapping[str, Mapping[str, str]],
    facts: dict[str, Any],
    content: ReportContent,
) -> str:
    images = content.get("images")
    correct = describe(evaluation, evaluation.correct(CORRECT), content.get("image_names"))
    data = {name: value for name, value in facts["data"].items() if name not in ("counts", "notes")}
    counts = facts["data"].get("counts")
    mistakes = _cards(facts["mistakes"], images)
    values = {
        "facts": facts,
        "evaluation": evaluation,
        "explanations": EXPLANATIONS,
        "accuracy_sentences": accuracy_sentences(evaluation),
        "none_of_these": none_of_these_sentences(evaluation),
        "uncalibrated": uncalibrated_in_words(facts),
        "charts": charts,
        "seen": name_images(evaluation.images_seen),
        "mistakes": mistakes,
        "why": why_values(content.get("why"), evaluation.class_names, mistakes),
        "correct": _cards(correct, images),
        "confusions": evaluation.confusions(CONFUSIONS),
        "data": _rows(data),
        "splits": _splits(counts, evaluation.class_names) if counts else None,
        "settings": {name: _settings(value) for name, value in facts["settings"].items()},
        "extra": _rows(
            {name: facts[name] for name in content.get("extra", {}) if name not in SENTENCES}
        ),
    }
    return render_page("convlens.report", "report.html", values)


def _cards(
    described: list[dict[str, Any]], image_at: Callable[[int], ImageArray] | None
) -> list[dict[str, str]]:
    """Return what the page shows of each image; nothing if there are no images."""
    if image_at is None:
        return []
    return [
        {
            "source": image_uri(image_at(one["index"]), LONGEST_SIDE),
            "predicted": one["predicted"],
            "label": one["label"],
            "confidence": percent(one["confidence"]),
            "name": one["name"] or _("image {index}").format(index=one["index"]),
        }
        for one in described
    ]


def _settings(values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the (name, text, key) of each setting; the key is that of run.toml."""
    return [(*row, key) for key, value in values.items() for row in _rows({key: value})]


def _rows(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return the (name, text) of each value; nested names are joined by a blank."""
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        label = f"{prefix}{name}".replace("_", " ")
        if label == "precision":  # which is also a score
            label = N_("numerical precision")
        if isinstance(value, Mapping):
            rows += _rows(value, f"{label} ")
        elif name == "features" and isinstance(value, str):
            rows.append((label, said_arithmetic(value)))
        elif name == "strength":
            rows.append((label, said_strength(value)))
        elif value is not None and value != []:
            rows.append((label, _text(value)))
    return rows


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return and_more([_text(one) for one in value], ITEMS)
    return value if isinstance(value, Message) else str(value)


def _splits(counts: Mapping[str, list[int]], class_names: tuple[str, ...]) -> dict[str, Any]:
    """Return the table of the images: a row for each class, a column for each split, the sums."""
    return {
        "names": list(counts),
        "rows": list(zip(class_names, zip(*counts.values(), strict=True), strict=True)),
        "sums": [sum(column) for column in counts.values()],
    }
