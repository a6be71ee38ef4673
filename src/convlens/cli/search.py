"""`convlens search`: tries settings of a network and its training."""

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from convlens import backend
from convlens.altered import refuse_altered
from convlens.cli.cluster import ClusterFlag, place_of
from convlens.cli.flags import (
    SEARCH_DEFAULTS,
    Resume,
    SearchFlags,
    Using,
    configure,
    given_flags,
)
from convlens.cli.names import refuse_wrong_names
from convlens.cli.resuming import images_again, require_name
from convlens.cli.starting import open_images
from convlens.config import Config
from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError
from convlens.language import N_, _
from convlens.lock import refuse_locked
from convlens.screen import Screen
from convlens.studies import begun
from convlens.studies.asked import check_search, check_settings
from convlens.studies.space import choose_space

if TYPE_CHECKING:
    from convlens.data.dataset import Dataset
    from convlens.run import Run

Trials = Annotated[int | None, Parameter(help=N_("number of trials [20]"), show_default=False)]
Vary = Annotated[
    list[str] | None,
    Parameter(
        negative=(),
        help=N_(
            "setting to vary, with its values: dropout=0..0.5, batch_size=32,64 or "
            "filters=16,32|32,64; may be given several times"
        ),
    ),
]
Generation = Annotated[
    int | None,
    Parameter(
        help=N_("trials that do not know each other's scores, and can run at once [4]"),
        show_default=False,
    ),
]


def search(  # noqa: PLR0913 - options of the command
    path: Annotated[str | None, Parameter(help=N_("folder, file or name of a data set"))] = None,
    *,
    trials: Trials = None,
    minutes: Annotated[float | None, Parameter(help=N_("time after which no trial begins"))] = None,
    vary: Vary = None,
    generation: Generation = None,
    using: Using = None,
    flags: Annotated[SearchFlags, Parameter(name="*")] = SearchFlags(),  # noqa: B008 - made once, never changed
    run: Annotated[
        str | None, Parameter(help=N_("name of the search, made under runs/, or its folder"))
    ] = None,
    resume: Resume = False,
    cluster: ClusterFlag = None,
) -> None:
    """Try other settings of the network and its training, and say which are best and how surely."""
    others = {
        "resume": resume,
        "trials": trials,
        "minutes": minutes,
        "vary": vary,
        "generation": generation,
        "using": using,
        "cluster": cluster,
    }
    refuse_conflicts("search", others | given_flags(flags))
    if resume:
        resume_search(run, path, cluster)
        return
    if path is None:
        raise ConfigError(_("say what to search on: convlens search PATH."))
    config = configure(flags, Config().replace(**SEARCH_DEFAULTS))
    # A mistake here is reported before the images are looked at, which may take a while.
    refuse_wrong_names(config, run)
    trials = 20 if trials is None else trials
    check_search(trials, minutes, 1 if generation is None else generation)
    space = choose_space(vary, config.model.model)
    check_settings(given_flags(flags), space, config)
    with place_of(cluster, config) as place:
        dataset = open_images(path, config, using or ())
        _search(
            dataset,
            config,
            trials=trials,
            minutes=minutes,
            space=space,
            generation=generation,
            run=run,
            place=place,
        )


def _search(dataset: "Dataset", config: Config, *, generation: int | None, **asked: Any) -> None:
    """Search once the engine is started; see `convlens.studies.search.search`."""
    from convlens.studies.generations import GENERATION
    from convlens.studies.search import search

    generation = GENERATION if generation is None else generation
    search(dataset, config, generation=generation, screen=Screen(), **asked)


def resume_search(run: str | None, path: str | None, cluster: str | None = None) -> None:
    """Continue a search, on the images of a path or on those that it began with."""
    from convlens.run import Run

    message = _("to resume, name the search: convlens search --run NAME --resume.")
    opened = Run.open(require_name(run, message))
    # A mistake here is reported before the engine is imported, which takes seconds.
    begun.require_unfinished_search(opened.folder)
    refuse_locked(opened.folder)
    refuse_altered(opened.folder)
    backend.start(opened.config.training.backend, opened.config.training.threads)
    _continue_search(opened, path, cluster)


def _continue_search(opened: "Run", path: str | None, cluster: str | None) -> None:
    """Continue a search once the engine is started; see `_continue_comparison`."""
    from convlens.studies.search import resume_search

    with place_of(cluster, opened.config) as place:
        dataset = images_again(opened, path, cluster)
        resume_search(dataset, opened.folder, Screen(), place)
