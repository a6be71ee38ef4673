"""predictions.csv of a run: written with its report, and later on for runs without it."""

import json

import numpy as np
import pytest

from convlens.checksums import SUMS, read_sums, unseal
from convlens.errors import RunError
from convlens.report.predict_again import predict_again
from convlens.report.predictions import PREDICTIONS, read_predictions
from tests.report.conftest import copied
from tests.trainings import QUIET

pytestmark = pytest.mark.usefixtures("no_charts")


@pytest.fixture
def run(runs, tmp_path):
    return copied(runs[0], tmp_path)


def test_a_run_says_what_it_predicts_for_each_test_image(run, digits):
    found = read_predictions(run.folder)
    assert found.files == tuple(digits.file_name(index) for index in run.data["splits"]["test"])
    assert (found.confusion == np.array(run.report["confusion"])).all()
    worst = found.worst_first(found.labels != found.predicted)[:24]
    assert worst.tolist() == [one["index"] for one in run.report["mistakes"]]
    assert any(path.name == PREDICTIONS for path in read_sums(run.folder))


def test_an_older_run_gets_the_same_file_and_keeps_its_report(run, digits):
    before = (run.folder / PREDICTIONS).read_text(encoding="utf-8")
    report = (run.folder / "report.json").read_bytes()
    (run.folder / PREDICTIONS).unlink()
    predict_again(run, run.classifier(), digits, QUIET)
    after = (run.folder / PREDICTIONS).read_text(encoding="utf-8")
    assert [line.split(",")[:3] for line in after.splitlines()] == [
        line.split(",")[:3] for line in before.splitlines()
    ]
    assert (run.folder / "report.json").read_bytes() == report
    assert (run.folder / SUMS).exists()


def test_a_run_without_images_set_aside_has_none_to_predict(run, digits):
    splits = run.data["splits"]
    everything = {"train": splits["train"], "val": [], "test": []}
    unseal(run.folder)  # as a training that set none aside would have sealed other splits
    run.write("data.json", json.dumps(run.data | {"splits": everything}))
    with pytest.raises(RunError, match="no images were set aside"):
        predict_again(run, run.classifier(), digits, QUIET)
