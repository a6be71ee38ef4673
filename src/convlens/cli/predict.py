"""`convlens predict`: name what is in images."""

import csv
import glob
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from convlens import backend
from convlens.errors import ConfigError, DataError, ImageError
from convlens.preprocess import IMAGE_SUFFIXES
from convlens.run import Run

UNKNOWN = "[yellow]none of these[/yellow]"


def predict_images(
    name: str,
    patterns: Sequence[str],
    *,
    top: int,
    form: str,
    precision: str,
    weights: str | Path | None = None,
) -> int:
    """Print a row an image; return 3 where some could not be read, which stderr names.

    Args:
        name: a run or a classifier file; where weights are given, a network of the zoo.
        patterns: files, folders and globs.
        top: classes a row.
        form: "table", "csv" or "json".
        precision: arithmetic of the predictions.
        weights: of the network: "imagenet" or a file.
    """
    if top < 1:
        raise ConfigError(f"--top must be at least 1; found {top}.")
    path = Run.find_classifier(name) if weights is None else None
    images = find_images(patterns)
    backend.start()
    from convlens.classifier.classifier import Classifier
    from convlens.classifier.pretrained import pretrained_classifier

    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    skipped: list[ImageError] = []

    def skip(error: ImageError) -> None:
        skipped.append(error)
        errors.print(f"[yellow]skipped[/yellow]  {escape(str(error))}")

    if path is None:
        classifier = pretrained_classifier(name, weights or "imagenet", precision=precision)
    else:
        classifier = Classifier.load(path, precision=precision)
    rows = [
        (
            one.image,
            [
                (classifier.class_names[i], float(one.probabilities[i]))
                for i in np.argsort(-one.probabilities)[:top]
            ],
            one.known,
        )
        for one in classifier.predict(images, skip=skip)
    ]
    if not rows:
        raise DataError(f"none of the {len(images):,} images can be read.")
    {"table": _table, "csv": _csv, "json": _json}[form](rows)
    return DataError.exit_code if skipped else 0


def find_images(patterns: Sequence[str]) -> list[Path]:
    """Return the images that files, folders and globs name, in order, each once.

    Raises:
        ConfigError: nothing was named.
        DataError: a folder or glob has no image.
    """
    if not patterns:
        raise ConfigError(
            "say which images: convlens predict RUN IMAGE..., or --model NAME IMAGE...; files, folders or globs."
        )
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern).expanduser()
        if path.is_dir():
            some = sorted(
                p
                for p in path.rglob("*")
                if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".")
            )
        elif path.exists() or not glob.has_magic(str(path)):
            some = [path]  # a missing file is named and skipped like a damaged one
        else:
            some = sorted(
                Path(p)
                for p in glob.glob(str(path), recursive=True)  # noqa: PTH207 - patterns may be absolute
                if Path(p).is_file()
            )
        if not some:
            what = "this folder has no image" if path.is_dir() else "there is no such image"
            raise DataError(f"{pattern}: {what} ({', '.join(IMAGE_SUFFIXES)}).")
        found.update(dict.fromkeys(some))
    return list(found)


Rows = list[
    tuple[str, list[tuple[str, float]], bool]
]  # image, most probable classes, whether it is of one


def _table(rows: Rows) -> None:
    console = Console(highlight=False)
    folders = {str(Path(image).parent) for image, *_ in rows}
    folder = folders.pop() if len(rows) > 1 and len(folders) == 1 else None
    if folder not in (None, "."):
        console.print(f"[dim]in {escape(str(folder))}[/dim]", soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    table.add_column("image", overflow="fold")
    table.add_column("label", style="bold")
    table.add_column("probability", justify="right")
    if any(len(answers) > 1 or not known for _, answers, known in rows):
        table.add_column("then", style="dim")
    for image, answers, known in rows:
        shares = [(escape(label), f"{share * 100:.1f} %") for label, share in answers]
        first = shares.pop(0) if known else (UNKNOWN, "")
        name = Path(image).name if folder else image
        table.add_row(escape(name), *first, ", ".join(map(" ".join, shares)))
    console.print(table)


def _csv(rows: Rows) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    ranks = range(1, len(rows[0][1]) + 1)
    heads = [
        f"{word}{'' if rank == 1 else f'_{rank}'}"
        for rank in ranks
        for word in ("label", "probability")
    ]
    writer.writerow(["image", *heads, "known"])
    for image, answers, known in rows:
        cells = [cell for name, share in answers for cell in (name, f"{share:.6f}")]
        writer.writerow([image, *cells, str(known).lower()])


def _json(rows: Rows) -> None:
    content = [
        {"image": image, "label": answers[0][0], "probabilities": dict(answers), "known": known}
        for image, answers, known in rows
    ]
    json.dump(content, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
