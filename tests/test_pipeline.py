"""The whole way from images to a run, its resumption, and training further."""

import json

import keras
import numpy as np
import pytest

from convlens import recipe_choice
from convlens.config import Config
from convlens.errors import ConfigError, Interrupted, RunError
from convlens.pipeline import prepare_again, train
from convlens.run import Run
from tests.trainings import (
    CONFIG,
    QUIET,
    columns,
    press_ctrl_c,
    recording,
    same_weights,
    weights,
)

pytestmark = pytest.mark.usefixtures("no_charts")


def test_a_run_has_all_its_parts(finished_run):
    names = {path.name for path in finished_run.folder.iterdir()}
    assert names >= {
        "run.toml",
        "data.json",
        "history.csv",
        "classifier.keras",
        "report.html",
        "report.json",
        "plots",
    }
    assert finished_run.config.training.learning_rate == 0.002  # run.toml has what "auto" became
    assert finished_run.config.augment.shift == 0.1
    assert finished_run.config.augment.flip is False
    assert (finished_run.config.data.size, finished_run.config.data.channels) == ("8x8", "grey")
    assert [row["epoch"] for row in finished_run.history] == [1, 2, 3]
    assert finished_run.report["metrics"]["accuracy"]["n"] == len(
        finished_run.data["splits"]["test"]
    )
    assert finished_run.report["test_evaluations"] == 1
    score = finished_run.report["metrics"]["accuracy"]
    assert score["low"] < score["value"] < score["high"]
    assert finished_run.classifier().provenance["metrics"]["accuracy"] == score


def test_without_a_configuration_few_passes_are_made(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_choice, "MOST_EPOCHS", 1)
    training = train(digits, run=tmp_path / "run", screen=QUIET).config.training
    assert (training.recipe, training.epochs, training.optimizer) == ("fast", 1, "muon")


def test_an_existing_folder_is_not_overwritten(finished_run, digits):
    with pytest.raises(RunError, match="does not exist yet"):
        train(digits, CONFIG, run=finished_run.folder, screen=QUIET)
    screen, said = recording()
    with pytest.raises(RunError, match="this run is finished"):
        train(digits, run=finished_run.folder, resume=True, screen=screen)
    assert said.getvalue() == ""


def test_a_network_that_goes_on_knows_it(finished_run, digits):
    origin, _prepared = prepare_again(finished_run, digits, finished_run.config, QUIET)
    assert origin.is_resumed


def test_a_resumed_run_wants_its_own_images(digits, tmp_path):
    run = Run.create(tmp_path / "run", "")
    run.write("run.toml", CONFIG.to_toml())
    run.write("data.json", json.dumps({"fingerprint": "another", "splits": {}}))
    screen, said = recording()
    with pytest.raises(RunError, match="not the images of"):
        train(digits, run=run.folder, resume=True, screen=screen)
    assert "goes on" not in said.getvalue()


def test_the_command_that_continues_several_trainings_can_be_typed(digits, tmp_path):
    run = Run.create(tmp_path / "my run", "")
    run.write("run.toml", CONFIG.to_toml())
    run.write("data.json", json.dumps({"folds": 5}))
    with pytest.raises(RunError, match=rf"convlens train --run '{run.folder}' --resume"):
        train(digits, run=run.folder, resume=True, screen=QUIET)


def test_a_network_of_ones_own_is_trained_saved_and_reported(digits, tmp_path):
    model = keras.Sequential(
        [
            keras.layers.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name="mine",
    )
    run = train(
        digits,
        Config().replace(
            epochs=12, learning_rate=0.01, augment="none", calibration=False
        ),  # equal to the bare model
        model=model,
        run=tmp_path / "r",
    )
    assert run.report["metrics"]["accuracy"]["value"] > 0.9
    assert run.report["network"] == "mine"
    ours = run.classifier().probabilities(digits.images[..., None][:50])
    theirs = model.predict(digits.images[:50, ..., None] / 255.0, verbose=0)
    assert np.abs(ours - theirs).max() < 1e-5  # the user's own model was trained, softmax and all


def test_a_classifier_is_trained_further(finished_run, digits, tmp_path):
    more = train(
        digits,
        CONFIG.replace(epochs=1, learning_rate=1e-5),
        start_from=finished_run.folder,
        run=tmp_path / "more",
    )
    first = more.history[0]
    assert first["val_accuracy"] >= finished_run.history[-1]["val_accuracy"] - 0.05
    assert all(
        a.shape == b.shape for a, b in zip(weights(more), weights(finished_run), strict=True)
    )


@pytest.mark.slow
def test_a_stopped_run_from_a_classifier_goes_on_with_its_network(
    finished_run, digits, tmp_path, monkeypatch
):
    config = CONFIG.replace(epochs=2, learning_rate=1e-3)
    straight = train(
        digits, config, start_from=finished_run.folder, run=tmp_path / "straight", screen=QUIET
    )
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, 3)
        with pytest.raises(Interrupted):
            train(
                digits,
                config,
                start_from=finished_run.folder,
                run=tmp_path / "stopped",
                screen=QUIET,
            )
    (tmp_path / "stopped" / "state" / "state.npz").unlink()  # as if killed before the first state
    resumed = train(digits, run=tmp_path / "stopped", resume=True, screen=QUIET)
    assert columns(resumed) == columns(straight)
    assert same_weights(resumed, straight)


def test_a_learning_rate_is_not_looked_for(digits, backbone, tmp_path):
    with pytest.raises(ConfigError, match="--find-learning-rate and --backbone exclude each other"):
        train(
            digits,
            Config().replace(backbone=str(backbone)),
            run=tmp_path / "run",
            find_rate=True,
            screen=QUIET,
        )
    assert not (tmp_path / "run").exists()
