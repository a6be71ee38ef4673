"""What the tests of trainings in the studio share: a workspace, what is asked for, and waiting."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from convlens.studio.training import entry as states
from convlens.studio.training.process import is_alive
from tests.studio.conftest import Page, opened, picture

QUICK = {"way": "small", "epochs": 2}
PATIENCE = 300.0  # seconds; other work may keep the processors busy


@contextmanager
def of_pets(folder: Path) -> Iterator[Page]:
    """Yield the page of a workspace with 24 images of two classes, and end its trainings."""
    with opened(folder) as found:
        for name, first in (("cat", 0), ("dog", 100)):
            identifier = found.make(name)
            for seed in range(first, first + 12):
                found.add(identifier, f"{seed}.png", picture(seed), group=name)
        yield found
        end_all(found)


def end_all(page):
    """End what a test has left, since trainings outlive the studio."""
    for one in page.studio.queue.entries:
        if one.state == states.RUNNING and is_alive(one.pid, one.mark):
            os.kill(one.pid, signal.SIGKILL)


def trainings(page):
    return {one["run"]: one for one in page.get("/api/trainings").json()["trainings"]}


def add(page, choice):
    found = page.post("/api/trainings", choice)
    assert found.status_code == 201, found.text
    return found.json()["training"]


def until(page, run, *wanted):
    """Wait until a training is in a state."""
    end = time.monotonic() + PATIENCE
    while (one := trainings(page)[run])["state"] not in wanted:
        assert time.monotonic() < end, one
        time.sleep(0.1)
    return one


def until_epoch(page, run):
    """Wait until a training has finished an epoch, and return what is drawn of it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = page.get(f"/api/trainings/runs/{run}/now")
        if found.status_code == 200 and found.json()["history"]:
            return found.json()
        assert trainings(page)[run]["state"] == states.RUNNING, trainings(page)[run]
        time.sleep(0.1)
    raise AssertionError(trainings(page)[run])


def planned(page, choice):
    """Return the plan of a choice when it is made."""
    end = time.monotonic() + PATIENCE
    asked = choice | {"begin": True}
    while (plan := page.post("/api/trainings/plan", asked).json()["plan"])["state"] == "running":
        assert time.monotonic() < end
        time.sleep(0.2)
    assert plan["state"] == "done", plan
    return plan
