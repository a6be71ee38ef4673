"""`convlens data`: what a source is, before anything is trained."""

from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.table import Table

from convlens.charts.evaluation import show_sheet
from convlens.config import DataConfig
from convlens.data.dataset import SPLITS, Dataset
from convlens.data.inspection import check, inspect
from convlens.data.prepared import choose_preprocessing
from convlens.data.sources import load_data
from convlens.data.store import open_store
from convlens.errors import DataError, ImageError
from convlens.files import write_atomically
from convlens.preprocess import open_image
from convlens.screen import Screen

PER_CLASS, MAX_CLASSES, SHEET_SIDE = 10, 24, 128
DECODED = 20_000  # images; larger sets are judged by their headers
NAMED = 10  # unreadable images; data.json of a run has them all


def describe_data(path: str, sheet: Path | None, pattern: str | None) -> None:
    """Print what was recognised and write the sheet of examples."""
    screen = Screen()
    dataset = load_data(path, pattern=pattern, for_training=False)
    with screen.console.status("looking at the images"):
        seen = inspect(dataset)
    problems = seen.unreadable_examples
    if not isinstance(dataset.images, np.ndarray) and len(dataset) <= DECODED:
        with screen.counter(
            "decoding"
        ) as progress:  # as training will, which then finds them decoded
            store = open_store(dataset, choose_preprocessing(dataset, DataConfig()), progress)
        problems = tuple(store.problems.values())
    looked = "" if seen.inspected == len(dataset) else f" (of {seen.inspected:,} looked at)"
    sizes = f"{seen.common_size[0]} x {seen.common_size[1]}"
    if seen.common_size_share < 1:
        low, high = (seen.widths[0], seen.heights[0]), (seen.widths[2], seen.heights[2])
        sizes = f"width {low[0]} to {high[0]}, height {low[1]} to {high[1]}, median {seen.widths[1]} x {seen.heights[1]}"
    facts = {
        "source": dataset.source,
        "recognised": dataset.kind,
        "images": f"{len(dataset):,} in {dataset.num_classes} classes",
    }
    if seen.modes:  # none where no image can be read
        facts["size"] = sizes + looked
        facts["modes"] = (
            ", ".join(f"{mode} {count:,}" for mode, count in seen.modes.items()) + looked
        )
        facts["formats"] = (
            ", ".join(f"{name} {count:,}" for name, count in seen.formats.items()) + looked
        )
    screen.facts(list(facts.items()))
    screen.say()
    screen.console.print(_counts(dataset))
    screen.say()
    if problems:
        screen.note(
            f"{max(len(problems), seen.unreadable):,} of the images cannot be read; training skips them"
        )
        for message in problems[:NAMED]:
            screen.note(message)
    if seen.imbalance > 1.5:
        screen.note(
            f"the largest class has {seen.imbalance:.1f} times the smallest; training weighs rare classes more"
        )
    for note in dataset.notes:
        screen.note(note)
    try:
        check(dataset)
    except DataError as error:
        screen.note(f"training would refuse this: {error}")
    path_of_sheet = (sheet or Path(f"{dataset.name}-sheet.png")).with_suffix(".png")
    write_sheet(dataset, path_of_sheet)
    screen.say(f"sheet       {path_of_sheet}")


def write_sheet(dataset: Dataset, path: Path) -> None:
    """Write the sheet of examples as PNG. Raises StorageError where it cannot be written."""
    images, labels = [], []
    for label in range(min(dataset.num_classes, MAX_CLASSES)):
        members = np.flatnonzero(dataset.labels == label)
        spread = (
            members[np.unique(np.linspace(0, len(members) - 1, 2 * PER_CLASS).astype(int))]
            if len(members)
            else []
        )
        found = 0
        for index in spread:
            try:
                image = open_image(dataset.images[int(index)], reduce_to=(SHEET_SIDE, SHEET_SIDE))
            except ImageError:
                continue  # named above, among the unreadable ones
            image.thumbnail((SHEET_SIDE, SHEET_SIDE))
            images.append(np.asarray(image if image.mode == "L" else image.convert("RGB")))
            labels.append(label)
            found += 1
            if found == PER_CLASS:
                break
    figure = show_sheet(
        [p[..., None] if p.ndim == 2 else p for p in images],
        labels,
        dataset.class_names,
        counts=dataset.counts(),
    )
    write_atomically(path, lambda file: figure.savefig(file, dpi=120), "the sheet of examples")


def _counts(dataset: Dataset) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    table.add_column("class")
    splits = [
        name for name in SPLITS if dataset.splits is not None and (dataset.splits == name).any()
    ]
    columns = {name: dataset.counts(name) for name in splits} | {"images": dataset.counts()}
    for name in columns:
        table.add_column(name, justify="right")
    for label, name in enumerate(dataset.class_names):
        table.add_row(escape(name), *(f"{counts[label]:,}" for counts in columns.values()))
    return table
