"""`convlens train`: start or resume a training."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from convlens.budget.plan import parse_duration
from convlens.cli.cluster import ClusterFlag, place_of
from convlens.cli.flags import (
    Flags,
    Resume,
    Using,
    configure,
    given_flags,
    say_what_a_file_sets,
)
from convlens.cli.names import refuse_wrong_names
from convlens.cli.predict_cluster import images_on_cluster
from convlens.cli.resuming import resume_run
from convlens.cli.starting import (
    open_images,
    say_what_is_next,
    start_few,
    start_folds,
    start_on_workers,
    start_run,
    start_within,
)
from convlens.config import Config
from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError
from convlens.language import N_, _
from convlens.recipe_choice import with_fast_recipe
from convlens.studies.asked import check_few, check_folds
from convlens.unread import refuse_unread

StartFrom = Annotated[
    str | None, Parameter(name="--from", help=N_("classifier file or run to train further"))
]
FindRate = Annotated[bool, Parameter(negative=(), help=N_("look for a learning rate first"))]
Folds = Annotated[
    int | None, Parameter(help=N_("number of folds of a cross-validation, for small data sets"))
]
Few = Annotated[
    int | None,
    Parameter(help=N_("number of training images of each class, drawn several times")),
]
Draws = Annotated[
    int | None, Parameter(help=N_("number of draws of --few [5]"), show_default=False)
]
Budget = Annotated[
    str | None,
    Parameter(help=N_("time for everything, as 90s, 10m or 1h; chooses a training that fits")),
]


def train(  # noqa: PLR0913 - options of the command
    path: Annotated[str | None, Parameter(help=N_("folder, file or name of a data set"))] = None,
    *,
    flags: Annotated[Flags, Parameter(name="*")] = Flags(),  # noqa: B008 - made once, never changed
    run: Annotated[
        str | None, Parameter(help=N_("name of the run, made under runs/, or its folder"))
    ] = None,
    resume: Resume = False,
    from_: StartFrom = None,
    config: Annotated[Path | None, Parameter(help=N_("run.toml; flags take precedence"))] = None,
    folds: Folds = None,
    few: Few = None,
    draws: Draws = None,
    using: Using = None,
    find_learning_rate: FindRate = False,
    budget: Budget = None,
    cluster: ClusterFlag = None,
) -> None:
    """Train a classifier on labelled images, score it on images it has not seen, and report."""
    base = Config.from_toml(config) if config is not None else Config()
    others: dict[str, Any] = {"config": config, "resume": resume, "from": from_, "folds": folds}
    others |= {"few": few, "draws": draws, "find_learning_rate": find_learning_rate}
    others |= {"budget": budget, "using": using, "cluster": cluster}
    if base.training.workers is not None:
        others["workers"] = base.training.workers
    refuse_conflicts("train", others | base.transfer.changed() | given_flags(flags))
    if resume:
        say_what_is_next(resume_run(run, path, cluster))
        return
    path = _require_path(path)
    settings = configure(flags, base)
    trained = settings if from_ is not None else with_fast_recipe(settings)
    refuse_unread(given_flags(flags), trained, from_, budgeted=budget is not None)
    refuse_wrong_names(trained, run, from_)
    _check_study(folds, few, draws)
    say_what_a_file_sets(config if from_ is None else None, base, given_flags(flags))
    seconds = None if budget is None else parse_duration(budget)
    if settings.training.workers is not None:
        say_what_is_next(start_on_workers(path, settings, cluster or "", using or (), run, from_))
        return
    is_plain = few is None and seconds is None and from_ is None and cluster is None
    with place_of(cluster, settings) as place:
        dataset = open_images(path, settings, using or (), ahead=is_plain)
        if few is not None:
            done = start_few(dataset, settings, few, draws=draws, run=run, place=place)
        elif folds is not None:
            done = start_folds(dataset, settings, folds, run=run, start_from=from_, place=place)
        elif seconds is not None:
            done = start_within(dataset, settings, seconds, run=run)
        else:
            with images_on_cluster(cluster, dataset):
                done = start_run(
                    dataset, settings, run=run, start_from=from_, find_rate=find_learning_rate
                )
    say_what_is_next(done)


def _require_path(path: str | None) -> str:
    """Return what to train on, or raise ConfigError if nothing was given."""
    if path is None:
        raise ConfigError(
            _(
                "say what to train on: convlens train PATH, where PATH is a folder, a file or the "
                "name of a data set."
            )
        )
    return path


def _check_study(folds: int | None, few: int | None, draws: int | None) -> None:
    """Raise ConfigError if the numbers of a study make no sense; see `convlens.studies.asked`."""
    if folds is not None:
        check_folds(folds)
    if few is not None:
        check_few(few, draws)
