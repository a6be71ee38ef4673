"""The report of an evaluation: report.html (one file, opens offline), report.json (every number) and plots/*.png."""

import base64
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NotRequired, TypedDict, Unpack

import jinja2
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from convlens.charts import evaluation as plots
from convlens.charts.curves import show_history
from convlens.charts.fonts import subset_font
from convlens.charts.style import percent
from convlens.errors import StorageError
from convlens.evaluation.evaluate import EXPLANATIONS, Evaluation

MISTAKES, RIGHT = 24, 16  # images shown
LONGEST_SIDE = 192  # pixels of an image in the report
ITEMS = 30  # of a list among the settings


class ReportContent(TypedDict):
    """What a report shows besides the scores.

    title: headline of the page.
    history: a row an epoch, as in history.csv; nothing is drawn where it is empty.
    best_epoch: the epoch that was kept; where not given, the one of the highest validation accuracy.
    settings: the configuration, section -> name -> value.
    data: source, kind, counts (split -> images of each class, or their sum), fingerprint, notes.
    images: the n evaluated images, uint8, indexable: an array (n, height, width, channels) or a sequence.
    image_names: their n names, such as paths.
    extra: anything else worth keeping: seconds, versions, precision, parameters.
    """

    title: str
    history: NotRequired[Sequence[Mapping[str, Any]]]
    best_epoch: NotRequired[int | None]
    settings: NotRequired[Mapping[str, Any]]
    data: NotRequired[Mapping[str, Any]]
    images: NotRequired[Sequence[NDArray[np.uint8]] | NDArray[np.uint8]]
    image_names: NotRequired[Sequence[str]]
    extra: NotRequired[Mapping[str, Any]]


