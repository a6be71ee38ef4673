"""The commands of `convlens`.

Heavy imports stay inside the functions, so that `convlens --help` answers at once.
"""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from convlens.cli.flags import (
    SEARCH_DEFAULTS,
    CompareFlags,
    Flags,
    SearchFlags,
    configure,
    given_flags,
)
from convlens.config import Config
from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError

app = App(
    name="convlens",
    help="From a folder of labelled images to a classifier one can trust, explain and ship, on the "
    "computer at hand.",
    help_epilogue="Every command takes --debug, which shows where an error comes from.",
    version_flags=["--version"],
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `main` handles Ctrl-C
)

Resume = Annotated[bool, Parameter(negative=(), help="continue --run, which was stopped or killed")]


@app.command
def data(
    path: str,
    *,
    sheet: Annotated[
        Path | None, Parameter(help="file for the sheet of examples [<name>-sheet.png]")
    ] = None,
    pattern: Annotated[
        str | None,
        Parameter(
            help="regular expression that finds the label in a file name, with (?P<label>...)"
        ),
    ] = None,
) -> None:
    """Show what is in a data source: format, classes, images and a sheet of examples."""
    from convlens.cli.data import describe_data

    describe_data(path, sheet, pattern)


@app.command
def train(  # noqa: PLR0913 - options of the command
    path: str | None = None,
    *,
    flags: Annotated[Flags, Parameter(name="*")] = Flags(),  # noqa: B008 - made once, never changed
    run: Annotated[
        str | None, Parameter(help="name of the run, made under runs/, or its folder")
    ] = None,
    resume: Resume = False,
    from_: Annotated[
        str | None, Parameter(name="--from", help="classifier file or run to train further")
    ] = None,
    config: Annotated[Path | None, Parameter(help="run.toml; flags take precedence")] = None,
    folds: Annotated[
        int | None, Parameter(help="number of folds of a cross-validation, for small data sets")
    ] = None,
    few: Annotated[
        int | None,
        Parameter(help="number of training images of each class, drawn several times"),
    ] = None,
    draws: Annotated[
        int | None, Parameter(help="number of draws of --few [5]", show_default=False)
    ] = None,
    find_learning_rate: Annotated[
        bool, Parameter(negative=(), help="look for a learning rate first")
    ] = False,
    budget: Annotated[
        str | None,
        Parameter(help="time for everything, as 90s, 10m or 1h; chooses a training that fits"),
    ] = None,
) -> None:
    """Train a classifier on labelled images, score it on images it has not seen, and report."""
    from convlens.cli.train import given_settings, resume_run, start_few, start_run, start_within

    base = Config.from_toml(config) if config is not None else Config()
    others = {
        "config": config,
        "resume": resume,
        "from": from_,
        "folds": folds,
        "few": few,
        "draws": draws,
        "find_learning_rate": find_learning_rate,
        "budget": budget,
    }
    refuse_conflicts("train", others | base.transfer.changed() | given_flags(flags))
    if resume:
        resume_run(run, path)
        return
    if path is None:
        raise ConfigError(
            "say what to train on: convlens train PATH, where PATH is a folder, a file or the name "
            "of a data set."
        )
    settings = configure(flags, base)
    if few is not None:
        start_few(path, settings, few, draws=draws, run=run)
        return
    if budget is not None:
        start_within(path, settings, budget, given=given_settings(flags, config), run=run)
        return
    start_run(path, settings, run=run, start_from=from_, folds=folds, find_rate=find_learning_rate)


@app.command
def evaluate(
    run: str,
    *,
    data: Annotated[
        str | None, Parameter(help="labelled images to use instead of the run's own test set")
    ] = None,
    format: Annotated[  # noqa: A002 - the flag's name
        Literal["table", "json"], Parameter(help="how to print; json is the content of report.json")
    ] = "table",
) -> None:
    """Score the classifier of a run, with 95 % intervals and the numbers of images."""
    from convlens.cli.evaluate import evaluate_run

    evaluate_run(run, data, as_json=format == "json")


@app.command
def predict(
    classifier: str | None = None,
    /,
    *images: str,
    model: Annotated[
        str | None, Parameter(help="network with trained weights, instead of a classifier")
    ] = None,
    weights: Annotated[
        Path | None, Parameter(help="file with other weights of --model, for 1,000 classes")
    ] = None,
    top: Annotated[int, Parameter(help="number of classes to print")] = 3,
    format: Annotated[  # noqa: A002 - the flag's name
        Literal["table", "csv", "json"], Parameter(help="how to print the predictions")
    ] = "table",
    precision: Annotated[
        Literal["float32", "bfloat16", "auto"], Parameter(help="arithmetic of the predictions")
    ] = "float32",
) -> int:
    """Predict the classes of images: files, folders or globs.

    The classifier is a run or a .keras file. A network that was trained on ImageNet predicts one
    of 1,000 classes for any photograph: convlens predict --model efficientnet_lite0 IMAGE...
    """
    from convlens.cli.predict import predict_images

    words = [word for word in (model, classifier, *images) if word is not None]
    if not words:
        raise ConfigError(
            "say which classifier to use: convlens predict RUN IMAGE..., or --model NAME IMAGE...."
        )
    refuse_conflicts("predict", {"weights": weights, "model": model})
    trained = None if model is None else weights or "imagenet"
    return predict_images(
        words[0], words[1:], weights=trained, top=top, form=format, precision=precision
    )


