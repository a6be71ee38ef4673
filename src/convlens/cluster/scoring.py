"""Scoring: a cluster answers for labelled images, and one computer makes the report."""

from collections import Counter
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from convlens.classifier.classifier import Classifier
from convlens.cluster.asking import Progress, ask
from convlens.cluster.connection import Cluster
from convlens.cluster.images import files_of
from convlens.cluster.question import KERAS, question_of
from convlens.cluster.shards import read_answers
from convlens.data.dataset import Dataset
from convlens.data.digests import DIGEST_BYTES, digest_of_unreadable
from convlens.data.on_demand import OnDemand
from convlens.data.store import Store
from convlens.image_file import none_readable
from convlens.preprocess import ImageArray
from convlens.report.again import Opened
from convlens.text import original


def open_answers(
    classifier: Classifier,
    dataset: Dataset,
    cluster: Cluster,
    folder: str | Path,
    progress: Progress | None = None,
) -> Opened:
    """Let a cluster decode and classify the images of a data set; return them with the answers.

    Args:
        classifier: The classifier, in float32.
        dataset: The images, which must be files.
        cluster: The cluster.
        folder: The folder of the answers, see `convlens.cluster.asking.ask`.
        progress: A function that is called with (parts done, number of parts).

    Raises:
        DataError: If the images are an array, or if none can be read.
    """
    names = [str(path) for path in files_of(dataset)]
    question = question_of(classifier, KERAS, "float32")
    question, _counted = ask(question, cluster, folder, names, progress)
    rows = {original(row["image"]): row for row in read_answers(folder)}
    found = [rows[name] for name in names]
    problems = {
        index: original(row["problem"]) for index, row in enumerate(found) if row["problem"]
    }
    if len(problems) == len(found):
        raise none_readable(len(found), problems[0])
    store = Store(
        cast(ImageArray, OnDemand(dataset.images, question.preprocessing)),
        _digests(found),
        problems,
        sum(bool(row["loses_colours"]) for row in found),
        dict(Counter(remark for row in found for remark in row["remarks"])),
    )

    def predict(_classifier: Classifier, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.array([found[index]["probabilities"] for index in indices], np.float32)

    return Opened(question.preprocessing, store, predict)


def _digests(rows: list[dict[str, Any]]) -> NDArray[np.uint8]:
    """Return (n, 16) the digests of the images, as `convlens.data.digests` gives them."""
    digests = [
        digest_of_unreadable(index) if row["content"] is None else row["content"]
        for index, row in enumerate(rows)
    ]
    return np.frombuffer(bytearray(b"".join(digests)), np.uint8).reshape(-1, DIGEST_BYTES)
