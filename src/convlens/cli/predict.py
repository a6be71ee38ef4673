"""`convlens predict` and `convlens evaluate`: what a trained classifier says, and how well."""

import csv
import glob
import io
import json
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from convlens import backend
from convlens.cli.output import print_json
from convlens.conflicts import refuse_conflicts
from convlens.data.dataset import note_if
from convlens.data.labels import natural_key
from convlens.data.walk import Found, as_spelled, is_system_name, walk
from convlens.errors import ConfigError, DataError, ImageError
from convlens.files import expanded
from convlens.image_file import CONVERT, USUAL_SUFFIXES, readable
from convlens.screen import Screen
from convlens.text import printable

if TYPE_CHECKING:
    from convlens.classifier.classifier import Classifier

UNKNOWN = "none of these"


class Row(NamedTuple):
    """The prediction for an image.

    Attributes:
        image: The path of the image.
        shares: The most probable classes with their probabilities, the most probable first.
        known: Whether the image is of one of the classes, rather than "none of these".
    """

    image: str
    shares: list[tuple[str, float]]
    known: bool


def predict(
    classifier: str | None = None,
    /,
    *images: Annotated[str, Parameter(allow_leading_hyphen=True)],
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
    """Predict the classes of images: files, folders, globs, or - for the standard input.

    Returns:
        The exit code: 3 if some images could not be read, which are printed to stderr.

    Raises:
        ConfigError: If `top` is less than 1, or if no classifier or no image was named.
        DataError: If no image can be read.
    """
    words = [word for word in (model, classifier, *images) if word is not None]
    if not words:
        raise ConfigError(
            "say which classifier to use: convlens predict RUN IMAGE..., or --model NAME IMAGE...."
        )
    refuse_conflicts("predict", {"weights": weights, "model": model})
    if top < 1:
        raise ConfigError("--top must be at least 1; found {top}.".format(top=top))
    name, *patterns = words
    unknown = [word for word in patterns if word.startswith("--")]
    if unknown:
        message = "unknown option: {word} (convlens predict --help)."
        raise ConfigError(message.format(word=unknown[0]))
    from convlens.data.deep import describe_unit
    from convlens.run import Run

    path = Run.find_classifier(name) if model is None else None
    paths, notes = find_images(patterns)
    # The standard input and other pipes can be read only once.
    found = [readable(_standard_input() if path == Path("-") else path) for path in paths]
    backend.start()
    loaded = load_classifier(path, model, weights, precision)
    chosen = loaded.with_unit_of(found)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    skipped: list[ImageError] = []

    def skip(error: ImageError) -> None:
        skipped.append(error)
        errors.print("[yellow]skipped[/yellow]  {error}".format(error=escape(str(error))))

    predictions = chosen.predict(found, skip=skip)
    remarks = Counter(chain.from_iterable(one.remarks for one in predictions))
    notes += describe_unit(loaded.preprocessing, chosen.preprocessing)
    notes += [remark.format(number=number) for remark, number in remarks.items()]
    for note in notes:
        errors.print("[yellow]note[/yellow]  {note}".format(note=escape(note)))
    rows = []
    for one in predictions:
        order = (-one.probabilities).argsort()[:top]
        shares = [(chosen.class_names[i], float(one.probabilities[i])) for i in order]
        rows.append(Row(one.image, shares, one.known))
    if not rows:
        raise DataError("none of the {count:,} images can be read.".format(count=len(paths)))
    {"table": _print_table, "csv": _print_csv, "json": _print_rows_as_json}[format](rows)
    return DataError.exit_code if skipped else 0


def _standard_input() -> io.BytesIO:
    stream = io.BytesIO(sys.stdin.buffer.read())
    stream.name = "-"
    return stream


def load_classifier(
    path: Path | None, model: str | None, weights: Path | None, precision: str = "float32"
) -> "Classifier":
    """Return the classifier of a file, or a network of the zoo with trained weights.

    Args:
        path: The file, or None if the network is named.
        model: The name of the network.
        weights: A file with weights of the network; those of ImageNet if None.
        precision: The arithmetic of the predictions.
    """
    from convlens.classifier.classifier import Classifier
    from convlens.classifier.pretrained import pretrained_classifier

    if path is not None:
        return Classifier.load(path, precision=precision)
    return pretrained_classifier(str(model), weights or "imagenet", precision=precision)


def find_images(patterns: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return the images that files, folders and globs name, in order and each once, and notes.

    The images of a folder are those that a training on this folder would find. A file that does not
    exist is returned too, so that it is skipped like a damaged one.

    Raises:
        ConfigError: If there are no patterns.
        DataError: If a folder cannot be read, or if a folder or a glob has no image.
    """
    if not patterns:
        raise ConfigError(
            "say which images: convlens predict RUN IMAGE..., or --model NAME IMAGE...; files, "
            "folders or globs."
        )
    found: dict[Path, None] = {}
    notes = []
    for pattern in patterns:
        path = as_spelled(expanded(pattern))
        is_glob = glob.has_magic(str(path)) and not path.exists()
        named = _matches(path) if is_glob else [path]
        inside = {folder: _walk(folder) for folder in named if folder.is_dir()}
        some = [
            image for one in named for image in (inside[one].images if one in inside else [one])
        ]
        ignored = sum((one.ignored for one in inside.values()), Counter[str]())
        kinds = ["{:,} {}".format(number, kind) for kind, number in ignored.most_common(6)]
        counts = ", ".join(kinds)
        message = "{pattern}: this folder has no image ({suffixes}); found {counts}. {advice}"
        if not counts:
            message = "{pattern}: this folder has no image ({suffixes})."
        if is_glob:
            message = "{pattern}: there is no such image ({suffixes})."
        if not some:
            raise DataError(
                message.format(
                    pattern=pattern, suffixes=USUAL_SUFFIXES, counts=counts, advice=CONVERT
                )
            )
        found.update(dict.fromkeys(some))
        notes += note_if(counts, "{pattern}: ignored {counts}", pattern=pattern, counts=counts)
    return list(found), notes


def _matches(pattern: Path) -> list[Path]:
    """Return what a glob matches, in natural order; system files only where it names them."""
    found: dict[Path, Path] = {}
    # The name of a folder that exists is no pattern, even if it has brackets.
    base = next(folder for folder in pattern.parents if folder.exists())
    matches = glob.glob(str(pattern.relative_to(base)), root_dir=base, recursive=True)  # noqa: PTH207
    for path in (base / match for match in sorted(matches, key=natural_key)):
        if not any(is_system_name(part) for part in path.parts if part not in pattern.parts):
            # A link that leads back shows the same files again.
            found.setdefault(path.parent.resolve() / path.name, path)
    return list(found.values())


def _walk(folder: Path) -> Found:
    try:
        return walk(folder)
    except OSError as error:
        raise DataError(
            "{path}: this cannot be read ({reason}).".format(
                path=error.filename or folder, reason=error.strerror or error
            )
        ) from error


def _print_table(rows: list[Row]) -> None:
    """Print a table; the folder stands above it where all images are in one."""
    screen = Screen()
    folders = {str(Path(row.image).parent) for row in rows}
    in_one_folder = len(rows) > 1 and len(folders) == 1
    if in_one_folder and folders != {"."}:
        screen.say("in {folder}".format(folder=folders.pop()), "dim")
    has_others = any(len(row.shares) > 1 or not row.known for row in rows)
    table: list[list[str | Text]] = [
        ["image", "label", "probability", "then" if has_others else ""],
    ]
    for row in rows:
        cells = [
            (label, "{percent:.1f} %".format(percent=100 * share)) for label, share in row.shares
        ]
        label, share = cells.pop(0) if row.known else (UNKNOWN, "")
        name = Path(row.image).name if in_one_folder else row.image
        others = ", ".join(map(" ".join, cells))
        style = "bold" if row.known else "bold yellow"
        table.append([printable(name), Text(label, style), share, Text(others, "dim")])
    screen.columns(table, left=(0, 1, 3))


def _print_csv(rows: list[Row]) -> None:
    # Written so that the names can be turned back, see `convlens.text`.
    exact = partial(printable, encoding=sys.stdout.encoding or "utf-8")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    headings = ["image", "label", "probability"]
    for rank in range(2, len(rows[0].shares) + 1):
        headings += ["label_{rank}".format(rank=rank), "probability_{rank}".format(rank=rank)]
    writer.writerow([*headings, "known"])
    for row in rows:
        cells = [exact(row.image)]
        for label, share in row.shares:
            cells += [exact(label), "{share:.6f}".format(share=share)]
        writer.writerow([*cells, str(row.known).lower()])


def _print_rows_as_json(rows: list[Row]) -> None:
    print_json(
        [
            {
                "image": row.image,
                "label": row.shares[0][0],
                "probabilities": dict(row.shares),
                "known": row.known,
            }
            for row in rows
        ],
        indent=1,
    )


def evaluate(
    run: str,
    *,
    data: Annotated[
        str | None, Parameter(help="labelled images to use instead of the run's own test set")
    ] = None,
    layout: Annotated[
        Literal["auto", "classes", "splits"] | None,
        Parameter(help="what folders called train, val or test in --data are [as in the run]"),
    ] = None,
    format: Annotated[  # noqa: A002 - the flag's name
        Literal["table", "json"], Parameter(help="how to print; json is the content of report.json")
    ] = "table",
) -> None:
    """Score the classifier of a run, with 95 % intervals and the numbers of images."""
    from convlens.data.sources import load_data
    from convlens.run import Run

    refuse_conflicts("evaluate", {"layout": layout, "data": data})
    opened = Run.open(run)
    dataset = load_data(
        data or opened.data["path"],
        pattern=opened.config.data.pattern,
        layout=layout or opened.config.data.layout,
        for_training=data is None,
    )
    backend.start(threads=opened.config.training.threads)  # a classifier opens on any engine
    from convlens.report.finish import score_again, score_other

    score = score_again if data is None else score_other
    folder = score(opened, opened.classifier(), dataset, Screen(quiet=format == "json"))
    if format == "json":
        print_json(json.loads((folder / "report.json").read_text(encoding="utf-8")), indent=1)
