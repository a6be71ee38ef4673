"""`convlens train`: start or resume a run."""

import shlex
import tomllib
from pathlib import Path
from typing import Any

import psutil

from convlens import backend
from convlens.config import Config, ModelConfig
from convlens.data.sources import load_data
from convlens.errors import RunError
from convlens.run import Run
from convlens.screen import Screen


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
    from convlens.budget.choose import unlike_photographs
    from convlens.pipeline import train
    from convlens.studies.cross_validation import cross_validate

    unchosen = (
        start_from is None and config.transfer.backbone is None and config.model == ModelConfig()
    )
    if unchosen and not unlike_photographs(dataset, config):
        screen.note(
            "these look like photographs: --backbone efficientnet_lite0 mostly does better, in less time"
        )
    if folds is not None:
        done = cross_validate(dataset, config, folds, run=run, start_from=start_from, screen=screen)
    else:
        done = train(
            dataset, config, run=run, start_from=start_from, find_rate=find_rate, screen=screen
        )
    farewell(done, screen)
    return done


def start_few(path: str, config: Config, k: int, *, draws: int | None, run: str | None) -> None:
    """Train on k images a class, several times."""
    screen = Screen()
    backend.choose(config.training.backend)
    dataset = load_data(path, pattern=config.data.pattern)
    backend.start(config.training.backend, config.training.threads)
    from convlens.studies.few_images import DRAWS, train_on_few

    farewell(
        train_on_few(
            dataset, config, k, draws=DRAWS if draws is None else draws, run=run, screen=screen
        ),
        screen,
    )


def given_settings(flags: Any, path: Path | None) -> frozenset[str]:
    """Return the names of the settings that the user has set: as flags, or in a run.toml that `Config` has read."""
    given = {name for name, value in vars(flags).items() if value is not None}
    sections = {} if path is None else tomllib.loads(path.read_text(encoding="utf-8"))
    return frozenset(given.union(*sections.values()))


def start_within(
    path: str, config: Config, budget: str, *, given: frozenset[str], run: str | None
) -> None:
    """Train what fits into a time, which runs from the start of this process; `given` names the settings that are set."""
    screen = Screen()
    backend.choose(config.training.backend)
    backend.start(config.training.backend, config.training.threads)
    from convlens.budget.plan import parse_duration
    from convlens.budget.train_within import train_within

    seconds = parse_duration(budget)
    dataset = load_data(path, pattern=config.data.pattern)
    began = psutil.Process().create_time()
    farewell(
        train_within(dataset, config, seconds, given=given, run=run, screen=screen, began=began),
        screen,
    )


def resume_run(run: str | None, path: str | None) -> None:
    """Go on with a run, on the images it began with."""
    if run is None:
        raise RunError("to resume, name the run: convlens train --run NAME --resume.")
    opened, screen = Run.open(run), Screen()
    config = opened.config
    backend.choose(config.training.backend)
    dataset = load_data(path or opened.data["path"], pattern=config.data.pattern)
    backend.start(config.training.backend, config.training.threads)
    from convlens.pipeline import train

    farewell(train(dataset, run=opened.folder, resume=True, screen=screen), screen)


def farewell(run: Run, screen: Screen) -> None:
    """Say where the classifier is and how to use it."""
    screen.say(f"classifier   {run.classifier_path}")
    name = run.folder.name if run.folder == Path("runs") / run.folder.name else str(run.folder)
    screen.say(f"next         convlens predict {shlex.quote(name)} IMAGE...")
