"""A stopped or killed training continues from its saved state with the same bits."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from convlens.cli import main
from convlens.config import Config
from convlens.errors import Interrupted, RunError, StorageError
from convlens.language import _
from convlens.language_choice import using
from convlens.pipeline import train
from convlens.run import Run
from convlens.training.checkpoint import assign_saved, record_end, recorded_end
from tests.conftest import forget_threads
from tests.trainings import (
    CONFIG,
    QUIET,
    columns,
    press_ctrl_c,
    same_weights,
    save_after_every_step,
)

pytestmark = pytest.mark.usefixtures("no_charts")


# Steps, of which an epoch has 8: within the first epoch and the second, and at their ends.
@pytest.mark.parametrize(
    "stop_at",
    [13, *(pytest.param(step, marks=pytest.mark.slow) for step in (3, 8, 16))],
)
def test_a_stopped_run_goes_on_with_the_same_bits(
    finished_run, digits, tmp_path, monkeypatch, stop_at
):
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, stop_at)
        with pytest.raises(Interrupted):
            train(digits, CONFIG, run=tmp_path / "stopped", screen=QUIET)
    keras.utils.set_random_seed(99)  # what another process would have drawn meanwhile
    resumed = train(digits, run=tmp_path / "stopped", resume=True, screen=QUIET)
    assert columns(resumed) == columns(finished_run)
    assert same_weights(resumed, finished_run)


def test_the_fast_recipe_goes_on_with_the_same_bits(digits, tmp_path, monkeypatch):
    """Its first layer is computed from the images, and Muon has a state of its own."""
    config = Config().replace(recipe="fast", epochs=2, batch_size=64, limit=400, seed=3)
    whole = train(digits, config, run=tmp_path / "whole", screen=QUIET)
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, 6)
        with pytest.raises(Interrupted):
            train(digits, config, run=tmp_path / "stopped", screen=QUIET)
    keras.utils.set_random_seed(99)
    resumed = train(digits, run=tmp_path / "stopped", resume=True, screen=QUIET)
    assert columns(resumed) == columns(whole)
    assert same_weights(resumed, whole)


def test_a_killed_process_goes_on_with_the_same_bits(finished_run, tmp_path, capsys):
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
    assert columns(resumed) == columns(finished_run)
    assert same_weights(resumed, finished_run)


def test_a_full_disk_keeps_the_previous_state(digits, tmp_path, monkeypatch):
    save_after_every_step(monkeypatch)
    real, calls = np.savez, []

    def fill(*args, **arrays):
        calls.extend(["state"] if "state" in arrays else [])
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        real(*args, **arrays)

    monkeypatch.setattr(np, "savez", fill)
    with pytest.raises(StorageError, match=r"No space left.*previous state is whole"):
        train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)
    state = tmp_path / "run" / "state"
    names = sorted(path.name for path in state.iterdir())
    assert names == ["images.npz", "lock", "memory.json", "state.npz"]
    with np.load(state / "state.npz") as arrays:
        assert json.loads(str(arrays["state"]))["step"] == 3


def test_a_damaged_state_is_named(digits, tmp_path):
    interrupted = Path(__file__).parents[1] / "fixtures" / "8941a94" / "interrupted"
    shutil.copytree(interrupted, tmp_path / "run")
    forget_threads(tmp_path / "run")
    state = tmp_path / "run" / "state" / "state.npz"
    for content in (state.read_bytes()[:2000], b"no archive"):
        state.write_bytes(content)
        said = r"state\.npz: the saved state is damaged \(its content is cut off, changed or of"
        with pytest.raises(RunError, match=said):
            train(digits, run=tmp_path / "run", resume=True, screen=QUIET)


def test_a_state_of_another_network_is_refused():
    variables = [keras.Variable(np.zeros((3, 2))), keras.Variable(np.zeros(2))]
    assign_saved("state.npz", variables, [np.ones((3, 2)), np.full(2, 5.0)])
    assert [float(keras.ops.sum(one)) for one in variables] == [6, 10]
    for values in ([np.ones((3, 2))], [np.ones((2, 3)), np.ones(2)]):
        with pytest.raises(RunError, match=r"state\.npz: the saved state is of another network"):
            assign_saved("state.npz", variables, values)
    assert [float(keras.ops.sum(one)) for one in variables] == [6, 10]


def test_the_note_of_a_training_that_was_ended_is_in_the_language_of_its_reader(tmp_path):
    run = Run.create(tmp_path / "run", "")
    with using("zh"):
        record_end(run, _("stopped before the end."))
    with using("en"):
        assert recorded_end(run) == "stopped before the end."
