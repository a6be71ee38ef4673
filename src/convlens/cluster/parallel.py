"""Parallel: one training on several processes of a cluster, as a stage.

Everything before and after the steps happens in the process that was started: it chooses the
network, decodes the images, and computes the scores and the report. The processes are described in
`convlens.cluster.together` and `convlens.cluster.share`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from convlens.cluster.connection import connect
from convlens.cluster.tasks import task_errors
from convlens.cluster.travel import packed_for_travel
from convlens.errors import BackendError, ClusterError, ConfigError, Interrupted
from convlens.language import N_, _, listed, ngettext
from convlens.report.finish import Predict
from convlens.run import Run
from convlens.screen import Screen
from convlens.training.checkpoint import State
from convlens.training.interrupts import interruptible
from convlens.training.setup import Setup
from convlens.training.stage import Facts

ROOM = 10.0  # seconds in which the cluster must have room for all processes
PAUSE = 0.1  # seconds between two looks at what has happened
LOST = N_(
    "a process of the training was lost; all of them go on from the state that was saved last"
)
TRAIN = "pip install 'ray[train]'"  # not translated: a command


@contextmanager
def trained_on(address: str, workers: int) -> Iterator[Callable[[Setup, Screen], "Parallel"]]:
    """Yield what makes the stage that trains on a cluster; see `pipeline.train`.

    Args:
        address: See `connect`.
        workers: The number of processes.

    Raises:
        BackendError: If Ray Train is not installed.
        ClusterError: If the cluster has no room for all processes now.
    """
    with connect(address):
        yield partial(Parallel, each=require_room(workers))


def require_room(workers: int) -> dict[str, float]:
    """Return what each process takes of the connected cluster: a processor, and a graphics card.

    Raises:
        BackendError: If Ray Train is not installed.
        ClusterError: If the cluster has no room for all processes now.
    """
    import ray

    try:
        import ray.train
    except ImportError as error:
        raise BackendError(
            _("--workers needs Ray Train, which is not installed: {install}.").format(install=TRAIN)
        ) from error
    each: dict[str, float] = {"CPU": 1}
    if ray.cluster_resources().get("GPU"):
        each["GPU"] = 1
    group = ray.util.placement_group([each] * workers)
    try:
        has_room = group.wait(ROOM)
    finally:
        ray.util.remove_placement_group(group)
    if not has_room:
        free = ray.available_resources()
        raise ClusterError(
            _(
                "--workers {workers} must find as many free {kinds} on the nodes; found {free}. "
                "Give fewer workers, or wait until other tasks have ended."
            ).format(
                workers=workers,
                kinds=" + ".join(each),
                free=listed("{} {:g}".format(kind, free.get(kind, 0)) for kind in each),
            )
        )
    return each


@dataclass(eq=False)
class Parallel:
    """Trains a network on several processes; see `convlens.training.stage.Stage`.

    Attributes:
        setup: The images, the configuration and the network.
        screen: Where the progress is shown.
        each: What each process takes of the cluster.
        work: What each process does.
    """

    setup: Setup
    screen: Screen
    each: dict[str, float] = field(default_factory=dict)
    work: Callable[[Any], None] | None = None
    expected = 0.0  # nothing was measured

    def __post_init__(self) -> None:
        images = len(self.setup.prepared.splits.train)
        batch = self.setup.config.training.batch_size
        if images < batch:
            raise ConfigError(
                _(
                    "--batch-size must be at most the number of training images with --workers; "
                    "found {batch} and {images}."
                ).format(batch=batch, images=images)
            )

    def facts(self) -> dict[str, str]:
        """Return how many processes train, and the images of each in a step."""
        settings = self.setup.config.training
        workers = settings.workers or 1
        said = ngettext(
            "{workers} process, {images} images of each step",
            "{workers} processes, {images} images of each step on each",
            workers,
        )
        images = settings.batch_size // workers
        return {N_("workers"): said.format(workers=workers, images=images)}

    def costs(self) -> Facts:
        """Return nothing: this process cannot measure the steps of others."""
        return []

    def prepare_scores(self, run: Run) -> Predict | None:
        """Return None: the scores are computed by the classifier itself."""
        return None

    def run(self, run: Run) -> State:
        """Train, and leave the best classifier in the run folder.

        Raises:
            Interrupted: If Ctrl-C was pressed. The state and the best epoch are kept.
            ClusterError: If processes were lost again and again.
            ConvlensError: What the training has raised.
        """
        import ray

        from convlens.cluster.together import Keeper, Resources, Task, train_share

        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        folder = str(run.folder.absolute())
        kept: Any = ray.remote(num_cpus=0, max_concurrency=8)(Keeper)
        keeper = kept.options(scheduling_strategy=here).remote(folder)
        config = self.setup.config
        images = [ray.put(packed_for_travel(self.setup.prepared))]
        task = Task(folder, config, images, keeper)
        resources = Resources(config.training.workers or 1, self.each)
        self.screen.say(_("the processes are started, which can take a minute"), "dim")
        try:
            done = keeper.train.remote(self.work or train_share, task, resources)
            return self._follow(keeper, done)
        except Interrupted:
            raise  # all processes have ended
        except BaseException:
            ray.kill(keeper)  # and with it all processes, which may wait for one another
            raise
        finally:
            self.screen.stop()

    def _follow(self, keeper: Any, done: Any) -> State:
        """Show what happens until the training has ended, and return its last state.

        Ray Train takes some seconds to end processes that have nothing left to do. The scores need
        not wait for that.
        """
        import ray

        progress = _Progress(self.screen)
        told = False
        with interruptible() as stops, task_errors():
            while progress.state is None:
                ended, _waiting = ray.wait([done], timeout=PAUSE)
                if not told and stops():
                    ray.get(keeper.stop.remote())
                    told = True
                for event, *facts in ray.get(keeper.take.remote()):
                    getattr(progress, event)(*facts)
                if ended:
                    ray.get(ended)
        return progress.state


class _Progress:
    """Shows the events of a training; what was shown before a loss is not shown again.

    Args:
        screen: Where it is shown.
    """

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.state: State | None = None  # the last one, when the training has ended
        self._started = False
        self._shown = 0  # the last epoch that was shown

    def start(self, done: int, total: int, chooses: bool) -> None:
        if self._started:
            self.screen.note(_(LOST))
        else:
            self.screen.start(done, total, chooses)
        self._started = True

    def step(self, epoch: int, epochs: int, done: int, loss: float) -> None:
        self.screen.step(epoch, epochs, done, loss)

    def epoch(self, row: dict[str, Any], best: bool) -> None:
        if row["epoch"] > self._shown:
            self.screen.epoch(row, best=best)
            self._shown = row["epoch"]

    def stop(self) -> None:
        """Keep the bar, since a process may be lost and begin again."""

    def end(self, state: State) -> None:
        self.state = state

    def failed(self, error: Exception) -> None:
        raise error
