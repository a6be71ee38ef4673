"""Share: what one of several processes does that train one network together.

JAX computes each step on the images of all processes as if it were one computer: the network, the
gradients and the statistics of the batch normalisations are those of the whole batch. All processes
hold the same weights. The first one keeps the state and the classifier and shows the progress; it
has a copy of the run folder, whose changes go to the `Keeper`.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import ray
from numpy.typing import NDArray

from convlens import backend
from convlens.cluster.tasks import task_errors
from convlens.cluster.together import Event, Task, agreed
from convlens.cluster.trainings import write
from convlens.cluster.travel import unpacked
from convlens.data.batches import Batches
from convlens.data.shares import TrainingShare, ValidationShare
from convlens.errors import ConvlensError
from convlens.run import Run
from convlens.screen import Screen
from convlens.training.checkpoint import State
from convlens.training.setup import Setup
from convlens.training.trainer import Trainer
from convlens.transfer.origin import choose_origin

EVERY = 5  # steps between two agreements whether to stop
PAUSE = 0.25  # seconds between two messages of the first process to the keeper


def train(task: Task, number: int, processes: int) -> None:
    """Train in a copy of the run folder that is removed afterwards.

    Args:
        task: What to train.
        number: Which of the processes this one is.
        processes: Their number.

    Raises:
        Interrupted: If the training was stopped.
        ConvlensError: If the training cannot go on.
    """
    backend.start("jax")
    relay = None
    place = Path(tempfile.mkdtemp(prefix="convlens-"))
    run = Run(place / Path(task.folder).name)
    try:
        write(ray.get(task.keeper.files.remote()), run.folder)
        start_from = run.start_path if run.start_path.exists() else None
        prepared = unpacked(ray.get(task.images[0]))
        origin = choose_origin(task.config, start_from=start_from)
        setup = Setup.create(prepared, task.config, origin)
        with keras.distribution.DataParallel(auto_shard_dataset=False).scope():
            relay = None if number else Relay(task, run)
            screen = relay or Screen(quiet=True)
            trainer = ShareTrainer(setup, screen, number, processes)
            state = trainer.run(run, stop_requested=Stopping(relay))
            if relay is not None:
                relay.tell("end", state)
    except ConvlensError as error:
        if relay is not None:
            relay.send()
        raise type(error)(str(error).replace(str(run.folder), task.folder)) from None
    finally:
        shutil.rmtree(place, ignore_errors=True)


class ShareTrainer(Trainer):
    """Trains a network on one share of every batch; its model is that of all processes.

    Args:
        setup: The images, the configuration and the network, which is this process' own.
        screen: Where the progress is shown.
        number: Which of the processes this one is.
        processes: Their number.
    """

    def __init__(self, setup: Setup, screen: Screen, number: int, processes: int) -> None:
        self._share: dict[str, Any] = {"number": number, "processes": processes}
        self.saves = number == 0
        super().__init__(setup, screen)

    def batches(self, indices: NDArray[np.int64], **options: Any) -> Batches:
        """Return the share of this process in training batches, or in those for validation."""
        kind = TrainingShare if "seed" in options else ValidationShare
        return self.setup.batches(indices, partial(kind, **self._share), **options)

    def _keep(self, model: keras.Model, state: State, run: Run) -> None:
        if self.saves:
            with _alone():
                super()._keep(model, state, run)


class Stopping:
    """Whether all processes stop here; each of them calls it after the same steps.

    Args:
        relay: What knows in the first process; None in the others.
    """

    def __init__(self, relay: "Relay | None") -> None:
        self._relay = relay
        self._calls = 0

    def __call__(self) -> bool:
        """Return what the first process says, which the others ask from time to time."""
        self._calls += 1
        if self._calls % EVERY:
            return False
        return agreed(self._relay is not None and self._relay.stopping)


@contextmanager
def _alone() -> Iterator[None]:
    """Let this process compute without the others inside the block."""
    together = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(together)


class Relay(Screen):
    """Sends what happens in a training, and the files that have changed, to the keeper.

    Args:
        task: The task, which names the keeper.
        run: The copy of the run folder.

    Attributes:
        stopping: Whether the training should stop, as the keeper has said last.
    """

    def __init__(self, task: Task, run: Run) -> None:
        super().__init__(quiet=True)
        self.stopping = False
        self._keeper = task.keeper
        self._folder = run.folder
        self._events: list[Event] = []
        self._sent = 0.0
        self._known = self._stamps()

    def start(self, done: int, total: int, chooses: bool = True) -> None:
        """Tell that the training begins, or goes on."""
        self.tell("start", done, total, chooses)

    def step(self, epoch: int, epochs: int, done: int, loss: float) -> None:
        """Tell of the last step from time to time."""
        if time.monotonic() - self._sent > PAUSE:
            self.tell("step", epoch, epochs, done, loss)

    def epoch(self, row: dict[str, Any], *, best: bool) -> None:
        """Tell of an epoch."""
        self.tell("epoch", row, best)

    def stop(self) -> None:
        """Tell that there are no more steps."""
        self.tell("stop")

    def tell(self, *event: Any) -> None:
        """Send an event and the files that have changed."""
        self._events.append(event)
        self.send()

    def send(self) -> None:
        """Send what has happened since the last time.

        Raises:
            StorageError: If the keeper cannot write a file.
        """
        stamps = self._stamps()
        changed = [name for name, stamp in stamps.items() if self._known.get(name) != stamp]
        changed.sort(key=stamps.__getitem__)  # in the order in which they were written
        files = {name: (self._folder / name).read_bytes() for name in changed}
        with task_errors():
            self.stopping = ray.get(self._keeper.tell.remote(self._events, files))
        self._events = []
        self._known = stamps
        self._sent = time.monotonic()

    def _stamps(self) -> dict[str, tuple[int, int]]:
        """Return when each file was written, and its size."""
        paths = [path for path in self._folder.rglob("*") if path.is_file()]
        facts = {path.relative_to(self._folder).as_posix(): path.stat() for path in paths}
        return {name: (fact.st_mtime_ns, fact.st_size) for name, fact in facts.items()}
