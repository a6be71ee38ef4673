"""`convlens compare`: networks trained for the same time, or the figures that others published."""

from pathlib import Path

from convlens import backend
from convlens.config import Config
from convlens.data.sources import load_data
from convlens.errors import RunError, StorageError
from convlens.run import Run
from convlens.screen import Screen

PUBLISHED_CHART = Path("imagenet-published.png")


def compare_models(
    path: str, models: str, config: Config, *, minutes: float | None, run: str | None
) -> None:
    """Compare the networks named in `models`, with commas between, on the images of `path`."""
    backend.start(config.training.backend, config.training.threads)
    from convlens.studies.compare import DEFAULT_MINUTES, check_names, compare

    names = [name.strip() for name in models.split(",") if name.strip()]
    check_names(names)  # before the images are looked for, which may take a while
    dataset = load_data(path, pattern=config.data.pattern)
    compare(
        dataset,
        names,
        config,
        minutes=DEFAULT_MINUTES if minutes is None else minutes,
        run=run,
        screen=Screen(),
    )


def resume_models(run: str | None, path: str | None) -> None:
    """Go on with a comparison, on the images it began with."""
    if run is None:
        raise RunError("to resume, name the comparison: convlens compare --run NAME --resume.")
    folder = Path(run) if Path(run).is_dir() else Run.place(run)
    begun = [Run(path.parent).config for path in sorted(folder.glob("*/run.toml"))]
    settings = (
        begun[0] if begun else Config()
    ).training  # one engine for all, known before Keras is imported
    backend.start(settings.backend, settings.threads)
    from convlens.studies.compare import Comparison, resume_comparison

    facts = Comparison.open(run).facts
    if not begun:
        raise RunError(
            f"{folder}: the networks' run folders are gone, so this comparison cannot go on."
        )
    dataset = load_data(path or facts["path"], pattern=begun[0].data.pattern)
    resume_comparison(dataset, run, Screen())


def chart_published() -> None:
    """Print the published ImageNet accuracies of the zoo with their sources, and chart them."""
    backend.start()
    from convlens.anatomy.summary import rounded
    from convlens.charts.comparison import show_published
    from convlens.zoo.published import ONE_CROP, PUBLISHED
    from convlens.zoo.registry import list_models, model_info

    known = set(list_models())
    rows = {name: one for name, one in PUBLISHED.items() if name in known}
    operations = {name: model_info(name).multiply_adds for name in rows}
    table = [("model", "mult-adds", "top-1", "seen", "source")]
    for name in sorted(rows, key=lambda name: rows[name].top_1):
        one = rows[name]
        table.append(
            (name, rounded(operations[name]), f"{100 * one.top_1:.1f} %", one.evaluated, one.source)
        )
    screen = Screen()
    screen.columns(table, left=(0, 3, 4))
    figure = show_published(
        list(rows),
        [one.top_1 for one in rows.values()],
        list(operations.values()),
        [one.evaluated == ONE_CROP for one in rows.values()],
    )
    try:
        figure.savefig(PUBLISHED_CHART, dpi=110)
    except OSError as error:
        raise StorageError(
            f"{PUBLISHED_CHART}: the chart cannot be written; {error.strerror or error}."
        ) from error
    screen.say(f"\nchart        {PUBLISHED_CHART}")
