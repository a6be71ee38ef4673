"""A run is calibrated on its validation images, and scored on its test images or on others."""

import dataclasses
import json

import numpy as np
import pytest

from convlens.errors import DataError, RunError
from convlens.evaluation.calibration import apply_temperature, choose_threshold, fit_temperature
from convlens.pipeline import train
from convlens.report.finish import finish, score_again, score_other
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
        return classifier.probabilities(digits.images[..., None], indices=indices)

    classifier, said = finished(run, digits, CONFIG, predict)
    assert classifier.temperature == pytest.approx(before.temperature, rel=1e-4)
    assert classifier.threshold == pytest.approx(before.threshold, abs=1e-5)
    sizes = [len(run.data["splits"][name]) for name in ("val", "test")]
    assert asked == list(zip((1.0, classifier.temperature), sizes, strict=True))
    assert f"threshold    {100 * classifier.threshold:.1f} %:" in said
    assert "reach it" in said


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


@pytest.fixture
def run(runs, tmp_path):
    return copied(runs[0], tmp_path)


def test_scored_again_the_report_says_the_same(run, digits):
    before = run.report
    folder = score_again(run, run.classifier(), digits, QUIET)
    assert folder == run.folder
    assert run.report["none_of_these"] == before["none_of_these"]
    assert run.report["metrics"] == before["metrics"]
    assert (before["test_evaluations"], run.report["test_evaluations"]) == (1, 2)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("few", r"its score is the mean over draws.*convlens evaluate .*draw-1\. .*--data PATH"),
        ("folds", r"a cross-validation scored every image once already.*--data PATH"),
    ],
)
def test_a_run_of_several_trainings_is_not_scored_again(run, digits, kind, said):
    run.write("data.json", json.dumps(run.data | {kind: 5}))
    with pytest.raises(RunError, match=said):
        score_again(run, run.classifier(), digits, QUIET)


def test_a_run_without_images_set_aside_has_none_to_score(run, digits):
    splits = run.data["splits"]
    everything = {"train": splits["train"], "val": [], "test": []}
    run.write("data.json", json.dumps(run.data | {"splits": everything}))
    with pytest.raises(DataError, match="this run set none aside"):
        score_again(run, run.classifier(), digits, QUIET)


def test_a_head_on_features_is_said_to_differ_a_little(run, digits):
    classifier = run.classifier()
    classifier.provenance |= {"features": "bfloat16 on openvino", "best": {"epoch": 0}}
    screen, text = recording()
    score_again(run, classifier, digits, screen)
    assert "computed from features in bfloat16 on openvino" in text.getvalue()


def test_other_images_are_scored_into_a_folder_of_their_own(run, digits):
    chosen = np.arange(40)
    other = dataclasses.replace(
        digits, source="other", images=digits.images[chosen], labels=digits.labels[chosen]
    )
    before = run.report
    screen, text = recording()
    folder = score_other(run, run.classifier(), other, screen)
    assert folder == run.folder / "evaluations" / "other"
    facts = json.loads((folder / "report.json").read_text())
    assert (facts["n"], facts["images_seen"], facts["evaluated"]) == (40, "other", other.source)
    rows = run.classifier().probabilities(digits.images[..., None], indices=chosen)
    correct = (rows.argmax(1) == digits.labels[chosen]).mean()
    assert facts["metrics"]["accuracy"]["value"] == correct
    assert "few test images, wide intervals" in text.getvalue()
    assert "the scores are too high" not in text.getvalue()
    assert run.report == before


def test_images_of_one_name_and_different_places_have_reports_of_their_own(run, digits, tmp_path):
    places = [tmp_path / name for name in ("one/test", "two/test", "hospital.A", "hospital.B")]
    for place in places:
        place.mkdir(parents=True)
    table = tmp_path / "one" / "test.csv"
    table.touch()
    few = dataclasses.replace(digits, images=digits.images[:20], labels=digits.labels[:20])

    def scored(place):
        return score_other(
            run, run.classifier(), dataclasses.replace(few, source=str(place)), QUIET
        )

    folders = [scored(place) for place in (*places, table)]
    assert [folder.name for folder in folders] == [
        "test",
        "test-2",
        "hospital.A",
        "hospital.B",
        "test-3",
    ]
    for place, folder in zip((*places, table), folders, strict=True):
        assert json.loads((folder / "report.json").read_text())["evaluated"] == str(place)
    assert scored(places[1]) == folders[1]  # its own report is replaced


def test_of_other_images_the_test_split_is_scored_where_there_is_one(run, digits):
    names = np.where(np.arange(len(digits)) < 30, "test", "train")
    folder = score_other(run, run.classifier(), dataclasses.replace(digits, splits=names), QUIET)
    assert json.loads((folder / "report.json").read_text())["n"] == 30


def test_the_images_of_the_training_are_noted(run, digits):
    screen, text = recording()
    score_other(run, run.classifier(), digits, screen)
    assert "these are the images of the training: the scores are too high" in text.getvalue()
