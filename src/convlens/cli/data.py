"""`convlens data`: show what is in a data source before anything is trained."""

import shlex
from collections.abc import Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convlens.cli.flags import Layout, Pattern
from convlens.cli.output import refuse_folder
from convlens.config import DataConfig
from convlens.errors import DataError, ImageError
from convlens.files import numbered, write_atomically
from convlens.language import N_, _, listed, ngettext
from convlens.screen import Screen
from convlens.text import multiple

if TYPE_CHECKING:
    from convlens.data.dataset import Dataset
    from convlens.data.inspection import Inspection
    from convlens.preprocess import ImageArray
    from convlens.unit import Unit

# The entry of a sheet that names the place of its images.
SHOWN = "convlens data"  # not translated: it is read again
HEADINGS = (N_("train"), N_("val"), N_("test"))  # of the splits
PER_CLASS = 10  # examples on the sheet
MAX_CLASSES = 24  # on the sheet
SHEET_SIDE = 128  # of an example, in pixels
MAX_DECODED = 20_000  # images; of larger sets only the headers are read
MAX_NAMED = 10  # unreadable images; data.json of a run has them all


def data(
    path: Annotated[str, Parameter(help=N_("folder, file or name of a data set"))],
    *,
    sheet: Annotated[
        Path | None, Parameter(help=N_("file for the sheet of examples [<name>-sheet.png]"))
    ] = None,
    pattern: Pattern = None,
    layout: Layout = None,
) -> None:
    """Show what is in a data source: format, classes, images and a sheet of examples."""
    import numpy as np

    from convlens.audit.audit import audit_data
    from convlens.audit.gate import short_form
    from convlens.data.deep import unit_of
    from convlens.data.duplicates import find_pairs
    from convlens.data.input_shape import choose_preprocessing
    from convlens.data.inspection import inspect
    from convlens.data.sources import load_to_check
    from convlens.data.store import open_store
    from convlens.unit import unit_in_words

    screen = Screen()
    refuse_folder("--sheet", sheet, "sheet.png")
    dataset = load_to_check(path, pattern=pattern, layout=layout or "auto")
    with screen.status(_("looking at the images")):
        seen = inspect(dataset)
    problems = seen.unreadable_examples
    unit = dataset.unit
    remarks: list[str] = []
    store = None
    if isinstance(dataset.images, np.ndarray) or len(dataset) <= MAX_DECODED:
        # A training decodes the images in the same way, and then finds them in the cache.
        with screen.counter(_("decoding")) as progress:
            preprocessing = choose_preprocessing(dataset, DataConfig(), progress=progress)
            store = open_store(dataset, preprocessing, progress, survive=True)
            find_pairs(store, progress=progress)  # They are kept beside the decoded images.
        problems = tuple(store.problems.values())
        remarks = store.notes
        unit = unit_of(dataset)
    said = [] if unit is None else [(_("values"), unit_in_words(unit))]
    screen.facts([*_facts(dataset, seen), *said])
    screen.say()
    screen.columns(_counts(dataset))
    screen.say()
    _print_notes(dataset, seen, problems, screen)
    if store is None:
        command = shlex.join(["convlens", "audit", str(path)])
        remarks = [_("copies and odd images are looked for by {command}").format(command=command)]
    else:
        with screen.status(_("checking the images")):
            remarks += short_form(audit_data(dataset, store=store))
    for remark in remarks:
        screen.note(remark)
    file = _sheet_file(dataset) if sheet is None else sheet
    if file.suffix.lower() != ".png":
        file = file.with_name(f"{file.name}.png")
    write_sheet(dataset, file, unit)
    screen.facts([(_("sheet"), str(file))])


def _facts(dataset: "Dataset", seen: "Inspection") -> list[tuple[str, str]]:
    """Return names and values that describe a data set."""
    facts: list[tuple[str, str]] = [
        (_("source"), dataset.source),
        (_("recognised"), dataset.kind),
        (
            _("images"),
            ngettext(
                "{images:,} in {classes} class",
                "{images:,} in {classes} classes",
                dataset.num_classes,
            ).format(images=len(dataset), classes=dataset.num_classes),
        ),
    ]
    if not seen.modes:  # no image can be read
        return facts
    width, height = seen.common_size
    size = "{height} x {width}".format(height=height, width=width)
    if seen.common_size_share < 1:
        size = _(
            "height {heights[0]} to {heights[2]}, width {widths[0]} to {widths[2]}, "
            "median {heights[1]} x {widths[1]}"
        ).format(widths=seen.widths, heights=seen.heights)
    found: list[tuple[str, str]] = [
        (_("size"), size),
        (_("modes"), _listed(seen.modes)),
        (_("formats"), _listed(seen.formats)),
    ]
    if seen.inspected != len(dataset):
        looked = _("{text} (of {number:,} looked at)")
        found = [(name, looked.format(text=text, number=seen.inspected)) for name, text in found]
    return [*facts, *found]


