"""Asking: the answers of a classifier for any number of images, computed by all nodes.

The list of images is written once, in parts. Ray Data hands the numbers of the parts to actors,
each of which holds the classifier: it reads the images of a part, and decodes and classifies those
that no shard answers yet, with the code that one machine uses. A part that is lost with its node is
computed again; its shard has the same name and the same content.
"""

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from convlens.classifier.prediction import BATCH, Prediction, Predictor
from convlens.cluster.connection import Cluster
from convlens.cluster.folder import Folder, folder_at
from convlens.cluster.images import Fetched, fetch, fetch_if_deep
from convlens.cluster.question import Question, claim
from convlens.cluster.reach import refuse_unreachable, work_in
from convlens.cluster.shards import (
    Known,
    Row,
    find_known,
    read_answers,
    read_index,
    read_part,
    shard_file,
    shard_name,
    write_index,
    write_list,
    write_shard,
)
from convlens.cluster.stores import is_address
from convlens.cluster.tasks import RETRIES, task_errors
from convlens.data.deep import find_values
from convlens.errors import DataError, ImageError
from convlens.language import _
from convlens.text import original, printable
from convlens.unit import Values, choose_unit, joined

PART = 4 * BATCH  # images that are handed over and written together
BLOCKS = 2000  # into which Ray Data divides the parts at most
Progress = Callable[[int, int], None]


class Counts(NamedTuple):
    """How many images were asked about.

    Attributes:
        images: Their number.
        computed: Those whose answers were computed now; the others were known.
    """

    images: int
    computed: int


class _Asked(NamedTuple):
    """Where the images and their answers are.

    Attributes:
        folder: The folder of the answers, which has the list of the images.
        parts: The number of parts of the list.
        place: The folder from which the paths of images count; empty if none does.
    """

    folder: Folder
    parts: int
    place: str


