"""Measure how long `convlens --help` takes, and a prediction for one image beside Keras alone.

python benchmarks/speed/start.py

A classifier of the digits of scikit-learn is trained first. Prints one line of JSON, in seconds of
processor time for `--help` and in seconds of the clock for the others.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROUNDS = 5


def main() -> None:
    """Print the medians of commands in turn."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        convlens = [sys.executable, "-m", "convlens"]
        subprocess.run(
            [*convlens, "train", "digits", "--epochs", "2", "--run", str(run)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        image = Path(folder) / "image.png"
        Image.fromarray(np.full((8, 8), 90, np.uint8)).save(image)
        commands = {
            "help": [*convlens, "--help"],
            "keras": [sys.executable, "-c", "import keras"],
            "predict": [*convlens, "predict", str(run), str(image)],
        }
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                measured[name].append(times(command))
    medians = {name: np.median(rows, axis=0) for name, rows in measured.items()}
    print(
        json.dumps(
            {
                "help_processor_seconds": round(medians["help"][1], 3),
                "keras_seconds": round(medians["keras"][0], 2),
                "predict_seconds": round(medians["predict"][0], 2),
                "predict_minus_keras": round(medians["predict"][0] - medians["keras"][0], 2),
            }
        )
    )


def times(command: list[str]) -> tuple[float, float]:
    """Return the seconds of a command by the clock, and those of the processors."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, used


if __name__ == "__main__":
    main()
