"""Train, stop, resume, save, load and predict with JAX and with PyTorch.

A file that one engine wrote opens with the others.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from convlens.backend import ENGINES

pytestmark = pytest.mark.backends
FLAGS = (
    "--model",
    "custom_cnn",
    "--filters",
    "8,16",
    "--dense",
    "16",
    "--epochs",
    "8",
    "--batch-size",
    "32",
)
FLAGS += ("--learning-rate", "0.01", "--limit", "600", "--augment", "none", "--average-weights")
STOP = """
import os, signal
from convlens import backend
backend.start({engine!r})
import convlens.training.fit as fit
real, seen = fit._Checkpoint.on_train_batch_end, []
def press(self, batch, logs=None):
    seen.append(batch)
    if len(seen) == 17:
        os.kill(os.getpid(), signal.SIGINT)
    real(self, batch, logs)
fit._Checkpoint.on_train_batch_end = press
from convlens.cli import main
main()
"""


def convlens(engine: str, *words: object, code: str | None = None, expected: int = 0) -> str:
    start = ["-m", "convlens"] if code is None else ["-c", code]
    env = os.environ | ({} if words[0] == "train" else {"KERAS_BACKEND": engine})
    done = subprocess.run(
        [sys.executable, *start, *map(str, words)], capture_output=True, text=True, env=env
    )
    assert done.returncode == expected, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for engine in ENGINES:
        convlens(engine, "train", "digits", *FLAGS, "--backend", engine, "--run", folder / engine)
    return folder


@pytest.mark.parametrize("engine", ENGINES)
def test_it_learns(runs, engine):
    report = json.loads((runs / engine / "report.json").read_text())
    assert report["versions"]["engine"] == engine
    assert report["metrics"]["accuracy"]["value"] > 0.3  # chance is 0.1


@pytest.mark.parametrize("made_on", ENGINES)
def test_a_file_answers_the_same_on_every_engine(runs, made_on, tmp_path):
    from PIL import Image
    from sklearn.datasets import load_digits

    for number in range(5):
        Image.fromarray((load_digits().images[number] * 15.9).astype(np.uint8)).save(
            tmp_path / f"{number}.png"
        )
    answers = []
    for engine in ENGINES:  # loading replays the file's examples too, within 1e-4
        words = (
            "predict",
            runs / made_on / "classifier.keras",
            tmp_path,
            "--format",
            "json",
            "--top",
            "10",
        )
        rows = json.loads(convlens(engine, *words))
        answers.append([[row["probabilities"][str(digit)] for digit in range(10)] for row in rows])
    assert np.abs(np.array(answers) - answers[0]).max() < 1e-4


@pytest.mark.parametrize("engine", ENGINES)
def test_a_stopped_run_goes_on_with_the_same_history(runs, engine, tmp_path):
    words = ("train", "digits", *FLAGS, "--backend", engine, "--run", tmp_path / "run")
    convlens(engine, *words, code=STOP.format(engine=engine), expected=130)
    convlens(engine, "train", "--run", tmp_path / "run", "--resume")
    columns = [
        [
            ",".join(cell for i, cell in enumerate(row.split(",")) if i != 1)
            for row in path.read_text().splitlines()
        ]
        for path in (tmp_path / "run" / "history.csv", runs / engine / "history.csv")
    ]
    assert columns[0] == columns[1]
