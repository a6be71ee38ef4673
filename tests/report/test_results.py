"""What is written and shown of the scores of a classifier."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from convlens.evaluation.evaluate import evaluate
from convlens.report import results
from convlens.report.results import judge_run, score_rows, show_scores
from convlens.screen import Screen
from tests.trainings import recording


def scored(count, threshold=None):
    """Return an evaluation of so many images, half of which are predicted with confidence."""
    labels = np.arange(count) % 2
    rows = np.full((count, 2), 0.4)
    rows[np.arange(count), labels] = 0.6
    rows[: count // 2] = np.eye(2)[labels[: count // 2]]
    return evaluate(labels, rows, ["a", "b"], threshold=threshold)


def test_the_scores_and_the_baseline_are_shown():
    screen, text = recording()
    show_scores(scored(120), screen)
    shown = text.getvalue()
    assert "Accuracy" in shown
    assert "correct for 50.0 % of the images" in shown
    assert "threshold" not in shown
    assert "wide intervals" not in shown


def test_the_scores_are_shown_before_the_report_is_drawn(tmp_path, monkeypatch):
    screen, text = recording()
    seen = []
    monkeypatch.setattr(results, "write_evaluation", lambda *_: seen.append(text.getvalue()))
    found = results.Scored(scored(120), prepared=None, indices=np.arange(120))
    results.publish(None, tmp_path, None, found, {}, screen)
    (before,) = seen
    assert "Accuracy" in before
    assert "report.html" not in before
    assert f"report       {tmp_path / 'report.html'}" in text.getvalue()


def test_what_the_threshold_does_is_shown():
    screen, text = recording()
    show_scores(scored(120, threshold=0.9), screen)
    assert "threshold    90.0 %: 50.0 % [" in text.getvalue()
    assert "] of the images reach it, and 100.0 % [" in text.getvalue()


@pytest.mark.parametrize(("count", "noted"), [(99, True), (100, False)])
def test_few_images_are_noted(count, noted):
    screen, text = recording()
    show_scores(scored(count), screen)
    assert ("few test images, wide intervals: --folds 5" in text.getvalue()) is noted


def test_folds_are_not_advised_where_they_would_not_help():
    """The images of a cross-validation, and those of another folder, are all scored."""
    screen, text = recording()
    show_scores(replace(scored(80), images_seen="5 held-out folds"), screen)
    assert "few images, wide intervals" in text.getvalue()
    assert "--folds" not in text.getvalue()


def run_of(accuracies):
    rows = [
        {"epoch": float(epoch), "val_accuracy": value, "val_loss": 1 - value, "loss": 0.9**epoch}
        for epoch, value in enumerate(accuracies, start=1)
    ]
    return SimpleNamespace(history=rows, data={"splits": {"val": list(range(1000))}})


def best(epoch):
    return SimpleNamespace(provenance={"best": {"epoch": epoch}})


def test_the_number_of_epochs_is_judged():
    said = judge_run(run_of([0.5, 0.8, 0.9, 0.91, 0.905, 0.905]), best(4))
    assert said.startswith("Best after epoch 4 of 6 (91.0 %)")
    kept = "No epoch was better than the head alone, which is kept."
    assert judge_run(run_of([0.5, 0.8]), best(0)) == kept
    assert judge_run(run_of([]), best(0)) == ""


def test_the_report_has_the_settings_that_the_run_used(runs):
    report = runs[0].report
    assert set(report["settings"]) == {"data", "training", "augment", "model"}
    assert report["settings"]["model"]["filters"] == [8]
    assert report["seconds"] == pytest.approx(sum(row["seconds"] for row in runs[0].history))
    assert report["network"] == "custom_cnn"
    assert report["parameters"] == runs[0].classifier().logits_model.count_params()
    assert report["epochs_verdict"] == judge_run(runs[0], runs[0].classifier())


LABELS = np.array([0, 1, 2, 0])
PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.05, 0.9, 0.05], [0.5, 0.3, 0.2]])


def test_the_table_shows_value_interval_and_images(capsys):
    evaluation = evaluate(LABELS, PROBABILITIES, ["cat", "dog", "owl"])
    Screen(console=Console(width=20)).columns(score_rows(evaluation), left=(0, 2))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["score", "value", "95", "%", "interval", "images"]
    assert lines[1].split() == ["Accuracy", "50.0", "%", "[15.0,", "85.0]", "4"]
    assert lines[-1].split()[:2] == ["Calibration", "error"]
