"""Card: the README.md of an exported folder, with the front matter that model hubs read."""

from typing import Any

from convlens.charts.html import render_text
from convlens.evaluation.evaluate import EXPLANATIONS
from convlens.export.proof import Proof

SCORES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "expected_calibration_error")


def render_card(facts: dict[str, Any], report: dict[str, Any], proof: Proof) -> str:
    """Return the card as Markdown, in the chosen language.

    Args:
        facts: The content of convlens.json.
        report: The content of the run's report.json; {} if there is none.
        proof: What the comparison with the classifier has found.
    """
    values = {
        "facts": facts,
        "report": report,
        "scores": scores_of(report),
        "explanations": EXPLANATIONS,
        "score_text": _score_text,
        "proof": proof,
    }
    return render_text("convlens.export", "card.md", values)


def scores_of(report: dict[str, Any]) -> dict[str, Any]:
    """Return the scores of a report that leave with an export, with their 95 % intervals.

    Args:
        report: The content of the run's report.json; {} if there is none.
    """
    metrics = report.get("metrics", {})
    return {name: metrics[name] for name in SCORES if name in metrics}


def _score_text(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if name == "log_loss" else f"{100 * value:.1f} %"
