"""What the user sees when a folder becomes read-only, a clock is set back, or a worker dies."""

import os
import shutil
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from convlens.data.batches import Batches
from convlens.errors import StorageError, TrainingError
from convlens.pipeline import train
from convlens.run import Run
from tests.trainings import CONFIG, QUIET, columns, same_weights, save_after_every_step

pytestmark = pytest.mark.usefixtures("no_charts")
CODE = """
from convlens import backend; backend.start()
import convlens.training.fit as f; f.SAVE_SECONDS = 0.0; f.SAVE_SHARE = 1e9
import convlens.training.memory_watch as m; m.EVERY = 0.0
from convlens.cli import main; main()
"""
FLAGS = "--model custom_cnn --filters 4 --dense 8 --epochs 3 --batch-size 32 --limit 400 --seed 3"
# The administrator may write to every folder, unless the process gives that right up.
AS_USER = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def as_user(*words: str) -> list[str]:
    """Return a command that may not write to a folder that is read-only."""
    command = [sys.executable, "-c", CODE, *words]
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return command
    if shutil.which("setpriv") is None:
        pytest.skip("the administrator may write everywhere, and setpriv is not installed")
    return [*AS_USER, *command]


def run(*words: str) -> tuple[int, str]:
    """Run a command, and return its exit code and what it wrote to the standard error."""
    done = subprocess.run(as_user(*words), capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.fixture
def writable_again(tmp_path):
    """Make all folders writable at the end, so that they can be removed."""
    yield
    for path in tmp_path.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)


@pytest.mark.usefixtures("writable_again")
def test_a_folder_that_is_read_only_before_the_training(tmp_path):
    (tmp_path / "runs").mkdir(mode=0o555)
    code, said = run("train", "digits", *FLAGS.split(), "--run", str(tmp_path / "runs" / "new"))
    assert code == StorageError.exit_code
    assert said.count("\n") == 1
    assert "the run folder cannot be written; Permission denied" in said
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize("words", [("train",), ("audit",), ("data",)])
@pytest.mark.usefixtures("writable_again")
def test_a_cache_that_is_read_only(words, shapes, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o555)
    monkeypatch.setenv("CONVLENS_CACHE", str(cache))
    code, said = run(*words, str(shapes))
    assert code == StorageError.exit_code
    assert said == (
        f"error  {cache}: the cache folder cannot be written; Permission denied. Set "
        "CONVLENS_CACHE to a folder that can be written to.\n"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("writable_again")
def test_a_folder_that_becomes_read_only_during_the_training(finished_run, tmp_path):
    folder = tmp_path / "run"
    command = as_user("train", "digits", *FLAGS.split(), "--run", str(folder))
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    while not (folder / "state" / "state.npz").exists():
        assert process.poll() is None
        time.sleep(0.005)
    for place in (folder / "state", folder):
        place.chmod(0o555)
    said = process.communicate()[1]
    assert process.returncode == StorageError.exit_code, said
    assert said.count("\n") == 1
    assert "cannot be written; Permission denied" in said
    assert f"To go on: convlens train --run {folder} --resume" in said
    code, said = run("train", "--run", str(folder), "--resume")
    assert code == StorageError.exit_code
    assert "Permission denied" in said
    for place in (folder / "state", folder):
        place.chmod(0o755)
    code, said = run("train", "--run", str(folder), "--resume")
    assert (code, said) == (0, "")
    resumed = Run(folder)
    assert columns(resumed) == columns(finished_run)
    assert same_weights(resumed, finished_run)


def test_a_clock_that_is_set_back_changes_nothing(finished_run, digits, tmp_path, monkeypatch):
    """By a day after each call, while files of the run get times from the future."""
    save_after_every_step(monkeypatch)
    real, calls = time.time, []

    def set_back() -> float:
        calls.append(1)
        for path in (tmp_path / "run").rglob("*.npz"):
            os.utime(path, (real() + 86400, real() + 86400))
        return real() - 86400 * len(calls)

    monkeypatch.setattr(time, "time", set_back)
    made = train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)
    time.time()
    assert columns(made) == columns(finished_run)
    assert same_weights(made, finished_run)
    assert all(0 <= row["seconds"] < 100 for row in made.history)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(OSError(5, "Input/output error"), id="an error of the disk"),
        pytest.param(SystemExit(1), id="a thread that ends"),
    ],
)
def test_a_worker_that_dies_ends_the_training_in_one_line(
    failure, finished_run, digits, tmp_path, monkeypatch
):
    real = Batches.batch_at

    def die(self, epoch, step):
        if epoch == 1 and step == 3 and self.seed is not None:
            raise failure
        return real(self, epoch, step)

    ended = []

    def begin() -> None:
        try:
            train(digits, CONFIG, run=tmp_path / "run", screen=QUIET)
        except TrainingError as error:
            ended.append(str(error))

    with monkeypatch.context() as patch:
        save_after_every_step(patch)
        patch.setattr(Batches, "batch_at", die)
        thread = threading.Thread(target=begin, daemon=True)
        thread.start()
        thread.join(120)
    assert not thread.is_alive(), "it hangs"
    (said,) = ended
    assert "\n" not in said
    assert f"could not be prepared; {type(failure).__name__}: {failure}." in said
    assert said.endswith(f"--run {tmp_path / 'run'} --resume")
    resumed = train(digits, run=tmp_path / "run", resume=True, screen=QUIET)
    assert same_weights(resumed, finished_run)


def test_nan_in_an_image_is_told_and_reaches_the_network_as_a_number(tmp_path, capsys):
    from convlens.cli import main

    rng = np.random.default_rng(0)
    for kind in ("a", "b"):
        (tmp_path / "images" / kind).mkdir(parents=True)
        for number in range(12):
            pixels = rng.random((8, 8)).astype(np.float32)
            pixels[0, 0] = np.nan
            Image.fromarray(pixels).save(tmp_path / "images" / kind / f"{number}.tiff")
    words = f"--model custom_cnn --filters 4 --dense 4 --epochs 1 --run {tmp_path / 'run'}"
    with pytest.raises(SystemExit) as ended:
        main(["train", str(tmp_path / "images"), *words.split()])
    assert not ended.value.code
    assert "images with NaN, which counts as black" in capsys.readouterr().out
    made = Run(tmp_path / "run")
    assert all(np.isfinite(row["loss"]) for row in made.history)
    assert all(np.isfinite(array).all() for array in made.classifier().model.get_weights())
