import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from convlens.cli import main
from convlens.config import LEARNING_RATES, Config
from convlens.errors import ConfigError, Interrupted, RunError, StorageError, TrainingError
from convlens.pipeline import train
from convlens.run import Run
from convlens.screen import Screen
from convlens.training import fit as fit_module

pytestmark = pytest.mark.usefixtures("no_charts")
QUIET = Screen(quiet=True)
# Dropout, batch order, augmentation and a schedule: all that a resumed run must repeat.
CONFIG = Config().replace(
    model="custom_cnn",
    filters=(4,),
    dense=(8,),
    epochs=3,
    batch_size=32,
    augment="light",
    limit=400,
    seed=3,
)


def weights(run: Run) -> list[np.ndarray]:
    return run.classifier().model.get_weights()


def columns(run: Run) -> list[dict[str, float | None]]:
    return [
        {name: value for name, value in row.items() if name != "seconds"} for row in run.history
    ]


@pytest.fixture(scope="module")
def whole(digits, tmp_path_factory):
    """A finished run with everything that belongs to one."""
    return train(digits, CONFIG, run=tmp_path_factory.mktemp("runs") / "whole", screen=QUIET)


def test_a_run_has_all_its_parts(whole):
    names = {path.name for path in whole.folder.iterdir()}
    assert names >= {
        "run.toml",
        "data.json",
        "history.csv",
        "classifier.keras",
        "report.html",
        "report.json",
        "plots",
    }
    assert whole.config.training.learning_rate == 0.002  # run.toml has what "auto" became
    assert whole.config.augment.shift == 0.1
    assert whole.config.augment.flip is False
    assert (whole.config.data.size, whole.config.data.channels) == ("8x8", "grey")
    assert [row["epoch"] for row in whole.history] == [1, 2, 3]
    assert whole.report["metrics"]["accuracy"]["n"] == len(whole.data["splits"]["test"])
    assert whole.report["test_evaluations"] == 1
    score = whole.report["metrics"]["accuracy"]
    assert score["low"] < score["value"] < score["high"]
    assert whole.classifier().provenance["metrics"]["accuracy"] == score


