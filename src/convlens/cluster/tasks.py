"""Tasks: what runs on the nodes, and what becomes of their errors."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from convlens.errors import ClusterError, ConvlensError
from convlens.language import _

RETRIES = 5  # how often a task starts again whose process or node has gone
Item = TypeVar("Item")
Result = TypeVar("Result")


def run_tasks(
    function: Callable[[Item], Result], items: Iterable[Item], *, cpus: float, ahead: int
) -> Iterator[tuple[int, Result]]:
    """Yield (number of the item, result) in the order in which the tasks end; see `Cluster.run`."""
    import ray

    task: Any = ray.remote(num_cpus=cpus, max_retries=RETRIES)(function)
    waiting: dict[Any, int] = {}

    def one_done() -> tuple[int, Result]:
        done = ray.wait([*waiting])[0][0]
        number = waiting.pop(done)
        with task_errors():
            return number, ray.get(done)

    try:
        for number, item in enumerate(items):
            while len(waiting) >= ahead:
                yield one_done()
            waiting[task.remote(item)] = number
        while waiting:
            yield one_done()
    finally:
        _cancel(waiting)


def _cancel(references: Collection[Any]) -> None:
    """End the tasks that are still under way.

    Those that have ended are left alone: Ray 2.60 aborts this process ("Tried to complete task that
    was not pending") if a task is cancelled at the moment at which its result comes in.
    """
    import ray

    if not references:
        return
    everyone = list(references)
    _ended, running = ray.wait(everyone, num_returns=len(everyone), timeout=0, fetch_local=False)
    for reference in running:
        ray.cancel(reference, force=True)


@contextmanager
def task_errors() -> Iterator[None]:
    """Raise what a task has raised as itself, without Ray's account of it.

    Raises:
        ConvlensError: What the task has raised.
        ClusterError: If the process of the task or its node has ended too often.
    """
    import ray

    try:
        yield
    except ray.exceptions.RayTaskError as error:
        cause = _innermost(error)
        if isinstance(cause, ConvlensError):
            raise cause from None
        raise
    except (
        ray.exceptions.RayActorError,
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.OutOfMemoryError,
        ray.exceptions.NodeDiedError,
        ray.exceptions.ObjectLostError,
    ) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ClusterError(
            _(
                "a task was lost again and again, as when its process has no memory left or its "
                "node goes ({reason}). What was finished is kept: give the same command again."
            ).format(reason=reason)
        ) from error


def _innermost(error: BaseException) -> BaseException:
    """Return what was raised in the task; Ray wraps it, and Ray Data does so once more."""
    while (cause := getattr(error, "cause", None)) is not None:
        error = cause
    return error
