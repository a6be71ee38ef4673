"""Resuming: how the commands continue trainings that were stopped, on the images of their runs."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlens import backend
from convlens.altered import refuse_altered
from convlens.cli.cluster import place_of, workers_of
from convlens.cli.predict_cluster import images_on_cluster
from convlens.cli.starting import open_images
from convlens.errors import ConfigError, DataError, RunError
from convlens.files import expanded
from convlens.language import N_, _, sentences
from convlens.lock import refuse_locked
from convlens.run_access import refuse_study_part
from convlens.run_folder import resume_command
from convlens.screen import Screen

if TYPE_CHECKING:
    from convlens.data.dataset import Dataset
    from convlens.run import Run

SINGLE = N_(
    "--cluster is for several trainings, for a backbone, or for one training with --workers; this "
    "run is none of them. Leave it out."
)


def resume_run(run: str | None, path: str | None, cluster: str | None = None) -> "Run":
    """Continue a run, on the images of a path or on those that it began with."""
    from convlens.run import Run

    message = _("to resume, name the run: convlens train --run NAME --resume.")
    opened = Run.open(require_name(run, message))
    refuse_locked(opened.folder)  # before the images are looked at, which may take a while
    refuse_study_part(opened.folder)
    opened.refuse_finished()
    refuse_altered(opened.folder)
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
        dataset = images_again(opened, path, cluster)
        if resume is not None:
            return resume(dataset, opened.folder, Screen(), place)
        with images_on_cluster(cluster, dataset):
            return pipeline.train(dataset, run=opened.folder, resume=True, screen=Screen())


def images_again(run: "Run", path: str | None, cluster: str | None = None) -> "Dataset":
    """Return the images of a run that goes on.

    Args:
        run: The run, or the first network of a comparison.
        path: A folder, a file or the name of a data set; None stands for that of the run.
        cluster: The address of a cluster on which the run goes on, or None.

    Raises:
        DataError: If there are no images; if they were moved, the message says how to go on.
    """
    from convlens.data.formats.named import NAMES

    try:
        return open_images(path or source_of(run.data), run.config, run.lists)
    except DataError as error:
        place = run.data["path"]
        if path is not None or place in NAMES or Path(place).exists():
            raise
        command = resume_command(run.folder)
        if cluster is not None:
            command += " " + shlex.join(["--cluster", cluster])
        advice = _("If the images lie elsewhere now, name their place: {command} FOLDER").format(
            command=command
        )
        raise DataError(sentences(error.args[0], advice)) from error


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
        dataset = images_again(run, path, cluster)
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
