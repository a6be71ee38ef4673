"""Starting: how the commands load images, and start the trainings of them."""

import shlex
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from convlens import backend
from convlens.cli.cluster import workers_of
from convlens.config import Config, ModelConfig
from convlens.language import _, all_of
from convlens.recipe_choice import PARTS, with_fast_recipe
from convlens.run_folder import folder_of
from convlens.screen import Screen
from convlens.setting import flag_of

if TYPE_CHECKING:
    from convlens.data.dataset import Dataset
    from convlens.pipeline import StageOf
    from convlens.run import Run
    from convlens.studies.places import Place


def open_images(
    path: str, config: Config, using: Sequence[Path] = (), *, ahead: bool = False
) -> "Dataset":
    """Load labelled images and start the engine that the configuration names.

    Args:
        path: A folder, a file or the name of a data set.
        config: The configuration, which also says how labels are found in file names.
        using: Lists of corrections.
        ahead: Whether the images are for one training from scratch, so that they can be decoded
            while the engine is imported.
    """
    import numpy as np

    from convlens.data.ahead import decoded_ahead
    from convlens.data.cache import require_cache
    from convlens.data.sources import load_data

    backend.choose(config.training.backend)  # first, as a data set of Keras imports the engine
    dataset = load_data(path, pattern=config.data.pattern, layout=config.data.layout, using=using)
    if config.data.audit or not isinstance(dataset.images, np.ndarray):
        require_cache()
    with decoded_ahead(dataset, config) if ahead else nullcontext():
        backend.start(config.training.backend, config.training.threads)
    return dataset


def start_run(
    dataset: "Dataset",
    config: Config,
    *,
    run: str | None = None,
    start_from: str | None = None,
    find_rate: bool = False,
    stage_of: "StageOf | None" = None,
) -> "Run":
    """Train on images and return the run.

    Args:
        dataset: The labelled images.
        config: All settings.
        run: The name or folder of the new run.
        start_from: A classifier file or a run to train further.
        find_rate: Whether a learning rate is looked for first.
        stage_of: What makes the stage that trains; this process if None.
    """
    from convlens import pipeline

    screen = Screen()
    start_from = _prepare_start(dataset, config, start_from, screen)
    return pipeline.train(
        dataset,
        config,
        run=run,
        start_from=start_from,
        find_rate=find_rate,
        screen=screen,
        stage_of=stage_of,
    )


def start_on_workers(
    path: str,
    config: Config,
    cluster: str,
    using: Sequence[Path],
    run: str | None,
    start_from: str | None,
) -> "Run":
    """Train on several processes of a cluster and return the run; see `start_run`.

    Args:
        path: A folder, a file or the name of a data set.
        config: All settings, with the number of processes.
        cluster: The address of the cluster.
        using: Lists of corrections.
        run: The name or folder of the new run.
        start_from: A classifier file or a run to train further.
    """
    if start_from is None:
        config = with_fast_recipe(config)  # whose batches the workers share
    with workers_of(cluster, config) as stage_of:
        dataset = open_images(path, config, using)
        return start_run(dataset, config, run=run, start_from=start_from, stage_of=stage_of)


def start_folds(
    dataset: "Dataset",
    config: Config,
    folds: int,
    *,
    run: str | None = None,
    start_from: str | None = None,
    place: "Place | None" = None,
) -> "Run":
    """Cross-validate on images and return the run; see `cross_validate`."""
    from convlens.studies.cross_validation import cross_validate

    screen = Screen()
    start_from = _prepare_start(dataset, config, start_from, screen)
    return cross_validate(
        dataset, config, folds, run=run, start_from=start_from, screen=screen, place=place
    )


def _prepare_start(
    dataset: "Dataset", config: Config, start_from: str | None, screen: Screen
) -> str | None:
    """Return where the weights come from; suggest a backbone if they come from nowhere."""
    if start_from is None:
        _say_why_standard(config, screen)
        _suggest_backbone(dataset, config, screen)
    elif not Path(start_from).is_file() and folder_of(start_from).is_dir():
        return str(folder_of(start_from))
    return start_from


def _say_why_standard(config: Config, screen: Screen) -> None:
    """Say why the usual network is not trained, where only a part of its training was named."""
    parts = sorted(PARTS & config.given)
    if parts and not {"model", "recipe", "backbone", "weights"} & config.given:
        screen.note(
            _(
                "because of {flags}, this is --recipe standard with {model}; give --recipe fast, "
                "too, for the usual network and the rest of its training"
            ).format(flags=all_of(map(flag_of, parts)), model=config.model.model)
        )


def _suggest_backbone(dataset: "Dataset", config: Config, screen: Screen) -> None:
    """Suggest a backbone for photographs, if no network was chosen."""
    from convlens.data.photographs import unlike_photographs

    choosing = {"backbone", "recipe", *(item.name for item in fields(ModelConfig))}
    if not choosing & config.given and not unlike_photographs(dataset, config):
        screen.note(
            _(
                "these images look like photographs: --backbone efficientnet_lite0 is mostly more "
                "accurate, in less time"
            )
        )


def start_few(
    dataset: "Dataset",
    config: Config,
    k: int,
    *,
    draws: int | None,
    run: str | None,
    place: "Place | None" = None,
) -> "Run":
    """Train several times on k images of each class, drawn anew each time."""
    from convlens.studies.few import DRAWS, train_on_few

    draws = DRAWS if draws is None else draws
    return train_on_few(dataset, config, k, draws=draws, run=run, screen=Screen(), place=place)


def start_within(dataset: "Dataset", config: Config, seconds: float, *, run: str | None) -> "Run":
    """Train what fits into a time budget, which began with this process.

    Args:
        dataset: The labelled images.
        config: All settings.
        seconds: The time for everything.
        run: The name or folder of the new run.
    """
    import psutil

    from convlens.budget.train_within import train_within

    return train_within(
        dataset,
        config,
        seconds,
        run=run,
        screen=Screen(),
        began=psutil.Process().create_time(),
    )


def say_what_is_next(run: "Run") -> None:
    """Print where the classifier is and how to use it."""
    screen = Screen()
    is_named = run.folder == run.place(run.folder.name)
    name = run.folder.name if is_named else str(run.folder)
    command = "convlens predict {run} IMAGE..."  # not translated: a command
    screen.fact(_("classifier"), str(run.classifier_path))
    screen.fact(_("next"), command.format(run=shlex.quote(name)))
