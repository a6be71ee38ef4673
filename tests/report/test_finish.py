"""A run is calibrated on its validation images, and scored on its test images or on others."""

import json

import numpy as np
import pytest

from convlens.evaluation.calibration import apply_temperature, choose_threshold, fit_temperature
from convlens.pipeline import train
from convlens.report import finish as finish_module
from convlens.report import results
from convlens.report.again import score_other
from convlens.report.finish import calibrate, finish
from convlens.run import Run
from convlens.training.network import choose_network
from tests.report.conftest import CONFIG, copied
from tests.trainings import QUIET, recording

pytestmark = pytest.mark.usefixtures("no_charts")


def val_of(run, digits):
    indices = np.array(run.data["splits"]["val"])
    return digits.labels[indices], run.classifier().probabilities(
        digits.images[..., None], indices=indices
    )


def test_a_run_is_calibrated_on_its_validation_images(runs, digits):
    with_it, without = runs
    labels, rows = val_of(without, digits)
    temperature = fit_temperature(labels, rows)
    assert temperature != 1
    classifier = with_it.classifier()
    assert classifier.temperature == pytest.approx(temperature, rel=1e-3)
    expected = choose_threshold(labels, apply_temperature(rows, temperature), 0.95)
    assert classifier.threshold == pytest.approx(expected, abs=1e-4)
    assert np.abs(val_of(with_it, digits)[1] - apply_temperature(rows, temperature)).max() < 1e-3
    report = with_it.report
    assert (report["temperature"], report["threshold"]) == (
        classifier.temperature,
        classifier.threshold,
    )
    assert report["none_of_these"]["answered"]["n"] == report["n"]
    assert report["metrics"]["accuracy"] == without.report["metrics"]["accuracy"]
    assert report["metrics"]["log_loss"] != without.report["metrics"]["log_loss"]


def test_without_calibration_nothing_is_changed(runs):
    classifier, report = runs[1].classifier(), runs[1].report
    assert (classifier.temperature, classifier.threshold) == (1, None)
    assert (report["temperature"], report["threshold"], report["none_of_these"]) == (1, None, None)
    assert [run.report["calibrated"] for run in runs] == [True, False]
    calibrated, plain = ((run.folder / "report.html").read_text("utf-8") for run in runs)
    assert "not calibrated" not in calibrated
    assert "were not calibrated, as the settings ask for" in plain


def test_trained_further_it_starts_from_the_logits(runs, digits):
    logits = [
        choose_network(CONFIG, start_from=run.folder).ready(digits.images[:9, ..., None])
        for run in runs
    ]
    assert np.allclose(*[np.asarray(one) for one in logits], atol=1e-5)


def finished(run: Run, digits, config, predict=None):
    screen, text = recording()
    prepared = run.divided(choose_network(config).prepare(digits, config, None))
    classifier, _ = finish(run, prepared, screen, predict=predict)
    return classifier, text.getvalue()


def test_finishing_again_gives_the_same_and_predictions_may_come_from_elsewhere(
    runs, digits, tmp_path
):
    """As after a kill between the classifier's file and the report."""
    run = copied(runs[0], tmp_path)
    asked = []
    before = run.classifier()

    def predict(classifier, indices):
        asked.append((classifier.temperature, len(indices)))
        drawn = digits.images[run.data["drawn"], ..., None]
        return classifier.probabilities(drawn, indices=indices)

    classifier, said = finished(run, digits, CONFIG, predict)
    assert classifier.temperature == pytest.approx(before.temperature, rel=1e-4)
    assert classifier.threshold == pytest.approx(before.threshold, abs=1e-5)
    sizes = [len(run.data["splits"][name]) for name in ("val", "test")]
    assert asked == list(zip((1.0, classifier.temperature), sizes, strict=True))
    assert f"threshold    {100 * classifier.threshold:.1f} %:" in said
    assert "reach it" in said


def test_mistakes_are_explained_unless_told_otherwise(runs, digits, tmp_path, monkeypatch):
    """A draw of few images trains for seconds, and its report is one of many."""
    run = copied(runs[0], tmp_path)
    asked = []
    monkeypatch.setattr(results, "explain_mistakes", lambda run, *_: asked.append(run))
    prepared = run.divided(choose_network(CONFIG).prepare(digits, CONFIG, None))
    finish(run, prepared, QUIET)
    finish(run, prepared, QUIET, explain=False)
    assert asked == [run]


def test_too_few_correct_predictions_are_noted(digits, tmp_path):
    screen, text = recording()
    run = train(
        digits,
        CONFIG.replace(epochs=1, limit=60),
        run=tmp_path / "run",
        screen=screen,
    )
    assert "fewer than 20 validation images were classified correctly" in text.getvalue()
    assert (run.classifier().temperature, run.classifier().threshold) == (1, None)
    assert run.report["calibrated"] is False
    page = (run.folder / "report.html").read_text("utf-8")
    assert "not calibrated: fewer than 20 validation images were classified correctly" in page


def test_a_temperature_at_the_end_of_its_range_is_noted(runs, digits, tmp_path, monkeypatch):
    run = copied(runs[0], tmp_path)
    prepared = run.divided(choose_network(CONFIG).prepare(digits, CONFIG, None))
    said = []
    for temperature in (1.5, 0.05):
        monkeypatch.setattr(finish_module, "fit_temperature", lambda *_, t=temperature: t)
        screen, text = recording()
        calibrate(run.classifier(), prepared, CONFIG.training, screen)
        said.append("calibrated only in part: the temperature of 0.05" in text.getvalue())
    assert said == [False, True]


def test_without_validation_images_nobody_counts_them(digits, tmp_path):
    screen, text = recording()
    config = CONFIG.replace(epochs=1, limit=60, val=0.0)
    run = train(digits, config, run=tmp_path / "run", screen=screen)
    assert "no validation images were set aside (--val): the prob" in " ".join(
        text.getvalue().split()
    )
    page = (run.folder / "report.html").read_text("utf-8")
    for said in (text.getvalue(), page):
        assert "images were classified correctly" not in said
    assert "not calibrated: this takes validation images, and none were set aside" in page
    others = score_other(run, run.classifier(), digits, QUIET)
    assert "not calibrated: this takes validation" in (others / "report.html").read_text("utf-8")


def test_of_an_earlier_classifier_nobody_knows_why_it_is_not_calibrated(runs, digits, tmp_path):
    run = copied(runs[1], tmp_path)
    classifier = run.classifier()
    del classifier.provenance["uncalibrated"]
    folder = score_other(run, classifier, digits, QUIET)
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert (report["calibrated"], report["uncalibrated"]) == (False, None)
    assert "were not calibrated" not in (folder / "report.html").read_text("utf-8")


def test_without_test_images_the_scores_are_of_those_that_calibrated(digits, tmp_path):
    screen, text = recording()
    run = train(digits, CONFIG.replace(test=0.0), run=tmp_path / "run", screen=screen)
    assert "which chose the epoch and the calibration" in text.getvalue()
    assert run.report["none_of_these"]["answered"]["value"] > 0.8


def test_without_images_set_aside_there_are_no_scores(digits, tmp_path):
    run = train(
        digits, CONFIG.replace(val=0.0, test=0.0, epochs=2), run=tmp_path / "run", screen=QUIET
    )
    assert run.report["metrics"] == {}
    assert run.classifier().provenance["best"]["epoch"] == 2
    assert [row["val_loss"] for row in run.history] == [None, None]
