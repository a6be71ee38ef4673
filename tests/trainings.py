"""Small trainings for the tests: settings, comparisons of runs, and interruptions."""

import io
import os
import signal

import numpy as np
from rich.console import Console

from convlens.config import Config
from convlens.run import Run
from convlens.screen import Screen
from convlens.training import fit as fit_module

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
# A network that learns nothing: its first epoch is the best one.
STUCK = CONFIG.replace(
    epochs=30, patience=2, learning_rate=1e-12, optimizer="sgd", schedule="constant"
)


def recording() -> tuple[Screen, io.StringIO]:
    """Return a screen, and the text that is printed on it."""
    text = io.StringIO()
    return Screen(console=Console(file=text, soft_wrap=True)), text


def weights(run: Run) -> list[np.ndarray]:
    """Return the weights of a run's classifier, the temperature included."""
    return run.classifier().model.get_weights()


def same_weights(one: Run, other: Run) -> bool:
    """Return whether the classifiers of two runs are equal bit for bit."""
    return all(np.array_equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def columns(run: Run) -> list[dict[str, float | None]]:
    """Return the history of a run without the seconds, which differ from run to run."""
    return [
        {name: value for name, value in row.items() if name != "seconds"} for row in run.history
    ]


def press_ctrl_c(monkeypatch, step: int) -> None:
    """Press Ctrl-C after so many steps of the next training."""
    real, calls = fit_module._Checkpoint.on_train_batch_end, []

    def press_once(self, batch, logs=None):
        calls.append(batch)
        if len(calls) == step:
            os.kill(os.getpid(), signal.SIGINT)
        real(self, batch, logs)

    monkeypatch.setattr(fit_module._Checkpoint, "on_train_batch_end", press_once)


def save_after_every_step(monkeypatch) -> None:
    """Let every training save its state after each step instead of once a minute."""
    monkeypatch.setattr(fit_module, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(fit_module, "SAVE_SHARE", 1e9)
