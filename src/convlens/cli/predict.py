"""`convlens predict`: predict the classes of images."""

import csv
import glob
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from convlens import backend
from convlens.errors import ConfigError, DataError, ImageError
from convlens.preprocess import IMAGE_SUFFIXES
from convlens.run import Run

UNKNOWN = "[yellow]none of these[/yellow]"


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


def predict_images(
    name: str,
    patterns: Sequence[str],
    *,
    top: int,
    form: str,
    precision: str,
    weights: str | Path | None = None,
) -> int:
    """Print a row for each image.

    Args:
        name: A run or a classifier file, or the name of a network if `weights` are given.
        patterns: Files, folders and globs.
        top: The number of classes in a row.
        form: "table", "csv" or "json".
        precision: The arithmetic of the predictions.
        weights: The trained weights of the network: "imagenet" or a file.

    Returns:
        The exit code: 3 if some images could not be read, which are printed to stderr.

    Raises:
        ConfigError: If `top` is less than 1, or if no image was named.
        DataError: If no image can be read.
    """
    if top < 1:
        raise ConfigError("--top must be at least 1; found {top}.".format(top=top))
    path = Run.find_classifier(name) if weights is None else None
    images = find_images(patterns)
    backend.start()
    from convlens.classifier.classifier import Classifier
    from convlens.classifier.pretrained import pretrained_classifier

    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    skipped: list[ImageError] = []

    def skip(error: ImageError) -> None:
        skipped.append(error)
        errors.print("[yellow]skipped[/yellow]  {error}".format(error=escape(str(error))))

    if path is None:
        classifier = pretrained_classifier(name, weights or "imagenet", precision=precision)
    else:
        classifier = Classifier.load(path, precision=precision)
    rows = []
    for one in classifier.predict(images, skip=skip):
        order = np.argsort(-one.probabilities)[:top]
        shares = [(classifier.class_names[i], float(one.probabilities[i])) for i in order]
        rows.append(Row(one.image, shares, one.known))
    if not rows:
        raise DataError("none of the {count:,} images can be read.".format(count=len(images)))
    {"table": _print_table, "csv": _print_csv, "json": _print_json}[form](rows)
    return DataError.exit_code if skipped else 0


def find_images(patterns: Sequence[str]) -> list[Path]:
    """Return the images that files, folders and globs name, in order, each once.

    A file that does not exist is returned too, so that it is skipped like a damaged one.

    Raises:
        ConfigError: If there are no patterns.
        DataError: If a folder or a glob has no image.
    """
    if not patterns:
        raise ConfigError(
            "say which images: convlens predict RUN IMAGE..., or --model NAME IMAGE...; files, "
            "folders or globs."
        )
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern).expanduser()
        message = "{pattern}: there is no such image ({suffixes})."
        if path.is_dir():
            some = [file for file in path.rglob("*") if _is_image(file)]
            message = "{pattern}: this folder has no image ({suffixes})."
        elif path.exists() or not glob.has_magic(str(path)):
            some = [path]
        else:
            matches = map(Path, glob.glob(str(path), recursive=True))  # noqa: PTH207 - may be absolute
            some = [file for file in matches if file.is_file()]
        if not some:
            suffixes = ", ".join(IMAGE_SUFFIXES)
            raise DataError(message.format(pattern=pattern, suffixes=suffixes))
        found.update(dict.fromkeys(sorted(some)))
    return list(found)


def _is_image(path: Path) -> bool:
    """Return whether a file of a folder is an image, by its name."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def _print_table(rows: list[Row]) -> None:
    """Print a table; the folder stands above it where all images are in one."""
    console = Console(highlight=False)
    folders = {str(Path(row.image).parent) for row in rows}
    in_one_folder = len(rows) > 1 and len(folders) == 1
    if in_one_folder and folders != {"."}:
        heading = "[dim]in {folder}[/dim]".format(folder=escape(folders.pop()))
        console.print(heading, soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    table.add_column("image", overflow="fold")
    table.add_column("label", style="bold")
    table.add_column("probability", justify="right")
    if any(len(row.shares) > 1 or not row.known for row in rows):
        table.add_column("then", style="dim")
    for row in rows:
        cells = [
            (escape(label), "{percent:.1f} %".format(percent=100 * share))
            for label, share in row.shares
        ]
        first = cells.pop(0) if row.known else (UNKNOWN, "")
        name = Path(row.image).name if in_one_folder else row.image
        table.add_row(escape(name), *first, ", ".join(map(" ".join, cells)))
    console.print(table)


def _print_csv(rows: list[Row]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    headings = ["image", "label", "probability"]
    for rank in range(2, len(rows[0].shares) + 1):
        headings += ["label_{rank}".format(rank=rank), "probability_{rank}".format(rank=rank)]
    writer.writerow([*headings, "known"])
    for row in rows:
        cells = [row.image]
        for label, share in row.shares:
            cells += [label, "{share:.6f}".format(share=share)]
        writer.writerow([*cells, str(row.known).lower()])


def _print_json(rows: list[Row]) -> None:
    content = [
        {
            "image": row.image,
            "label": row.shares[0][0],
            "probabilities": dict(row.shares),
            "known": row.known,
        }
        for row in rows
    ]
    json.dump(content, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
