"""A training that is killed again and again ends with the bits of an undisturbed one."""

import random
import shutil
import time
from pathlib import Path

import pytest

from convlens.run import Run
from tests.crashes.recorder import Recorder
from tests.crashes.runs import BEGUN, PRECISIONS, Ending, words_of, write_images

KILLS = 15  # in each precision
MANY = 100


class Killed:
    """A training whose process is killed at random moments.

    Args:
        recorder: What runs and kills it.
        images: The file of its images.
        folder: Where its runs lie.
        precision: Its arithmetic.
    """

    def __init__(self, recorder: Recorder, images: Path, folder: Path, precision: str) -> None:
        self.recorder = recorder
        self.folder = folder / "run"
        self.begin = words_of(images, self.folder, precision)
        self.go_on = ["train", "--run", str(self.folder), "--resume"]
        began = time.monotonic()
        whole = folder / "whole"
        done = recorder.run("command", *words_of(images, whole, precision))
        assert done.code == 0, done.output
        self.seconds = time.monotonic() - began
        self.ending = Ending.of(whole)
        self.random = random.Random(precision)

    def run(self, *, may_end: bool) -> bool:
        """Begin or continue the training, and return whether it was killed.

        Args:
            may_end: Whether nobody kills it.
        """
        words = self.begin if not self.folder.exists() else self.go_on
        moment = None if may_end else self.random.uniform(0, 1.2 * self.seconds)
        done = self.recorder.run("command", *words, kill_after=moment)
        if done.code == 5 and BEGUN in done.output:
            shutil.rmtree(self.folder)  # as the message says; nothing was trained
        else:
            assert done.code in (0, -9), done.output
        return done.code == -9


def kill(times: int, recorder: Recorder, folder: Path, precision: str) -> None:
    """Kill trainings so many times in all, and compare each that ends."""
    killed = Killed(recorder, write_images(folder), folder, precision)
    while times or killed.folder.exists():
        times -= killed.run(may_end=not times)
        if killed.folder.exists() and Run(killed.folder).finished:
            assert Ending.of(killed.folder).equals(killed.ending)
            shutil.rmtree(killed.folder)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_training_survives_kills_at_random_moments(precision, recorder, tmp_path):
    kill(KILLS, recorder, tmp_path, precision)


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_training_survives_many_kills(precision, recorder, tmp_path):
    kill(MANY, recorder, tmp_path, precision)
