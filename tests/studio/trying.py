"""Trying: workspaces with a small run, for the tests of the room in which it is tried."""

import io
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens.checksums import seal
from convlens.classifier.kept import VARIABLE, open_kept
from convlens.config import Config
from convlens.studio.worker import Worker
from tests.conftest import draw_shape, without_charts
from tests.trainings import QUIET

EACH = 12  # images of a class
TINY = Config().replace(
    model="custom_cnn",
    filters=(6,),
    dense=(),
    epochs=4,
    size="32",
    augment="none",
    learning_rate=0.02,
)


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """Return a workspace with bars and discs, and the run `first` that has learned them.

    Its converted network is kept.
    """
    from convlens.data.sources import load_data
    from convlens.pipeline import train

    folder = tmp_path_factory.mktemp("trained") / "shapes"
    rng = np.random.default_rng(0)
    for kind in ("bar", "disc"):
        (folder / "images" / kind).mkdir(parents=True)
        for number in range(EACH):
            draw_shape(kind, rng).save(folder / "images" / kind / f"{number}.png")
    run = folder / "runs" / "first"
    with without_charts(), pytest.MonkeyPatch.context() as environment:
        environment.setenv(VARIABLE, "1")  # as for a training that the studio starts
        train(load_data(folder / "images"), TINY, run=run, screen=QUIET)
    assert open_kept(run / "classifier.keras") or not find_spec("openvino")
    return folder


def workspace_of(trained: Path, folder: Path, **thresholds: float) -> Path:
    """Copy a workspace with its run, and with runs of other thresholds.

    Args:
        trained: The workspace.
        folder: The new folder.
        thresholds: The threshold of each further run by its name.
    """
    from convlens.classifier.classifier import Classifier

    shutil.copytree(trained, folder)
    (folder / ".studio").mkdir()
    opened = json.dumps({"format": 1, "source": None})
    (folder / ".studio" / "studio.json").write_text(opened, encoding="utf-8")
    data = folder / "runs" / "first" / "data.json"
    facts = json.loads(data.read_text(encoding="utf-8"))
    facts["path"] = str(folder / "images")
    data.write_text(json.dumps(facts), encoding="utf-8")
    seal(data.parent)
    for name, threshold in thresholds.items():
        shutil.copytree(data.parent, folder / "runs" / name)
        classifier = Classifier.load(data.parent)
        replace(classifier, threshold=threshold).save(folder / "runs" / name / "classifier.keras")
    return folder


def shape(kind: str = "disc", seed: int = 100) -> bytes:
    """Return the file of an image that the run has not seen."""
    file = io.BytesIO()
    draw_shape(kind, np.random.default_rng(seed)).save(file, "PNG")
    return file.getvalue()


def asked_of_stopped(process: Worker, question: Callable[[], Any]) -> Future[Any]:
    """Stop a process, which answers nothing then, and return the answer that a thread awaits."""
    os.kill(process.number, signal.SIGSTOP)
    answer: Future[Any] = Future()

    def ask_it() -> None:
        try:
            answer.set_result(question())
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=ask_it, daemon=True).start()
    end = time.monotonic() + 240
    while process.is_idle:
        assert time.monotonic() < end
        time.sleep(0.01)
    return answer
