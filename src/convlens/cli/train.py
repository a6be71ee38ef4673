"""`convlens train`: start or resume a training."""

import shlex
import tomllib
from pathlib import Path
from typing import Any

import psutil

from convlens import backend
from convlens.cli.flags import given_flags
from convlens.cli.opening import open_images, require_name
from convlens.config import Config, ModelConfig
from convlens.data.dataset import Dataset
from convlens.run import Run
from convlens.screen import Screen


def start_run(
    path: str,
    config: Config,
    *,
    run: str | None = None,
    start_from: str | None = None,
    folds: int | None = None,
    find_rate: bool = False,
) -> Run:
    """Train on the images of a path, print how to go on, and return the run.

    Args:
        path: A folder, a file or the name of a data set.
        config: All settings.
        run: The name or folder of the new run.
        start_from: A classifier file or a run to train further.
        folds: The number of folds of a cross-validation, or None for a single training.
        find_rate: Whether a learning rate is looked for first.
    """
    screen = Screen()
    dataset = open_images(path, config)
    if start_from is not None and not Path(start_from).exists() and Run.place(start_from).is_dir():
        start_from = str(Run.place(start_from))
    from convlens.pipeline import train
    from convlens.studies.resampling import cross_validate

    if start_from is None:
        _suggest_backbone(dataset, config, screen)
    if folds is not None:
        done = cross_validate(dataset, config, folds, run=run, start_from=start_from, screen=screen)
    else:
        done = train(
            dataset, config, run=run, start_from=start_from, find_rate=find_rate, screen=screen
        )
    _say_what_is_next(done, screen)
    return done


def _suggest_backbone(dataset: Dataset, config: Config, screen: Screen) -> None:
    """Suggest a backbone for photographs, if no network was chosen."""
    from convlens.budget.choose import unlike_photographs

    is_chosen = config.transfer.backbone is not None or config.model != ModelConfig()
    if not is_chosen and not unlike_photographs(dataset, config):
        screen.note(
            "these images look like photographs: --backbone efficientnet_lite0 is mostly more "
            "accurate, in less time"
        )


def start_few(path: str, config: Config, k: int, *, draws: int | None, run: str | None) -> None:
    """Train several times on k images of each class, drawn anew each time."""
    screen = Screen()
    dataset = open_images(path, config)
    from convlens.studies.resampling import DRAWS, train_on_few

    draws = DRAWS if draws is None else draws
    done = train_on_few(dataset, config, k, draws=draws, run=run, screen=screen)
    _say_what_is_next(done, screen)


def given_settings(flags: Any, path: Path | None) -> frozenset[str]:
    """Return the names of the settings that the user has set, as flags or in a run.toml.

    Args:
        flags: The flags of the command.
        path: A run.toml that `Config` has read, or None.
    """
    sections = {} if path is None else tomllib.loads(path.read_text(encoding="utf-8"))
    return frozenset(given_flags(flags)).union(*sections.values())


def start_within(
    path: str, config: Config, budget: str, *, given: frozenset[str], run: str | None
) -> None:
    """Train what fits into a time budget, which began with this process.

    Args:
        path: A folder, a file or the name of a data set.
        config: All settings.
        budget: The time, such as "10m".
        given: The names of the settings that the user has set.
        run: The name or folder of the new run.
    """
    screen = Screen()
    backend.start(config.training.backend, config.training.threads)
    from convlens.budget.plan import parse_duration
    from convlens.budget.train_within import train_within

    seconds = parse_duration(budget)
    dataset = open_images(path, config)
    began = psutil.Process().create_time()
    done = train_within(dataset, config, seconds, given=given, run=run, screen=screen, began=began)
    _say_what_is_next(done, screen)


def resume_run(run: str | None, path: str | None) -> None:
    """Continue a run, on the images of a path or on those that it began with."""
    opened = Run.open(require_name(run, "run", "train"))
    screen = Screen()
    dataset = open_images(path or opened.data["path"], opened.config)
    from convlens.pipeline import train

    done = train(dataset, run=opened.folder, resume=True, screen=screen)
    _say_what_is_next(done, screen)


def _say_what_is_next(run: Run, screen: Screen) -> None:
    """Print where the classifier is and how to use it."""
    is_named = run.folder == Run.place(run.folder.name)
    name = run.folder.name if is_named else str(run.folder)
    command = "next         convlens predict {run} IMAGE..."
    screen.say("classifier   {path}".format(path=run.classifier_path))
    screen.say(command.format(run=shlex.quote(name)))
