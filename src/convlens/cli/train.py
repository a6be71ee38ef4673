"""`convlens train`: start or resume a run."""

import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from convlens import backend
from convlens.config import Config, ModelConfig
from convlens.data.sources import load_data
from convlens.errors import ConfigError, RunError
from convlens.run import Run
from convlens.screen import Screen

BESIDE_BUDGET = {  # flags that go without it, and why
    "resume": "a resumed run keeps the epochs that were planned for it",
    "epochs": "it plans the epochs",
    "steps_per_epoch": "it plans the steps",
    "find_learning_rate": "the search for a rate has no plan",
    "folds": "it plans one training, not several",
    "few": "it plans one training, not several",
    "from": "it plans a training from its start",
}


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


def refuse_together(flags: Mapping[str, Any]) -> None:
    """Raise ConfigError where two flags are given, neither None nor False, that exclude each other."""
    given = {name for name, value in flags.items() if value is not None and value is not False}
    if {"find_learning_rate", "learning_rate"} <= given:
        raise ConfigError("--find-learning-rate and --learning-rate exclude each other.")
    if "few" in given and given & {"folds", "from", "find_learning_rate"}:
        raise ConfigError("--few goes without --folds, --from and --find-learning-rate.")
    if "draws" in given and "few" not in given:
        raise ConfigError("--draws goes with --few.")
    if {"folds", "find_learning_rate"} <= given:
        raise ConfigError(
            "--folds and --find-learning-rate exclude each other: find the rate in a run of its own."
        )
    if "budget" in given and (others := [name for name in BESIDE_BUDGET if name in given]):
        flag = others[0].replace("_", "-")
        raise ConfigError(
            f"--budget goes without --{flag}: {BESIDE_BUDGET[others[0]]}. Leave one of them out."
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
