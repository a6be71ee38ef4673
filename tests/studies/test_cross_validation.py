import numpy as np
import pytest

from convlens.config import Config
from convlens.data.sources import load_data
from convlens.errors import ConfigError, RunError
from convlens.pipeline import train
from convlens.report.rescore import score_again
from convlens.screen import Screen
from convlens.studies.cross_validation import cross_validate

pytestmark = pytest.mark.usefixtures("no_charts")
CONFIG = Config().replace(
    model="custom_cnn",
    filters=(8,),
    dense=(16,),
    epochs=10,
    limit=300,
    learning_rate=0.01,
    batch_size=16,
    augment="none",
)


def test_every_image_is_scored_once_by_a_network_that_never_saw_it(tmp_path):
    run = cross_validate(
        load_data("digits"), CONFIG, 3, run=tmp_path / "run", screen=Screen(quiet=True)
    )
    held = []
    for number in (1, 2, 3):
        data = type(run)(run.folder / f"fold-{number}").data
        assert not set(data["splits"]["test"]) & set(
            data["splits"]["train"] + data["splits"]["val"]
        )
        held += data["splits"]["test"]
    everything = run.data["splits"]["train"] + run.data["splits"]["val"]
    assert sorted(held) == sorted(everything)
    assert run.report["n"] == len(held)
    assert run.report["folds"] == 3
    assert run.report["metrics"]["accuracy"]["value"] > 0.5
    assert run.classifier().provenance["metrics"]["accuracy"] == run.report["metrics"]["accuracy"]
    each = [type(run)(run.folder / f"fold-{number}").classifier() for number in (1, 2, 3)]
    assert all(
        one.threshold for one in [*each, run.classifier()]
    )  # each calibrated on its own validation images
    assert len({one.temperature for one in each}) > 1
    assert run.report["threshold"] == run.classifier().threshold
    assert run.report["none_of_these"] is None
    with pytest.raises(RunError, match="scored every image once"):
        score_again(run, run.classifier(), load_data("digits"), Screen(quiet=True))
    with pytest.raises(RunError, match="is finished"):
        train(load_data("digits"), run=run.folder, resume=True, screen=Screen(quiet=True))
    assert np.isclose(
        run.classifier().probabilities(load_data("digits").images[:4, ..., None]).sum(), 4
    )


def test_one_fold_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="at least 2"):
        cross_validate(
            load_data("digits"), CONFIG, 1, run=tmp_path / "run", screen=Screen(quiet=True)
        )
