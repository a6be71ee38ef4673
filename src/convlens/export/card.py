"""Card: the README.md of an exported folder, with the front matter that model hubs read."""

from typing import Any

import jinja2

from convlens.evaluation.evaluate import EXPLANATIONS
from convlens.export.proof import Proof
from convlens.language import _, ngettext

SCORES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "expected_calibration_error")


def render_card(facts: dict[str, Any], report: dict[str, Any], proof: Proof) -> str:
    """Return the card as Markdown, in the chosen language.

    Args:
        facts: The content of convlens.json.
        report: The content of the run's report.json; {} if there is none.
        proof: What the comparison with the classifier has found.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("convlens.export", "."),
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(_, ngettext)  # type: ignore[attr-defined]
    metrics = report.get("metrics", {})
    values = {
        "facts": facts,
        "report": report,
        "scores": {name: metrics[name] for name in SCORES if name in metrics},
        "explanations": EXPLANATIONS,
        "score_text": _score_text,
        "proof": proof,
    }
    return environment.get_template("card.md").render(values)


def _score_text(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if name == "log_loss" else f"{100 * value:.1f} %"
