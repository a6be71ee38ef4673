"""`convlens compare`: networks trained for the same time, or accuracies that others published."""

from pathlib import Path

from convlens import backend
from convlens.cli.opening import open_images, require_name
from convlens.config import Config
from convlens.errors import RunError
from convlens.files import write_atomically
from convlens.run import Run
from convlens.screen import Screen

PUBLISHED_CHART = Path("imagenet-published.png")


def compare_models(
    path: str, models: str, config: Config, *, minutes: float | None, run: str | None
) -> None:
    """Compare networks on the images of a path; see `convlens.studies.compare.compare`.

    Args:
        path: A folder, a file or the name of a data set.
        models: The names of the networks, with commas between them.
        config: All settings.
        minutes: The minutes of training for each network, or None for the default.
        run: The name or folder of the comparison.
    """
    backend.start(config.training.backend, config.training.threads)
    from convlens.studies.compare import DEFAULT_MINUTES, compare
    from convlens.studies.recipes import check_names

    names = [name.strip() for name in models.split(",") if name.strip()]
    check_names(names)  # before the images are looked at, which may take a while
    minutes = DEFAULT_MINUTES if minutes is None else minutes
    dataset = open_images(path, config)
    compare(dataset, names, config, minutes=minutes, run=run, screen=Screen())


def resume_models(run: str | None, path: str | None) -> None:
    """Continue a comparison, on the images of a path or on those that it began with."""
    run = require_name(run, "comparison", "compare")
    folder = Path(run) if Path(run).is_dir() else Run.place(run)
    begun = [Run(path.parent).config for path in sorted(folder.glob("*/run.toml"))]
    config = begun[0] if begun else Config()  # one engine for all networks
    backend.start(config.training.backend, config.training.threads)
    from convlens.studies.compare import FACTS, open_comparison, resume_comparison

    facts = open_comparison(run).read(FACTS)
    if not begun:
        raise RunError(
            "{folder}: the runs of the networks are gone, so the comparison cannot go on.".format(
                folder=folder
            )
        )
    resume_comparison(open_images(path or facts["path"], config), run, Screen())


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
    for name, one in sorted(rows.items(), key=lambda row: row[1].top_1):
        top_1 = "{share:.1f} %".format(share=100 * one.top_1)
        table.append((name, rounded(operations[name]), top_1, one.evaluated, one.source))
    screen = Screen()
    screen.columns(table, left=(0, 3, 4))
    figure = show_published(
        list(rows),
        [one.top_1 for one in rows.values()],
        list(operations.values()),
        [one.evaluated == ONE_CROP for one in rows.values()],
    )
    write_atomically(PUBLISHED_CHART, lambda path: figure.savefig(path, dpi=110), "the chart")
    screen.say("\nchart        {path}".format(path=PUBLISHED_CHART))
