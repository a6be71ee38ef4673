import io

import numpy as np
import pytest
from rich.console import Console

from convlens.config import Config
from convlens.evaluation.calibration import apply_temperature, choose_threshold, fit_temperature
from convlens.pipeline import train
from convlens.report.finish import finish
from convlens.report.rescore import score_again
from convlens.run import Run
from convlens.screen import Screen
from convlens.training.network import choose_network
from tests.conftest import without_charts

pytestmark = pytest.mark.usefixtures("no_charts")
QUIET = Screen(quiet=True)
CONFIG = Config().replace(
    model="custom_cnn",
    filters=(8,),
    dense=(32,),
    dropout=0.0,
    epochs=25,
    limit=600,
    learning_rate=0.02,
    augment="none",
)


@pytest.fixture(scope="module")
def runs(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with without_charts():
        return [
            train(digits, CONFIG.replace(calibration=wanted), run=folder / name, screen=QUIET)
            for name, wanted in (("calibrated", True), ("plain", False))
        ]


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


def test_scored_again_the_report_says_the_same(runs, digits):
    before = runs[0].report["none_of_these"]
    score_again(runs[0], runs[0].classifier(), digits, QUIET)
    assert runs[0].report["none_of_these"] == before


def test_trained_further_it_starts_from_the_logits(runs, digits):
    logits = [
        choose_network(CONFIG, start_from=run.folder).ready(digits.images[:9, ..., None])
        for run in runs
    ]
    assert np.allclose(*[np.asarray(one) for one in logits], atol=1e-5)


def finished(run: Run, digits, config, predict=None):
    console = Console(record=True, width=200, file=io.StringIO())
    prepared = run.divided(choose_network(config).prepare(digits, config, None))
    done = finish(run, prepared, Screen(console=console), predict=predict)
    return done.classifier, console.export_text()


def test_finishing_again_gives_the_same_and_answers_may_come_from_elsewhere(runs, digits):
    """As after a kill between the classifier's file and the report."""
    run, asked = runs[0], []
    before = run.classifier()

    def answers(classifier, indices):
        asked.append((classifier.temperature, len(indices)))
        return classifier.probabilities(digits.images[..., None], indices=indices)

    classifier, said = finished(run, digits, CONFIG, answers)
    assert classifier.temperature == pytest.approx(before.temperature, rel=1e-4)
    assert classifier.threshold == pytest.approx(before.threshold, abs=1e-5)
    sizes = [len(run.data["splits"][name]) for name in ("val", "test")]
    assert asked == list(zip((1.0, classifier.temperature), sizes, strict=True))
    assert f"threshold    {100 * classifier.threshold:.1f} %:" in said
    assert "reach it" in said


def test_too_few_right_answers_are_said(digits, tmp_path):
    console = Console(record=True, width=200, file=io.StringIO())
    run = train(
        digits,
        CONFIG.replace(epochs=1, limit=60),
        run=tmp_path / "run",
        screen=Screen(console=console),
    )
    assert "fewer than 20 validation images were classified correctly" in console.export_text()
    assert (run.classifier().temperature, run.classifier().threshold) == (1, None)


def test_without_test_images_the_scores_are_of_those_that_calibrated(digits, tmp_path):
    console = Console(record=True, width=200, file=io.StringIO())
    run = train(
        digits, CONFIG.replace(test=0.0), run=tmp_path / "run", screen=Screen(console=console)
    )
    assert "which chose the epoch and the calibration" in console.export_text()
    assert run.report["none_of_these"]["answered"]["value"] > 0.8
