"""The predictions of `convlens predict` as a table, as CSV and as JSON."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.text import Text

from convlens.cli.output import print_json
from convlens.language import N_, _, listed
from convlens.screen import Screen, marked
from convlens.text import printable

if TYPE_CHECKING:
    from convlens.classifier.prediction import Prediction

UNKNOWN = N_("none of these")


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


def row_of(prediction: "Prediction", class_names: Sequence[str], top: int) -> Row:
    """Return what is printed of a prediction: its `top` most probable classes."""
    order = (-prediction.probabilities).argsort()[:top]
    shares = [(class_names[i], float(prediction.probabilities[i])) for i in order]
    return Row(prediction.image, shares, prediction.known)


def print_notes(errors: Console, notes: Sequence[str], remarks: Mapping[str, int]) -> None:
    """Print what is to be said of the images, and each remark with the number of its images."""
    of_images = [_(remark).format(number=number) for remark, number in remarks.items()]
    for note in (*notes, *of_images):
        errors.print(marked(_("note"), "yellow", note))


def _print_table(found: Iterable[Row]) -> None:
    """Print a table; the folder stands above it where all images are in one."""
    rows = list(found)
    screen = Screen()
    folders = {str(Path(row.image).parent) for row in rows}
    in_one_folder = len(rows) > 1 and len(folders) == 1
    if in_one_folder and folders != {"."}:
        screen.say(_("in {folder}").format(folder=folders.pop()), "dim")
    has_others = any(len(row.shares) > 1 or not row.known for row in rows)
    table: list[list[str | Text]] = [
        [_("image"), _("label"), _("probability"), _("then") if has_others else ""],
    ]
    for row in rows:
        cells = [
            (label, "{percent:.1f} %".format(percent=100 * share)) for label, share in row.shares
        ]
        label, share = cells.pop(0) if row.known else (_(UNKNOWN), "")
        name = Path(row.image).name if in_one_folder else row.image
        others = listed(map(" ".join, cells))
        style = "bold" if row.known else "bold yellow"  # not translated: a style
        table.append([printable(name), Text(label, style), share, Text(others, "dim")])
    screen.columns(table, left=(0, 1, 3))


def _print_csv(found: Iterable[Row]) -> None:
    # Written so that the names can be turned back, see `convlens.text`.
    exact = partial(printable, encoding=sys.stdout.encoding or "utf-8")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    rows = iter(found)
    first = next(rows)
    headings = ["image", "label", "probability"]
    for rank in range(2, len(first.shares) + 1):
        headings += ["label_{rank}".format(rank=rank), "probability_{rank}".format(rank=rank)]
    writer.writerow([*headings, "known"])
    for row in chain([first], rows):
        cells = [exact(row.image)]
        for label, share in row.shares:
            cells += [exact(label), "{share:.6f}".format(share=share)]
        writer.writerow([*cells, str(row.known).lower()])


def _print_rows_as_json(rows: Iterable[Row]) -> None:
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


PRINTERS = {"table": _print_table, "csv": _print_csv, "json": _print_rows_as_json}