def test_the_classifier_is_the_best_epoch(whole, digits):
    best = max(whole.history, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    assert whole.classifier().provenance["best"]["epoch"] == best["epoch"]
    val = np.array(whole.data["splits"]["val"])
    answers = whole.classifier().probabilities(digits.images[..., None], indices=val).argmax(1)
    assert (answers == digits.labels[val]).mean() == pytest.approx(best["val_accuracy"], abs=1e-6)


def test_one_seed_gives_the_same_bits(whole, digits, tmp_path):
    again = train(digits, CONFIG, run=tmp_path / "again", screen=QUIET)
    assert columns(again) == columns(whole)
    assert all(np.array_equal(a, b) for a, b in zip(weights(again), weights(whole), strict=True))


# Steps, of which an epoch has 8: within the first epoch and the second, and at their ends.
@pytest.mark.parametrize(
    "stop_at",
    [8, 13, pytest.param(3, marks=pytest.mark.slow), pytest.param(16, marks=pytest.mark.slow)],
)
def test_a_stopped_run_goes_on_with_the_same_bits(whole, digits, tmp_path, monkeypatch, stop_at):
    with monkeypatch.context() as patch:
        interrupt_at(patch, stop_at)
        with pytest.raises(Interrupted):
            train(digits, CONFIG, run=tmp_path / "stopped", screen=QUIET)
    keras.utils.set_random_seed(99)  # what another process would have drawn meanwhile
    resumed = train(digits, run=tmp_path / "stopped", resume=True, screen=QUIET)
    assert columns(resumed) == columns(whole)
    assert all(np.array_equal(a, b) for a, b in zip(weights(resumed), weights(whole), strict=True))


def test_a_killed_process_goes_on_with_the_same_bits(whole, tmp_path, capsys):
    """A kill in the second epoch: the state was saved at a step before it."""
    code = (
        "import convlens.training.fit as f; f.SAVE_SECONDS = 0.0; f.SAVE_SHARE = 1e9\n"
        "from convlens.cli import main; main()\n"
    )
    folder = tmp_path / "killed"
    flags = (
        "--model custom_cnn --filters 4 --dense 8 --epochs 3 --batch-size 32 --limit 400 --seed 3"
    )
    command = [sys.executable, "-c", code, "train", "digits", *flags.split(), "--run", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ)
    history = folder / "history.csv"
    while not history.exists() or len(history.read_text().splitlines()) < 2:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (folder / "classifier.keras").exists()
    assert (folder / "state" / "state.npz").exists()
    assert not (folder / "report.json").exists()
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--run", str(folder), "--resume"])
    assert not stopped.value.code
    resumed = Run(folder)
    assert columns(resumed) == columns(whole)
    assert all(np.array_equal(a, b) for a, b in zip(weights(resumed), weights(whole), strict=True))


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


def test_a_loss_that_is_not_finite_stops_and_keeps_the_best(digits, tmp_path):
    config = CONFIG.replace(optimizer="sgd", learning_rate=1e30, schedule="constant")
    with pytest.raises(TrainingError, match="the loss must stay finite") as caught:
        train(digits, config, run=tmp_path / "run", screen=QUIET)
    assert "smaller --learning-rate" in str(caught.value)


def test_a_full_disk_keeps_the_previous_state(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(fit_module, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(fit_module, "SAVE_SHARE", 1e9)
    real, calls = np.savez, []

    def fill(*args, **arrays):
        calls.append(1)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        real(*args, **arrays)

    monkeypatch.setattr(np, "savez", fill)
    with pytest.raises(StorageError, match=r"No space left.*previous state is whole"):
        train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)
    state = tmp_path / "run" / "state"
    assert [path.name for path in state.iterdir()] == ["state.npz"]
    with np.load(state / "state.npz") as arrays:
        assert json.loads(str(arrays["state"]))["step"] == 3


def test_early_stopping_counts_from_the_best_epoch(digits, tmp_path):
    config = CONFIG.replace(
        epochs=30, patience=2, learning_rate=1e-12, optimizer="sgd", schedule="constant"
    )
    run = train(digits, config, run=tmp_path / "run", screen=QUIET)
    assert run.classifier().provenance["best"]["epoch"] == 1
    assert len(run.history) == 3


def test_an_existing_folder_is_not_overwritten(whole, digits):
    with pytest.raises(RunError, match="does not exist yet"):
        train(digits, CONFIG, run=whole.folder, screen=QUIET)
    with pytest.raises(RunError, match="this run is finished"):
        train(digits, run=whole.folder, resume=True, screen=QUIET)


def test_a_resumed_run_wants_its_own_images(digits, tmp_path):
    run = Run.create(tmp_path / "run", "")
    run.write("run.toml", CONFIG.to_toml())
    run.write("data.json", json.dumps({"fingerprint": "another", "splits": {}}))
    with pytest.raises(RunError, match="not the images of"):
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


def test_a_classifier_is_trained_further(whole, digits, tmp_path):
    more = train(
        digits,
        CONFIG.replace(epochs=1, learning_rate=1e-5),
        start_from=whole.folder,
        run=tmp_path / "more",
    )
    first = more.history[0]
    assert first["val_accuracy"] >= whole.history[-1]["val_accuracy"] - 0.05
    assert all(a.shape == b.shape for a, b in zip(weights(more), weights(whole), strict=True))


def test_find_learning_rate_trains_with_what_it_finds(digits, tmp_path):
    run = train(
        digits, CONFIG.replace(epochs=1), run=tmp_path / "run", find_rate=True, screen=QUIET
    )
    assert run.config.training.learning_rate != LEARNING_RATES[CONFIG.training.optimizer]
    assert 1e-4 < run.config.training.learning_rate < 0.1
    assert (run.folder / "plots" / "learning_rate.png").exists()


def test_tensorboard_gets_scalars_histograms_and_the_graph(digits, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = train(
        digits, CONFIG.replace(epochs=2, tensorboard=True), run=tmp_path / "run", screen=QUIET
    )
    found = {}
    for part in ("train", "validation"):
        events = EventAccumulator(str(run.folder / "tensorboard" / part), {"tensors": 0}).Reload()
        found[part] = events.Tags()
    assert {"epoch_loss", "epoch_accuracy"} <= set(found["train"]["tensors"]) & set(
        found["validation"]["tensors"]
    )
    assert any("kernel" in tag for tag in found["train"]["tensors"])
    assert found["train"]["graph"] or any(
        "graph" in tag or "keras" in tag for tag in found["train"]["tensors"]
    )


def interrupt_at(monkeypatch, step: int):
    """Press Ctrl-C after so many steps of the next training."""
    real, calls = fit_module._Checkpoint.on_train_batch_end, []

    def press_once(self, batch, logs=None):
        calls.append(batch)
        if len(calls) == step:
            os.kill(os.getpid(), signal.SIGINT)
        real(self, batch, logs)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", press_once)


def test_a_stopped_run_from_a_classifier_goes_on_with_its_network(
    whole, digits, tmp_path, monkeypatch
):
    config = CONFIG.replace(epochs=2, learning_rate=1e-3)
    straight = train(
        digits, config, start_from=whole.folder, run=tmp_path / "straight", screen=QUIET
    )
    with monkeypatch.context() as patch:
        interrupt_at(patch, 3)
        with pytest.raises(Interrupted):
            train(digits, config, start_from=whole.folder, run=tmp_path / "stopped", screen=QUIET)
    (tmp_path / "stopped" / "state" / "state.npz").unlink()  # as if killed before the first state
    resumed = train(digits, run=tmp_path / "stopped", resume=True, screen=QUIET)
    assert columns(resumed) == columns(straight)
    assert all(
        np.array_equal(a, b) for a, b in zip(weights(resumed), weights(straight), strict=True)
    )


def test_the_same_images_must_be_divided_as_before(whole, digits, tmp_path):
    with pytest.raises(ConfigError, match=r"--seed must be as in the first training.*3.*found 4"):
        train(
            digits,
            CONFIG.replace(seed=4),
            start_from=whole.folder,
            run=tmp_path / "run",
            screen=QUIET,
        )
    assert not (tmp_path / "run").exists()


def test_patience_counts_over_a_resume(digits, tmp_path, monkeypatch):
    """Killed after the stopping epoch, before the report: nothing is left to train."""
    config = CONFIG.replace(
        epochs=30, patience=2, learning_rate=1e-12, optimizer="sgd", schedule="constant"
    )
    monkeypatch.setattr(fit_module, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(fit_module, "SAVE_SHARE", 1e9)
    run = train(digits, config, run=tmp_path / "run", screen=QUIET)
    (run.folder / "report.json").unlink()
    resumed = train(digits, run=run.folder, resume=True, screen=QUIET)
    assert len(resumed.history) == 3
    assert resumed.finished


def test_a_damaged_state_is_named(digits, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 3)
        with pytest.raises(Interrupted):
            train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)
    state = tmp_path / "run" / "state" / "state.npz"
    state.write_bytes(state.read_bytes()[:2000])
    with pytest.raises(RunError, match=r"state\.npz: the saved state is damaged"):
        train(digits, run=tmp_path / "run", resume=True, screen=QUIET)


def test_a_loss_that_breaks_late_keeps_the_best(digits, tmp_path, monkeypatch):
    real = fit_module._Checkpoint.on_train_batch_end

    def break_in_second_epoch(self, batch, logs=None):
        real(self, batch, {"loss": float("nan")} if self.state.epoch == 1 else logs)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", break_in_second_epoch)
    with pytest.raises(TrainingError, match="The best epoch, 1, is kept"):
        train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)
    assert Run(tmp_path / "run").classifier().provenance["best"]["epoch"] == 1


def test_without_images_set_aside_there_are_no_scores(digits, tmp_path):
    run = train(
        digits, CONFIG.replace(val=0.0, test=0.0, epochs=2), run=tmp_path / "run", screen=QUIET
    )
    assert run.report["metrics"] == {}
    assert run.classifier().provenance["best"]["epoch"] == 2
    assert [row["val_loss"] for row in run.history] == [None, None]


@pytest.mark.slow
def test_small_resnet_in_bfloat16_repeats_its_bits(digits, tmp_path):
    config = Config().replace(epochs=2, limit=300, precision="bfloat16")
    one, two = (train(digits, config, run=tmp_path / name, screen=QUIET) for name in ("one", "two"))
    assert one.report["precision"] == "bfloat16"
    assert columns(one) == columns(two)
    assert all(np.array_equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))
    assert {layer.dtype_policy.name for layer in one.classifier().model.layers} == {"float32"}