class _Answering:
    """Answers for parts of the images, in a process of its own on a node.

    Args:
        shared: References to the question and to what is known.
        folder: The folder of the answers.
        place: The folder from which the paths of images count; empty if none does.
    """

    def __init__(self, shared: list[Any], folder: str, place: str) -> None:
        import ray

        work_in(place)
        question, self._known = ray.get(shared)
        self._folder = folder_at(folder)
        self._predictor: Predictor = question.predictor()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return, for the numbers of parts, the shards that hold their answers."""
        done = [self._part(int(number)) for number in batch["item"]]
        names, sizes, computed = zip(*done, strict=True)
        return {
            "part": batch["item"],
            "shard": np.array(names),
            "images": np.array(sizes),
            "computed": np.array(computed),
        }

    def _part(self, number: int) -> tuple[str, int, int]:
        """Return the shard of a part, the number of its images, and of those computed now."""
        names = read_part(self._folder, number)
        fetched = [_without_content(name, fetch(name)) for name in names]
        keys = [one.key for one in fetched]
        shard = shard_name(keys)
        if self._folder.exists(shard_file(shard)):
            return shard, len(names), 0
        known: Known = self._known
        rows = known.rows(self._folder, keys)
        missing = [place for place, key in enumerate(keys) if key not in rows]
        for start in range(0, len(missing), BATCH):
            some = missing[start : start + BATCH]
            given = [_with_content(names[place], fetched[place]) for place in some]
            batch = [(names[place], one.image) for place, one in zip(some, given, strict=True)]
            for place, one, answer in zip(some, given, self._predictor.answer(batch), strict=True):
                keys[place] = one.key  # which is another one if the file has changed meanwhile
                rows[one.key] = _row(names[place], one, answer)
        shard = shard_name(keys)
        write_shard(self._folder, shard, [rows[key] for key in keys])
        return shard, len(names), len(missing)


def _without_content(name: str, fetched: Fetched) -> Fetched:
    """Return what was fetched without the content of a file, which is cheap to read again."""
    return fetched if is_address(name) else fetched._replace(image=None)


def _with_content(name: str, fetched: Fetched) -> Fetched:
    """Return what was fetched with its content."""
    return fetched if is_address(name) else fetch(name)


def _row(name: str, fetched: Fetched, answer: Prediction | ImageError) -> Row:
    """Return an answer as a shard holds it."""
    row: Row = {"image": printable(name), "key": fetched.key, "content": fetched.content}
    if isinstance(answer, ImageError):
        return row | {"problem": printable(answer.args[0]), "remarks": []}
    return row | {
        "label": printable(answer.label),
        "probability": answer.probability,
        "known": answer.known,
        "probabilities": answer.probabilities,
        "remarks": list(answer.remarks),
        "loses_colours": answer.loses_colours,
    }


def answers(folder: str | Path | Folder, predictor: Predictor) -> Iterator[Prediction | ImageError]:
    """Yield the answers that `ask` has left in a folder, as one computer gives them."""
    for row in read_answers(folder):
        yield _answer_of(row, predictor)


def _answer_of(row: Row, predictor: Predictor) -> Prediction | ImageError:
    """Return the answer of a row of a shard, as `Predictor.answer` gives it."""
    if row["problem"] is not None:
        return ImageError(original(row["problem"]))
    probabilities = np.array(row["probabilities"], np.float32)
    prediction = predictor.prediction(original(row["image"]), probabilities)
    return replace(prediction, remarks=tuple(row["remarks"]), loses_colours=row["loses_colours"])


def _with_unit(question: Question, cluster: Cluster, asked: _Asked) -> Question:
    """Return the question with the unit of all images, unless the classifier has learned one."""
    if question.preprocessing.unit is not None:
        return question
    items = ((asked.folder.address, part, asked.place) for part in range(asked.parts))
    values = joined(found for _number, found in cluster.run(_values_of_part, items))
    if values is None:
        return question
    preprocessing = replace(question.preprocessing, unit=choose_unit(values))
    return replace(question, preprocessing=preprocessing)


def _values_of_part(item: tuple[str, int, str]) -> Values | None:
    """Return the values of the deep images of a part."""
    folder, number, place = item
    work_in(place)
    found = map(fetch_if_deep, read_part(folder_at(folder), number))
    return find_values([image for image in found if image is not None])


def ask(
    question: Question,
    cluster: Cluster,
    folder: str | Path | Folder,
    images: Iterable[str],
    progress: Progress | None = None,
) -> tuple[Question, Counts]:
    """Answer a question about images; the answers lie in the folder afterwards.

    What was answered in this folder before is not computed again. See `read_answers`.

    Args:
        question: The question.
        cluster: The cluster.
        folder: The folder of the answers: an address in an object store, or a path under which all
            nodes reach it.
        images: The names of the images, which are read as a stream.
        progress: A function that is called with (parts done, number of parts).

    Returns:
        The question with the unit of the images, and the numbers of images.

    Raises:
        ClusterError: If a node does not reach the folder or the images, or the folder has other
            answers.
        DataError: If there is no image.
        StorageError: If the folder cannot be written.
    """
    folder = folder_at(folder)
    listed = write_list(folder, images, PART)
    if not listed.images:
        raise DataError(_("there is no image to predict."))
    asked = _Asked(folder, listed.parts, str(Path.cwd()) if listed.is_relative else "")
    refuse_unreachable(cluster, asked.place, folder)
    question = _with_unit(question, cluster, asked)
    claim(folder, question)
    finished, _names = read_index(folder)
    known = Known.none() if finished == listed.digest else find_known(folder)
    shards = [""] * listed.parts
    counts = [0, 0]
    with task_errors():
        for done, row in enumerate(_rows(question, known, cluster, asked), 1):
            shards[row["part"]] = row["shard"]
            counts[0] += row["images"]
            counts[1] += row["computed"]
            if progress is not None:
                progress(done, listed.parts)
    write_index(folder, listed.digest, shards)
    return question, Counts(*counts)


def _rows(
    question: Question, known: Known, cluster: Cluster, asked: _Asked
) -> Iterator[dict[str, Any]]:
    """Yield what `_Answering` returns for each part, as soon as it is done."""
    import ray
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        # Ray's own settings warn of each other when they are made for the first time.
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # An actor that dies before it begins, as with its node, is replaced and does not end the query.
    context.max_consecutive_actor_init_deaths = RETRIES
    # These references must live as long as the actors, which are started again after a failure.
    shared = [ray.put(question), ray.put(known)]
    parts = list(range(asked.parts))
    numbers = ray.data.from_items(parts, override_num_blocks=min(len(parts), BLOCKS))
    actors = max(1, min(len(parts), cluster.cpus))
    yield from numbers.map_batches(
        _Answering,
        batch_size=1,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(size=actors),
        fn_constructor_args=(shared, asked.folder.address, asked.place),
    ).iter_rows()
