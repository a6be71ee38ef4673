"""Memory that is estimated before a training, and batches that are computed in parts."""

import json
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

from convlens import memory
from convlens.checksums import unseal
from convlens.classifier.assembly import with_precision
from convlens.cli import main
from convlens.config import TrainingConfig
from convlens.data.batches import Batches
from convlens.errors import Interrupted, TrainingError
from convlens.pipeline import train
from convlens.run import Run
from convlens.training import fit as fit_module
from convlens.training import micro_batch
from convlens.training import setup as setups
from convlens.training.micro_batch import KEPT, Need, choose_micro_batch, estimate
from convlens.training.optimization import compile_for_training
from tests.trainings import CONFIG, QUIET, columns, press_ctrl_c, recording, same_weights

pytestmark = pytest.mark.usefixtures("no_charts")
SETTINGS = TrainingConfig(batch_size=64, precision="float32", optimizer="sgd")


def small_network(*, normalised: bool = False) -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, padding="same")(inputs)
    if normalised:
        x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Flatten()(keras.layers.ReLU()(x))
    return keras.Model(inputs, keras.layers.Dense(10)(x))


def test_the_outputs_of_the_layers_are_counted():
    """8 x 8 x 4 numbers of each of three layers, and 10; of 4 bytes, with their gradients."""
    need = estimate(small_network(), SETTINGS)
    assert need.image == 4 * (KEPT * (3 * 256 + 10) + 2 * 256)
    short = TrainingConfig(precision="bfloat16", optimizer="adam")
    assert estimate(small_network(), short).image == need.image * 3 / 4
    params = 3 * 9 * 4 + 4 + 2560 + 10
    assert estimate(small_network(), short).fixed - need.fixed == 4 * 4 * params


def test_what_lies_below_the_layers_that_learn_is_not_kept():
    network = small_network()
    network.layers[1].trainable = False
    assert estimate(network, SETTINGS).image == 4 * (KEPT * 10 + 2 * 256)


def test_the_largest_micro_batch_that_fits_is_chosen():
    network = small_network()
    need = estimate(network, SETTINGS)
    assert choose_micro_batch(network, SETTINGS, 1e12, 640) == (0, "")
    micro, note = choose_micro_batch(network, SETTINGS, need.of(20) / 0.8 + 1, 640)
    assert micro == 16  # in four parts; in three it would be 22
    assert "computes 16 images at a time (--micro-batch 16; 0" in note
    normalised = small_network(normalised=True)
    micro, note = choose_micro_batch(normalised, SETTINGS, need.of(40) / 0.8, 640)
    assert "batch normalisation sees no more of them" in note
    micro, note = choose_micro_batch(network, SETTINGS, 1e6, 640)
    assert micro == 1
    assert "even with one image at a time" in note


def test_a_batch_that_is_larger_than_the_training_set_takes_the_memory_of_the_set():
    network = small_network()
    need = estimate(network, SETTINGS)
    assert choose_micro_batch(network, SETTINGS, need.of(40) / 0.8 + 1, 40) == (0, "")
    micro, note = choose_micro_batch(network, SETTINGS, need.of(20) / 0.8 + 1, 40)
    assert "a batch of 40 would take" in note
    assert micro == 32  # in two parts, as many as 64 images would take
    assert "computes 20 images at a time (--micro-batch 32;" in note
    images = np.zeros((40, 1, 1, 1), np.uint8)
    options = {"num_classes": 2, "batch_size": SETTINGS.batch_size, "micro_batch": micro}
    batches = Batches(images, np.zeros(40, np.int64), np.arange(40), **options)
    assert max(len(batches[part][0]) for part in range(batches.steps)) == 20


def test_a_batch_in_parts_has_the_same_images_in_the_same_order():
    images = np.arange(50, dtype=np.uint8).reshape(50, 1, 1, 1)
    options = {"num_classes": 2, "batch_size": 16, "seed": 4}
    whole = Batches(images, np.zeros(50, np.int64), np.arange(50), **options)
    parts = Batches(images, np.zeros(50, np.int64), np.arange(50), **options, micro_batch=5)
    assert (whole.steps, parts.steps, parts.parts) == (4, 16, 4)
    for epoch in (0, 1):
        whole.epoch = parts.epoch = epoch
        for step in range(4):
            joined = [parts[4 * step + part][0].ravel() for part in range(4)]
            assert max(map(len, joined)) <= 5
            assert np.concatenate(joined).tolist() == whole[step][0].ravel().tolist()
    few = Batches(images, np.zeros(50, np.int64), np.arange(3), **options, micro_batch=1)
    assert (few.parts, few.steps) == (3, 3)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adamw"])
