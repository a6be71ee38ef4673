"""Trainings: the place that carries out the trainings of a study on the nodes of a cluster.

What a training gives follows from the decoded images, its settings and the number of threads. The
process that was started therefore decodes the images once and hands them to every node, so that no
node needs the files, and each task has as many processors as a training here has threads. A task
trains in a folder of its own, which comes back as a whole and becomes the folder of the run. What
was begun before travels to the task in the same way. A task whose node has gone starts again, and
ends with the same bits.
"""

import platform
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from convlens import backend
from convlens.cluster.connection import Cluster, usable_cpus
from convlens.cluster.travel import packed_for_travel, unpacked
from convlens.config import Config
from convlens.errors import ClusterError, ConvlensError
from convlens.files import storage_errors
from convlens.folders import make_folder
from convlens.hidden import FORMER, give_name, hidden_folder, remove_leftovers
from convlens.language import _
from convlens.lock import LOCK
from convlens.run import Run
from convlens.screen import Screen
from convlens.studies.places import Job, Work

Files = Mapping[str, bytes]  # by their path in a run folder, with slashes


@dataclass(frozen=True)
class Task:
    """What a node needs for a training.

    Attributes:
        work: The function that trains, see `Place.each`.
        names: The names of the folders of the study and of the run.
        files: What was trained before.
        arguments: What else the function is called with.
        shared: A list of the reference to what all tasks need.
        engine: The engine of Keras.
        threads: The number of threads.
    """

    work: Work
    names: tuple[str, str]
    files: Files
    arguments: tuple[Any, ...]
    shared: list[Any]
    engine: str
    threads: int


@dataclass(frozen=True)
class Done:
    """What comes back of a training.

    Attributes:
        result: What its function returned.
        files: The content of the run folder.
        node: The name of the computer.
    """

    result: Any
    files: Files
    node: str


@dataclass(frozen=True)
class OnCluster:
    """The nodes of a cluster; see `convlens.studies.places.Place`.

    Attributes:
        cluster: The cluster.
        threads: The threads of each training, which are also its processors.
    """

    cluster: Cluster
    threads: int
    is_here: bool = False
    _handed_out: list[tuple[Any, Any]] = field(default_factory=list)  # what, and its reference

    def each(
        self, work: Work, jobs: Iterable[Job], shared: Any, screen: Screen
    ) -> Iterator[tuple[Job, Any]]:
        """Yield each job with what its function returned, in the order in which they end.

        Raises:
            ClusterError: If no node has as many processors as a training has threads.
            ConvlensError: If a training failed; the message names the node.
        """
        self._require_processors()
        given: list[Job] = []
        tasks = self._tasks(work, jobs, shared, given)
        with screen.status(_("waiting for the nodes")) as show:
            all_ended = self.cluster.run(carry_out, tasks, cpus=self.threads)
            for done, (number, ended) in enumerate(all_ended, 1):
                job = given[number]
                unpack(ended.files, job.run)
                yield job, ended.result
                show(
                    _("{done} of {given} trainings that were handed out have ended").format(
                        done=done, given=len(given)
                    )
                )

    def _tasks(
        self, work: Work, jobs: Iterable[Job], shared: Any, given: list[Job]
    ) -> Iterator[Task]:
        """Yield the task of each job; `given` receives the jobs in this order."""
        for job in jobs:
            reference = self._hand_out(shared)
            given.append(job)
            remove_leftovers(job.run.folder)  # A kill may have left what was trained before there.
            names = (job.run.folder.parent.name, job.run.folder.name)
            yield Task(
                work,
                names,
                pack(job.run),
                tuple(map(_with_whole_batches, job.arguments)),
                [reference],
                backend.engine(),
                self.threads,
            )

    def _hand_out(self, shared: Any) -> Any:
        """Return the reference to what all tasks need; the generations of a search share one."""
        import ray

        if not self._handed_out or self._handed_out[0][0] is not shared:
            self._handed_out[:] = [(shared, ray.put(packed_for_travel(shared)))]
        return self._handed_out[0][1]

    def _require_processors(self) -> None:
        largest = max((node.cpus for node in self.cluster.nodes), default=0)
        if largest < self.threads:
            raise ClusterError(
                _(
                    "a training takes {threads} processors, as its result depends on the number of "
                    "its threads; the largest node has {found}. Give --threads {found}."
                ).format(threads=self.threads, found=largest)
            )


def _with_whole_batches(argument: Any) -> Any:
    """Return settings that do not leave to the memory of a node how a batch is computed."""
    if isinstance(argument, Config) and argument.training.micro_batch is None:
        return argument.replace(micro_batch=0)
    return argument


def threads_of(config_threads: int | None) -> int:
    """Return the number of threads of a training in this process.

    Args:
        config_threads: What `--threads` says; None for all processors that the process may use.
    """
    return usable_cpus() if config_threads is None else config_threads


def carry_out(task: Task) -> Done:
    """Train on a node, in a folder that is removed afterwards.

    Raises:
        ConvlensError: If the training failed; the message names the node.
    """
    place = Path(tempfile.mkdtemp(prefix="convlens-"))
    try:
        backend.start(task.engine, task.threads)
        run = Run(place / task.names[0] / task.names[1])
        write(task.files, run.folder)
        screen = Screen(quiet=True)
        with backend.forgotten():
            result = task.work(run, _shared(task.shared[0]), screen, *task.arguments)
        return Done(result, pack(run), platform.node())
    except ConvlensError as error:
        said = _("node {node}: {error}").format(node=platform.node(), error=error)
        raise type(error)(said) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


@lru_cache(maxsize=1)
def _shared(reference: Any) -> Any:
    """Return what all tasks need, once for a process."""
    import ray

    return unpacked(ray.get(reference))


def pack(run: Run) -> Files:
    """Return the files of a run folder, its lock without content; none if it does not exist."""
    paths = sorted(path for path in run.folder.rglob("*") if path.is_file())
    names = [path.relative_to(run.folder) for path in paths]
    return {
        name.as_posix(): b"" if name == LOCK else path.read_bytes()
        for name, path in zip(names, paths, strict=True)
    }


def write(files: Files, folder: Path) -> None:
    """Write the files of a run into a folder."""
    make_folder(folder / "state")
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def unpack(files: Files, run: Run) -> None:
    """Put files in the place of a run folder, all of them or none; nothing if there are none.

    Raises:
        StorageError: If they cannot be written. What was there before is kept.
    """
    if not files:  # of a training that could not begin
        return
    with storage_errors(run.folder, _("the run folder")), hidden_folder(run.folder) as hidden:
        write(files, hidden / "new")
        give_name(hidden / "new", run.folder, hidden / FORMER)
