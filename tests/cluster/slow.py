"""Questions whose answers take time, or end their process; the nodes import this module."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import ray

from convlens.classifier.prediction import Predictor
from convlens.cluster import asking
from convlens.cluster.asking import Counts
from convlens.cluster.connection import connect
from convlens.cluster.question import Question
from convlens.preprocess import Preprocessing

SIZE = Preprocessing(8, 8, 1, unit=(0.0, 255.0))


@dataclass(eq=False)
class Brightness(Predictor):
    """Says how bright an image is, and waits or dies with each batch if it is told to."""

    class_names: tuple[str, ...] = ("dark", "bright")
    preprocessing: Preprocessing = SIZE
    threshold: float | None = None
    seconds: float = 0
    mark: str = ""
    nodes: str = ""  # a folder

    def probabilities(self, images, *, batch_size=None):
        if self.nodes:
            (Path(self.nodes) / ray.get_runtime_context().get_node_id()).touch()
        time.sleep(self.seconds)
        if self.mark and not Path(self.mark).exists():
            Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)  # as the system does when no memory is left
        bright = images.mean(axis=(1, 2, 3), dtype=np.float32) / np.float32(255)
        return np.stack([1 - bright, bright], axis=1)


@dataclass(frozen=True)
class SlowQuestion(Question):
    """What `Brightness` says."""

    seconds: float = 0
    mark: str = ""
    nodes: str = ""

    def predictor(self):
        return Brightness(
            preprocessing=self.preprocessing,
            seconds=self.seconds,
            mark=self.mark,
            nodes=self.nodes,
        )


def slow_question(seconds: float = 0, mark: str = "", nodes: str = "") -> SlowQuestion:
    return SlowQuestion({}, "brightness", "keras", "float32", SIZE, seconds, mark, nodes)


def answer(address, folder, photos, seconds=0.0, mark="", nodes="") -> Counts:
    """Ask about the images of a folder; return how many there were, and how many were computed."""
    images = map(str, sorted(Path(photos).iterdir()))
    question = slow_question(seconds, str(mark), str(nodes))
    with connect(address) as cluster:
        return asking.ask(question, cluster, Path(folder), images)[1]


if __name__ == "__main__":
    asking.PART = 16
    answer(*sys.argv[1:4], float(sys.argv[4]))
