"""The commands of `convlens`. Heavy imports stay inside: `convlens --help` answers at once."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from convlens.cli.flags import Flags, configure
from convlens.config import Config
from convlens.errors import ConfigError

__all__ = ["app"]

app = App(
    name="convlens",
    help="From a folder of labelled pictures to a classifier one can trust, explain and ship, on the computer at hand.",
    help_epilogue="Every command takes --debug, which shows where an error comes from.",
    version_flags=["--version"],
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `main` says what Ctrl-C leaves
)


@app.command
def data(
    path: str,
    *,
    sheet: Annotated[Path | None, Parameter(help="where the sheet of examples goes [<name>-sheet.png]")] = None,
    pattern: Annotated[
        str | None, Parameter(help="label in a file name: a regular expression with (?P<label>...)")
    ] = None,
) -> None:
    """Show what a data source is: what was recognised, classes and counts, sizes and modes, and a sheet of examples."""
    from convlens.cli.data import describe_data

    describe_data(path, sheet, pattern)


@app.command
def train(  # noqa: PLR0913 - options of the command
    path: str | None = None,
    *,
    flags: Annotated[Flags, Parameter(name="*")] = Flags(),  # noqa: B008 - made once, never changed
    run: Annotated[str | None, Parameter(help="name of the run, made under runs/, or a folder of its own")] = None,
    resume: Annotated[bool, Parameter(negative=(), help="go on with --run, which was stopped or killed")] = False,
    from_: Annotated[str | None, Parameter(name="--from", help="a classifier file or run to train further")] = None,
    config: Annotated[Path | None, Parameter(help="a run.toml; flags go first")] = None,
    folds: Annotated[int | None, Parameter(help="cross-validate: for small sets")] = None,
    find_learning_rate: Annotated[bool, Parameter(negative=(), help="look for one first")] = False,
) -> None:
    """Train a classifier on labelled pictures, score it on pictures it has not seen, and write its report."""
    from convlens.cli.train import resume_run, start_run

    base = Config.from_toml(config) if config is not None else Config()
    if resume:
        if flags != Flags() or config or folds or from_ or find_learning_rate:
            raise ConfigError(
                "a resumed run keeps its configuration: give --run and --resume only, without other flags."
            )
        resume_run(run, path)
        return
    if path is None:
        raise ConfigError("say what to train on: convlens train PATH, a folder, file or name of a data set.")
    if find_learning_rate and flags.learning_rate is not None:
        raise ConfigError("--find-learning-rate and --learning-rate exclude each other.")
    if folds is not None and find_learning_rate:
        raise ConfigError("--folds and --find-learning-rate exclude each other: find the rate in a run of its own.")
    if from_ is not None and (
        fixed := [n for n in ("model", "size", "fit", "channels") if getattr(flags, n) is not None]
    ):
        raise ConfigError(f"--{fixed[0]} is given by the classifier that --from names; leave it out.")
    start_run(path, configure(flags, base), run=run, start_from=from_, folds=folds, find_rate=find_learning_rate)


@app.command
def evaluate(
    run: str,
    *,
    data: Annotated[str | None, Parameter(help="other labelled pictures than the run's own test set")] = None,
    format: Annotated[Literal["table", "json"], Parameter(help="json is the content of report.json")] = "table",  # noqa: A002
) -> None:
    """Score a run's classifier: every score with its 95 % interval and the number of pictures."""
    from convlens.cli.evaluate import evaluate_run

    evaluate_run(run, data, as_json=format == "json")


@app.command
def predict(
    classifier: str,
    *pictures: str,
    top: Annotated[int, Parameter(help="how many classes to name")] = 3,
    format: Annotated[Literal["table", "csv", "json"], Parameter(help="how to print them")] = "table",  # noqa: A002
    precision: Annotated[Literal["float32", "bfloat16", "auto"], Parameter(help="arithmetic")] = "float32",
) -> int:
    """Name what is in pictures: files, folders or globs. The classifier is a run or a .keras file."""
    from convlens.cli.predict import predict_pictures

    return predict_pictures(classifier, pictures, top=top, form=format, precision=precision)


@app.command
def models() -> None:
    """List the networks: name, input, parameters."""
    from convlens.cli.models import list_table

    list_table()


@app.command
def demo(*, run: Annotated[str | None, Parameter(help="name of the run")] = None) -> None:
    """Train on 5,000 pictures of handwritten digits, predict a few, and say what to type next."""
    from convlens.cli.demo import run_demo

    run_demo(run)