def write_report(
    folder: str | Path, evaluation: Evaluation, **content: Unpack[ReportContent]
) -> Path:
    """Write report.html, report.json and plots/*.png into `folder`; return the path of report.html.

    Each file is written under another name first, so that a report is never half there.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    folder = Path(folder)
    charts = _charts(evaluation, content)
    written = {
        folder / "plots" / f"{name}.png": _draw(chart, "png") for name, chart in charts.items()
    }
    facts = report_dict(evaluation, **content)
    written[folder / "report.html"] = _page(evaluation, charts, facts, content).encode()
    written[folder / "report.json"] = json.dumps(
        facts, ensure_ascii=False, allow_nan=False, indent=1
    ).encode()
    for path, data in written.items():
        _replace(path, data)
    return folder / "report.html"


def report_dict(evaluation: Evaluation, **content: Unpack[ReportContent]) -> dict[str, Any]:
    """Return the content of report.json: every number of the report, with None for what is not defined."""
    names = content.get("image_names")
    mistakes = [
        {
            "index": int(i),
            "name": str(names[i]) if names is not None else None,
            "label": evaluation.class_names[evaluation.labels[i]],
            "predicted": evaluation.class_names[evaluation.predicted[i]],
            "confidence": float(evaluation.confidence[i]),
        }
        for i in evaluation.worst(MISTAKES)
    ]
    facts = {
        "title": content["title"],
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        **evaluation.to_dict(),
        "mistakes": mistakes,
        "history": content.get("history", ()),
        "data": content.get("data", {}),
        "settings": content.get("settings", {}),
    }
    more = {name: value for name, value in content.get("extra", {}).items() if name not in facts}
    plain: dict[str, Any] = _plain(facts | more)
    return plain


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: no NaN, no arrays, no paths."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | None) else str(value)


def _charts(evaluation: Evaluation, content: ReportContent) -> dict[str, Figure]:
    charts = {
        "confusion": plots.show_confusion(evaluation.confusion, evaluation.class_names),
        "calibration": plots.show_calibration(evaluation.bins),
    }
    if content.get("history"):
        charts["history"] = show_history(content["history"], best=content.get("best_epoch"))
    worst = evaluation.worst(MISTAKES)
    if "images" in content and len(worst):
        charts["mistakes"] = plots.show_images(
            [np.asarray(content["images"][int(i)]) for i in worst],
            evaluation.labels[worst].tolist(),
            probabilities=evaluation.probabilities[worst],
            class_names=evaluation.class_names,
        )
    return charts


def _draw(figure: Figure, kind: str) -> bytes:
    """Return a figure as a PNG or SVG file; the same figure gives the same bytes."""
    file = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "convlens"}):
        figure.savefig(
            file, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None
        )
    figure.set_layout_engine("none")  # found once; the next kind keeps it
    return file.getvalue()


def _page(
    evaluation: Evaluation,
    charts: Mapping[str, Figure],
    facts: dict[str, Any],
    content: ReportContent,
) -> str:
    images = content.get("images")
    shown = {
        "mistakes": _cards(
            evaluation, evaluation.worst(MISTAKES), images, content.get("image_names")
        ),
        "right": _cards(evaluation, evaluation.right(RIGHT), images, content.get("image_names")),
    }
    data = {name: value for name, value in facts["data"].items() if name not in ("counts", "notes")}
    page = {
        "facts": facts,
        "evaluation": evaluation,
        "explanations": EXPLANATIONS,
        "sentence": _sentence(evaluation),
        "none_of_these": _none_of_these(evaluation),
        "charts": {
            name: _data_uri(_draw(chart, "svg"), "svg+xml")
            for name, chart in charts.items()
            if name != "mistakes"
        },
        "images": shown,
        "confusions": evaluation.confusions(8),
        "data": _rows(data),
        "splits": _splits(facts["data"].get("counts"), evaluation.class_names),
        "settings": {name: _rows(value) for name, value in _sections(facts["settings"]).items()},
        "extra": _rows(
            _plain({k: v for k, v in content.get("extra", {}).items() if k != "epochs_verdict"})
        ),
    }
    html = _template().render(page, font="")
    font = subset_font([html])  # only a page with Chinese, Japanese or Korean needs one
    return html if font is None else _template().render(page, font=base64.b64encode(font).decode())


@cache
def _template() -> jinja2.Template:
    source = files("convlens.report").joinpath("report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(source)


def _sentence(evaluation: Evaluation) -> str:
    """Return in words what the accuracy means, and for which images it holds."""
    score, seen = evaluation.scores["accuracy"], evaluation.images_seen
    right = int(np.trace(evaluation.confusion))
    start = (
        f"Of {score.n:,} {seen} images, {right:,} {'was' if right == 1 else 'were'} named rightly."
    )
    always = f"Always answering the most frequent class would be right in {100 * evaluation.baseline:.1f} %."
    if seen == "train":
        return f"{start} The network learned from these very images: new ones will be named rightly less often. {always}"
    if seen == "validation":
        return f"{start} The best epoch was chosen on these images, so that the score is a little too high. {always}"
    return (
        f"{start} On new images of the same kind, expect between {100 * score.low:.1f} % and "
        f"{100 * score.high:.1f} %: more than that {score.n:,} images cannot tell. {always}"
    )


def _none_of_these(evaluation: Evaluation) -> str:
    """Return in words what the threshold does to these images; empty where there is none."""
    if evaluation.threshold is None:
        return ""
    answered, right, n = evaluation.answered, evaluation.answered_rightly, evaluation.answered.n
    said = f"{right.n:,} of these {n:,} images reach it, {answered.value_text} {answered.interval_text}."
    if right.defined:
        said += f" Of them {right.value_text} {right.interval_text} are named rightly."
    if evaluation.images_seen == "validation":
        said += " The threshold was chosen on these very images."
    return said.replace(" %", "\N{NO-BREAK SPACE}%")


def _cards(
    evaluation: Evaluation,
    indices: NDArray[np.int64],
    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8] | None,
    names: Sequence[str] | None,
) -> list[dict[str, str]]:
    """Return what the page says of each image: the image itself, prediction, label, confidence, name."""
    if images is None:
        return []
    return [
        {
            "source": _image_uri(np.asarray(images[int(i)])),
            "predicted": evaluation.class_names[evaluation.predicted[i]],
            "label": evaluation.class_names[evaluation.labels[i]],
            "confidence": percent(float(evaluation.confidence[i])),
            "name": str(names[i]) if names is not None else f"image {i}",
        }
        for i in indices
    ]


def _image_uri(image: NDArray[np.uint8]) -> str:
    drawn = Image.fromarray(image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image)
    file = io.BytesIO()
    if max(drawn.size) <= plots.SMALL:  # exact, since each of its pixels will be seen
        drawn.save(file, "PNG")
        return _data_uri(file.getvalue(), "png")
    drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    drawn.convert("L" if drawn.mode == "L" else "RGB").save(file, "JPEG", quality=85)
    return _data_uri(file.getvalue(), "jpeg")


def _data_uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _sections(settings: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return settings by section; those outside of one come first."""
    loose = {name: value for name, value in settings.items() if not isinstance(value, Mapping)}
    return ({"": loose} if loose else {}) | {
        name: v for name, v in settings.items() if isinstance(v, Mapping)
    }


def _rows(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return (name, text) of each value, nested names joined by a blank."""
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        label = f"{prefix}{name}".replace("_", " ")
        if isinstance(value, Mapping):
            rows += _rows(value, f"{label} ")
        elif value is not None and value != []:
            rows.append((label, _text(value)))
    return rows


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        more = f" and {len(value) - ITEMS} more" if len(value) > ITEMS else ""
        return ", ".join(_text(one) for one in value[:ITEMS]) + more
    return str(value)


def _splits(counts: Any, class_names: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the table of images a split: header, a row a class where counts are by class, and the sum."""
    if not isinstance(counts, Mapping) or not counts:
        return None
    by_class = all(
        isinstance(one, list) and len(one) == len(class_names) for one in counts.values()
    )
    columns = [one if isinstance(one, list) else [one] for one in counts.values()]
    rows = (
        [(name, [c[i] for c in columns]) for i, name in enumerate(class_names)] if by_class else []
    )
    return {"names": list(counts), "rows": rows, "sums": [sum(column) for column in columns]}


def _replace(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise StorageError(
            f"The report must be written to {path}; {error.strerror or error}. Make room, or choose another folder."
        ) from error
