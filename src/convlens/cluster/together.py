"""Together: several processes of a cluster that train one network, as Ray Train starts them.

JAX joins the processes, Ray Train starts them and starts all of them again when one is lost. Ray's
own configuration for JAX joins them on graphics cards only. `Joined` does it everywhere.

This module imports no engine, so that JAX is told of the other processes before it begins.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ray
import ray.train
from ray.train.backend import Backend, BackendConfig

from convlens.config import Config
from convlens.errors import ClusterError, ConvlensError, Interrupted
from convlens.files import write_atomically
from convlens.language import _
from convlens.lock import LOCK
from convlens.memory import SAMPLE
from convlens.run import Run

PATIENCE = 5.0  # seconds in which the first process tells of an error
RESTARTS = 5  # how often all processes start again because one was lost
# Ray Train would write figures about itself, and change the current folder of the processes.
QUIET = {"RAY_CHDIR_TO_TRIAL_DIR": "0", "RAY_TRAIN_METRICS_ENABLED": "0"}
CLEANER = "PlacementGroupCleanerCallback"
Event = tuple[Any, ...]
Work = Callable[[Mapping[str, "Task"]], None]


@dataclass(frozen=True)
class Task:
    """What each process needs.

    Attributes:
        folder: The folder of the run on the computer that has started the training.
        config: The resolved configuration.
        images: A list of the reference to the images.
        keeper: The actor of the `Keeper`.
    """

    folder: str
    config: Config
    images: list[Any]
    keeper: Any


@dataclass(frozen=True)
class Resources:
    """What the processes take of the cluster.

    Attributes:
        workers: The number of processes.
        each: What one of them takes, as Ray names it.
    """

    workers: int
    each: Mapping[str, float] = field(default_factory=lambda: {"CPU": 1})


class Joined(BackendConfig):  # type: ignore[misc]
    """Lets Ray Train join its processes by JAX before they train."""

    @property
    def backend_cls(self) -> type[Backend]:
        """What joins them."""
        return _Joining


class _Joining(Backend):  # type: ignore[misc]
    def on_start(self, worker_group: Any, backend_config: BackendConfig) -> None:
        """Join all processes; Ray Train calls it in its controller whenever it has started them."""
        address = worker_group.execute_single(0, free_address)
        processes = len(worker_group)
        ray.get(
            [
                worker_group.execute_single_async(number, join, address, processes, number)
                for number in range(processes)
            ]
        )


def free_address() -> str:
    """Return the address of this computer in the cluster, and a free port."""
    from ray.train._internal.utils import get_address_and_port

    host, port = get_address_and_port()
    name = "[{host}]" if ":" in host else "{host}"  # an IPv6 address in brackets
    return (name + ":{port}").format(host=host, port=port)


def join(address: str, processes: int, number: int) -> None:
    """Make this process one of several that compute together.

    Args:
        address: Where the first of them listens.
        processes: Their number.
        number: Which of them this one is.
    """
    os.environ["KERAS_BACKEND"] = "jax"
    import jax

    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(address, processes, number)


def require_joined(processes: int, number: int) -> None:
    """Check that JAX computes with all processes, each of which has one device.

    Raises:
        ClusterError: If it does not, so that the processes would train alone.
    """
    import jax

    found = (jax.process_count(), jax.process_index(), jax.device_count())
    if found != (processes, number, processes):
        raise ClusterError(
            _(
                "process {number} must compute together with {processes} processes, each with one "
                "device; JAX has {found} with {devices} devices and calls this one {index}."
            ).format(
                number=number,
                processes=processes,
                found=found[0],
                index=found[1],
                devices=found[2],
            )
        )


def agreed(asked: bool) -> bool:
    """Return what the first process asks for; all processes call it at the same place."""
    import numpy as np
    from jax.experimental import multihost_utils

    return bool(multihost_utils.broadcast_one_to_all(np.int32(asked)))


class Keeper:
    """An actor on the computer that has started the training, which keeps what is done.

    It starts the training, so that all its processes end when it is ended.

    Args:
        folder: The folder of the run.
    """

    def __init__(self, folder: str) -> None:
        self.run = Run.open(folder)
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._stopping = False

    def train(self, work: Work, task: Task, resources: Resources) -> None:
        """Carry out a training and return when all its processes have ended.

        Args:
            work: What each process does.
            task: What it is called with.
            resources: The processes.

        Raises:
            ClusterError: If processes were lost too often.
        """
        os.environ.update(QUIET)
        with tempfile.TemporaryDirectory(prefix="convlens-") as storage:
            trainer = _trainer_class()(
                work,
                train_loop_config={"task": task},
                backend_config=Joined(),
                scaling_config=ray.train.ScalingConfig(
                    num_workers=resources.workers,
                    use_gpu="GPU" in resources.each,
                    resources_per_worker=dict(resources.each),
                ),
                run_config=ray.train.RunConfig(
                    storage_path=storage,
                    failure_config=ray.train.FailureConfig(max_failures=RESTARTS),
                ),
            )
            try:
                trainer.fit()
            except ray.train.TrainingFailedError as error:
                raise ClusterError(
                    _(
                        "the processes of the training were lost again and again ({reason}). {how}"
                    ).format(reason=_reason(error), how=self.run.how_to_resume())
                ) from error

    def files(self) -> dict[str, bytes]:
        """Return the files of the run, from which the processes begin or go on."""
        from convlens.cluster.trainings import pack

        return dict(pack(self.run))

    def tell(self, events: list[Event], files: Mapping[str, bytes]) -> bool:
        """Keep files and note events; return whether the training should stop.

        The lock and the memory belong to the process on another computer.

        Raises:
            StorageError: If a file cannot be written.
        """
        for name, content in files.items():
            if name not in (LOCK, SAMPLE.as_posix()):
                write_atomically(self.run.folder / name, content)
        with self._lock:
            self._events += events
        return self._stopping

    def take(self) -> list[Event]:
        """Return the events that were noted, each once."""
        with self._lock:
            events = self._events
            self._events = []
        return events

    def stop(self) -> None:
        """Let the training stop after its step."""
        self._stopping = True


def _trainer_class() -> Any:
    """Return Ray Train's trainer without the actor that frees what a killed training has reserved.

    It needs the dashboard. Without one, it takes 12 s to end, or is left in the cluster for ever.
    Ray frees everything itself when the command disconnects.
    """
    from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

    class Trainer(DataParallelTrainer):  # type: ignore[misc]
        def _create_default_callbacks(self) -> list[Any]:
            callbacks = super()._create_default_callbacks()
            return [one for one in callbacks if type(one).__name__ != CLEANER]

    return Trainer


def _reason(error: BaseException) -> str:
    """Return the last line of what the first process that failed has said."""
    failures = getattr(error, "worker_failures", {})
    first: BaseException = next(iter(failures.values()), error)
    return (str(first).strip().splitlines() or [type(first).__name__])[-1]


def train_share(settings: Mapping[str, Task]) -> None:
    """Train with the other processes; each process of a training calls it.

    An error that convlens raises ends the training. After any other, Ray Train starts it again.

    Args:
        settings: The task by its name, since Ray Train hands over settings.
    """
    task = settings["task"]
    context = ray.train.get_context()
    number = context.get_world_rank()
    processes = context.get_world_size()
    try:
        require_joined(processes, number)
        from convlens.cluster.share import train

        train(task, number, processes)
    except ConvlensError as error:
        if number and isinstance(error, Interrupted):
            return  # as all of them; the first process tells after it has sent the state
        if number:
            time.sleep(PATIENCE)  # mostly the first process has the same error
        ray.get(task.keeper.tell.remote([("failed", error)], {}))
