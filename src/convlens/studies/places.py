"""Places: where the trainings of a study run, which changes nothing in what they give.

A study describes each of its trainings as a job. A place carries jobs out and gives back what each
has returned, in any order. `Here` is this process.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from convlens import backend
from convlens.run import Run
from convlens.screen import Screen

Work = Callable[..., Any]  # is called with the run, what is shared, a screen and the arguments


@dataclass(frozen=True)
class Job:
    """A training of a study.

    Attributes:
        number: Its number, which is the study's own business.
        run: Its run.
        arguments: What else its function is called with.
    """

    number: int
    run: Run
    arguments: tuple[Any, ...] = ()


class Place(Protocol):
    """Where trainings run."""

    @property
    def is_here(self) -> bool:
        """Whether they run one after the other and show their own progress."""
        ...

    def each(
        self, work: Work, jobs: Iterable[Job], shared: Any, screen: Screen
    ) -> Iterator[tuple[Job, Any]]:
        """Yield each job with what `work(job.run, shared, screen, *job.arguments)` returned.

        Args:
            work: A function of a module. When it returns, the run of the job is complete.
            jobs: The jobs. They may be asked for one after the other, or all at once.
            shared: What all of them need, such as the decoded images.
            screen: Where the progress is shown.

        Raises:
            Interrupted: If the user pressed Ctrl-C. What was yielded before is complete.
        """
        ...


class Here:
    """This process, which carries out one job after the other."""

    is_here = True

    def each(
        self, work: Work, jobs: Iterable[Job], shared: Any, screen: Screen
    ) -> Iterator[tuple[Job, Any]]:
        """Yield each job with what its function returned; see `Place.each`."""
        for job in jobs:
            with backend.forgotten():
                result = work(job.run, shared, screen, *job.arguments)
            yield job, result
