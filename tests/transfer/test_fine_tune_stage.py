"""Unfrozen layers of a backbone learn after the head."""

import re
import shutil

import keras
import numpy as np
import pytest

from convlens.classifier.classifier import Classifier
from convlens.errors import Interrupted
from convlens.pipeline import train
from convlens.report import finish as finish_module
from convlens.run import Run
from convlens.training.checkpoint import State
from convlens.transfer.fine_tune_stage import FineTuneStage
from convlens.transfer.head_stage import HeadResult
from tests.trainings import (
    QUIET,
    columns,
    press_ctrl_c,
    recording,
    same_weights,
    save_after_every_step,
)
from tests.transfer.backbones import (
    NUMBER,
    config_of,
    training_of,
)

pytestmark = pytest.mark.usefixtures("own_cache", "no_report")


def test_the_head_is_kept_where_fine_tuning_is_no_better(digits, backbone, tmp_path):
    settings = {
        "augment": "none",
        "epochs": 2,
        "learning_rate": 1e-20,
        "schedule": "constant",
        "weight_decay": 0.0,
    }
    frozen, head = training_of(digits, config_of(backbone), tmp_path / "head")
    frozen.run(head)
    training, run = training_of(
        digits, config_of(backbone, unfreeze="all", **settings), tmp_path / "run"
    )
    state = training.run(run)
    assert state.best_epoch == 0
    assert training.prepare_scores(run) is not None
    assert len(run.history) == 2
    assert same_weights(run, head)


def test_the_time_of_a_head_with_hidden_layers_is_part_of_that_of_the_run(
    digits, backbone, tmp_path
):
    first, inner = training_of(digits, config_of(backbone), tmp_path / "first")
    first.run(inner)  # which keeps the features, so that they take no time below
    config = config_of(backbone, head=(8,), unfreeze="block2*", augment="none", epochs=1)
    training, run = training_of(digits, config, tmp_path / "run")
    training.run(run)
    seconds = sum(row["seconds"] for row in Run(run.folder / "head").history)
    assert HeadResult.read(run).seconds > seconds > 0
    assert run.classifier().provenance["head_seconds"] == HeadResult.read(run).seconds


def test_fine_tuning_that_is_better_is_kept_and_compared_with_the_head(
    digits, backbone, tmp_path, monkeypatch
):
    screen, text = recording()
    real = FineTuneStage._score_of_head

    def easy(*args):
        real(*args)
        return State()  # so that the first epoch is better

    monkeypatch.setattr(FineTuneStage, "_score_of_head", easy)
    settings = {"augment": "none", "epochs": 2, "calibration": False}
    config = config_of(backbone, unfreeze="block2*", **settings)
    run = train(digits, config, run=tmp_path / "run", screen=screen)
    assert run.classifier().provenance["best"]["epoch"] > 0
    assert "first the head on kept features, then 2 epochs" in text.getvalue()
    assert "head alone   validation loss" in text.getvalue()
    assert re.search("on validation, which also chose the epoch, .*fine-tuned", text.getvalue())
    trained = Classifier.load(backbone).model
    found = run.classifier().model
    for name, equal in (("block1_conv1", True), ("block2_conv1", False)):
        assert np.array_equal(trained.get_layer(name).kernel, found.get_layer(name).kernel) is equal


def test_augmented_images_of_a_frozen_backbone_are_computed_anew(
    digits, backbone, tmp_path, computed
):
    screen, text = recording()
    config = config_of(backbone, augment="light", epochs=1)
    training, run = training_of(digits, config, tmp_path / "run", screen)
    training.announce(run)
    assert "their features cannot be kept" in text.getvalue()
    assert "time" in text.getvalue()
    training.run(run)
    assert computed == []
    frozen = Classifier.load(backbone).model.get_layer("block1_conv1").kernel
    assert np.array_equal(run.classifier().model.get_layer("block1_conv1").kernel, frozen)


GRADUAL = {
    "head": (8,),
    "unfreeze": "all",
    "gradual": True,
    "epochs": 4,
    "batch_size": 32,
    "learning_rate": 0.01,
}


@pytest.fixture(scope="module")
def whole(digits, backbone, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finish_module, "report_run", lambda *_, **__: None)
        return train(
            digits,
            config_of(backbone, **GRADUAL),
            run=tmp_path_factory.mktemp("runs") / "whole",
            screen=QUIET,
        )


# The head has 20 epochs of 3 steps, and fine-tuning 4 epochs of 5 steps. The lower group begins to
# learn at step 5 of these 20.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "said"), [(20, "stopped before the end"), (64, "epoch 1 after"), (72, "epoch 3 after")]
)
def test_a_stopped_run_goes_on_with_the_same_bits(
    digits, backbone, whole, tmp_path, monkeypatch, step, said
):
    if step < 60:  # in the head, which Ctrl-C ends at once
        save_after_every_step(monkeypatch)
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, step)
        with pytest.raises(Interrupted, match=said):
            train(digits, config_of(backbone, **GRADUAL), run=tmp_path / "stopped", screen=QUIET)
    keras.utils.set_random_seed(99)  # what another process would have drawn meanwhile
    if step > 60:
        shutil.rmtree(tmp_path / "cache")  # it can be deleted at any time
    resumed = train(digits, run=tmp_path / "stopped", resume=True, screen=QUIET)
    assert columns(resumed) == columns(whole)
    assert same_weights(resumed, whole)


@pytest.mark.slow
@pytest.mark.usefixtures("no_charts")
def test_folds_do_not_learn_from_one_another(
    digits, backbone, tmp_path, computed, no_report, monkeypatch
):
    from convlens.studies.cross_validation import cross_validate

    monkeypatch.setattr(finish_module, "report_run", no_report)
    config = config_of(backbone, unfreeze="all", epochs=1, learning_rate=0.01)
    run = cross_validate(digits, config, 3, run=tmp_path / "run", screen=QUIET)
    assert sum(computed) == NUMBER
    assert run.report["n"] == NUMBER
    assert run.report["metrics"]["accuracy"]["value"] > 0.5
