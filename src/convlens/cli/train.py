"""`convlens train`: start or resume a run."""

import shlex
from pathlib import Path

from convlens import backend
from convlens.config import Config
from convlens.data.sources import load_data
from convlens.errors import RunError
from convlens.training.run import Run
from convlens.training.screen import Screen

__all__ = ["resume_run", "start_run"]


def start_run(
    path: str,
    config: Config,
    *,
    run: str | None,
    start_from: str | None,
    folds: int | None,
    find_rate: bool,
) -> Run:
    """Train on `path`; say what to type next."""
    screen = Screen()
    backend.choose(config.training.backend)  # a data set that Keras fetches imports it
    dataset = load_data(path, pattern=config.data.pattern)
    backend.start(config.training.backend, config.training.threads)
    if start_from is not None and not Path(start_from).exists() and Run.place(start_from).is_dir():
        start_from = str(Run.place(start_from))  # a run's name, as everywhere
    from convlens.training.folds import cross_validate
    from convlens.training.train import train

    if folds is not None:
        done = cross_validate(dataset, config, folds, run=run, start_from=start_from, screen=screen)
    else:
        done = train(dataset, config, run=run, start_from=start_from, find_rate=find_rate, screen=screen)
    farewell(done, screen)
    return done


def resume_run(run: str | None, path: str | None) -> None:
    """Go on with a run, on the pictures it began with."""
    if run is None:
        raise RunError("to resume, name the run: convlens train --run NAME --resume.")
    opened, screen = Run.open(run), Screen()
    config = opened.config
    backend.choose(config.training.backend)
    dataset = load_data(path or opened.data["path"], pattern=config.data.pattern)
    backend.start(config.training.backend, config.training.threads)
    from convlens.training.train import train

    farewell(train(dataset, run=opened.folder, resume=True, screen=screen), screen)


def farewell(run: Run, screen: Screen) -> None:
    """Say where the classifier is and how to use it."""
    screen.say(f"classifier   {run.classifier_path}")
    name = run.folder.name if run.folder == Path("runs") / run.folder.name else str(run.folder)
    screen.say(f"next         convlens predict {shlex.quote(name)} PICTURE...")
