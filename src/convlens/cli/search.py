"""`convlens search`: look for better settings."""

from collections.abc import Sequence

from convlens import backend
from convlens.cli.opening import open_images, require_name
from convlens.config import Config
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
    """Search for better settings on the images of a path; see `convlens.studies.search.search`."""
    backend.start(config.training.backend, config.training.threads)
    from convlens.studies.search import search
    from convlens.studies.space import parse_vary

    # A mistake in --vary is reported before the images are looked at, which may take a while.
    space = parse_vary(vary, config.model.model) or None
    dataset = open_images(path, config)
    search(dataset, config, trials=trials, minutes=minutes, space=space, run=run, screen=Screen())


def continue_search(run: str | None, path: str | None) -> None:
    """Continue a search, on the images of a path or on those that it began with."""
    opened = Run.open(require_name(run, "search", "search"))
    dataset = open_images(path or opened.data["path"], opened.config)
    from convlens.studies.search import resume_search

    resume_search(dataset, opened.folder, Screen())
