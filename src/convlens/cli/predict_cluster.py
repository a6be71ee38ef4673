"""`--cluster` of predict, evaluate and audit: images are shared out among computers."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from cyclopts import Parameter
from rich.console import Console

from convlens.cli.cluster import connected
from convlens.cli.predict_formats import PRINTERS, print_notes, row_of
from convlens.errors import ConfigError, DataError
from convlens.language import N_, _
from convlens.screen import Screen, marked

if TYPE_CHECKING:
    from convlens.classifier.classifier import Classifier
    from convlens.classifier.prediction import Predictor
    from convlens.data.dataset import Dataset
    from convlens.report.again import Open, Opened

Answers = Annotated[
    str | None,
    Parameter(help=N_("folder or s3:// address of the answers, which all nodes reach")),
]
Engine = Annotated[
    Literal["keras", "openvino"],
    Parameter(help=N_("what computes the predictions; openvino is faster for many images")),
]


class Asked(NamedTuple):
    """What is asked of a cluster.

    Attributes:
        address: The address of the cluster.
        folder: The folder of the answers, or its address in an object store.
        engine: What computes the network.
        precision: Its arithmetic.
    """

    address: str
    folder: str
    engine: str
    precision: str


def predict_on_cluster(
    load: "Callable[[], Predictor]",
    patterns: Sequence[str],
    asked: Asked,
    printing: tuple[str, int],
) -> int:
    """Predict the classes of images on a cluster, and print them as one computer does.

    Args:
        load: Loads what predicts.
        patterns: Files, folders, globs, lists of images, and addresses in object stores.
        asked: What is asked of the cluster.
        printing: The format, and the number of classes to print.

    Returns:
        The exit code, as that of `predict`.

    Raises:
        ConfigError: If no image or the standard input is named.
        DataError: If there is no image, or if none can be read.
    """
    if not patterns or "-" in patterns:
        raise ConfigError(
            _(
                "say which images the cluster shall read: files, folders, globs, lists (.csv or "
                ".parquet) or addresses in an object store; the standard input is not shared out."
            )
        )
    from convlens.cluster.asking import ask
    from convlens.cluster.question import question_of
    from convlens.data.deep import describe_unit

    loaded = load()
    question = question_of(loaded, asked.engine, asked.precision)
    notes: list[str] = []
    screen = Screen(console=Console(emoji=False, stderr=True, highlight=False, soft_wrap=True))
    with connected(asked.address, screen) as cluster, screen.counter(_("predicting")) as progress:
        answered, counts = ask(question, cluster, asked.folder, _names(patterns, notes), progress)
    notes += describe_unit(question.preprocessing, answered.preprocessing)
    if counts.computed < counts.images:
        notes.append(
            _("{known:,} of {images:,} images were answered before, in {folder}").format(
                known=counts.images - counts.computed, images=counts.images, folder=asked.folder
            )
        )
    return _print(loaded, asked.folder, notes, printing)


def _names(patterns: Sequence[str], notes: list[str]) -> Iterator[str]:
    """Yield the names of the images, and add what is to be said of them to the notes."""
    from convlens.cli.predict_images import find_images
    from convlens.cluster.images import images_at, images_in_list, is_list
    from convlens.cluster.stores import is_address

    for is_elsewhere, some in groupby(patterns, lambda one: is_list(one) or is_address(one)):
        if is_elsewhere:
            for one in some:
                yield from images_in_list(one) if is_list(one) else images_at(one)
        else:
            # Together, since the shell may have made several names of a glob.
            paths, more = find_images(list(some))
            notes += more
            yield from map(str, paths)


def _print(predictor: "Predictor", folder: str, notes: list[str], printing: tuple[str, int]) -> int:
    """Print the answers, and what is to be said of them; return the exit code."""
    from convlens.cluster.asking import answers
    from convlens.image_file import none_readable

    errors = Console(emoji=False, stderr=True, highlight=False, soft_wrap=True)
    form, top = printing
    remarks: Counter[str] = Counter()
    skipped = 0
    found = 0
    for one in answers(folder, predictor):
        if isinstance(one, DataError):
            errors.print(marked(_("skipped"), "yellow", str(one)))
            skipped += 1
        else:
            remarks.update(one.remarks)
            found += 1
    print_notes(errors, notes, remarks)
    if not found:
        raise none_readable(skipped)
    rows = (
        row_of(one, predictor.class_names, top)
        for one in answers(folder, predictor)
        if not isinstance(one, DataError)
    )
    PRINTERS[form](rows)
    return DataError.exit_code if skipped else 0


def open_on_cluster(asked: Asked) -> "Open":
    """Return what opens the images of a data set on a cluster, which answers for them meanwhile."""

    def opened(classifier: "Classifier", dataset: "Dataset", screen: Screen) -> "Opened":
        from convlens.cluster.scoring import open_answers

        with (
            connected(asked.address, screen) as cluster,
            screen.counter(_("predicting")) as progress,
        ):
            return open_answers(classifier, dataset, cluster, asked.folder, progress)

    return opened


@contextmanager
def images_on_cluster(address: str | None, dataset: "Dataset") -> Iterator[None]:
    """Let a cluster decode images and compute the features of a backbone, if one is named.

    Args:
        address: The address of the cluster, or None for this process.
        dataset: The images.

    Raises:
        DataError: If the images are an array.
        ClusterError: If a node does not reach the images.
    """
    if address is None:
        yield
        return
    from convlens.cluster.connection import connect
    from convlens.cluster.decoding import DecodedByNodes
    from convlens.cluster.features import on_cluster
    from convlens.cluster.images import files_of
    from convlens.data.elsewhere import read_by
    from convlens.transfer.wanted import computed_by

    files = files_of(dataset)
    with (
        connect(address) as cluster,
        read_by(DecodedByNodes(cluster, files)),
        computed_by(on_cluster(cluster)),
    ):
        yield
