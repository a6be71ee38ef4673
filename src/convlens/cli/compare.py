"""`convlens compare`: trains networks for the same time, and ranks them."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from convlens import backend
from convlens.altered import refuse_altered
from convlens.cli.cluster import ClusterFlag, place_of
from convlens.cli.flags import (
    CompareFlags,
    Resume,
    Using,
    configure,
    given_flags,
)
from convlens.cli.names import refuse_taken_name
from convlens.cli.resuming import images_again, require_name
from convlens.cli.starting import open_images
from convlens.config import Config
from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError, RunError
from convlens.files import write_atomically
from convlens.language import N_, _
from convlens.lock import refuse_locked
from convlens.run_folder import COMPARISON_FACTS, SETTINGS, read_json
from convlens.screen import Screen
from convlens.studies import begun
from convlens.studies.asked import check_minutes
from convlens.unread import refuse_unread
from convlens.zoo.names import check_names

if TYPE_CHECKING:
    from convlens.data.dataset import Dataset
    from convlens.run import Run
    from convlens.studies.places import Place

PUBLISHED_CHART = Path("imagenet-published.png")


def compare(  # noqa: PLR0913 - options of the command
    path: Annotated[str | None, Parameter(help=N_("folder, file or name of a data set"))] = None,
    *,
    models: Annotated[str | None, Parameter(help=N_("names of the networks: a,b,c"))] = None,
    minutes: Annotated[
        float | None,
        Parameter(help=N_("minutes of training for each network [2]"), show_default=False),
    ] = None,
    using: Using = None,
    flags: Annotated[CompareFlags, Parameter(name="*")] = CompareFlags(),  # noqa: B008 - made once, never changed
    run: Annotated[
        str | None, Parameter(help=N_("name of the comparison, made under runs/, or its folder"))
    ] = None,
    resume: Resume = False,
    cluster: ClusterFlag = None,
    published: Annotated[
        bool,
        Parameter(
            negative=(), help=N_("chart published ImageNet accuracies, without any training")
        ),
    ] = False,
) -> None:
    """Train networks for the same time, rank them, and say which differences are significant."""
    others = {
        "published": published,
        "cluster": cluster,
        "resume": resume,
        "path": path,
        "models": models,
        "minutes": minutes,
        "using": using,
        "run": run,
    }
    refuse_conflicts("compare", others | given_flags(flags))
    if published:
        chart_published()
    elif resume:
        resume_comparison(run, path, cluster)
    elif path is None or models is None:
        raise ConfigError(
            _("say on which images and which networks: convlens compare PATH --models a,b,c.")
        )
    else:
        config = configure(flags, Config())
        with place_of(cluster, config) as place:
            start_comparison(
                path,
                models,
                config,
                given=given_flags(flags),
                minutes=minutes,
                run=run,
                using=using or (),
                place=place,
            )


def start_comparison(  # noqa: PLR0913 - options of the command
    path: str,
    models: str,
    config: Config,
    *,
    given: Collection[str] = (),
    minutes: float | None,
    run: str | None,
    using: Sequence[Path] = (),
    place: "Place | None" = None,
) -> None:
    """Compare networks on the images of a path; see `convlens.studies.compare.compare`.

    Args:
        path: A folder, a file or the name of a data set.
        models: The names of the networks, with commas between them.
        config: All settings.
        given: The names of those that flags give.
        minutes: The minutes of training for each network, or None for the default.
        run: The name or folder of the comparison.
        using: Lists of corrections.
        place: Where the networks are trained; None is this process.
    """
    names = [name.strip() for name in models.split(",") if name.strip()]
    check_names(names)  # before the images are looked at, which may take a while
    refuse_unread(given, config, several={"model": names})
    if minutes is not None:
        check_minutes(minutes)
    refuse_taken_name(run)
    _compare(open_images(path, config, using), names, config, minutes, run=run, place=place)


def _compare(
    dataset: "Dataset", names: Sequence[str], config: Config, minutes: float | None, **asked: Any
) -> None:
    """Compare networks once the engine is started; see `start_comparison`."""
    from convlens.studies.compare import DEFAULT_MINUTES, compare

    minutes = DEFAULT_MINUTES if minutes is None else minutes
    compare(dataset, names, config, minutes=minutes, screen=Screen(), **asked)


def resume_comparison(run: str | None, path: str | None, cluster: str | None = None) -> None:
    """Continue a comparison, on the images of a path or on those that it began with."""
    from convlens.run import Run

    message = _("to resume, name the comparison: convlens compare --run NAME --resume.")
    folder = begun.find_comparison(require_name(run, message))
    # A mistake here is reported before the engine is imported, which takes seconds.
    begun.refuse_finished_comparison(folder)
    refuse_locked(folder)
    refuse_altered(folder)
    first = Run(folder / read_json(folder / COMPARISON_FACTS)["models"][0])
    if not (first.folder / SETTINGS).exists():
        raise RunError(
            _(
                "{folder}: the runs of the networks are gone, so the comparison cannot go on."
            ).format(folder=folder)
        )
    training = first.config.training  # one engine for all networks
    backend.start(training.backend, training.threads)
    _continue_comparison(folder, first, path, cluster)


def _continue_comparison(folder: Path, first: "Run", path: str | None, cluster: str | None) -> None:
    """Continue a comparison once the engine is started.

    Args:
        folder: The folder of the comparison.
        first: The run of its first network.
        path: A folder, a file or the name of a data set; None stands for that of the comparison.
        cluster: The address of a cluster, or None.
    """
    from convlens.studies.compare import resume_comparison

    with place_of(cluster, first.config) as place:
        dataset = images_again(first, path, cluster)
        resume_comparison(dataset, folder, Screen(), place)


def chart_published() -> None:
    """Print the published ImageNet accuracies of the zoo with their sources, and chart them."""
    backend.start()
    from convlens.anatomy.summary import rounded
    from convlens.charts.comparison import show_published
    from convlens.zoo.published import ONE_CROP, PUBLISHED
    from convlens.zoo.registry import list_models, model_info

    rows = {name: one for name, one in PUBLISHED.items() if name in list_models()}
    operations = {name: model_info(name).multiply_adds for name in rows}
    table = [
        (
            name,
            rounded(operations[name]),
            "{share:.1f} %".format(share=100 * one.top_1),
            _(one.evaluated),
            _(one.source),
        )
        for name, one in sorted(rows.items(), key=lambda row: row[1].top_1)
    ]
    screen = Screen()
    headings = (_("model"), _("mult-adds"), _("top-1"), _("seen"), _("source"))
    screen.columns([headings, *table], left=(0, 3, 4))
    figure = show_published(
        list(rows),
        [one.top_1 for one in rows.values()],
        list(operations.values()),
        [one.evaluated == ONE_CROP for one in rows.values()],
    )
    write_atomically(PUBLISHED_CHART, lambda path: figure.savefig(path, dpi=110), _("the chart"))
    screen.say()
    screen.fact(_("chart"), str(PUBLISHED_CHART))
