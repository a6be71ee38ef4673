"""Results: what is written into a folder, and shown, of the scores of a classifier."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from convlens.classifier.archive import read_facts
from convlens.classifier.classifier import Classifier
from convlens.data.prepared import Prepared
from convlens.errors import ClassifierError, RunError
from convlens.evaluation.epochs import judge_epochs
from convlens.evaluation.evaluate import EXPLANATIONS, Evaluation
from convlens.language import N_, _
from convlens.preprocess import ImageArray
from convlens.report.content import baseline_sentence
from convlens.report.page import write_report
from convlens.report.predictions import write_predictions
from convlens.report.why import explain_mistakes
from convlens.run import Run
from convlens.screen import Screen

FEW = 100  # With fewer images an interval spans some 15 percentage points and more.
OF_RUN = ("test", "validation")  # images that a run has set aside
FEW_OF_RUN = N_(
    "few test images, wide intervals: --folds 5 scores every image; more images help most"
)
FEW_OTHERS = N_("few images, wide intervals: more images help")


@dataclass(frozen=True, eq=False)
class Scored:
    """An evaluation and the images that it is of.

    Attributes:
        evaluation: All scores.
        prepared: The images.
        indices: (n,) indices of the images that were scored.
        explained: Whether the report explains the most confident mistakes. Those of other networks
            than that of the run, as in a cross-validation, cannot be explained.
    """

    evaluation: Evaluation
    prepared: Prepared
    indices: NDArray[np.int64]
    explained: bool = True

    @property
    def files(self) -> list[str]:
        """The names of the images in lists."""
        return [self.prepared.dataset.file_name(int(index)) for index in self.indices]


def judge_run(run: Run, classifier: Classifier) -> str:
    """Return a sentence on the number of epochs of a run, or "" where there is nothing to say."""
    if run.history and classifier.provenance["best"]["epoch"] == 0:
        return _("No epoch was better than the head alone, which is kept.")
    return judge_epochs(run.history, len(run.data["splits"]["val"]))


def training_seconds(run: Run) -> float:
    """Return the seconds in which a network was trained: those of its epochs and of its head.

    What cannot be read counts as no time, since no report is to fail for it.
    """
    seconds = 0.0
    with suppress(RunError):
        seconds += sum(float(row["seconds"] or 0) for row in run.history)
    with suppress(ClassifierError):
        seconds += read_facts(run.classifier_path)["provenance"].get("head_seconds", 0.0)
    return seconds


def write_evaluation(
    run: Run,
    folder: Path,
    classifier: Classifier,
    scored: Scored,
    extra: Mapping[str, Any],
) -> None:
    """Write the predictions, report.html, report.json and the plots of an evaluation.

    Args:
        run: The run of the classifier.
        folder: Where the files are written.
        classifier: The classifier that was scored.
        scored: Its scores.
        extra: Further entries of report.json.

    Raises:
        StorageError: If a file cannot be written.
    """
    prepared = scored.prepared
    provenance = classifier.provenance
    always = ("network", "parameters", "precision", "versions")

    def image_at(index: int) -> ImageArray:
        return np.asarray(prepared.store.images[scored.indices[index]])

    why = None
    if scored.explained:
        learned = len(prepared.splits.train)
        why = explain_mistakes(run, classifier, scored.evaluation, image_at, learned)
    sometimes = [name for name in ("features", "strength", "fine_tuning") if name in provenance]
    write_predictions(folder, scored.evaluation, scored.files)
    write_report(
        folder,
        scored.evaluation,
        title=run.folder.name,
        history=run.history,
        best_epoch=int(provenance["best"]["epoch"]),
        settings=_settings(run, provenance),
        data=prepared.summary() | {"notes": prepared.notes},
        images=image_at,
        image_names=[prepared.dataset.image_name(int(i)) for i in scored.indices],
        why=why,
        extra={
            "seconds": training_seconds(run),
            "epochs_verdict": judge_run(run, classifier),
            "seen_as": prepared.preprocessing.to_dict(),
            "calibrated": classifier.threshold is not None,
            "uncalibrated": provenance.get("uncalibrated"),
            "temperature": classifier.temperature,
            "threshold": classifier.threshold,
            **{name: provenance[name] for name in (*always, *sometimes)},
            **extra,
        },
    )


def _settings(run: Run, provenance: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the sections of the configuration that this run has used."""
    config = run.config
    settings = {
        "data": asdict(config.data),
        "training": asdict(config.training),
        "augment": asdict(config.augment),
    }
    if config.transfer.backbone is not None:
        settings["transfer"] = asdict(config.transfer)
    if "strength" in provenance and not run.history:
        # A logistic regression is not trained by steps.
        kept = ("seed", "calibration", "accept")
        settings["training"] = {name: settings["training"][name] for name in kept}
    if config.model.model == "custom_cnn":
        # The other networks have no use for these fields.
        settings["model"] = asdict(config.model)
    return settings


def publish(
    run: Run,
    folder: Path,
    classifier: Classifier,
    scored: Scored,
    extra: Mapping[str, Any],
    screen: Screen,
) -> None:
    """Print the scores, write the report of them, and print where it lies; see `write_evaluation`.

    The scores are there before the report, which takes seconds to draw.
    """
    show_scores(scored.evaluation, screen)
    with screen.status(_("writing the report")):
        write_evaluation(run, folder, classifier, scored, extra)
    say_report(folder, screen)


def say_report(folder: Path, screen: Screen) -> None:
    """Print where the report in a folder lies."""
    screen.say()
    screen.fact(_("report"), str(folder / "report.html"))


def show_scores(evaluation: Evaluation, screen: Screen) -> None:
    """Print the scores, what they compare with, and what the threshold does."""
    screen.gap()
    screen.columns(score_rows(evaluation), left=(0, 2))
    screen.say()
    screen.say(baseline_sentence(evaluation), "dim")
    if evaluation.threshold is not None:
        screen.say()
        screen.fact(_("threshold"), _describe_threshold(evaluation, evaluation.threshold))
    if len(evaluation.labels) < FEW:
        screen.note(_(FEW_OF_RUN if evaluation.images_seen in OF_RUN else FEW_OTHERS))


def score_rows(evaluation: Evaluation) -> list[list[Text]]:
    """Return a table with a row for each score: its value, its 95 % interval and its images."""
    rows = [[Text(name) for name in (_("score"), _("value"), _("95 % interval"), _("images"))]]
    for name, score in evaluation.scores.items():
        style = "bold" if name == "accuracy" else ""
        cells = (_(EXPLANATIONS[name][0]), score.value_text, score.interval_text, f"{score.n:,}")
        rows.append([Text(cell, style) for cell in cells])
    return rows


def _describe_threshold(evaluation: Evaluation, threshold: float) -> str:
    return _(
        "{threshold:.1f} %: {accepted.value_text} {accepted.interval_text} of the "
        "images reach it, and {correct.value_text} {correct.interval_text} of those are classified "
        "correctly; the others are none of these"
    ).format(
        threshold=100 * threshold,
        accepted=evaluation.accepted,
        correct=evaluation.accepted_accuracy,
    )