def _listed(counts: Mapping[str, int]) -> str:
    """Return names with their counts.

    >>> _listed({"RGB": 1200, "L": 3})
    'RGB 1,200, L 3'
    """
    return listed("{name} {n:,}".format(name=name, n=n) for name, n in counts.items())


def _print_notes(
    dataset: "Dataset", seen: "Inspection", problems: tuple[str, ...], screen: Screen
) -> None:
    """Print what the user should know before a training."""
    from convlens.data.dataset import check

    if problems:
        unreadable = max(len(problems), seen.unreadable)
        screen.note(
            ngettext(
                "{count:,} of the images cannot be read; training skips it",
                "{count:,} of the images cannot be read; training skips them",
                unreadable,
            ).format(count=unreadable)
        )
    for problem in problems[:MAX_NAMED]:
        screen.note(problem)
    if seen.imbalance > 1.5:
        screen.note(
            _(
                "the largest class has {ratio} times the images of the smallest; training "
                "weighs rare classes more"
            ).format(ratio=multiple(seen.imbalance))
        )
    for note in dataset.notes:
        screen.note(note)
    try:
        check(dataset)
    except DataError as error:
        screen.note(_("training would refuse this: {error}").format(error=error.args[0]))


def _sheet_file(dataset: "Dataset") -> Path:
    """Return a file that does not exist, or that is an earlier sheet of these images."""
    name = "{name}-sheet.png".format(name=dataset.name.replace("/", "_"))
    return next(file for file in numbered(Path(name), ".png") if _may_replace(file, dataset))


def _may_replace(file: Path, dataset: "Dataset") -> bool:
    from PIL import Image

    if not file.exists():
        return True
    try:
        with Image.open(file) as sheet:
            return bool(sheet.info.get(SHOWN) == ascii(dataset.path))
    except (OSError, Image.DecompressionBombError):
        return False


def write_sheet(dataset: "Dataset", path: Path, unit: "Unit | None" = None) -> None:
    """Write a sheet of examples as a PNG file, which names the place of the images.

    Raises:
        StorageError: If the file cannot be written.
    """
    from convlens.charts.images import show_sheet

    shown = range(min(dataset.num_classes, MAX_CLASSES))
    examples = [_examples(dataset, label, unit) for label in shown]
    images = list(chain.from_iterable(examples))
    labels = [label for label, some in enumerate(examples) for _example in some]
    figure = show_sheet(images, labels, dataset.class_names, counts=dataset.counts())
    metadata = {SHOWN: ascii(dataset.path)}
    write_atomically(
        path, lambda file: figure.savefig(file, dpi=120, metadata=metadata), _("the sheet")
    )


def _examples(dataset: "Dataset", label: int, unit: "Unit | None") -> "list[ImageArray]":
    """Return a few images of a class, evenly spread; those that cannot be read are left out."""
    import numpy as np

    from convlens.preprocess import open_image

    members = np.flatnonzero(dataset.labels == label)
    places = np.linspace(0, len(members) - 1, min(2 * PER_CLASS, len(members))).astype(int)
    found: list[ImageArray] = []
    for index in members[places]:
        with suppress(ImageError):
            image = open_image(dataset.images[index], unit)
            image.thumbnail((SHEET_SIDE, SHEET_SIDE))
            mode = "L" if image.mode == "L" else "RGB"
            found.append(np.atleast_3d(np.asarray(image.convert(mode))))
        if len(found) == PER_CLASS:
            break
    return found


def _counts(dataset: "Dataset") -> list[list[str]]:
    """Return a table of the images of each class and split."""
    from convlens.data.dataset import SPLITS

    splits = {split: dataset.counts(split) for split in SPLITS}
    columns = {_(split): counts for split, counts in splits.items() if counts.any()}
    columns[_("images")] = dataset.counts()
    rows = [
        [name, *("{n:,}".format(n=counts[label]) for counts in columns.values())]
        for label, name in enumerate(dataset.class_names)
    ]
    return [[_("class"), *columns], *rows]
