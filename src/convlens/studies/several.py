"""Several: a run of several trainings, each of which decides what is "auto", and how it goes on."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.data.prepared import Prepared
from convlens.errors import RunError
from convlens.language import _
from convlens.pipeline import prepare_again
from convlens.run import Run
from convlens.run_folder import ASKED, SETTINGS
from convlens.screen import Screen
from convlens.training.network import Origin


class Continued(NamedTuple):
    """A run of several trainings that goes on.

    Attributes:
        run: The run.
        config: The settings as they were asked for.
        origin: The network.
        whole: All images.
        divided: The same images, with the split that the run has recorded.
    """

    run: Run
    config: Config
    origin: Origin
    whole: Prepared
    divided: Prepared


def once(screen: Screen) -> Screen:
    """Return a screen that shows each note only once, even if several trainings repeat it."""
    return cast(Screen, _Once(screen))


class _Once:
    """A screen that does all but notes as another one, whose class may be one of the user.

    Args:
        screen: The other screen.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._shown: set[str] = set()

    def note(self, text: str) -> None:
        """Show a note that was not shown before."""
        if text not in self._shown:
            self._shown.add(text)
            self._screen.note(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._screen, name)


def without_rows(screen: Screen) -> Screen:
    """Return a screen that does all as the given one, but prints no row for an epoch."""
    like = copy.copy(screen)
    like.rows = False
    return like


@contextmanager
def continued(dataset: Dataset, name: str | Path, screen: Screen) -> Iterator[Continued]:
    """Open a run of several trainings that was stopped, and lock it for the block.

    Args:
        dataset: The images of the run.
        name: The name or the folder of the run.
        screen: Where the progress is shown.

    Raises:
        RunError: If there is no run of that name, it is finished, or these are other images.
    """
    run = Run.open(name)
    with run.resumed(screen) as say_where:
        run.refuse_finished()
        config = read_asked(run)
        origin, whole = prepare_again(run, dataset, config, screen)
        divided = run.divided(whole)
        say_where()
        yield Continued(run, config, origin, whole, divided)


def write_asked(run: Run, config: Config) -> None:
    """Write the settings as they were asked for.

    Raises:
        StorageError: If they cannot be written.
    """
    run.write(ASKED, config.to_toml())


def read_asked(run: Run) -> Config:
    """Return the settings as they were asked for.

    Raises:
        RunError: If an earlier version of convlens has made the run, which did not record them.
    """
    if not (run.folder / ASKED).exists():
        raise RunError(
            _(
                "{folder}: an earlier convlens made this run, which it cannot continue. Start it "
                "anew under another --run name."
            ).format(folder=run.folder)
        )
    return Config.from_toml(run.folder / ASKED)


def as_begun(run: Run, config: Config) -> Config:
    """Return settings with what one training has decided, if it has begun.

    How much memory and disk is free may have changed since then.
    """
    if not (run.folder / SETTINGS).exists():
        return config
    decided = run.config.as_decided()
    return config.replace(
        micro_batch=decided.training.micro_batch, keep_maps=decided.transfer.keep_maps
    )