@app.command
def compare(  # noqa: PLR0913 - options of the command
    path: str | None = None,
    *,
    models: Annotated[str | None, Parameter(help="names of the networks: a,b,c")] = None,
    minutes: Annotated[
        float | None, Parameter(help="minutes of training for each network [2]", show_default=False)
    ] = None,
    flags: Annotated[CompareFlags, Parameter(name="*")] = CompareFlags(),  # noqa: B008 - made once, never changed
    run: Annotated[
        str | None, Parameter(help="name of the comparison, made under runs/, or its folder")
    ] = None,
    resume: Resume = False,
    published: Annotated[
        bool,
        Parameter(negative=(), help="chart published ImageNet accuracies, without any training"),
    ] = False,
) -> None:
    """Train networks for the same time, rank them, and say which differences are significant."""
    from convlens.cli.compare import chart_published, compare_models, resume_models

    others = {"path": path, "models": models, "minutes": minutes, "run": run}
    switches = {"published": published, "resume": resume}
    refuse_conflicts("compare", switches | others | given_flags(flags))
    if published:
        chart_published()
    elif resume:
        resume_models(run, path)
    elif path is None or models is None:
        raise ConfigError(
            "say on which images and which networks: convlens compare PATH --models a,b,c."
        )
    else:
        compare_models(path, models, configure(flags, Config()), minutes=minutes, run=run)


@app.command
def search(  # noqa: PLR0913 - options of the command
    path: str | None = None,
    *,
    trials: Annotated[
        int | None, Parameter(help="number of trials [20]", show_default=False)
    ] = None,
    minutes: Annotated[float | None, Parameter(help="time after which no trial begins")] = None,
    vary: Annotated[
        list[str] | None,
        Parameter(
            help="setting to vary, with its values: dropout=0..0.5, batch_size=32,64 or "
            "filters=16,32|32,64; may be given several times"
        ),
    ] = None,
    flags: Annotated[SearchFlags, Parameter(name="*")] = SearchFlags(),  # noqa: B008 - made once, never changed
    run: Annotated[
        str | None, Parameter(help="name of the search, made under runs/, or its folder")
    ] = None,
    resume: Resume = False,
) -> None:
    """Try other settings of the network and its training, and say which are best and how surely."""
    from convlens.cli.search import continue_search, start_search

    others = {"resume": resume, "trials": trials, "minutes": minutes, "vary": vary}
    refuse_conflicts("search", others | given_flags(flags))
    if resume:
        continue_search(run, path)
    elif path is None:
        raise ConfigError("say what to search on: convlens search PATH.")
    else:
        config = configure(flags, Config().replace(**SEARCH_DEFAULTS))
        start_search(
            path,
            config,
            trials=20 if trials is None else trials,
            minutes=minutes,
            vary=vary or (),
            run=run,
        )


@app.command
def models(
    *,
    markdown: Annotated[
        bool, Parameter(negative=(), help="print the page docs/models.md, with exact numbers")
    ] = False,
) -> None:
    """List the networks: year, input, size, cost, smallest images and trained weights."""
    from convlens.cli.models import list_table, print_page

    if markdown:
        print_page()
    else:
        list_table()


@app.command
def demo(*, run: Annotated[str | None, Parameter(help="name of the run")] = None) -> None:
    """Train on 5,000 images of handwritten digits, predict a few, and print what to type next."""
    from convlens.cli.demo import run_demo

    run_demo(run)


app.command(
    "convlens.cli.summary:summary",
    help="Show the layers of a network: outputs, parameters, multiply-adds and receptive fields.",
)
app.command(
    "convlens.cli.show:show",
    help="Show every number in the arithmetic of a layer, a loss or a small network.",
)
app.command(
    "convlens.cli.lesson:lesson",
    help="List the lessons of the five lectures, run one on your images, or write its notebook.",
)
app.command(
    "convlens.cli.open:open_network",
    name="open",
    help="Show what a trained network computes for an image: a layer, a value, a gradient.\n\n"
    "RUN is a run or a .keras file, and IMAGE is an image of any size. A network that was trained "
    "on ImageNet needs no run: convlens open --model efficientnet_lite0 IMAGE\n\n"
    "All layers are listed and drawn. With --layer, the feature maps of one layer are drawn; with "
    "--filter, one value is opened: the patch, the kernel, the products and their sum.",
)