def test_the_gradients_of_the_parts_are_those_of_the_whole_batch(optimizer):
    """Without batch normalisation, the weights differ by rounding only."""
    rng = np.random.default_rng(0)
    images = rng.random((64, 8, 8, 3)).astype(np.float32)
    labels = np.eye(10, dtype=np.float32)[rng.integers(0, 10, 64)]
    start = small_network()
    trained = []
    for parts in (1, 4):
        model = with_precision(start, "float32", seed=0)
        config = TrainingConfig(optimizer=optimizer, epochs=2, schedule="constant")
        compile_for_training(model, config, 2 * parts, parts=parts)
        for _epoch in range(2):
            for some in np.split(np.arange(64), 2 * parts):
                model.train_on_batch(images[some], labels[some])
        assert int(model.optimizer.iterations) == 4
        trained.append(model.get_weights())
    for one, other, first in zip(*trained, start.get_weights(), strict=True):
        assert np.abs(one - other).max() < 2e-3 * np.abs(one - first).max()


@pytest.fixture(scope="module")
def in_parts(digits, tmp_path_factory):
    """Return a run whose batches of 32 were computed 8 at a time."""
    folder = tmp_path_factory.mktemp("parts") / "run"
    return train(digits, CONFIG.replace(micro_batch=8), run=folder, screen=QUIET)


@pytest.mark.parametrize("stop_at", [47, pytest.param(2, marks=pytest.mark.slow)])
def test_a_run_that_is_stopped_within_a_batch_goes_on_with_the_same_bits(
    stop_at, in_parts, digits, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, stop_at)
        with pytest.raises(Interrupted):
            train(digits, CONFIG.replace(micro_batch=8), run=tmp_path / "run", screen=QUIET)
    resumed = train(digits, run=tmp_path / "run", resume=True, screen=QUIET)
    assert columns(resumed) == columns(in_parts)
    assert same_weights(resumed, in_parts)


def test_what_was_chosen_is_said_recorded_and_kept_by_a_resumed_run(
    in_parts, digits, tmp_path, monkeypatch
):
    screen, text = recording()
    with monkeypatch.context() as patch:
        patch.setattr(micro_batch, "estimate", lambda network, settings: Need(0.0, 1e6))
        patch.setattr(setups, "free_memory", lambda: 12e6)
        press_ctrl_c(patch, 30)
        with pytest.raises(Interrupted):
            train(digits, CONFIG, run=tmp_path / "run", screen=screen)
    assert Run(tmp_path / "run").config.training.micro_batch == 8
    assert "a step computes 8 images at a time" in text.getvalue()
    resumed = train(digits, run=tmp_path / "run", resume=True, screen=QUIET)
    assert columns(resumed) == columns(in_parts)
    assert same_weights(resumed, in_parts)


def test_a_run_of_an_earlier_version_goes_on_with_whole_batches(
    finished_run, digits, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, 13)
        with pytest.raises(Interrupted):
            train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)
    settings = tmp_path / "run" / "run.toml"
    settings.write_text(settings.read_text().replace("micro_batch = 0\n", ""))
    unseal(tmp_path / "run")
    monkeypatch.setattr(setups, "free_memory", lambda: 1.0)
    resumed = train(digits, run=tmp_path / "run", resume=True, screen=QUIET)
    assert same_weights(resumed, finished_run)


def test_an_engine_without_memory_says_what_to_lower(digits, tmp_path, monkeypatch):
    exhausted = type("ResourceExhaustedError", (Exception,), {})

    def fail(*args, **options):
        raise exhausted("OOM when allocating tensor with shape[64,32,32,128]")

    with monkeypatch.context() as patch:
        patch.setattr(fit_module._Checkpoint, "on_train_batch_end", fail)
        with pytest.raises(TrainingError, match=r"the memory is not enough.* --micro-batch"):
            train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)


TRAIN = """
import convlens.training.fit as f; f.SAVE_SECONDS = 0.0; f.SAVE_SHARE = 1e9
from convlens.cli import main; main()
"""


def test_a_run_that_the_system_killed_for_memory_says_so_when_it_is_resumed(
    tmp_path, monkeypatch, capsys
):
    """The count of the control group has grown since the last sample of the process."""
    folder = tmp_path / "run"
    flags = "--model custom_cnn --filters 4 --dense 8 --epochs 400 --batch-size 32 --limit 200"
    command = [sys.executable, "-c", TRAIN, "train", "digits", *flags.split(), "--run", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ)
    while not (folder / memory.SAMPLE).exists() or not (folder / "state" / "state.npz").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    sample = json.loads((folder / memory.SAMPLE).read_text())
    assert sample["used"] > 10**8
    monkeypatch.setattr(memory, "_kills", lambda: ((sample["kills"] or 0) + 1, sample["group"]))
    sample["kills"] = sample["kills"] or 0
    (folder / memory.SAMPLE).write_text(json.dumps(sample))
    settings = folder / "run.toml"
    settings.write_text(settings.read_text().replace("epochs = 400", "epochs = 1"))
    unseal(folder)  # or it would not go on with other settings
    for words in (["run", "show", str(folder)], ["train", "--run", str(folder), "--resume"]):
        with pytest.raises(SystemExit):
            main(words)
        said = capsys.readouterr().out
        assert "for want of memory: in epoch 1 it had" in " ".join(said.split())
        assert "start a new run with a smaller --micro-batch, --batch-size or --size" in said
