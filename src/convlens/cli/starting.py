"""Starting: how the commands load images, and start and continue the trainings of them."""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlens import backend
from convlens.cli.cluster import place_of, workers_of
from convlens.cli.predict_cluster import images_on_cluster
from convlens.config import Config, ModelConfig
from convlens.errors import ConfigError, RunError
from convlens.files import expanded
from convlens.language import N_, _, all_of
from convlens.lock import refuse_locked
from convlens.recipe_choice import PARTS, with_fast_recipe
from convlens.run_folder import refuse_study_part
from convlens.screen import Screen
from convlens.setting import flag_of

if TYPE_CHECKING:
    from convlens.data.dataset import Dataset
    from convlens.pipeline import StageOf
    from convlens.run import Run
    from convlens.studies.places import Place

SINGLE = N_(
    "--cluster is for several trainings, for a backbone, or for one training with --workers; this "
    "run is none of them. Leave it out."
)


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
    from convlens.run import Run

    if start_from is None:
        _say_why_standard(config, screen)
        _suggest_backbone(dataset, config, screen)
    elif not Path(start_from).exists() and Run.place(start_from).is_dir():
        return str(Run.place(start_from))
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


def resume_run(run: str | None, path: str | None, cluster: str | None = None) -> "Run":
    """Continue a run, on the images of a path or on those that it began with."""
    from convlens.run import Run

    message = _("to resume, name the run: convlens train --run NAME --resume.")
    opened = Run.open(require_name(run, message))
    refuse_locked(opened.folder)  # before the images are looked at, which may take a while
    refuse_study_part(opened.folder)
    opened.refuse_finished()
    backend.start(opened.config.training.backend, opened.config.training.threads)
    return _go_on(opened, path, cluster)


def _go_on(opened: "Run", path: str | None, cluster: str | None) -> "Run":
    """Continue a run once the engine is started; see `resume_run`."""
    from convlens import pipeline
    from convlens.studies.cross_validation import resume_cross_validation
    from convlens.studies.few import resume_few

    several = {"folds": resume_cross_validation, "few": resume_few}
    resume = next((several[kind] for kind in several if kind in opened.data), None)
    if cluster is not None and resume is None and opened.config.transfer.backbone is None:
        return _resume_on_workers(opened, path, cluster)
    with place_of(cluster, opened.config) as place:
        dataset = open_images(path or source_of(opened.data), opened.config, opened.lists)
        if resume is not None:
            return resume(dataset, opened.folder, Screen(), place)
        with images_on_cluster(cluster, dataset):
            return pipeline.train(dataset, run=opened.folder, resume=True, screen=Screen())


def source_of(facts: Mapping[str, Any]) -> str:
    """Return the images of a run as they were named, if that still leads to them, or their path.

    Args:
        facts: What the run has recorded of them.
    """
    path = str(facts["path"])
    named = str(facts.get("source", path))
    place = expanded(named)
    return named if place.exists() and str(place.resolve()) == path else path


def _resume_on_workers(run: "Run", path: str | None, cluster: str) -> "Run":
    """Continue a run on processes of a cluster, with which it began.

    Raises:
        ConfigError: If it began without.
    """
    from convlens import pipeline

    config = run.config
    if config.training.workers is None:
        raise ConfigError(_(SINGLE))
    with workers_of(cluster, config) as stage_of:
        dataset = open_images(path or source_of(run.data), config, run.lists)
        return pipeline.train(
            dataset, run=run.folder, resume=True, screen=Screen(), stage_of=stage_of
        )


def require_name(run: str | None, message: str) -> str:
    """Return the name of what is resumed.

    Raises:
        RunError: With the message, if no name was given.
    """
    if run is None:
        raise RunError(message)
    return run


def say_what_is_next(run: "Run") -> None:
    """Print where the classifier is and how to use it."""
    screen = Screen()
    is_named = run.folder == run.place(run.folder.name)
    name = run.folder.name if is_named else str(run.folder)
    command = "convlens predict {run} IMAGE..."  # not translated: a command
    screen.fact(_("classifier"), str(run.classifier_path))
    screen.fact(_("next"), command.format(run=shlex.quote(name)))
