"""Questions whose answers take time, or end their process; the nodes import this module."""

import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import ray

from convlens.classifier.prediction import Predictor
from convlens.cluster import asking, features
from convlens.cluster.asking import Counts
from convlens.cluster.connection import connect
from convlens.cluster.question import Question
from convlens.preprocess import Preprocessing

SIZE = Preprocessing(8, 8, 1, unit=(0.0, 255.0))
LIMIT = "RAY_memory_usage_threshold"  # a share of the memory, at which Ray ends processes of a node
PIECE = 64 * 2**20  # bytes
MUCH = 5 * 2**30  # bytes that are more than a process with a limit may take


@dataclass(eq=False)
class Brightness(Predictor):
    """Says how bright an image is, and waits or dies with each batch if it is told to."""

    class_names: tuple[str, ...] = ("dark", "bright")
    preprocessing: Preprocessing = SIZE
    threshold: float | None = None
    seconds: float = 0
    mark: str = ""
    nodes: str = ""  # a folder
    hungry: str = ""  # a mark of the process that takes all memory of its node

    def probabilities(self, images, *, batch_size=None):
        if self.nodes:
            (Path(self.nodes) / ray.get_runtime_context().get_node_id()).touch()
        time.sleep(self.seconds)
        if self.mark and not Path(self.mark).exists():
            Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)  # as the system does when no memory is left
        if self.hungry and LIMIT in os.environ and not Path(self.hungry).exists():
            Path(self.hungry).touch()
            take_memory()
            Path(self.hungry).with_suffix(".survived").touch()
        bright = images.mean(axis=(1, 2, 3), dtype=np.float32) / np.float32(255)
        return np.stack([1 - bright, bright], axis=1)


def take_memory() -> None:
    """Take memory, and some time, within which Ray ends this process."""
    held = []
    for _number in range(MUCH // PIECE):
        held.append(np.ones(PIECE, np.uint8))
        time.sleep(0.02)
    time.sleep(10)


@dataclass(frozen=True)
class SlowFeatures(features._Features):
    """Features whose network takes its time."""

    seconds: float = 0.3

    def open(self, folder):
        opened = super().open(folder)

        def predict(images):
            time.sleep(self.seconds)
            return opened.compiled.predict(images)

        return replace(opened, compiled=replace(opened.compiled, predict=predict))


@dataclass(frozen=True)
class SlowQuestion(Question):
    """What `Brightness` says."""

    seconds: float = 0
    mark: str = ""
    nodes: str = ""
    hungry: str = ""

    def predictor(self):
        return Brightness(
            preprocessing=self.preprocessing,
            seconds=self.seconds,
            mark=self.mark,
            nodes=self.nodes,
            hungry=self.hungry,
        )


def slow_question(seconds: float = 0, **places: object) -> SlowQuestion:
    texts = {name: str(place) for name, place in places.items()}
    return SlowQuestion({}, "brightness", "keras", "float32", SIZE, seconds, **texts)


def answer(address, folder, photos, seconds=0.0, **places) -> Counts:
    """Ask about the images of a folder; return how many there were, and how many were computed."""
    images = map(str, sorted(Path(photos).iterdir()))
    question = slow_question(seconds, **places)
    with connect(address) as cluster:
        return asking.ask(question, cluster, Path(folder), images)[1]


if __name__ == "__main__":
    asking.PART = 16
    answer(*sys.argv[1:4], float(sys.argv[4]))
