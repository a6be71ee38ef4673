"""`convlens search`: look for better settings."""

from collections.abc import Sequence

from convlens import backend
from convlens.config import Config
from convlens.data.sources import load_data
from convlens.errors import RunError
from convlens.run import Run
from convlens.screen import Screen


def start_search(
    path: str,
    config: Config,
    *,
    trials: int,
    minutes: float | None,
    vary: Sequence[str],
    run: str | None,
) -> None:
    """Search on the images of `path`."""
    backend.start(config.training.backend, config.training.threads)
    from convlens.studies.search import search
    from convlens.studies.space import parse_vary

    space = (
        parse_vary(vary, config.model.model) or None
    )  # before the images are looked for, which may take a while
    dataset = load_data(path, pattern=config.data.pattern)
    search(dataset, config, trials=trials, minutes=minutes, space=space, run=run, screen=Screen())


def continue_search(run: str | None, path: str | None) -> None:
    """Go on with a search, on the images it began with."""
    if run is None:
        raise RunError("to resume, name the search: convlens search --run NAME --resume.")
    opened = Run.open(run)
    config = opened.config
    backend.start(config.training.backend, config.training.threads)
    from convlens.studies.search import resume_search

    dataset = load_data(path or opened.data["path"], pattern=config.data.pattern)
    resume_search(dataset, opened.folder, Screen())
