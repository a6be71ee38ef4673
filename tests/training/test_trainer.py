"""The trainer keeps the best epoch, repeats its bits and ends at Ctrl-C."""

import os
import signal

import numpy as np
import pytest

from convlens.config import Config
from convlens.errors import Interrupted
from convlens.pipeline import train
from convlens.run import Run
from convlens.training import fit as fit_module
from tests.trainings import CONFIG, QUIET, columns, same_weights

pytestmark = pytest.mark.usefixtures("no_charts")


def test_the_classifier_is_the_best_epoch(finished_run, digits):
    best = max(finished_run.history, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    assert finished_run.classifier().provenance["best"]["epoch"] == best["epoch"]
    val = np.array(finished_run.data["splits"]["val"])
    predicted = (
        finished_run.classifier().probabilities(digits.images[..., None], indices=val).argmax(1)
    )
    assert (predicted == digits.labels[val]).mean() == pytest.approx(best["val_accuracy"], abs=1e-6)


def test_one_seed_gives_the_same_bits(finished_run, digits, tmp_path):
    again = train(digits, CONFIG, run=tmp_path / "again", screen=QUIET)
    assert columns(again) == columns(finished_run)
    assert same_weights(again, finished_run)


def test_ctrl_c_keeps_the_best_and_says_how_to_go_on(digits, tmp_path, monkeypatch, interruptible):
    real = fit_module._Checkpoint.on_train_batch_end

    def press(self, batch, logs=None):
        if self.state.epoch == 1 and batch == 2:
            os.kill(os.getpid(), signal.SIGINT)
        real(self, batch, logs)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", press)
    with pytest.raises(Interrupted, match=r"in epoch 2 after step 3 of .*holds the best.*--resume"):
        train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)
    assert signal.getsignal(signal.SIGINT) is interruptible
    assert len(Run(tmp_path / "run").history) == 1
    Run(tmp_path / "run").classifier()


@pytest.mark.slow
def test_small_resnet_in_bfloat16_repeats_its_bits(digits, tmp_path):
    config = Config().replace(epochs=2, limit=300, precision="bfloat16")
    one, two = (train(digits, config, run=tmp_path / name, screen=QUIET) for name in ("one", "two"))
    assert one.report["precision"] == "bfloat16"
    assert columns(one) == columns(two)
    assert same_weights(one, two)
    assert {layer.dtype_policy.name for layer in one.classifier().model.layers} == {"float32"}
